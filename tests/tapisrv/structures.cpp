#include "structures.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <stdexcept>

#include "constants.hpp"

namespace tsplink::tapisim {
namespace {

// Fixed parts by negotiated version. TSPI 2.0 is the oldest that matters.
std::size_t minimum_size(std::string_view name, std::size_t today) {
  if (name == "LINEDEVCAPS") return 252;
  if (name == "LINECALLINFO") return 324;
  if (name == "LINECALLPARAMS") return 176;
  if (name == "PHONECAPS") return 180;
  return today;
}

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
  out.size = size;
  out.minimum = minimum_size(name, size);
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

std::string elements_text(const Structure& element, const BYTE* data, std::size_t size, Extent array, For reader);

// at: where the structure begins that the field is of. Offsets count from data.
std::string value_text(const Structure& structure, const Field& field, const BYTE* data, std::size_t size,
                       std::size_t at, For reader) {
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
    return elements_text(*find_structure(field.elements), data, size, {offset, value}, reader);
  bool wide = is_text(field.name);
  if (structure.name == "VARSTRING") {
    const Field* format = structure.find("dwStringFormat");
    wide = dword_at(data, format->at) == STRINGFORMAT_UNICODE;
  }
  return wide ? wide_text(data + offset, value, field.name, reader) : block(data + offset, value);
}

std::string elements_text(const Structure& element, const BYTE* data, std::size_t size, Extent array, For reader) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at + element.size <= array.size; at += element.size) {
    std::vector<std::string> parts;
    for (const auto& field : element.fields)
      parts.push_back(field.name + "=" + value_text(element, field, data, size, array.offset + at, reader));
    out.push_back("{" + join(parts, " ") + "}");
  }
  return "[" + join(out, ", ") + "]";
}

// structure begins at at; its variable fields may lie from room.offset on, up to byte room.size of data.
void find_outside(const Structure& structure, const BYTE* data, std::size_t at, Extent room,
                  std::vector<std::string>& found) {
  for (const auto& field : structure.fields) {
    if (field.kind != FieldKind::variable || at + field.offset_at + 4 > room.size) continue;
    const DWORD size = dword_at(data, at + field.at), offset = dword_at(data, at + field.offset_at);
    if (size == 0) continue;
    if (offset < room.offset || offset > room.size || size > room.size - offset) {
      found.push_back(field.name + " is said to be " + std::to_string(size) + " bytes at " + std::to_string(offset));
    } else if (!field.elements.empty()) {
      const Structure& element = *find_structure(field.elements);
      for (std::size_t next = 0; next + element.size <= size; next += element.size)
        find_outside(element, data, offset + next, room, found);
    }
  }
}

bool is_zero(const Field& field, const BYTE* data) {
  const std::size_t size = field.kind == FieldKind::dword || field.kind == FieldKind::variable ? 4 : 16;
  return std::all_of(data + field.at, data + field.at + size, [](BYTE byte) { return byte == 0; });
}

}  // namespace

std::vector<std::pair<std::string, Bytes>> permanent_ids(const Structure& structure, const BYTE* data,
                                                         std::size_t size) {
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
                                   std::uint32_t device) {
  std::vector<FieldText> out;
  for (const auto& field : structure.fields) {
    if (field.at + 4 > size || is_zero(field, data)) continue;
    if (reader != For::reader && !compared(structure.name, field.name)) continue;
    std::string value = value_text(structure, field, data, size, 0, reader);
    if (field.name == "dwLineDeviceID" && dword_at(data, field.at) == device) value = "this device";
    if (reader != For::reader && is_permanent_id(field.name)) value = "given";
    out.push_back({field.name, std::move(value)});
  }
  return out;
}

std::string structure_text(const Structure& structure, const BYTE* data, std::size_t size, For reader,
                           std::uint32_t device) {
  std::vector<std::string> parts;
  for (const auto& field : fields_text(structure, data, size, reader, device)) {
    parts.push_back(field.name + "=" + field.value);
  }
  return std::string(structure.name) + "{" + join(parts, " ") + "}";
}

std::string field_text(const Structure& structure, const BYTE* data, std::size_t size, std::string_view name) {
  const Field* field = structure.find(name);
  return field == nullptr ? std::string() : value_text(structure, *field, data, size, 0, For::reader);
}

std::vector<std::string> fields_outside(const Structure& structure, const BYTE* data, std::size_t used) {
  std::vector<std::string> found;
  find_outside(structure, data, 0, {structure.minimum, used}, found);
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

Bytes build_structure(const Structure& structure, const std::map<std::string, std::string>& values) {
  Bytes out(structure.size, 0);
  for (const auto& [name, text] : values) {
    const Field* field = structure.find(name);
    if (field == nullptr) throw std::runtime_error(std::string(structure.name) + " has no field " + name);
    if (field->kind == FieldKind::dword) {
      set_dword(out.data(), field->at, static_cast<DWORD>(parse_number(text)));
      continue;
    }
    const Bytes bytes = parse_bytes(text, is_text(field->name));
    if (field->kind != FieldKind::variable) {
      if (bytes.size() != 16) throw std::runtime_error(name + " takes 16 bytes");
      std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(field->at));
      continue;
    }
    set_dword(out.data(), field->at, static_cast<DWORD>(bytes.size()));
    set_dword(out.data(), field->offset_at, static_cast<DWORD>(out.size()));
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.resize((out.size() + 3) / 4 * 4, 0);
  }
  if (structure.fields[0].name == "dwTotalSize" && values.count("dwTotalSize") == 0) {
    set_dword(out.data(), 0, static_cast<DWORD>(out.size()));
  }
  return out;
}

}  // namespace tsplink::tapisim
