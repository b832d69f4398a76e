// Making envelopes and reading them, so that no other place touches FlatBuffers' builders. A made Buffer never
// changes and may be shared by any number of sessions. Pure functions; any thread.
#pragma once

#include <wire/envelope_generated.h>

#include <span>
#include <string>

#include "wire/channel.hpp"

namespace tsplink::wire {

struct SnapshotBytes {
  Bytes call_info;
  Bytes call_status;
};

Buffer make_request(std::uint64_t id, std::uint16_t function, std::uint32_t deadline_ms, std::uint64_t trace,
                    std::span<const std::uint8_t> arguments);
Buffer make_reply(std::uint64_t id, std::int32_t result, std::span<const std::uint8_t> outputs);
Buffer make_completion(std::uint64_t id, std::int32_t result, std::span<const std::uint8_t> outputs,
                       const SnapshotBytes* snapshot = nullptr);

struct EventValues {
  std::uint16_t message = 0;
  std::uint64_t device = 0;
  std::uint64_t call = 0;
  std::uint64_t params[3] = {0, 0, 0};
  Bytes data;
  bool has_data = false;
};
/// LINE_CREATEDIALOGINSTANCE: what TUISPICREATEDIALOGINSTANCEPARAMS says, without what is one end's own.
struct DialogValues {
  std::uint64_t id = 0;
  std::uint64_t request = 0;  // the one that asks for the dialog, as its session numbers it
  std::u16string module;      // lpszUIDLLName
  Bytes parameters;           // lpParams
};
constexpr std::size_t kMaxModuleName = 260;  // MAX_PATH
EventValues event_of(std::uint64_t device, const DialogValues& dialog);
/// Throws Failure(Malformed).
DialogValues read_dialog(const fb::Event& event);

EventValues read_event(const fb::Event& event);
Buffer make_event(const EventValues& event, const SnapshotBytes* snapshot = nullptr);

/// A device of an inventory; spans and strings are copied into the envelope.
struct DeviceValues {
  std::uint64_t id = 0;
  std::uint32_t permanent = 0;
  std::string provider;
  std::uint32_t version = 0;
  Bytes extension;
  Bytes msp;
  Bytes caps;
  std::vector<Bytes> addresses;
  bool arrived = false;
};
struct InventoryValues {
  std::uint64_t revision = 0;
  bool complete = true;
  std::vector<DeviceValues> lines;
  std::vector<DeviceValues> phones;
  bool more = false;
};
Buffer make_inventory(const InventoryValues& inventory);
/// The same in parts that fit any frame limit: all but the last say `more`.
std::vector<Buffer> make_inventory_parts(const InventoryValues& inventory);
/// What a read inventory may hold in all: thousands of lines with their capabilities.
constexpr std::size_t kMaxInventory = 32 * 1024 * 1024;
/// What a device counts for in it.
std::size_t bytes_of(const DeviceValues& device);
/// Throws Failure(Malformed) over that bound.
InventoryValues read_inventory(const fb::Inventory& inventory);

/// The envelope in `bytes` if the verifier accepts it, else nullptr. `bytes` must be aligned to 8.
const fb::Envelope* verified_envelope(std::span<const std::uint8_t> bytes);

inline std::span<const std::uint8_t> span_of(const flatbuffers::Vector<std::uint8_t>* vector) {
  return vector ? std::span<const std::uint8_t>(vector->data(), vector->size()) : std::span<const std::uint8_t>();
}

}  // namespace tsplink::wire
