// The proxy's configuration: which host, which certificate, where to keep what it learned. From a TOML file named by
// TSPLINK_CONFIG, else on Windows from the registry if there is anything, else from the platform's default file.
// Values; read once for each life of the provider.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "security/context.hpp"

namespace tsplink::proxy {

struct Configuration {
  std::string origin;   // where it was read, for sentences
  std::string machine;  // name of this desktop in logs of the host; default: the machine's own
  std::filesystem::path state;
  std::string host;
  std::uint16_t port = 8643;
  security::IdentityFiles identity;
  std::chrono::milliseconds call_deadline{5000};
  std::string ui_module;                                   // of a vendor, for configuration dialogs
  std::vector<std::string> dialog_modules;                 // that vendors may have loaded into applications
  std::map<std::u16string, std::uint32_t> device_classes;  // as CoreOptions has them
  std::string log_level = "info";
  std::filesystem::path log_file;  // empty: make_log()'s default
};

/// Where the proxy's files are unless they are named.
std::filesystem::path default_folder();

/// Throws Failure(Configuration): one sentence with file, line and column, or with the registry's key.
Configuration load_configuration();

}  // namespace tsplink::proxy
