#include "events.hpp"

#include "text.hpp"

namespace tsplink::tapisim {
namespace {

Event describe(std::string_view name, long value, Target target, CallUse call, std::string_view list) {
  Event out;
  out.name = name;
  out.value = static_cast<DWORD>(value);
  out.target = target;
  out.call = call;
  const auto parts = words(list);
  for (std::size_t i = 0; i < 3; ++i) {
    auto& param = out.params[i];
    const std::size_t mark = parts[i].find_first_of("/@");
    param.name = parts[i].substr(0, mark);
    if (mark == std::string::npos) continue;
    (parts[i][mark] == '/' ? param.group : param.role) = parts[i].substr(mark + 1);
  }
  return out;
}

Event not_sent(std::string_view name, long value) {
  Event out;
  out.name = name;
  out.value = static_cast<DWORD>(value);
  out.sent = false;
  return out;
}

}  // namespace

const std::vector<Event>& events() {
#define EVENT(name, target, call, list) describe(#name, name, Target::target, CallUse::call, list),
#define NOT_SENT(name) not_sent(#name, name),
  static const std::vector<Event> kAll = {
#include "events.def"
  };
#undef EVENT
#undef NOT_SENT
  return kAll;
}

const Event* find_event(DWORD value) {
  for (const auto& event : events()) {
    if (event.value == value) return &event;
  }
  return nullptr;
}

const Event* find_event(std::string_view name) {
  for (const auto& event : events()) {
    if (event.name == name) return &event;
  }
  return nullptr;
}

std::string_view detail_group(DWORD call_state) {
  switch (call_state) {
    case LINECALLSTATE_BUSY: return "LINEBUSYMODE";
    case LINECALLSTATE_CONNECTED: return "LINECONNECTEDMODE";
    case LINECALLSTATE_DIALTONE: return "LINEDIALTONEMODE";
    case LINECALLSTATE_OFFERING: return "LINEOFFERINGMODE";
    case LINECALLSTATE_SPECIALINFO: return "LINESPECIALINFO";
    case LINECALLSTATE_DISCONNECTED: return "LINEDISCONNECTMODE";
    default: return {};
  }
}

}  // namespace tsplink::tapisim
