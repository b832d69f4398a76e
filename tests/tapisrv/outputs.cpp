// The outputs and the printing of a call's frame (frame.hpp).
#include <algorithm>
#include <cstring>

#include "constants.hpp"
#include "frame.hpp"

namespace tsplink::tapisim {
namespace {

bool is_late(ParamKind kind) {
  return kind == ParamKind::late_block || kind == ParamKind::late_number || kind == ParamKind::struct_late;
}

bool is_device(const Param& param) {
  return param.kind == ParamKind::line_device || param.kind == ParamKind::phone_device;
}

bool is_output(ParamKind kind) {
  return kind == ParamKind::block || kind == ParamKind::out_number || kind == ParamKind::out_text ||
         kind == ParamKind::out_bytes || kind == ParamKind::struct_out || kind == ParamKind::fixed_out ||
         kind == ParamKind::icon;
}

DWORD dword_of(const Buffer& buffer) { return dword_at(buffer.data(), 0); }

std::string output_param_text(const Param& param, const Buffer& buffer, For reader, DWORD device, DWORD version) {
  switch (param.kind) {
    case ParamKind::out_number:
    case ParamKind::late_number: {
      const auto group = group_of(param.name);
      if (!group.empty()) return constant_text(group, dword_of(buffer));
      return dword_of(buffer) < 0x10000 ? std::to_string(dword_of(buffer)) : hex_number(dword_of(buffer));
    }
    case ParamKind::out_text: {
      std::u16string units(buffer.size() / 2, u'\0');
      std::memcpy(units.data(), buffer.data(), units.size() * 2);
      units.push_back(0);
      return in_quotes(to_utf8(units.c_str()));
    }
    case ParamKind::struct_out:
    case ParamKind::struct_late:
      return structure_text(*param.structure, buffer.data(), buffer.size(), reader, device, version);
    case ParamKind::icon: {
      const bool any = std::any_of(buffer.data(), buffer.data() + buffer.size(), [](BYTE byte) { return byte != 0; });
      return any && reader != For::remote_comparison ? "icon" : "NULL";
    }
    case ParamKind::fixed_out:
      return param.name == "pCLSID" ? guid_text(buffer.data()) : block(buffer.data(), buffer.size());
    default: return block(buffer.data(), buffer.size());
  }
}

std::string input_text(const Function& function, const Frame& frame, std::size_t i, For reader, DWORD device) {
  const Param& param = function.params[i];
  const std::uintptr_t value = frame.arguments[i];
  const Buffer* buffer = frame.buffer[i];
  switch (param.kind) {
    case ParamKind::line_device:
    case ParamKind::phone_device:
      if (value == INITIALIZE_NEGOTIATION) return "INITIALIZE_NEGOTIATION";
      return reader != For::reader && value == device ? "this device" : std::to_string(value);
    case ParamKind::dialog_object:
      return reader != For::reader && value == device ? "this device" : hex_number(value);
    case ParamKind::text: {
      if (buffer == nullptr) return "NULL";
      std::u16string units(buffer->size() / 2, u'\0');
      std::memcpy(units.data(), buffer->data(), units.size() * 2);
      return in_quotes(to_utf8(units.c_str()));
    }
    case ParamKind::bytes:
    case ParamKind::block:
    case ParamKind::late_block: return buffer == nullptr ? "NULL" : block(buffer->data(), buffer->size());
    case ParamKind::struct_in:
      if (buffer == nullptr) return "NULL";
      return structure_text(*param.structure, buffer->data(), buffer->size(), For::reader, device, frame.version);
    case ParamKind::struct_array: {
      if (buffer == nullptr) return "NULL";
      std::vector<std::string> entries;
      for (std::size_t at = 0; at < buffer->size(); at += param.structure->size) {
        entries.push_back(
            structure_text(*param.structure, buffer->data() + at, param.structure->size, For::reader, 0));
      }
      return "[" + join(entries, ", ") + "]";
    }
    case ParamKind::number: {
      const auto group = group_of(param.name);
      if (!group.empty()) return constant_text(group, value);
      return value < 0x10000 ? std::to_string(value) : hex_number(value);
    }
    default: return {};
  }
}

void check_structure(World& world, const Function& function, const Param& param, const Buffer& buffer,
                     DWORD version) {
  const auto asked = static_cast<DWORD>(buffer.size());
  const std::size_t fixed = fixed_part(*param.structure, version);
  const Structure& structure = *param.structure;
  const std::string where = function.name + ", " + std::string(structure.name);
  if (!structure.reports_sizes || asked < 12) return;
  const DWORD total = dword_at(buffer.data(), 0), needed = dword_at(buffer.data(), 4),
              used = dword_at(buffer.data(), 8);
  if (total != asked) {
    world.breach(Rule::total_size_changed,
                 where + ": dwTotalSize was " + std::to_string(asked) + " and came back as " + std::to_string(total));
    return;
  }
  if (used == 0 && needed == 0) {
    world.breach(Rule::output_missing, where + ": success, but dwUsedSize and dwNeededSize are 0");
    return;
  }
  if (used > asked) {
    world.breach(Rule::used_over_total,
                 where + ": dwUsedSize is " + std::to_string(used) + " of dwTotalSize " + std::to_string(asked));
    return;
  }
  if (used < fixed && asked >= fixed) {
    world.breach(Rule::used_too_small, where + ": dwUsedSize is " + std::to_string(used) + ", the fixed part takes " +
                                           std::to_string(fixed));
    return;
  }
  if (needed < used) {
    world.breach(Rule::needed_under_used,
                 where + ": dwNeededSize is " + std::to_string(needed) + " and dwUsedSize " + std::to_string(used));
  }
  for (const auto& field : fields_outside(structure, buffer.data(), used, version)) {
    world.breach(Rule::field_outside, where + ": " + field + ", dwUsedSize is " + std::to_string(used));
  }
}

void check_permanent_ids(World& world, const Function& function, const Param& param, const Frame& frame,
                         const Buffer& buffer) {
  const auto device_param =
      std::find_if(function.params.begin(), function.params.end(), [](const Param& each) { return is_device(each); });
  if (device_param == function.params.end()) return;
  const auto at = static_cast<std::size_t>(device_param - function.params.begin());
  const auto device = static_cast<DWORD>(frame.arguments[at]);
  const auto used = std::min<std::size_t>(buffer.size(), dword_at(buffer.data(), 8));
  for (const auto& [field, id] : permanent_ids(*param.structure, buffer.data(), used, frame.version)) {
    const bool zero = std::all_of(id.begin(), id.end(), [](BYTE byte) { return byte == 0; });
    const bool guid = id.size() > sizeof(DWORD);
    if (guid && zero) continue;
    const std::string where = function.name + ", device " + std::to_string(device) + ": " + field + " is ";
    if (zero) world.breach(Rule::permanent_id, where + "0");
    const auto known = world.permanent_ids.emplace(std::pair(field, device), id).first;
    if (known->second != id) world.breach(Rule::permanent_id, where + "another than before");
    for (const auto& [owner, other] : world.permanent_ids) {
      if (owner.first != field || owner.second == device || other != id) continue;
      world.breach(Rule::permanent_id, where + "that of device " + std::to_string(owner.second));
    }
  }
}

std::uint64_t number_from(const Bytes& bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), std::min<std::size_t>(bytes.size(), 4));
  return value;
}

std::optional<OutputValue> field_output(const Param& param, const Buffer& buffer, std::string_view name,
                                        DWORD version) {
  const Field* field = param.structure->find(name);
  if (field == nullptr || field->at + 4 > std::min(buffer.size(), fixed_part(*param.structure, version)))
    return std::nullopt;
  OutputValue value;
  const DWORD first = dword_at(buffer.data(), field->at);
  if (field->kind == FieldKind::dword) {
    value.number = first;
  } else if (field->kind == FieldKind::variable) {
    const DWORD offset = dword_at(buffer.data(), field->offset_at);
    if (first != 0 && offset <= buffer.size() && first <= buffer.size() - offset) {
      value.bytes.assign(buffer.data() + offset, buffer.data() + offset + first);
    }
  } else {
    value.bytes.assign(buffer.data() + field->at, buffer.data() + field->at + 16);
  }
  value.text = field_text(*param.structure, buffer.data(), buffer.size(), name, version);
  return value;
}

}  // namespace

std::optional<OutputValue> output(const Function& function, const Frame& frame, std::string_view name) {
  for (std::size_t i = 0; i < function.params.size(); ++i) {
    const Param& param = function.params[i];
    const Buffer* buffer = frame.buffer[i];
    if (buffer == nullptr || !(is_output(param.kind) || is_late(param.kind))) continue;
    if (param.structure != nullptr) {
      const std::string prefix = param.name + ".";
      const auto value =
          field_output(param, *buffer, starts_with(name, prefix) ? name.substr(prefix.size()) : name, frame.version);
      if (value) return value;
    }
    if (param.name != name && param.name != "lp" + std::string(name)) continue;
    OutputValue value;
    value.bytes.assign(buffer->data(), buffer->data() + buffer->size());
    if (param.kind == ParamKind::out_number || param.kind == ParamKind::late_number) {
      value.number = number_from(value.bytes);
    }
    value.text = output_param_text(param, *buffer, For::reader, 0, frame.version);
    return value;
  }
  return std::nullopt;
}

bool equals(const OutputValue& value, const std::string& expected) {
  if (value.text == expected) return true;
  if (value.number) return parse_number(expected) == *value.number;
  if (starts_with(expected, "x:") || starts_with(expected, "pattern:")) {
    return parse_bytes(expected, false) == value.bytes;
  }
  return false;
}

std::string inputs_text(const Function& function, const Frame& frame, const Arguments& arguments,
                        const Request* request, const std::map<std::string, Object*>& made, DWORD device,
                        For reader) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < function.params.size(); ++i) {
    const Param& param = function.params[i];
    std::string text;
    if (param.kind == ParamKind::request) {
      text = World::mark(request);
    } else if (const auto named = arguments.objects.find(param.name); named != arguments.objects.end()) {
      text = World::mark(named->second);
    } else if (is_handle_in(param.kind)) {
      text = frame.arguments[i] == 0 ? "NULL" : hex_number(frame.arguments[i]);
    } else if (made.count(param.name) != 0) {
      text = World::mark(made.at(param.name));
    } else {
      text = input_text(function, frame, i, reader, device);
    }
    if (!text.empty()) parts.push_back(param.name + "=" + text);
  }
  return function.name + "(" + join(parts, ", ") + ")";
}

constexpr std::size_t kMostShown = 4096;  // of one output, for a reader

std::string outputs_text(const Function& function, const Frame& frame, bool late, For reader, DWORD device) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < function.params.size(); ++i) {
    const Param& param = function.params[i];
    if (frame.buffer[i] == nullptr || (late ? !is_late(param.kind) : !is_output(param.kind))) continue;
    std::string text = output_param_text(param, *frame.buffer[i], reader, device, frame.version);
    if (reader == For::reader && text.size() > kMostShown) text = text.substr(0, kMostShown) + " ...";
    parts.push_back(param.name + "=" + text);
  }
  return join(parts, ", ");
}

void check_frame(World& world, const Function& function, const Frame& frame, bool success, bool late) {
  for (std::size_t i = 0; i < function.params.size(); ++i) {
    const Param& param = function.params[i];
    const Buffer* buffer = frame.buffer[i];
    if (buffer == nullptr) continue;
    if (!buffer->intact()) {
      world.breach(Rule::output_overrun,
                   function.name + " wrote past the " + std::to_string(buffer->size()) + " bytes of " + param.name);
    }
    if (!success || (late ? !is_late(param.kind) : !is_output(param.kind))) continue;
    if (param.structure != nullptr && param.kind != ParamKind::fixed_out) {
      // linePark leaves the string alone for directed park.
      const bool optional = param.kind == ParamKind::struct_late && dword_at(buffer->data(), 8) == 0;
      if (!optional) check_structure(world, function, param, *buffer, frame.version);
      if (!late) check_permanent_ids(world, function, param, frame, *buffer);
    }
    const bool number = param.kind == ParamKind::out_number || param.kind == ParamKind::late_number;
    if (number && dword_of(*buffer) == 0xCDCDCDCDU) {
      world.breach(Rule::output_missing, function.name + " succeeded without writing *" + param.name);
    }
  }
}

}  // namespace tsplink::tapisim
