// TAPI's symbolic constants by group: LINECALLSTATE, LINEERR, ... The list itself is made from the installed tapi.h
// when the build is configured, so that no name or value can be mistyped.
// Owner: constant tables, never changed. Any thread may call.
#pragma once

#include <tspi.h>

#include <optional>
#include <string>
#include <string_view>

namespace tsplink::tapisim {

/// "LINECALLSTATE_IDLE" -> 1; names joined by | are added up.
std::optional<std::uint64_t> constant_value(std::string_view name);

/// A value of a group as text: one name, or names joined by | where bits of the group make it up, else hexadecimal.
std::string constant_text(std::string_view group, std::uint64_t value);

/// The result of a function: "0", "LINEERR_INVALCALLHANDLE", or the number.
std::string result_text(LONG result);

/// The group that a parameter or field of this name holds ("dwMediaModes" -> "LINEMEDIAMODE"), or "".
std::string_view group_of(std::string_view field);

}  // namespace tsplink::tapisim
