#include "wire/log_text.hpp"

#include <cstdio>

namespace tsplink::wire {

namespace {

struct Character {
  char32_t point = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The first of `text`, which is not empty; a byte alone where it is no UTF-8.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  char32_t point = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  const bool longer = (bytes == 3 && point < 0x800) || (bytes == 4 && point < 0x10000);
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  if (longer || surrogate || point > 0x10FFFF) return {};
  return {point, bytes, true};
}

/// What a line must not hold as it is.
bool hidden(char32_t point) {
  constexpr struct {
    char32_t first, last;
  } kHidden[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},        // control characters
      {0x061C, 0x061C}, {0x200B, 0x200F},    // no width, direction
      {0x2028, 0x202E}, {0x2060, 0x206F},    // line separators, direction
      {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},    // byte order mark, annotations
      {0xFFFE, 0xFFFF}, {0xE0000, 0xE0FFF},  // none, tags
  };
  for (const auto& range : kHidden) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

std::string formatted(const char* format, unsigned value) {
  char text[24];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// Calls take(character, its bytes) for each.
template <class F>
void each_character(std::string_view text, F&& take) {
  while (!text.empty()) {
    const auto character = first_of(text);
    take(character, text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_character(text, [&](const Character& character, std::string_view bytes) {
    if (!character.valid) {
      out += formatted("\\x{%02x}", static_cast<unsigned char>(bytes[0]));
    } else if (hidden(character.point)) {
      out += formatted("\\u{%x}", static_cast<unsigned>(character.point));
    } else {
      out += bytes;
    }
  });
  return out;
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  each_character(text, [&](const Character& character, std::string_view bytes) {
    if (!character.valid) {
      out += "\\ufffd";
    } else if (character.point == '"' || character.point == '\\') {
      out += '\\';
      out += bytes;
    } else if (!hidden(character.point)) {
      out += bytes;
    } else if (character.point < 0x10000) {
      out += formatted("\\u%04x", static_cast<unsigned>(character.point));
    } else {
      const auto above = static_cast<unsigned>(character.point - 0x10000);
      out += formatted("\\u%04x", 0xD800U + (above >> 10U)) + formatted("\\u%04x", 0xDC00U + (above & 0x3FFU));
    }
  });
  return out + '"';
}

std::string trace_id(std::uint64_t trace) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(trace));
  return text;
}

std::string trace_field(std::uint64_t trace) { return " trace=" + trace_id(trace); }

}  // namespace tsplink::wire
