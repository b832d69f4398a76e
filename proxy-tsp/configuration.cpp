#include "proxy-tsp/configuration.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#ifndef _WIN32
#include <unistd.h>
#endif

#include <toml++/toml.h>

#include "wire/failure.hpp"

namespace tsplink::proxy {

namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, const toml::source_region& at,
                         const std::string& sentence) {
  throw Failure(Kind::Configuration, file.string() + ", line " + std::to_string(at.begin.line) + ", column " +
                                         std::to_string(at.begin.column) + ": " + sentence);
}

void only(const std::filesystem::path& file, const toml::table& table,
          std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    std::string list;
    for (const auto name : known) list += (list.empty() ? "" : ", ") + std::string(name);
    refuse(file, value.source(), "unknown key '" + std::string(key.str()) + "'; known here: " + list);
  }
}

/// The value of `key`, `fallback` if it is absent; refuses another type.
template <class T>
T value_of(const std::filesystem::path& file, const toml::table& table, std::string_view key, T fallback,
           const char* kind) {
  const auto* node = table.get(key);
  if (!node) return fallback;
  if (const auto value = node->value_exact<T>()) return *value;
  refuse(file, node->source(), "'" + std::string(key) + "' must be " + kind);
}

const toml::table& section(const std::filesystem::path& file, const toml::table& table, std::string_view key) {
  static const toml::table none;
  const auto* node = table.get(key);
  if (!node) return none;
  if (const auto* found = node->as_table()) return *found;
  refuse(file, node->source(), "[" + std::string(key) + "] must be a table");
}

std::string machine_name() {
#ifdef _WIN32
  const char* name = std::getenv("COMPUTERNAME");
  return name ? name : "desktop";
#else
  char name[256] = "";
  return gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "desktop";
#endif
}

void read_host(const std::filesystem::path& file, const toml::table& root, Configuration& configuration) {
  const auto* hosts = root["host"].as_array();
  if (!hosts || hosts->size() != 1 || !hosts->get(0)->is_table()) {
    refuse(file, hosts ? hosts->source() : root.source(), "exactly one [[host]] with an address is needed");
  }
  const auto& host = *hosts->get(0)->as_table();
  only(file, host, {"address", "port"});
  configuration.host = value_of<std::string>(file, host, "address", "", "a host name or IP address in quotes");
  if (configuration.host.empty()) refuse(file, host.source(), "[[host]] needs an address");
  const auto port = value_of<std::int64_t>(file, host, "port", 8643, "a number");
  if (port < 1 || port > 65535) refuse(file, host.get("port")->source(), "port must be between 1 and 65535");
  configuration.port = static_cast<std::uint16_t>(port);
}

void read_identity(const std::filesystem::path& file, const toml::table& root, Configuration& configuration) {
  const auto& tls = section(file, root, "tls");
  only(file, tls, {"certificate", "key", "authority", "revocations", "passphrase"});
  const auto path = [&](std::string_view key) {
    const auto text = value_of<std::string>(file, tls, key, "", "a file name in quotes");
    return text.empty() ? std::filesystem::path() : file.parent_path() / text;
  };
  auto& identity = configuration.identity;
  identity.certificate = path("certificate");
  identity.key = path("key");
  identity.authority = path("authority");
  identity.revocations = path("revocations");
  identity.passphrase = value_of<std::string>(file, tls, "passphrase", "", "text in quotes");
  if (identity.certificate.empty()) refuse(file, tls.source(), "[tls] needs certificate, key and authority");
}

}  // namespace

std::filesystem::path configuration_file() {
  if (const char* named = std::getenv("TSPLINK_CONFIG")) return named;
#ifdef _WIN32
  const char* folder = std::getenv("ProgramData");
  return std::filesystem::path(folder ? folder : "C:\\ProgramData") / "tsplink" / "proxy.toml";
#else
  return "/etc/tsplink/proxy.toml";
#endif
}

Configuration load_configuration(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw Failure(
        Kind::Configuration,
        file.string() + ": there is no such configuration file; write it or name another in TSPLINK_CONFIG");
  }
  toml::table root;
  try {
    root = toml::parse_file(file.string());
  } catch (const toml::parse_error& problem) {
    refuse(file, problem.source(), std::string(problem.description()));
  }
  only(file, root, {"machine", "state", "call_deadline_ms", "host", "tls", "log"});
  Configuration configuration;
  configuration.machine = value_of<std::string>(file, root, "machine", machine_name(), "text in quotes");
  const auto state = value_of<std::string>(file, root, "state", "", "a folder name in quotes");
  configuration.state = state.empty() ? file.parent_path() / "state" : file.parent_path() / state;
  const auto deadline = value_of<std::int64_t>(file, root, "call_deadline_ms", 5000, "a number of milliseconds");
  if (deadline < 1 || deadline > 600000) {
    refuse(file, root.get("call_deadline_ms")->source(), "call_deadline_ms must be between 1 and 600000");
  }
  configuration.call_deadline = std::chrono::milliseconds(deadline);
  read_host(file, root, configuration);
  read_identity(file, root, configuration);
  const auto& log = section(file, root, "log");
  only(file, log, {"level", "file"});
  configuration.log_level = value_of<std::string>(file, log, "level", "info", "debug, info, warn or error");
  if (const auto name = value_of<std::string>(file, log, "file", "", "a file name in quotes"); !name.empty()) {
    configuration.log_file = file.parent_path() / name;
  }
  return configuration;
}

}  // namespace tsplink::proxy
