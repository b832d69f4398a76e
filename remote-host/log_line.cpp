// How a line of the log looks. Pure functions.
#include <spdlog/details/os.h>

#include <cstdio>

#include "remote-host/log.hpp"

namespace tsplink::host::log {

namespace {

/// A value that needs no quotes: nobody can put a field of his own into it.
bool plain(std::string_view value) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:+*#@";
  return !value.empty() && value.find_first_not_of(kPlain) == std::string_view::npos;
}

std::string in_quotes(std::string_view value) {
  std::string out = "\"";
  for (const char letter : value) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + '"';
}

/// Whatever a peer names must not fill the disk.
std::string bounded(std::string_view text) {
  if (text.size() <= kMostText) return std::string(text);
  auto end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // no half of a character
  return std::string(text.substr(0, end)) + "...";
}

std::string utc(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto parts = spdlog::details::os::gmtime(std::chrono::system_clock::to_time_t(whole));
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(ms));
  return text;
}

}  // namespace

std::string shown(std::string_view name) { return plain(name) ? std::string(name) : in_quotes(name); }

std::string masked(std::string_view number) {
  constexpr std::size_t kShown = 2;
  std::size_t letters = 0;
  for (const char each : number) letters += (static_cast<unsigned char>(each) & 0xC0U) != 0x80;
  if (letters < 2 * kShown) return std::string(letters, '*');
  std::size_t tail = number.size();
  for (std::size_t shown = 0; shown < kShown; ++shown) {
    do --tail;
    while ((static_cast<unsigned char>(number[tail]) & 0xC0U) == 0x80);
  }
  return std::string(letters - kShown, '*') + std::string(number.substr(tail));
}

std::string formatted(const Line& line, Format format, bool mask_numbers) {
  const bool json = format == Format::Json;
  std::string out;
  if (json) {
    out = R"({"time":")" + utc(line.time) + R"(","level":")" +
          std::string(kLevels[static_cast<std::size_t>(line.level)]) + R"(","message":)" +
          wire::json_text(bounded(line.text));
  } else {
    out = wire::printable(bounded(line.text));
  }
  for (const auto& field : line.fields) {
    const auto value = bounded(field.number && mask_numbers ? masked(field.value) : field.value);
    out += json ? "," : " ";
    if (json) {
      out += '"';
      out += field.name;
      out += "\":" + wire::json_text(value);
    } else {
      out += field.name;
      out += '=';
      out += wire::printable(shown(value));
    }
  }
  return json ? out + '}' : out;
}

}  // namespace tsplink::host::log
