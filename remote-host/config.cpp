#include "remote-host/config.hpp"

#include "remote-host/control/local_socket.hpp"
#include "remote-host/toml_section.hpp"
#include "wire/failure.hpp"
#include "wire/link/platform.hpp"
#include "wire/system.hpp"

namespace tsplink::host {

namespace {

/// "host:port", "[v6]:port"
void read_listen(Section& root, Config& config) {
  const auto* node = root.take("listen");
  if (!node) return;
  const auto value = root.text("listen", "");
  const auto colon = value.rfind(':');
  std::string address = colon == std::string::npos ? "" : value.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : value.substr(colon + 1);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (address.empty() || !digits || std::stoul(port) > 65535 ||
      (!bracketed && address.find(':') != std::string::npos)) {
    root.refuse(node, "listen must be address and port, such as \"0.0.0.0:8643\" or \"[::]:8643\".");
  }
  std::string problem;
  if (link::addresses_of(address, true, problem).empty()) {
    root.refuse(node, "listen takes an address of this machine, not a name such as \"" + address +
                          "\"; \"0.0.0.0\" is all of its addresses.");
  }
  config.listen_address = address;
  config.listen_port = static_cast<std::uint16_t>(std::stoul(port));
}

std::filesystem::path beside(const std::filesystem::path& file, const std::string& path) {
  return path.empty() ? std::filesystem::path() : std::filesystem::absolute(file).parent_path() / wire::path_of(path);
}

/// Where lines go, for [log] and [audit]. Without `to` a file that is named decides.
void read_output(Section& section, const std::filesystem::path& file, log::Output& output) {
  const auto* named = section.take("file");
  output.file = beside(file, section.text("file", ""));
  const auto to = output.file.empty() ? log::To::Stderr : log::To::File;
  output.to = static_cast<log::To>(section.choice("to", log::kTargets, static_cast<std::size_t>(to)));
  if (output.to == log::To::File && output.file.empty()) {
    section.refuse(section.take("to"), section.called("file") + " is missing; name the file.");
  }
  if (output.to != log::To::File && !output.file.empty()) {
    section.refuse(named, section.called("file") + " is written only with " + section.called("to") +
                              " = \"file\"; remove one of them.");
  }
#ifdef _WIN32
  if (output.to == log::To::Journal) {
    section.refuse(section.take("to"), section.called("to") + " = \"journal\" is for Linux; choose another.");
  }
#endif
  output.format = static_cast<log::Format>(section.choice("format", log::kFormats, 0));
  output.rotate_bytes = section.number("rotate_bytes", output.rotate_bytes, 0, 0xFFFFFFFF);
  output.rotate_files = section.number("rotate_files", output.rotate_files, 1, 1000);
  output.mask_numbers = section.flag("mask_numbers", output.mask_numbers);
  section.no_others();
}

void read_log(Section section, const std::filesystem::path& file, log::Settings& settings) {
  settings.level =
      static_cast<log::Level>(section.choice("level", log::kLevels, static_cast<std::size_t>(settings.level)));
  read_output(section, file, settings.log);
}

void read_audit(const toml::table* table, const std::filesystem::path& file, log::Settings& settings) {
  if (!table) return;
  Section section(file, "audit", table);
  if (!section.take("to") && !section.take("file")) {
    section.refuse(table, "audit.file is missing; name it, or leave [audit] out to have these lines in the log.");
  }
  log::Output output;
  output.mask_numbers = settings.log.mask_numbers;
  read_output(section, file, output);
  if (output.to == log::To::File && output.file == settings.log.file) {
    section.refuse(section.take("file"),
                   "audit.file is log.file; name another, or leave [audit] out to have these lines in the log.");
  }
  settings.audit = output;
}

ControlConfig read_control(Section section, const std::filesystem::path& file) {
  section.only({"socket", "group"});
  ControlConfig control;
  control.chosen = section.take("socket") != nullptr;
  const auto socket = section.text("socket", "");
  if (!control.chosen || !socket.empty()) control.socket = control::socket_of(file, socket);
  control.group = section.text("group", "");
  return control;
}

void read_limits(Section section, LimitsConfig& limits) {
  constexpr std::uint32_t kMinute = 60000;
  constexpr std::uint32_t kMany = 1000000;
  limits.frame_bytes = section.number("frame_bytes", limits.frame_bytes, 512 * 1024, 64U << 20U);
  limits.frame_before_hello_bytes =
      section.number("frame_before_hello_bytes", limits.frame_before_hello_bytes, 1024, 65536);
  limits.session_bytes = section.number("session_bytes", limits.session_bytes, 1U << 20U, 1U << 30U);
  limits.handshake_ms = section.number("handshake_ms", limits.handshake_ms, 100, kMinute);
  limits.hello_ms = section.number("hello_ms", limits.hello_ms, 100, kMinute);
  limits.heartbeat_ms = section.number("heartbeat_ms", limits.heartbeat_ms, 50, kMinute);
  limits.dead_after_ms = section.number("dead_after_ms", limits.dead_after_ms, 100, 10 * kMinute);
  limits.unauthenticated = section.number("unauthenticated", limits.unauthenticated, 1, kMany);
  limits.unauthenticated_by_address =
      section.number("unauthenticated_by_address", limits.unauthenticated_by_address, 1, kMany);
  limits.connections = section.number("connections", limits.connections, 1, kMany);
  limits.requests_in_flight = section.number("requests_in_flight", limits.requests_in_flight, 1, kMany);
  limits.watchdog_ms = section.number("watchdog_ms", limits.watchdog_ms, 100, 60 * kMinute);
  section.no_others();
}

void read_tls(Section section, const std::filesystem::path& file, Config& config) {
  section.only({"certificate", "key", "authority", "revocations", "passphrase"});
  const auto needed = [&](const char* key) {
    const auto value = section.text(key, "");
    if (value.empty()) section.refuse(nullptr, std::string("tls.") + key + " is missing; name the PEM file.");
    return beside(file, value);
  };
  config.certificate = needed("certificate");
  config.key = needed("key");
  config.authority = needed("authority");
  config.revocations = beside(file, section.text("revocations", ""));
  config.passphrase = section.text("passphrase", "");
}

void read_providers(Section& root, const std::filesystem::path& file, Config& config) {
  const auto* node = root.take("provider");
  const auto* list = node ? node->as_array() : nullptr;
  if (!list || list->empty())
    root.refuse(node, "no provider is configured; add a [[provider]] with name and module.");
  for (const auto& each : *list) {
    if (!each.is_table()) root.refuse(&each, "provider must be a list of tables, [[provider]].");
    Section section(file, "provider", each.as_table());
    ProviderConfig provider;
    provider.name = section.text("name", "");
    if (provider.name.empty()) section.refuse(&each, "provider.name is missing.");
    for (const auto& other : config.providers) {
      if (other.name == provider.name)
        section.refuse(&each, "provider.name \"" + provider.name + "\" is there twice.");
    }
    const auto module = section.text("module", "");
    if (module.empty()) section.refuse(&each, "provider.module is missing; name the vendor's TSP file.");
    provider.module = beside(file, module);
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(provider.module, ignored)) {
      section.refuse(section.take("module"),
                     "there is no module " + provider.module.string() + "; correct provider.module.");
    }
    provider.permanent_id = section.number("permanent_id", 1, 0, 0x7FFFFFFF);
    provider.slot_bytes = section.number("slot_bytes", 0, 0, 8);
    if (provider.slot_bytes != 0 && provider.slot_bytes != 4 && provider.slot_bytes != 8) {
      section.refuse(section.take("slot_bytes"), "provider.slot_bytes must be 4 or 8.");
    }
    provider.desktops_configure = section.flag("desktops_configure", false);
    if (section.take("monitor_media")) provider.monitor_media = section.number("monitor_media", 0, 0, 0xFFFFFFFF);
    provider.scoped_call_ids = section.flag("scoped_call_ids", false);
    provider.shared_answers_ms = section.number("shared_answers_ms", provider.shared_answers_ms, 0, 60000);
    section.no_others();
    for (const auto& other : config.providers) {
      if (other.module == provider.module && other.permanent_id == provider.permanent_id) {
        section.refuse(&each, "provider \"" + other.name + "\" has the same module and the same permanent_id, by " +
                                  "which the driver keeps its settings; give this one another.");
      }
    }
    config.providers.push_back(std::move(provider));
  }
}

}  // namespace

Config read_config(const std::filesystem::path& file) {
  const auto table = read_toml(file, "configuration file", "give it with --config");
  Config config;
  Section root(file, "", &table);
  root.only({"listen", "port_file", "policy", "site", "permanent_ids", "tls", "log", "audit", "limits", "control",
             "provider"});
  read_listen(root, config);
  config.site = root.text("site", "");
  config.permanent_ids = beside(file, root.text("permanent_ids", ""));
  config.port_file = beside(file, root.text("port_file", ""));
  read_tls(Section(file, "tls", root.table("tls")), file, config);
  read_log(Section(file, "log", root.table("log")), file, config.log);
  read_audit(root.table("audit"), file, config.log);
  read_limits(Section(file, "limits", root.table("limits")), config.limits);
  config.control = read_control(Section(file, "control", root.table("control")), file);
  read_providers(root, file, config);
  config.policy = beside(file, root.text("policy", ""));
  if (config.policy.empty()) {
    root.refuse(nullptr, "policy is missing; name the file that says who may use which lines.");
  }
  return config;
}

ControlConfig read_control_config(const std::filesystem::path& file) {
  const auto table = read_toml(file, "configuration file", "give it with --config");
  Section root(file, "", &table);
  return read_control(Section(file, "control", root.table("control")), file);
}

}  // namespace tsplink::host
