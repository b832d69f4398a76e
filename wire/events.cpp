#include "wire/events.hpp"

#include <algorithm>

#include "wire/envelopes.hpp"
#include "wire/failure.hpp"
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

EventValues event_of(std::uint64_t device, const DialogValues& dialog) {
  EventValues event;
  event.message = static_cast<std::uint16_t>(Message::kLINE_CREATEDIALOGINSTANCE);
  event.device = device;
  event.params[0] = dialog.id;
  event.params[1] = dialog.request;
  event.params[2] = dialog.module.size();
  const auto* name = reinterpret_cast<const std::uint8_t*>(dialog.module.data());
  event.data.assign(name, name + dialog.module.size() * sizeof(char16_t));
  event.data.insert(event.data.end(), dialog.parameters.begin(), dialog.parameters.end());
  event.has_data = true;
  return event;
}

DialogValues read_dialog(const fb::Event& event) {
  const auto data = span_of(event.data());
  const auto size = event.param3();
  if (size > kMaxModuleName || data.size() < size * sizeof(char16_t)) {
    throw Failure(Kind::Malformed, "the name of a dialog's module is longer than its message");
  }
  DialogValues dialog;
  dialog.id = event.param1();
  dialog.request = event.param2();
  dialog.module.resize(static_cast<std::size_t>(size));
  const auto name = data.first(dialog.module.size() * sizeof(char16_t));
  std::copy(name.begin(), name.end(), reinterpret_cast<std::uint8_t*>(dialog.module.data()));
  dialog.parameters.assign(data.begin() + static_cast<std::ptrdiff_t>(name.size()), data.end());
  return dialog;
}

}  // namespace tsplink::wire
