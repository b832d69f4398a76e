// Which messages say that a device's capabilities are not what they were. Pure functions; any thread.
#pragma once

#include <cstdint>

#include "wire/events.hpp"
#include "wire/tapi.hpp"

namespace tsplink::wire {

/// LINE_LINEDEVSTATE, LINE_ADDRESSSTATE or PHONE_STATE with its CAPSCHANGE bit; the parameters are dwParam1 and
/// dwParam2.
inline bool tells_new_capabilities(std::uint16_t message, std::uint64_t param1, std::uint64_t param2) {
  switch (static_cast<Message>(message)) {
    case Message::kLINE_LINEDEVSTATE: return (param1 & LINEDEVSTATE_CAPSCHANGE) != 0;
    case Message::kLINE_ADDRESSSTATE: return (param2 & LINEADDRESSSTATE_CAPSCHANGE) != 0;
    case Message::kPHONE_STATE: return (param1 & PHONESTATE_CAPSCHANGE) != 0;
    default: return false;
  }
}

}  // namespace tsplink::wire
