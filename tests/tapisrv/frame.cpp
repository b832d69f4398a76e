#include "frame.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "callbacks.hpp"
#include "constants.hpp"

namespace tsplink::tapisim {
namespace {

constexpr std::size_t kGuard = 64;
constexpr BYTE kUnwritten = 0xCD;

BYTE guard_byte(std::size_t i) { return static_cast<BYTE>(0xD5 ^ i); }

std::string value_of(const Arguments& arguments, const std::string& name) {
  const auto found = arguments.values.find(name);
  return found == arguments.values.end() ? std::string() : found->second;
}

std::map<std::string, std::string> fields_of(const Arguments& arguments, const std::string& name) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : arguments.values) {
    if (starts_with(key, name + ".")) out[key.substr(name.size() + 1)] = value;
  }
  return out;
}

class Builder {
 public:
  Builder(const World& world, const Function& function, const Arguments& arguments, const Section& section,
          DWORD total)
      : world_(world), function_(function), arguments_(arguments), section_(section), total_(total) {}

  std::shared_ptr<Frame> build() {
    frame_ = std::make_shared<Frame>();
    frame_->arguments.resize(function_.params.size());
    frame_->buffer.resize(function_.params.size());
    frame_->version = static_cast<DWORD>(given_number("dwTSPIVersion", section_.version));
    for (std::size_t i = 0; i < function_.params.size(); ++i) {
      if (!counts(static_cast<int>(i))) frame_->arguments[i] = value(i);
    }
    for (std::size_t i = 0; i < function_.params.size(); ++i) {
      if (counts(static_cast<int>(i))) frame_->arguments[i] = count(static_cast<int>(i));
    }
    return frame_;
  }

 private:
  bool counts(int index) const {
    return std::any_of(function_.params.begin(), function_.params.end(),
                       [index](const Param& param) { return param.count == index; });
  }

  std::uintptr_t given_number(const std::string& name, std::uint64_t otherwise,
                              std::uint64_t most = UINTPTR_MAX) const {
    const std::string text = value_of(arguments_, name);
    const auto number = text.empty() ? otherwise : text == "NULL" ? 0 : parse_number(text);
    if (number > most) throw std::runtime_error(name + "=" + text + " is more than 32 bits hold");
    return static_cast<std::uintptr_t>(number);
  }

  std::uintptr_t keep(std::size_t i, Buffer buffer) {
    frame_->buffers.push_back(std::move(buffer));
    frame_->buffer[i] = &frame_->buffers.back();
    return reinterpret_cast<std::uintptr_t>(frame_->buffer[i]->data());
  }

  std::uintptr_t keep_text(std::size_t i, const std::string& text) {
    if (text.empty() || text == "NULL") return 0;
    return keep(i, Buffer(parse_bytes(text, true)));
  }

  std::uintptr_t keep_bytes(std::size_t i, const Param& param, const std::string& text) {
    if (text.empty() || text == "NULL") return 0;
    const bool wide = param.name == "lpsAddress" || param.name == "lpsDisplay";
    Bytes bytes = parse_bytes(text, wide);
    if (wide && text.front() == '"') bytes.resize(bytes.size() - 2);
    return keep(i, Buffer(bytes));
  }

  std::uintptr_t keep_array(std::size_t i, const Param& param) {
    Bytes all;
    int entry = 0;
    for (;; ++entry) {
      const auto fields = fields_of(arguments_, param.name + "[" + std::to_string(entry) + "]");
      if (fields.empty()) break;
      const Bytes one = build_structure(*param.structure, fields, frame_->version);
      all.insert(all.end(), one.begin(), one.end());
    }
    for (const auto& [key, value] : arguments_.values) {
      if (!starts_with(key, param.name + "[")) continue;
      const auto number = to_number(key.substr(param.name.size() + 1, key.find(']') - param.name.size() - 1));
      if (!number || *number >= static_cast<std::uint64_t>(entry))
        throw std::runtime_error(key + " has nothing before it: entries are numbered from 0 on");
    }
    return all.empty() ? 0 : keep(i, Buffer(all));
  }

  std::uintptr_t keep_structure(std::size_t i, const Param& param, std::size_t room) {
    const std::string own = value_of(arguments_, param.name + ".dwTotalSize");
    std::size_t size = total_ != 0 ? total_ : fixed_part(*param.structure, frame_->version) + room;
    if (!own.empty()) size = static_cast<std::size_t>(parse_number(own));
    Buffer buffer(std::max<std::size_t>(size, 4), 0);
    set_dword(buffer.data(), 0, static_cast<DWORD>(size));
    return keep(i, std::move(buffer));
  }

  std::uintptr_t value(std::size_t i) {
    const Param& param = function_.params[i];
    const std::string text = value_of(arguments_, param.name);
    switch (param.kind) {
      case ParamKind::line_device:
      case ParamKind::phone_device: return given_number(param.name, section_.device);
      case ParamKind::line:
      case ParamKind::call:
      case ParamKind::phone:
      case ParamKind::msp:
      case ParamKind::dialog: {
        const auto found = arguments_.objects.find(param.name);
        if (found != arguments_.objects.end()) return found->second->driver;
        return given_number(param.name, 0);
      }
      case ParamKind::dialog_object: {
        const auto found = arguments_.objects.find(param.name);
        return found != arguments_.objects.end() ? found->second->driver : given_number(param.name, section_.device);
      }
      case ParamKind::new_line:
      case ParamKind::new_call:
      case ParamKind::new_phone:
      case ParamKind::new_msp: return keep(i, Buffer(sizeof(std::uintptr_t), 0));
      case ParamKind::text: return keep_text(i, text);
      case ParamKind::bytes:
      case ParamKind::block:
      case ParamKind::late_block: return keep_bytes(i, param, text);
      case ParamKind::struct_in: {
        const auto fields = fields_of(arguments_, param.name);
        return fields.empty() ? 0 : keep(i, Buffer(build_structure(*param.structure, fields, frame_->version)));
      }
      case ParamKind::struct_array: return keep_array(i, param);
      case ParamKind::struct_out: return keep_structure(i, param, 0);
      case ParamKind::struct_late: return keep_structure(i, param, 512);
      case ParamKind::out_number:
      case ParamKind::late_number: return keep(i, Buffer(4, param.name == "lpdwTSPIOptions" ? BYTE{0} : kUnwritten));
      case ParamKind::out_text: return keep(i, Buffer(MAX_PATH * 2, 0));
      case ParamKind::out_bytes: return keep(i, Buffer(given_number(function_.params[i + 1].name, 64), 0));
      case ParamKind::digits: {
        const auto units = given_number("dwNumDigits", 0);
        return units == 0 || text == "NULL" ? 0 : keep(i, Buffer(units * 2, 0));
      }
      case ParamKind::fixed_out: return keep(i, Buffer(16, 0));
      case ParamKind::icon: return keep(i, Buffer(sizeof(HICON), 0));
      case ParamKind::provider: return world_.provider_handle;
      case ParamKind::line_proc: return reinterpret_cast<std::uintptr_t>(&on_line_event);
      case ParamKind::phone_proc: return reinterpret_cast<std::uintptr_t>(&on_phone_event);
      case ParamKind::completion_proc: return reinterpret_cast<std::uintptr_t>(&on_completion);
      case ParamKind::process: return reinterpret_cast<std::uintptr_t>(INVALID_HANDLE_VALUE);
      case ParamKind::number:
        return given_number(param.name, param.name == "dwTSPIVersion" ? section_.version : 0, UINT32_MAX);
      default: return 0;  // request ids and TAPI's handles: set by the caller, who makes them
    }
  }

  std::uintptr_t count(int index) {
    const auto& name = function_.params[static_cast<std::size_t>(index)].name;
    std::size_t size = 0;
    for (std::size_t i = 0; i < function_.params.size(); ++i) {
      const Param& param = function_.params[i];
      if (param.count != index || frame_->buffer[i] == nullptr) continue;
      size = frame_->buffer[i]->size();
      if (param.kind == ParamKind::struct_array) size /= param.structure->size;
      if (param.kind == ParamKind::digits) size /= 2;
      // The provider would write behind it, and the crash would look like its own.
      if (given_number(name, size) > size)
        throw std::runtime_error(name + "=" + value_of(arguments_, name) + " is more than " + param.name + " has");
    }
    return given_number(name, size);
  }

  const World& world_;
  const Function& function_;
  const Arguments& arguments_;
  const Section& section_;
  DWORD total_;
  std::shared_ptr<Frame> frame_;
};

}  // namespace

Buffer::Buffer(std::size_t size, BYTE fill) : memory_(size + kGuard, fill), size_(size) {
  for (std::size_t i = 0; i < kGuard; ++i) memory_[size_ + i] = guard_byte(i);
}

Buffer::Buffer(const Bytes& content) : Buffer(content.size(), 0) {
  std::copy(content.begin(), content.end(), memory_.begin());
}

bool Buffer::intact() const {
  for (std::size_t i = 0; i < kGuard; ++i) {
    if (memory_[size_ + i] != guard_byte(i)) return false;
  }
  return true;
}

std::shared_ptr<Frame> build_frame(const World& world, const Function& function, const Arguments& arguments,
                                   const Section& section, DWORD total) {
  return Builder(world, function, arguments, section, total).build();
}

}  // namespace tsplink::tapisim
