#include "wire/events.hpp"

#include <algorithm>

#include "wire/tapi.hpp"

namespace tsplink::wire {

namespace {

constexpr EventDescription kEvents[] = {
#define TSPI_EVENT(name, scope, right, role1, role2, role3) \
  {#name,                                                   \
   static_cast<std::uint32_t>(name),                        \
   Scope::scope,                                            \
   Right::right,                                            \
   {EventRole::role1, EventRole::role2, EventRole::role3}},
#include "wire/tspi_events.def"
#undef TSPI_EVENT
};
static_assert(std::size(kEvents) == 28, "a TSP sends 28 messages");

}  // namespace

const EventDescription* event_description(std::uint16_t number) {
  return number < std::size(kEvents) ? &kEvents[number] : nullptr;
}

std::optional<Message> event_number(std::uint32_t dwMsg) {
  const auto* found =
      std::find_if(std::begin(kEvents), std::end(kEvents), [&](const auto& e) { return e.message == dwMsg; });
  if (found == std::end(kEvents)) return std::nullopt;
  return static_cast<Message>(found - std::begin(kEvents));
}

}  // namespace tsplink::wire
