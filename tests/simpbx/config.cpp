#include "tests/simpbx/config.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

namespace tsplink::simpbx {
namespace {

constexpr std::array<const char*, static_cast<std::size_t>(Habit::kCount)> kHabitNames = {
    "complete_in_call",  "completion_before_output",
    "error_then_id",     "refuse_late",
    "complete_on_close", "events_before_completion",
    "events_in_call",    "app_handles",
    "call_is_line",      "narrow_handles",
    "newcall_no_retry",  "used_too_small",
    "write_past_used",   "needed_changes",
    "nothing_written",   "options_unset",
    "announce_early",    "nonreentrant",
    "init_once",         "block_open",
    "block_close_call",  "locked_callback"};

std::string trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

DWORD number(const std::string& key, const std::string& value) {
  try {
    std::size_t end = 0;
    const unsigned long result = std::stoul(value, &end, 0);
    if (end == value.size() && result <= 0xFFFFFFFFUL) return static_cast<DWORD>(result);
  } catch (const std::logic_error&) {
  }
  throw ConfigError("simpbx: '" + key + "' must be a number, but is '" + value + "'.");
}

/// "2.1" -> 0x00020001, as TSPI writes versions.
DWORD version(const std::string& key, const std::string& value) {
  const auto dot = value.find('.');
  if (dot == std::string::npos) return number(key, value);
  return (number(key, value.substr(0, dot)) << 16) | number(key, value.substr(dot + 1));
}

bool yes(const std::string& key, const std::string& value) {
  if (value == "yes" || value == "true" || value == "1") return true;
  if (value == "no" || value == "false" || value == "0") return false;
  throw ConfigError("simpbx: '" + key + "' must be yes or no, but is '" + value + "'.");
}

using Setter = std::function<void(Config&, const std::string& key, const std::string& value)>;

Setter count(unsigned Config::*member) {
  return [member](Config& c, const std::string& k, const std::string& v) { c.*member = number(k, v); };
}
Setter flag(bool Config::*member) {
  return [member](Config& c, const std::string& k, const std::string& v) { c.*member = yes(k, v); };
}
Setter text(std::string Config::*member) {
  return [member](Config& c, const std::string&, const std::string& v) { c.*member = v; };
}
Setter versions(DWORD Config::*member) {
  return [member](Config& c, const std::string& k, const std::string& v) { c.*member = version(k, v); };
}

const std::map<std::string, Setter>& setters() {
  static const auto* const table = new std::map<std::string, Setter>{
      {"lines", count(&Config::lines)},
      {"phones", count(&Config::phones)},
      {"addresses_per_line", count(&Config::addresses_per_line)},
      {"first_address", count(&Config::first_address)},
      {"first_permanent_id", versions(&Config::first_permanent_id)},
      {"version_low", versions(&Config::version_low)},
      {"version_high", versions(&Config::version_high)},
      {"completion_delay_ms", count(&Config::completion_delay_ms)},
      {"step_ms", count(&Config::step_ms)},
      {"no_answer_ms", count(&Config::no_answer_ms)},
      {"announce_after_ms", count(&Config::announce_after_ms)},
      {"announce_unasked_ms", count(&Config::announce_unasked_ms)},
      {"newcall_retry_ms", count(&Config::newcall_retry_ms)},
      {"newcall_retries", count(&Config::newcall_retries)},
      {"init_ms", count(&Config::init_ms)},
      {"shutdown_ms", count(&Config::shutdown_ms)},
      {"block_ms", count(&Config::block_ms)},
      {"linger_ms", count(&Config::linger_ms)},
      {"msp", flag(&Config::msp)},
      {"closedrop", flag(&Config::closedrop)},
      {"forward_consult", flag(&Config::forward_consult)},
      {"provider", text(&Config::provider)},
      {"line_name", text(&Config::line_name)},
      {"phone_name", text(&Config::phone_name)},
      {"dial_modifiers", text(&Config::dial_modifiers)},
      {"habits", [](Config& c, const std::string&, const std::string& v) { c.habits.add_list(v); }},
  };
  return *table;
}

void set(Config& config, const std::string& key, const std::string& value, unsigned line) {
  if (key.starts_with("line.") || key.starts_with("phone.")) {
    config.per_device[key] = value;
    return;
  }
  const auto found = setters().find(key);
  if (found == setters().end()) {
    throw ConfigError("simpbx: line " + std::to_string(line) + " of the configuration sets '" + key +
                      "', which is no setting; see the README for those there are.");
  }
  found->second(config, key, value);
}

}  // namespace

const char* habit_name(Habit habit) { return kHabitNames[static_cast<std::size_t>(habit)]; }

void Habits::add_list(const std::string& list) {
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, ',');) {
    item = trim(item);
    if (item.empty() || item == "none") continue;
    std::size_t index = 0;
    while (index < kHabitNames.size() && item != kHabitNames[index]) ++index;
    if (index == kHabitNames.size()) throw ConfigError("simpbx: there is no habit named '" + item + "'.");
    set_[index] = true;
  }
}

std::string Habits::text() const {
  std::string result;
  for (std::size_t i = 0; i < kHabitNames.size(); ++i) {
    if (set_[i]) result += (result.empty() ? "" : ",") + std::string(kHabitNames[i]);
  }
  return result.empty() ? "none" : result;
}

Config parse_config(const std::string& text) {
  Config config;
  std::istringstream stream(text);
  unsigned number_of_line = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number_of_line;
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const auto equals = line.find('=');
    if (equals == std::string::npos) {
      throw ConfigError("simpbx: line " + std::to_string(number_of_line) +
                        " of the configuration is not 'key = value'.");
    }
    set(config, trim(line.substr(0, equals)), trim(line.substr(equals + 1)), number_of_line);
  }
  if (config.addresses_per_line == 0) throw ConfigError("simpbx: 'addresses_per_line' must be at least 1.");
  if (config.version_low > config.version_high) throw ConfigError("simpbx: 'version_low' is above 'version_high'.");
  return config;
}

Config load_config() {
  const std::string path = environment("SIMPBX_CONFIG");
  if (path.empty()) return {};
  std::ifstream file(path);
  if (!file) throw ConfigError("simpbx: the configuration '" + path + "' cannot be read; check SIMPBX_CONFIG.");
  return parse_config({std::istreambuf_iterator<char>(file), {}});
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace tsplink::simpbx
