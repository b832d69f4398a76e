#include "text.hpp"

#include <cstdio>
#include <cstdlib>

namespace tsplink::tapisim {
namespace {

void append_utf8(std::string& out, std::uint32_t c) {
  auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

}  // namespace

std::string to_utf8(const char16_t* text, std::size_t units) {
  std::string out;
  for (std::size_t i = 0; i < units; ++i) {
    std::uint32_t c = static_cast<std::uint16_t>(text[i]);
    if (c >= 0xD800 && c < 0xDC00 && i + 1 < units) {
      const std::uint32_t low = static_cast<std::uint16_t>(text[i + 1]);
      if (low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        ++i;
      }
    }
    append_utf8(out, c);
  }
  return out;
}

std::string to_utf8(const char16_t* text) {
  if (text == nullptr) return {};
  std::size_t n = 0;
  while (text[n] != 0) ++n;
  return to_utf8(text, n);
}

std::u16string to_utf16(std::string_view text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    std::uint32_t c = lead;
    int more = 0;
    if (lead >= 0xF0) {
      c = lead & 7U, more = 3;
    } else if (lead >= 0xE0) {
      c = lead & 15U, more = 2;
    } else if (lead >= 0xC0) {
      c = lead & 31U, more = 1;
    }
    for (; more > 0 && i < text.size(); --more) c = (c << 6) | (static_cast<unsigned char>(text[i++]) & 0x3FU);
    if (c >= 0x10000) {
      out.push_back(static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF)));
    } else {
      out.push_back(static_cast<char16_t>(c));
    }
  }
  return out;
}

std::string hex(const void* data, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto* bytes = static_cast<const BYTE*>(data);
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
  return out;
}

std::string guid_text(const BYTE* guid) {
  // A GUID keeps its first three members in the machine's order.
  static constexpr int kOrder[] = {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
  std::string out = "{";
  for (const int i : kOrder) out += i < 0 ? "-" : hex(guid + i, 1);
  return out + "}";
}

std::string hex_number(std::uint64_t value) {
  char buffer[24];
  std::snprintf(buffer, sizeof buffer, "0x%llx", static_cast<unsigned long long>(value));
  return buffer;
}

std::optional<Bytes> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  Bytes out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const std::string two(digits.substr(i, 2));
    char* end = nullptr;
    const long value = std::strtol(two.c_str(), &end, 16);
    if (end != two.c_str() + 2) return std::nullopt;
    out.push_back(static_cast<BYTE>(value));
  }
  return out;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  const std::string copy(text);
  if (copy.empty() || (copy[0] != '-' && (copy[0] < '0' || copy[0] > '9'))) return std::nullopt;
  char* end = nullptr;
  if (copy[0] == '-') {
    const long long value = std::strtoll(copy.c_str(), &end, 0);
    if (*end != 0) return std::nullopt;
    return static_cast<std::uint32_t>(value);
  }
  const int base = copy.size() > 1 && (copy[1] == 'x' || copy[1] == 'X') ? 16 : 10;
  const unsigned long long value = std::strtoull(copy.c_str(), &end, base);
  if (*end != 0) return std::nullopt;
  return value;
}

std::uint64_t fnv1a(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const BYTE*>(data);
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (std::size_t i = 0; i < size; ++i) h = (h ^ bytes[i]) * 0x100000001B3ULL;
  return h;
}

std::string block(const void* data, std::size_t size, std::size_t in_full) {
  if (data == nullptr) return "NULL";
  if (size <= in_full) return "x:" + hex(data, size);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%zu bytes, fnv1a %016llx", size,
                static_cast<unsigned long long>(fnv1a(data, size)));
  return buffer;
}

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  bool inside = false;
  for (const char c : line) {
    if (c == '#' && !inside && word.empty()) break;
    if (c == '"') inside = !inside;
    if (!inside && (c == ' ' || c == '\t' || c == '\r')) {
      if (!word.empty()) out.push_back(word);
      word.clear();
    } else {
      word.push_back(c);
    }
  }
  if (!word.empty()) out.push_back(word);
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (true) {
    const std::size_t at = text.find(separator, from);
    out.emplace_back(text.substr(from, at == std::string_view::npos ? at : at - from));
    if (at == std::string_view::npos) return out;
    from = at + 1;
  }
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\x" + hex(&c, 1);
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

Bytes pattern(std::size_t size, std::uint32_t seed) {
  Bytes out(size);
  std::uint32_t x = seed * 2654435761U + 1U;
  for (auto& byte : out) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    byte = static_cast<BYTE>(x);
  }
  return out;
}

}  // namespace tsplink::tapisim
