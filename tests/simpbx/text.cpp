#include "tests/simpbx/text.hpp"

#include <cstdio>

namespace tsplink::simpbx {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

std::uint32_t next_utf8(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (more == 0 || at + more > text.size()) return kReplacement;
  std::uint32_t value = lead & (0x3Fu >> more);
  for (unsigned i = 0; i < more; ++i) {
    const auto next = static_cast<unsigned char>(text[at]);
    if ((next & 0xC0) != 0x80) return kReplacement;
    value = (value << 6) | (next & 0x3Fu);
    ++at;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t value) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | (value >> 6)), put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12)), put(0x80 | ((value >> 6) & 0x3F)), put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | (value >> 18)), put(0x80 | ((value >> 12) & 0x3F));
    put(0x80 | ((value >> 6) & 0x3F)), put(0x80 | (value & 0x3F));
  }
}

}  // namespace

Text wide(std::string_view utf8) {
  Text result;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::uint32_t value = next_utf8(utf8, at);
    if (value < 0x10000) {
      result.push_back(static_cast<WCHAR>(value));
    } else {
      result.push_back(static_cast<WCHAR>(0xD800 + ((value - 0x10000) >> 10)));
      result.push_back(static_cast<WCHAR>(0xDC00 + ((value - 0x10000) & 0x3FF)));
    }
  }
  return result;
}

std::string narrow(std::basic_string_view<WCHAR> text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::uint32_t value = text[at];
    if (value >= 0xD800 && value < 0xDC00 && at + 1 < text.size()) {
      const std::uint32_t low = text[at + 1];
      if (low >= 0xDC00 && low < 0xE000) {
        value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
        ++at;
      }
    }
    if (value >= 0xD800 && value < 0xE000) value = kReplacement;
    append_utf8(result, value);
  }
  return result;
}

Text copy_text(LPCWSTR text) { return text ? Text(text) : Text(); }

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string hex_bytes(const BYTE* bytes, std::size_t size) {
  std::string result;
  for (std::size_t i = 0; i < size; ++i) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x", bytes[i]);
    result += two;
  }
  return result;
}

std::uint64_t fnv1a(const BYTE* bytes, std::size_t size) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001B3;
  return hash;
}

}  // namespace tsplink::simpbx
