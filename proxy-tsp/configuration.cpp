#include "proxy-tsp/configuration.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string_view>

#include <toml++/toml.h>

#ifdef _WIN32
#include "proxy-tsp/registry.hpp"
#endif
#include "wire/device_ids.hpp"
#include "wire/failure.hpp"
#include "wire/system.hpp"

namespace tsplink::proxy {

namespace {

/// Where the settings were read.
struct Origin {
  std::string name;              // for sentences
  bool lines;                    // whether a place in it has a line and a column
  std::filesystem::path folder;  // what relative paths start from
};

[[noreturn]] void refuse(const Origin& origin, const toml::source_region& at, const std::string& sentence) {
  std::string where = origin.name;
  if (origin.lines)
    where += ", line " + std::to_string(at.begin.line) + ", column " + std::to_string(at.begin.column);
  throw Failure(Kind::Configuration, where + ": " + sentence);
}

void only(const Origin& origin, const toml::table& table, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    std::string list;
    for (const auto name : known) list += (list.empty() ? "" : ", ") + std::string(name);
    refuse(origin, value.source(), "unknown key '" + std::string(key.str()) + "'; known here: " + list);
  }
}

/// The value of `key`, `fallback` if it is absent; refuses another type.
template <class T>
T value_of(const Origin& origin, const toml::table& table, std::string_view key, T fallback, const char* kind) {
  const auto* node = table.get(key);
  if (!node) return fallback;
  if (const auto value = node->value_exact<T>()) return *value;
  refuse(origin, node->source(), "'" + std::string(key) + "' must be " + kind);
}

const toml::table& section(const Origin& origin, const toml::table& table, std::string_view key) {
  static const toml::table none;
  const auto* node = table.get(key);
  if (!node) return none;
  if (const auto* found = node->as_table()) return *found;
  refuse(origin, node->source(), "[" + std::string(key) + "] must be a table");
}

void read_host(const Origin& origin, const toml::table& root, Configuration& configuration) {
  const auto* hosts = root["host"].as_array();
  if (!hosts || hosts->size() != 1 || !hosts->get(0)->is_table()) {
    refuse(origin, hosts ? hosts->source() : root.source(), "exactly one [[host]] with an address is needed");
  }
  const auto& host = *hosts->get(0)->as_table();
  only(origin, host, {"address", "port"});
  configuration.host = value_of<std::string>(origin, host, "address", "", "a host name or IP address in quotes");
  if (configuration.host.empty()) refuse(origin, host.source(), "[[host]] needs an address");
  const auto port = value_of<std::int64_t>(origin, host, "port", 8643, "a number");
  if (port < 1 || port > 65535) refuse(origin, host.get("port")->source(), "port must be between 1 and 65535");
  configuration.port = static_cast<std::uint16_t>(port);
}

void read_identity(const Origin& origin, const toml::table& root, Configuration& configuration) {
  const auto& tls = section(origin, root, "tls");
  only(origin, tls, {"certificate", "key", "authority", "revocations", "passphrase"});
  const auto path = [&](std::string_view key) {
    const auto text = value_of<std::string>(origin, tls, key, "", "a file name in quotes");
    return text.empty() ? std::filesystem::path() : origin.folder / wire::path_of(text);
  };
  auto& identity = configuration.identity;
  identity.certificate = path("certificate");
  identity.key = path("key");
  identity.authority = path("authority");
  identity.revocations = path("revocations");
  identity.passphrase = value_of<std::string>(origin, tls, "passphrase", "", "text in quotes");
  if (!origin.lines && !identity.passphrase.empty()) {
    refuse(
        origin, tls.source(),
        "every user of this machine can read a passphrase there: protect the key by its access list instead, without "
        "one, or use the configuration file");
  }
  if (identity.certificate.empty()) refuse(origin, tls.source(), "[tls] needs certificate, key and authority");
}

/// A file name without a folder: Windows looks for it where modules of the system are.
std::string module_name(const Origin& origin, const toml::node& node, const std::string& name) {
  const bool plain =
      name.size() < 200 && std::all_of(name.begin(), name.end(), [](unsigned char letter) {
        return letter > ' ' && letter < 0x7F &&
               std::string_view("\\/:*?\"<>|").find(static_cast<char>(letter)) == std::string_view::npos;
      });
  if (name.empty() || !plain) refuse(origin, node.source(), "a module is named by its file name, without a folder");
  return name;
}

/// The registry has a list as one text, separated by semicolons.
void read_dialogs(const Origin& origin, const toml::table& root, Configuration& configuration) {
  const auto& dialogs = section(origin, root, "dialogs");
  only(origin, dialogs, {"ui", "modules"});
  if (const auto* ui = dialogs.get("ui")) {
    const auto name = value_of<std::string>(origin, dialogs, "ui", "", "a file name in quotes");
    configuration.ui_module = module_name(origin, *ui, name);
  }
  const auto* modules = dialogs.get("modules");
  if (!modules) return;
  if (const auto* list = modules->as_array()) {
    for (const auto& each : *list) {
      const auto name = each.value_exact<std::string>();
      if (!name) refuse(origin, each.source(), "'modules' must be a list of file names in quotes");
      configuration.dialog_modules.push_back(module_name(origin, each, *name));
    }
    return;
  }
  std::istringstream names(value_of<std::string>(origin, dialogs, "modules", "", "a list of file names in quotes"));
  for (std::string name; std::getline(names, name, ';');) {
    configuration.dialog_modules.push_back(module_name(origin, *modules, name));
  }
}

void read_device_classes(const Origin& origin, const toml::table& root, Configuration& configuration) {
  for (const auto& [key, node] : section(origin, root, "device_classes")) {
    const std::string name(key.str());
    const auto folded = wire::folded_class(std::u16string(name.begin(), name.end()));
    // Of other hardware applications want more than a number.
    if (folded != u"wave/in" && folded != u"wave/out" && folded != u"midi/in" && folded != u"midi/out") {
      refuse(origin, node.source(), "'" + name + "' is not wave/in, wave/out, midi/in or midi/out");
    }
    const auto device = node.value_exact<std::int64_t>();
    if (!device || *device < 0 || *device > 0xFFFFFFFELL) {
      refuse(origin, node.source(), "'" + name + "' must be the number of a device of this desktop");
    }
    configuration.device_classes[folded] = static_cast<std::uint32_t>(*device);
  }
}

Configuration configuration_of(const Origin& origin, const toml::table& root) {
  only(origin, root, {"machine", "state", "call_deadline_ms", "host", "tls", "dialogs", "device_classes", "log"});
  Configuration configuration;
  configuration.origin = origin.name;
  configuration.machine = value_of<std::string>(origin, root, "machine", wire::machine_name(), "text in quotes");
  const auto state = value_of<std::string>(origin, root, "state", "", "a folder name in quotes");
  configuration.state = origin.folder / wire::path_of(state.empty() ? "state" : state);
  const auto deadline = value_of<std::int64_t>(origin, root, "call_deadline_ms", 5000, "a number of milliseconds");
  if (deadline < 1 || deadline > 600000) {
    refuse(origin, root.get("call_deadline_ms")->source(), "call_deadline_ms must be between 1 and 600000");
  }
  configuration.call_deadline = std::chrono::milliseconds(deadline);
  read_host(origin, root, configuration);
  read_identity(origin, root, configuration);
  read_dialogs(origin, root, configuration);
  read_device_classes(origin, root, configuration);
  const auto& log = section(origin, root, "log");
  only(origin, log, {"level", "file"});
  configuration.log_level = value_of<std::string>(origin, log, "level", "info", "debug, info, warn or error");
  if (const auto name = value_of<std::string>(origin, log, "file", "", "a file name in quotes"); !name.empty()) {
    configuration.log_file = origin.folder / wire::path_of(name);
  }
  return configuration;
}

Configuration configuration_in(const std::filesystem::path& file) {
  const Origin origin{file.string(), true, file.parent_path()};
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw Failure(Kind::Configuration,
                  origin.name + ": there is no such configuration file; write it or name another in TSPLINK_CONFIG");
  }
  toml::table root;
  try {
    std::ifstream stream(file, std::ios::binary);  // by path: a name in UTF-16 on Windows
    root = toml::parse(stream, origin.name);
  } catch (const toml::parse_error& problem) {
    refuse(origin, problem.source(), std::string(problem.description()));
  }
  return configuration_of(origin, root);
}

}  // namespace

#ifdef _WIN32

std::filesystem::path default_folder() {
  const wchar_t* data = _wgetenv(L"ProgramData");
  return std::filesystem::path(data ? data : L"C:\\ProgramData") / "tsplink";
}

Configuration load_configuration() {
  if (const wchar_t* named = _wgetenv(L"TSPLINK_CONFIG")) return configuration_in(named);
  const auto folder = default_folder();
  if (auto settings = settings_of_registry()) {
    const Origin origin{settings->name, false, folder};
    // A policy has one host: the file's list of them is made of its table.
    if (auto* host = settings->values["host"].as_table()) {
      toml::array hosts;
      hosts.push_back(std::move(*host));
      settings->values.insert_or_assign("host", std::move(hosts));
    }
    return configuration_of(origin, settings->values);
  }
  return configuration_in(folder / "proxy.toml");
}

#else

std::filesystem::path default_folder() { return "/etc/tsplink"; }

Configuration load_configuration() {
  const char* named = std::getenv("TSPLINK_CONFIG");
  return configuration_in(named ? named : default_folder() / "proxy.toml");
}

#endif

}  // namespace tsplink::proxy
