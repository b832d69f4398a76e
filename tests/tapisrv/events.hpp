// Every message of a TSP, described once (events.def): to whom it belongs and what its parameters mean.
// Owner: a constant table. Any thread may call.
#pragma once

#include <tspi.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tsplink::tapisim {

enum class Target { line, phone, provider, dialog, any };
enum class CallUse { none, call, maybe };

struct EventParam {
  std::string name;   // "-" when unused
  std::string group;  // constants
  std::string role;   // new, slot, msp, buffer, size, opaque, tick, detail, provider, temp, device, dialog
};

struct Event {
  std::string_view name;
  DWORD value = 0;
  Target target = Target::line;
  CallUse call = CallUse::none;
  bool sent = true;  // false: no TSP may send it
  std::array<EventParam, 3> params;
};

const std::vector<Event>& events();
const Event* find_event(DWORD value);
const Event* find_event(std::string_view name);

/// The group of LINE_CALLSTATE's dwParam2 for a call state, or "".
std::string_view detail_group(DWORD call_state);

}  // namespace tsplink::tapisim
