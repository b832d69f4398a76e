// What tsplinkctl prints for people: an answer's JSON by the columns of its command. Pure functions; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "remote-host/control/commands.hpp"

namespace tsplink::host::ctl {

/// Control characters and bytes that are no UTF-8 as \x1B: texts of a desktop or a vendor must not steer a terminal.
std::string printable(std::string_view text);

/// "2 d 03:04:05"
std::string duration(std::int64_t seconds);

/// The whole answer, as lines. What an older host does not tell is "-".
std::string to_text(const control::Command& command, const nlohmann::ordered_json& answer);

}  // namespace tsplink::host::ctl
