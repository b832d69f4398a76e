// What the broker knows at one moment, as plain values: for the control program. Nothing is asked of a vendor or a
// desktop for it. Owner: values, copied; made on the broker's thread. Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "remote-host/policy.hpp"
#include "wire/clock.hpp"

namespace tsplink::host {

using SessionId = std::uint64_t;

/// Who began a call, as far as the host saw it.
enum class Direction { Unknown, Made, Incoming };

struct InspectedSession {
  SessionId id = 0;
  std::uint64_t number = 0;  // for people: 1, 2, .. since the host's start
  std::string machine;       // from the network
  std::string subject;
  std::string address;
  wire::TimePoint since{};
  std::size_t opens = 0;  // lines and phones
  std::size_t requests = 0;
};

/// A desktop's use of a device or call.
struct InspectedUse {
  std::uint64_t session = 0;  // its number
  std::string machine;
  std::string_view right;  // of a device: "control", "monitor"; of a call, TAPI's privilege: "owner", "monitor"
};

struct InspectedDevice {
  DeviceFacts facts;
  std::string_view state;  // at the vendor: "open", "closed", "opening", "closing"
  std::vector<InspectedUse> desktops;
  std::size_t calls = 0;
};

struct InspectedCall {
  std::uint64_t id = 0;
  std::string provider;
  std::string line;
  std::string_view state;  // "LINECALLSTATE_CONNECTED"; empty: none was reported
  Direction direction = Direction::Unknown;
  wire::TimePoint since{};
  std::vector<InspectedUse> desktops;
};

struct Inspection {
  std::vector<InspectedSession> sessions;  // each list in the order of their coming
  std::vector<InspectedDevice> devices;
  std::vector<InspectedCall> calls;
  std::shared_ptr<const Policy> policy;
  std::vector<std::size_t> owed;  // by worker: requests that it has not answered
};

}  // namespace tsplink::host
