// tsplink-host as a Windows service: installed, removed, and run under the service manager. Windows only.
// Owner: nothing is kept. Threads: the main thread; run_service() works in one of the service manager's.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "remote-host/platform.hpp"

namespace tsplink::host {

/// Registers this program as a service that starts with Windows, serves what `config` says under `account` (empty:
/// NetworkService, or what it has if it is there already), and is started again after a crash or a start that failed;
/// makes it a source of the event log. Replaces an earlier registration that is stopped. Throws
/// Failure(Configuration): no rights, no such account or one that needs a password, still running.
void install_service(const std::filesystem::path& config, const std::string& account);

/// Stops and removes the service and its source in the event log. Throws Failure(Configuration): no rights, not
/// there, does not stop within a minute.
void remove_service();

/// Runs `work` as the service: it says what it does by the Stages, and returns the exit status. Throws
/// Failure(Configuration) when the service manager did not start this process.
int run_service(std::function<int(const Stages&)> work);

}  // namespace tsplink::host
