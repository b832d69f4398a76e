#include "wire/device_ids.hpp"

#include <algorithm>

namespace tsplink::wire {

namespace {

std::uint32_t dword_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t value = 0;
  if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The string part of a VARSTRING, as far as it lies inside.
std::span<const std::uint8_t> string_of(std::span<const std::uint8_t> varstring) {
  const std::size_t size = dword_at(varstring, offsetof(VARSTRING, dwStringSize));
  const std::size_t offset = dword_at(varstring, offsetof(VARSTRING, dwStringOffset));
  if (offset > varstring.size() || size > varstring.size() - offset) return {};
  return varstring.subspan(offset, size);
}

std::vector<std::uint32_t> dwords_of(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint32_t> out(bytes.size() / sizeof(std::uint32_t));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(std::uint32_t));
  return out;
}

// An index that a host chose must not make a desktop allocate without bound.
constexpr std::size_t kMostLines = kMaxBlock / sizeof(std::uint32_t) / 2;

}  // namespace

std::u16string folded_class(std::u16string_view name) {
  std::u16string out(name);
  for (auto& c : out) {
    if (c >= u'A' && c <= u'Z') c = static_cast<char16_t>(c + (u'a' - u'A'));
  }
  return out;
}

DeviceClass device_class(std::u16string_view given) {
  const auto name = folded_class(given);
  if (name == u"tapi/line") return DeviceClass::Lines;
  if (name == u"tapi/phone") return DeviceClass::Phones;
  if (name == u"tapi/terminal") return DeviceClass::Terminals;
  for (const std::u16string_view hardware : {u"comm", u"wave", u"midi", u"ndis"}) {
    const bool itself = name.substr(0, hardware.size()) == hardware;
    if (itself && (name.size() == hardware.size() || name[hardware.size()] == u'/')) return DeviceClass::Hardware;
  }
  return DeviceClass::Other;
}

void remove_hardware_classes(const StructureDescription& structure, std::span<std::uint8_t> bytes,
                             const std::function<bool(const std::u16string&)>& kept_class) {
  for (const auto& pair : structure.pairs) {
    if (pair.content != Content::DeviceClasses) continue;
    const std::size_t size = dword_at(bytes, pair.size_at);
    const std::size_t offset = dword_at(bytes, pair.offset_at);
    if (size == 0 || offset > bytes.size() || size > bytes.size() - offset) continue;
    std::u16string list(size / sizeof(char16_t), u'\0');
    std::memcpy(list.data(), bytes.data() + offset, list.size() * sizeof(char16_t));
    std::u16string kept;
    for (std::size_t at = 0; at < list.size() && list[at] != 0;) {
      const auto name = list.substr(at, list.find(u'\0', at) - at);
      if (device_class(name) != DeviceClass::Hardware || kept_class(folded_class(name))) kept += name + u'\0';
      at += name.size() + 1;
    }
    if (!kept.empty()) kept += u'\0';  // the list ends with an empty name
    const auto left = static_cast<std::uint32_t>(std::min(kept.size() * sizeof(char16_t), size));
    std::memcpy(bytes.data() + offset, kept.data(), left);
    std::memcpy(bytes.data() + pair.size_at, &left, sizeof left);
  }
}

Bytes varstring_of(std::span<const std::uint32_t> ids) {
  VARSTRING head{};
  head.dwStringFormat = STRINGFORMAT_BINARY;
  head.dwStringSize = static_cast<DWORD>(ids.size_bytes());
  head.dwStringOffset = sizeof head;
  head.dwTotalSize = head.dwNeededSize = head.dwUsedSize = static_cast<DWORD>(sizeof head + ids.size_bytes());
  Bytes out(head.dwTotalSize);
  std::memcpy(out.data(), &head, sizeof head);
  if (!ids.empty()) std::memcpy(out.data() + sizeof head, ids.data(), ids.size_bytes());
  return out;
}

void to_permanent_ids(Bytes& varstring, DeviceClass what, bool phone_function, VendorSide& side) {
  if (what == DeviceClass::Other || what == DeviceClass::Hardware) return;
  const auto ids = dwords_of(string_of(varstring));
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (what == DeviceClass::Terminals && phone_function) {
      const auto line = side.permanent_of_line(i, ids.size());
      if (line != kNoDevice) out.insert(out.end(), {line, ids[i]});  // also where the phone is no terminal of it
      continue;
    }
    const auto permanent = side.permanent_of(what != DeviceClass::Lines, ids[i]);
    if (what == DeviceClass::Terminals || permanent != kNoDevice) out.push_back(permanent);
  }
  varstring = varstring_of(out);
}

std::optional<Bytes> to_desktop_ids(std::span<const std::uint8_t> varstring, DeviceClass what, bool phone_function,
                                    DesktopSide& side) {
  const auto string = string_of(varstring);
  if (what == DeviceClass::Other) {
    const auto format = dword_at(varstring, offsetof(VARSTRING, dwStringFormat));
    if (!string.empty() && format == STRINGFORMAT_BINARY) return std::nullopt;
    return Bytes(varstring.begin(), varstring.end());
  }
  if (what == DeviceClass::Hardware) return std::nullopt;
  const auto ids = dwords_of(string);
  std::vector<std::uint32_t> out;
  if (what == DeviceClass::Terminals && phone_function) {
    for (std::size_t i = 0; i + 1 < ids.size(); i += 2) {
      const auto line = side.device_with(false, ids[i]);
      if (line >= kMostLines) continue;  // kNoDevice, too
      if (line >= out.size()) out.resize(std::size_t{line} + 1, kNoDevice);
      out[line] = ids[i + 1];
    }
  } else {
    for (const auto id : ids) {
      const auto device = side.device_with(what != DeviceClass::Lines, id);
      if (what == DeviceClass::Terminals || device != kNoDevice) out.push_back(device);
    }
  }
  if (out.empty()) return std::nullopt;
  return varstring_of(out);
}

void hide_ids(Bytes& varstring, DeviceClass what, bool phone_function,
              const std::function<bool(bool, std::uint32_t)>& known) {
  if (what == DeviceClass::Other || what == DeviceClass::Hardware) return;
  const auto ids = dwords_of(string_of(varstring));
  std::vector<std::uint32_t> out;
  if (what == DeviceClass::Terminals && phone_function) {
    for (std::size_t i = 0; i + 1 < ids.size(); i += 2) {
      if (known(false, ids[i])) out.insert(out.end(), {ids[i], ids[i + 1]});
    }
  } else {
    for (const auto id : ids) {
      if (known(what != DeviceClass::Lines, id)) {
        out.push_back(id);
      } else if (what == DeviceClass::Terminals) {  // a terminal's place is its number
        out.push_back(kNoDevice);
      }
    }
  }
  varstring = varstring_of(out);
}

}  // namespace tsplink::wire
