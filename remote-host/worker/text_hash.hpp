// The hash that ids are made of: FNV-1a of 32 bits, fixed for ever, since desktops and applications store the
// results.
#pragma once

#include <cstdint>
#include <string_view>

namespace tsplink::host {

inline std::uint32_t text_hash(std::string_view text) {
  std::uint32_t value = 2166136261U;
  for (const char letter : text) value = (value ^ static_cast<std::uint8_t>(letter)) * 16777619U;
  return value;
}

}  // namespace tsplink::host
