#include "remote-host/ctl/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

namespace tsplink::host::ctl {

namespace {

using Json = nlohmann::ordered_json;
using control::Column;
using control::Show;

constexpr char kNothing[] = "-";

/// Bytes of the character that begins here and may be shown; 0: it may not.
std::size_t shown(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const std::size_t size = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (first >= 0xF5 || size == 0) return 0;
  std::uint32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool control = code < 0xA0 || code == 0x2028 || code == 0x2029;
  // These turn the direction of what follows, so that a name could pass for another.
  const bool turns = code == 0x61C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069);
  const bool half = code >= 0xD800 && code < 0xE000;
  return overlong || control || turns || half || code > 0x10FFFF ? 0 : size;
}

/// Columns of a terminal, with one for each character.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char each) { return (static_cast<unsigned char>(each) & 0xC0U) != 0x80U; }));
}

std::string cell(const Json& value, Show show = Show::Plain) {
  if (value.is_null()) return kNothing;
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (show == Show::Duration && value.is_number_integer()) return duration(value.get<std::int64_t>());
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return text.empty() ? kNothing : printable(text);
  }
  const auto joined = [](const auto& begin, const auto& end) {
    std::string all;
    for (auto each = begin; each != end; ++each) all += (all.empty() ? "" : ", ") + cell(*each);
    return all;
  };
  if (value.empty()) return kNothing;
  if (value.is_array()) return joined(value.begin(), value.end());
  if (value.is_object()) {  // the first, and what else there is to say of it
    const auto second = std::next(value.begin());
    return cell(*value.begin()) + (value.size() > 1 ? " (" + joined(second, value.end()) + ")" : "");
  }
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string cell(const Json& object, const Column& column) {
  const auto found = object.is_object() ? object.find(column.key) : object.end();
  return found == object.end() ? kNothing : cell(*found, column.show);
}

using Row = std::vector<std::string>;

std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string all;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    all += line + '\n';
  }
  return all;
}

std::string to_text(const control::Part& part, const Json& value) {
  std::vector<Row> rows;
  if (!part.list) {
    for (const auto& column : part.columns) rows.push_back({column.heading + std::string(":"), cell(value, column)});
    return aligned(rows);
  }
  auto& headings = rows.emplace_back();
  for (const auto& column : part.columns) headings.emplace_back(column.heading);
  if (value.is_array()) {
    for (const auto& each : value) {
      auto& row = rows.emplace_back();
      for (const auto& column : part.columns) row.push_back(cell(each, column));
    }
  }
  if (part.quiet && rows.size() == 1) return {};
  if (part.title && rows.size() == 1) return "\n" + std::string(part.title) + " nothing.\n";
  return (part.title ? "\n" + std::string(part.title) + "\n" : "") + aligned(rows);
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string all;
  while (!text.empty()) {
    const auto size = shown(text);
    if (size != 0) {
      all += text.substr(0, size);
    } else {
      const auto byte = static_cast<unsigned char>(text.front());
      all += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return all;
}

std::string duration(std::int64_t seconds) {
  constexpr std::int64_t kDay = 24 * 60 * 60;
  const auto days = seconds / kDay;
  const auto rest = static_cast<int>(seconds % kDay);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d", rest / 3600, rest / 60 % 60, rest % 60);
  return (days ? std::to_string(days) + " d " : "") + text.data();
}

std::string to_text(const control::Command& command, const Json& answer) {
  if (command.parts.empty()) return cell(answer, Column{"message", ""}) + "\n";
  std::string all;
  for (const auto& part : command.parts) all += to_text(part, answer.contains(part.key) ? answer[part.key] : Json());
  return all;
}

}  // namespace tsplink::host::ctl
