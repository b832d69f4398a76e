#include "structures.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>

#include "constants.hpp"

namespace tsplink::tapisim {
namespace {

std::string stem_of(std::string_view name, std::string_view ending) {
  if (!starts_with(name, "dw") || name.size() <= ending.size() + 2) return {};
  if (name.substr(name.size() - ending.size()) != ending) return {};
  return std::string(name.substr(2, name.size() - 2 - ending.size()));
}

std::string_view elements_of(std::string_view structure, std::string_view field) {
#define ELEMENTS(in, array, element) \
  if (structure == #in && field == #array) return #element;
#include "structures.def"
  return {};
}

Structure make(std::string_view name, std::size_t size, std::string_view list) {
  Structure out;
  out.name = name;
#define TAIL(in, array, element, count)                                      \
  if (name == #in) {                                                         \
    out.tail = #array, out.tail_element = #element, out.tail_count = #count; \
    size -= sizeof(element);                                                 \
  }
#include "structures.def"
  out.size = size;
  std::size_t at = 0;
  for (const auto& word : words(list)) {
    Field field;
    const std::size_t mark = word.find(':');
    field.name = word.substr(0, mark);
    field.at = at;
    if (mark != std::string::npos) field.kind = word.substr(mark + 1) == "guid" ? FieldKind::guid : FieldKind::time;
    at += field.kind == FieldKind::dword ? 4 : 16;
    out.fields.push_back(field);
  }
  if (at != size)
    throw std::logic_error("structures.def does not describe " + std::string(name) + " as tapi.h has it");
  for (std::size_t i = 0; i + 1 < out.fields.size(); ++i) {
    const std::string stem = stem_of(out.fields[i].name, "Size");
    if (stem.empty() || stem_of(out.fields[i + 1].name, "Offset") != stem) continue;
    out.fields[i].name = stem;
    out.fields[i].kind = FieldKind::variable;
    out.fields[i].offset_at = out.fields[i + 1].at;
    out.fields.erase(out.fields.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  for (Field& field : out.fields) field.elements = elements_of(name, field.name);
  out.reports_sizes = out.fields.size() > 2 && out.fields[2].name == "dwUsedSize";
  return out;
}

bool is_permanent_id(std::string_view field) {
  return field == "dwPermanentLineID" || field == "PermanentLineGuid" || field == "dwPermanentPhoneID" ||
         field == "PermanentPhoneGuid";
}

// Kept out of comparisons: sizes that depend on how the variable parts are packed, what belongs to TAPI, and the
// clock of the vendor's machine.
bool compared(std::string_view structure, std::string_view field) {
  static const std::set<std::string, std::less<>> kOut = {"dwTotalSize",
                                                          "dwNeededSize",
                                                          "dwUsedSize",
                                                          "LINECALLINFO.hLine",
                                                          "LINECALLINFO.dwMonitorDigitModes",
                                                          "LINECALLINFO.dwMonitorMediaModes",
                                                          "LINECALLINFO.dwNumOwners",
                                                          "LINECALLINFO.dwNumMonitors",
                                                          "LINECALLINFO.AppName",
                                                          "LINECALLINFO.DisplayableAddress",
                                                          "LINECALLINFO.CalledParty",
                                                          "LINECALLINFO.Comment",
                                                          "LINECALLINFO.dwCallStates",
                                                          "LINEDEVSTATUS.dwNumOpens",
                                                          "LINEDEVSTATUS.dwOpenMediaModes",
                                                          "LINEDEVSTATUS.AppInfo",
                                                          "LINECALLSTATUS.dwCallPrivilege",
                                                          "LINECALLSTATUS.tStateEntryTime",
                                                          "PHONESTATUS.dwNumOwners",
                                                          "PHONESTATUS.dwNumMonitors",
                                                          "PHONESTATUS.OwnerName"};
  return kOut.find(field) == kOut.end() && kOut.find(std::string(structure) + "." + std::string(field)) == kOut.end();
}

bool is_text(std::string_view field) {
  static const std::set<std::string, std::less<>> kText = {
      "Address",         "AppName",       "CalledID",          "CalledIDName",      "CalledParty",
      "CallerID",        "CallerIDName",  "CallingPartyID",    "Comment",           "ConnectedID",
      "ConnectedIDName", "DeviceClass",   "DeviceClasses",     "Display",           "DisplayableAddress",
      "LineName",        "OrigAddress",   "OwnerName",         "PhoneInfo",         "PhoneName",
      "ProviderInfo",    "RedirectingID", "RedirectingIDName", "RedirectionID",     "RedirectionIDName",
      "SwitchInfo",      "TargetAddress", "ButtonText",        "CallTreatmentName", "CallerAddress",
      "DestAddress"};
  return kText.find(field) != kText.end();
}

struct Extent {
  std::size_t offset = 0, size = 0;
};

// Classes that name hardware of the machine with the TSP.
bool local_class(std::string_view name) {
  return name == "comm" || starts_with(name, "comm/") || starts_with(name, "wave/") || starts_with(name, "midi/") ||
         starts_with(name, "ndis");
}

std::string wide_text(const BYTE* data, std::size_t size, std::string_view field, For reader) {
  std::u16string units(size / 2, u'\0');
  std::memcpy(units.data(), data, units.size() * 2);
  if (field == "DeviceClasses") {
    std::vector<std::string> kept;
    for (const auto& name : split(to_utf8(units.data(), units.size()), '\0')) {
      if (!name.empty() && (reader != For::remote_comparison || !local_class(name))) kept.push_back(name);
    }
    return in_quotes(join(kept, ","));
  }
  while (!units.empty() && units.back() == 0) units.pop_back();
  return in_quotes(to_utf8(units.data(), units.size()));
}

std::string elements_text(const Structure& element, const BYTE* data, std::size_t size, Extent array, For reader,
                          DWORD version);

// at: where the structure begins that the field is of. Offsets count from data.
std::string value_text(const Structure& structure, const Field& field, const BYTE* data, std::size_t size,
                       std::size_t at, For reader, DWORD version) {
  if (field.kind == FieldKind::guid || field.kind == FieldKind::time) return "x:" + hex(data + at + field.at, 16);
  const DWORD value = dword_at(data, at + field.at);
  if (field.kind == FieldKind::dword) {
    const std::string_view group = group_of(field.name);
    if (!group.empty()) return constant_text(group, value);
    return value < 0x10000 ? std::to_string(value) : hex_number(value);
  }
  const DWORD offset = dword_at(data, at + field.offset_at);
  if (value == 0) return "\"\"";
  if (offset > size || value > size - offset) return "outside";
  if (!field.elements.empty())
    return elements_text(*find_structure(field.elements), data, size, {offset, value}, reader, version);
  bool wide = is_text(field.name);
  if (structure.name == "VARSTRING") {
    const Field* format = structure.find("dwStringFormat");
    wide = dword_at(data, format->at) == STRINGFORMAT_UNICODE;
  }
  return wide ? wide_text(data + offset, value, field.name, reader) : block(data + offset, value);
}

std::string elements_text(const Structure& element, const BYTE* data, std::size_t size, Extent array, For reader,
                          DWORD version) {
  const std::size_t step = fixed_part(element, version);
  std::vector<std::string> out;
  for (std::size_t at = 0; at + step <= array.size; at += step) {
    std::vector<std::string> parts;
    for (const auto& field : element.fields) {
      if (field.at >= step) continue;
      parts.push_back(field.name + "=" + value_text(element, field, data, size, array.offset + at, reader, version));
    }
    out.push_back("{" + join(parts, " ") + "}");
  }
  return "[" + join(out, ", ") + "]";
}

// structure begins at at; its variable fields may lie from room.offset on, up to byte room.size of data.
void find_outside(const Structure& structure, const BYTE* data, std::size_t at, Extent room, DWORD version,
                  std::vector<std::string>& found) {
  const std::size_t fixed = fixed_part(structure, version);
  for (const auto& field : structure.fields) {
    if (field.kind != FieldKind::variable || field.at >= fixed || at + field.offset_at + 4 > room.size) continue;
    const DWORD size = dword_at(data, at + field.at), offset = dword_at(data, at + field.offset_at);
    if (size == 0) continue;
    if (offset < room.offset || offset > room.size || size > room.size - offset) {
      found.push_back(field.name + " is said to be " + std::to_string(size) + " bytes at " + std::to_string(offset));
    } else if (!field.elements.empty()) {
      const Structure& element = *find_structure(field.elements);
      const std::size_t step = fixed_part(element, version);
      for (std::size_t next = 0; next + step <= size; next += step)
        find_outside(element, data, offset + next, room, version, found);
    }
  }
}

bool is_zero(const Field& field, const BYTE* data) {
  const std::size_t size = field.kind == FieldKind::dword || field.kind == FieldKind::variable ? 4 : 16;
  return std::all_of(data + field.at, data + field.at + size, [](BYTE byte) { return byte == 0; });
}

bool is_size(std::string_view field) {
  return field == "dwTotalSize" || field == "dwNeededSize" || field == "dwUsedSize";
}

/// "NAME[N].FIELD" of the array at the end of a structure; nothing when the name is of no such.
struct Entry {
  std::uint64_t number = 0;
  std::string field;
};
std::optional<Entry> entry_of(const Structure& structure, std::string_view name) {
  const std::string start = std::string(structure.tail) + "[";
  const std::size_t end = name.find("].");
  if (structure.tail.empty() || !starts_with(name, start) || end == std::string_view::npos) return std::nullopt;
  const auto number = to_number(name.substr(start.size(), end - start.size()));
  if (!number) return std::nullopt;
  return Entry{*number, std::string(name.substr(end + 2))};
}

/// Fills one field, of a structure that begins at at; a variable one goes to the end of out.
void put_field(Bytes& out, std::size_t at, const Structure& structure, DWORD version, const std::string& name,
               const std::string& text) {
  const Field* field = structure.find(name);
  if (field == nullptr) throw std::runtime_error(std::string(structure.name) + " has no field " + name);
  if (field->at >= fixed_part(structure, version)) {
    throw std::runtime_error(std::string(structure.name) + " has no field " + name + " in TSPI " +
                             std::to_string(version >> 16) + "." + std::to_string(version & 0xFFFF));
  }
  if (field->kind == FieldKind::dword)
    return set_dword(out.data(), at + field->at, static_cast<DWORD>(parse_number(text)));
  const Bytes bytes = parse_bytes(text, is_text(field->name));
  if (field->kind != FieldKind::variable) {
    if (bytes.size() != 16) throw std::runtime_error(name + " takes 16 bytes");
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at + field->at));
    return;
  }
  set_dword(out.data(), at + field->at, static_cast<DWORD>(bytes.size()));
  set_dword(out.data(), at + field->offset_at, static_cast<DWORD>(out.size()));
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.resize((out.size() + 3) / 4 * 4, 0);
}

}  // namespace

std::size_t fixed_part(const Structure& structure, DWORD version) {
#define FIXED_PART(in, before, bytes) \
  if (structure.name == #in && version < (before)) return bytes;
#include "structures.def"
  return structure.size;
}

bool says_anything(const Structure& structure, const BYTE* data, std::size_t size) {
  std::size_t from = 0;
  while (from < structure.fields.size() && is_size(structure.fields[from].name)) ++from;
  const std::size_t begin = std::min(from * sizeof(DWORD), size);
  return std::any_of(data + begin, data + size, [](BYTE byte) { return byte != 0; });
}

std::vector<std::pair<std::string, Bytes>> permanent_ids(const Structure& structure, const BYTE* data,
                                                         std::size_t size, DWORD version) {
  size = std::min(size, fixed_part(structure, version));
  std::vector<std::pair<std::string, Bytes>> out;
  for (const auto& field : structure.fields) {
    const std::size_t width = field.kind == FieldKind::guid ? 16 : 4;
    if (!is_permanent_id(field.name) || field.at + width > size) continue;
    out.emplace_back(field.name, Bytes(data + field.at, data + field.at + width));
  }
  return out;
}

const Field* Structure::find(std::string_view field) const {
  for (const auto& candidate : fields) {
    if (candidate.name == field) return &candidate;
  }
  return nullptr;
}

const std::vector<Structure>& structures() {
#define STRUCTURE(name, list) make(#name, sizeof(name), list),
  static const std::vector<Structure> kAll = {
#include "structures.def"
  };
  return kAll;
}

const Structure* find_structure(std::string_view name) {
  for (const auto& structure : structures()) {
    if (structure.name == name) return &structure;
  }
  return nullptr;
}

DWORD dword_at(const BYTE* data, std::size_t at) {
  DWORD value = 0;
  std::memcpy(&value, data + at, sizeof value);
  return value;
}

void set_dword(BYTE* data, std::size_t at, DWORD value) { std::memcpy(data + at, &value, sizeof value); }

std::vector<FieldText> fields_text(const Structure& structure, const BYTE* data, std::size_t size, For reader,
                                   std::uint32_t device, DWORD version) {
  const std::size_t fixed = fixed_part(structure, version);
  std::vector<FieldText> out;
  for (const auto& field : structure.fields) {
    if (field.at + 4 > size || field.at >= fixed || is_zero(field, data)) continue;
    if (reader != For::reader && !compared(structure.name, field.name)) continue;
    std::string value = value_text(structure, field, data, size, 0, reader, version);
    if (field.name == "dwLineDeviceID" && dword_at(data, field.at) == device) value = "this device";
    if (reader != For::reader && is_permanent_id(field.name)) value = "given";
    out.push_back({field.name, std::move(value)});
  }
  if (structure.tail.empty() || size < fixed) return out;
  const Structure& element = *find_structure(structure.tail_element);
  const std::size_t there = (size - fixed) / fixed_part(element, version);
  const auto said = dword_at(data, structure.find(structure.tail_count)->at);
  const Extent array{fixed, std::min<std::size_t>(said, there) * fixed_part(element, version)};
  if (array.size > 0) {
    out.push_back({std::string(structure.tail), elements_text(element, data, size, array, reader, version)});
  }
  return out;
}

std::string structure_text(const Structure& structure, const BYTE* data, std::size_t size, For reader,
                           std::uint32_t device, DWORD version) {
  std::vector<std::string> parts;
  for (const auto& field : fields_text(structure, data, size, reader, device, version)) {
    parts.push_back(field.name + "=" + field.value);
  }
  return std::string(structure.name) + "{" + join(parts, " ") + "}";
}

std::string field_text(const Structure& structure, const BYTE* data, std::size_t size, std::string_view name,
                       DWORD version) {
  const Field* field = structure.find(name);
  if (field == nullptr || field->at >= fixed_part(structure, version)) return {};
  return value_text(structure, *field, data, size, 0, For::reader, version);
}

std::vector<std::string> fields_outside(const Structure& structure, const BYTE* data, std::size_t used,
                                        DWORD version) {
  std::vector<std::string> found;
  find_outside(structure, data, 0, {fixed_part(structure, version), used}, version, found);
  return found;
}

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t sum = 0;
  for (const auto& part : split(text, '|')) {
    auto value = to_number(part);
    if (!value) value = constant_value(part);
    if (!value) throw std::runtime_error("\"" + part + "\" is neither a number nor a constant of tapi.h");
    sum |= *value;
  }
  return sum;
}

Bytes parse_bytes(std::string_view text, bool wide) {
  if (starts_with(text, "x:")) {
    const auto bytes = from_hex(text.substr(2));
    if (!bytes) throw std::runtime_error("\"" + std::string(text) + "\" is not an even number of hexadecimal digits");
    return *bytes;
  }
  if (starts_with(text, "pattern:")) {
    const auto parts = split(text, ':');
    if (parts.size() != 3) throw std::runtime_error("write pattern:SIZE:SEED");
    constexpr std::uint64_t kMost = 64U << 20U;
    if (parse_number(parts[1]) > kMost) throw std::runtime_error(std::string(text) + " is more than 64 MiB");
    return pattern(static_cast<std::size_t>(parse_number(parts[1])),
                   static_cast<std::uint32_t>(parse_number(parts[2])));
  }
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (!wide) return {text.begin(), text.end()};
  const std::u16string units = to_utf16(text);
  Bytes out((units.size() + 1) * 2, 0);
  std::memcpy(out.data(), units.data(), units.size() * 2);
  return out;
}

Bytes build_structure(const Structure& structure, const std::map<std::string, std::string>& values, DWORD version) {
  const std::size_t fixed = fixed_part(structure, version);
  std::uint64_t entries = 0;
  std::set<std::uint64_t> numbers;
  for (const auto& value : values) {
    if (const auto entry = entry_of(structure, value.first)) numbers.insert(entry->number);
  }
  while (numbers.count(entries) != 0) ++entries;
  if (entries != numbers.size()) {
    throw std::runtime_error(std::string(structure.tail) + " has a gap: entries are numbered from 0 on");
  }
  const Structure* element = entries > 0 ? find_structure(structure.tail_element) : nullptr;
  const std::size_t step = element == nullptr ? 0 : fixed_part(*element, version);
  Bytes out(fixed + static_cast<std::size_t>(entries) * step, 0);
  if (entries > 0) set_dword(out.data(), structure.find(structure.tail_count)->at, static_cast<DWORD>(entries));
  for (const auto& [name, text] : values) {
    if (const auto entry = entry_of(structure, name)) {
      put_field(out, fixed + static_cast<std::size_t>(entry->number) * step, *element, version, entry->field, text);
    } else {
      put_field(out, 0, structure, version, name, text);
    }
  }
  if (structure.fields[0].name == "dwTotalSize" && values.count("dwTotalSize") == 0) {
    set_dword(out.data(), 0, static_cast<DWORD>(out.size()));
  }
  return out;
}

}  // namespace tsplink::tapisim
