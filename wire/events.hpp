// The sheet of messages as a table: what each message belongs to and what its parameters are, so that worker and
// proxy translate handles, pointers and numbers by role and not by name. Constant; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/description.hpp"

namespace tsplink::wire {

/// What htLine / htPhone and htCall of a message are.
enum class Scope : std::uint8_t {
  Line,           // htLine, no call
  Call,           // htLine and htCall
  LineOrCall,     // htLine, htCall or NULL
  Phone,          // htPhone
  Provider,       // neither; by the LINEEVENT that providerEnumDevices was given
  PhoneProvider,  // neither; by its PHONEEVENT
  Dialog,         // a dialog instance in htLine's place; wire: its id in the place of the call's
};

/// What a parameter of a message is. On the wire: param1..3, 64 bits each, and one block of data.
enum class EventRole : std::uint8_t {
  Unused,           // sent as 0
  Number,           // verbatim, 64 bits
  NewCall,          // HDRVCALL of the provider; wire: call id
  TapiCallSlot,     // LPHTAPICALL that the receiver of the message fills; local
  CallStateDetail,  // HTAPICALL of the conference if dwParam1 is LINECALLSTATE_CONFERENCED, else a number
  MspInstance,      // HTAPIMSPLINE, 0: all; wire: MSP instance id
  EventTag,         // the number that a request gave for its events; of the same name in wire/value_roles.hpp
  GatherEnd,        // LINEGATHERTERM_; wire: data has what the buffer of lineGatherDigits holds by then
  Data,             // pointer to bytes; wire: data
  DataSize,         // their number; derived
  DialogBlock,      // TUISPICREATEDIALOGINSTANCEPARAMS; wire: see DialogValues
  ProviderHandle,   // HPROVIDER; local
  NewDevice,        // temporary device id; wire: device id
  LineDevice,       // dwDeviceID; wire: line id
  PhoneDevice,      // dwDeviceID; wire: phone id
};

struct EventDescription {
  std::string_view name;
  std::uint32_t message;  // value of dwMsg
  Scope scope;
  Right right;
  std::array<EventRole, 3> roles;
};

/// A message's number on the wire: its position in the sheet. (The C names are macros of tapi.h, hence the prefix.)
enum class Message : std::uint16_t {
#define TSPI_EVENT(name, ...) k##name,
#include "wire/tspi_events.def"
#undef TSPI_EVENT
};

constexpr std::size_t kEventCount = 0
#define TSPI_EVENT(...) +1
#include "wire/tspi_events.def"
#undef TSPI_EVENT
    ;

/// nullptr: no such message.
const EventDescription* event_description(std::uint16_t number);
/// The number of a dwMsg that a TSP sent; empty: not a message that a TSP sends.
std::optional<Message> event_number(std::uint32_t dwMsg);

/// Which of the parameters has the role; 3: none.
constexpr std::size_t position_of(EventRole role, const EventDescription& description) {
  std::size_t at = 0;
  while (at < description.roles.size() && description.roles[at] != role) ++at;
  return at;
}

constexpr bool is_phone(Scope scope) { return scope == Scope::Phone || scope == Scope::PhoneProvider; }

}  // namespace tsplink::wire
