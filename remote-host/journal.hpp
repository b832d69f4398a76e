// The log of systemd: journald's native protocol, a datagram for each line. Linux only. Owner and thread: as of any
// sink of spdlog, the log's.
#pragma once

#include <spdlog/sinks/sink.h>

#include <string>

namespace tsplink::host::log {

/// Lines of program `name`, with the priority of their level. Throws spdlog::spdlog_ex when nobody listens on
/// `socket`.
spdlog::sink_ptr journal_sink(const std::string& name, const std::string& socket = "/run/systemd/journal/socket");

}  // namespace tsplink::host::log
