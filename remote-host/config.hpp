// The host's configuration: a TOML file, read once at start. Owner: the program; plain values.
// read_config() throws Failure(Configuration) with one sentence that names file, line and column.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "remote-host/log.hpp"
#include "wire/link/limits.hpp"

namespace tsplink::host {

struct ProviderConfig {
  std::string name;
  std::filesystem::path module;    // absolute
  std::uint32_t permanent_id = 1;  // dwPermanentProviderID; the vendor keeps its settings by it
  unsigned slot_bytes = 0;         // 0: a whole handle
  bool desktops_configure = false;
  std::optional<std::uint32_t> monitor_media;  // LINEMEDIAMODE_
  bool scoped_call_ids = false;
  std::uint32_t shared_answers_ms = 2000;
};

struct LimitsConfig {
  std::uint32_t frame_bytes = 1024 * 1024;
  std::uint32_t frame_before_hello_bytes = 4 * 1024;
  std::uint32_t session_bytes = 4 * 1024 * 1024;
  std::uint32_t handshake_ms = 5000;
  std::uint32_t hello_ms = 5000;
  std::uint32_t heartbeat_ms = 1000;
  std::uint32_t dead_after_ms = 3000;
  std::uint32_t unauthenticated = 512;
  std::uint32_t unauthenticated_by_address = 16;
  std::uint32_t connections = static_cast<std::uint32_t>(link::Limits().connections);
  std::uint32_t requests_in_flight = 256;
  std::uint32_t watchdog_ms = 30000;
};

/// Where tsplinkctl reaches the host.
struct ControlConfig {
  std::string socket;   // UTF-8; a path, on Windows a pipe's name; empty: nowhere
  bool chosen = false;  // by the configuration: then the host does not start without it
  std::string group;    // that may use it too; empty: the host's account alone
};

struct Config {
  std::string listen_address = "0.0.0.0";  // numeric, without brackets
  std::uint16_t listen_port = 8643;
  std::filesystem::path port_file;
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
  std::filesystem::path revocations;
  std::string passphrase;  // of the key; empty: it has none
  std::filesystem::path policy;
  std::string site;                     // part of what permanent ids are made of
  std::filesystem::path permanent_ids;  // the table of them; empty: not kept
  log::Settings log;
  LimitsConfig limits;
  ControlConfig control;
  std::vector<ProviderConfig> providers;
};

Config read_config(const std::filesystem::path& file);
/// That part alone, for who may read the file but perhaps not what it names. Throws as read_config() does.
ControlConfig read_control_config(const std::filesystem::path& file);

}  // namespace tsplink::host
