// TAPI's names for numbers, for the log and the control channel.
// Threads: any; nothing is kept.
#pragma once

#include <optional>
#include <string>

#include "tests/simpbx/courier.hpp"

namespace tsplink::simpbx {

std::string state_name(DWORD state);
/// "LINEERR_INVALCALLHANDLE" for those that this TSP uses, else the number in hex; "0" and positive numbers as they
/// are.
std::string result_name(LONG result);
/// A result by its name or number.
std::optional<LONG> result_of(const std::string& name);
std::string message_name(DWORD message);
std::optional<DWORD> message_of(const std::string& name);
/// "INTERACTIVEVOICE" and the like, any case, or a number.
std::optional<DWORD> media_of(const std::string& name);

/// One log line for what TAPI is told; the mutex is held.
std::string describe(const Callback& callback);

}  // namespace tsplink::simpbx
