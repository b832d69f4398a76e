// Which objects a request names and which calls an answer made, for any function of the sheet: what the broker checks
// rights by and the worker chooses a queue by. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tsplink::host {

enum class IdKind : std::uint8_t { Line, Phone, Call, MspLine, LineDevice, PhoneDevice, Dialog, Provider };

struct NamedId {
  IdKind kind;
  std::uint64_t id;
  std::int32_t unknown = 0;  // the error when there is none, if it is not the one of its kind
};

/// The ids in a request's arguments, in the function's order; optional ones that are 0 are left out.
/// Throws Failure(Malformed).
std::vector<NamedId> named_ids(std::uint16_t function, std::span<const std::uint8_t> arguments);

/// Whether a function's events come back by a number that it gives (role EventTag).
bool has_event_tag(std::uint16_t function);
/// The arguments with `tag` in that number's place, which gets the one that was there. Throws Failure(Malformed).
std::vector<std::uint8_t> with_event_tag(std::uint16_t function, std::span<const std::uint8_t> arguments,
                                         std::uint32_t& tag);

/// Whether a function starts a call.
bool makes_calls(std::uint16_t function);
/// The ids of the calls that a function started, from its reply table.
std::vector<std::uint64_t> new_calls(std::uint16_t function, std::span<const std::uint8_t> outputs);

}  // namespace tsplink::host
