// Texts inside TAPI's structures. Pure function; any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "wire/system.hpp"

namespace tsplink::host {

/// The UTF-16 text whose size and offset (from the structure's begin) are at `size_at` and behind that, as UTF-8;
/// empty when it is not inside the bytes.
inline std::string text_in(std::span<const std::uint8_t> structure, std::size_t size_at) {
  std::uint32_t part[2] = {0, 0};
  if (structure.size() < size_at + sizeof part) return {};
  std::memcpy(part, structure.data() + size_at, sizeof part);
  const auto [size, offset] = part;
  if (offset > structure.size() || size > structure.size() - offset) return {};
  std::u16string text(size / sizeof(char16_t), u'\0');
  if (!text.empty()) std::memcpy(text.data(), structure.data() + offset, text.size() * sizeof(char16_t));
  return wire::utf8_of(text.substr(0, text.find(u'\0')));
}

}  // namespace tsplink::host
