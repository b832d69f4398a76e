#include "wire/envelopes.hpp"

#include "wire/failure.hpp"

namespace tsplink::wire {

namespace {

using Builder = flatbuffers::FlatBufferBuilder;
using BlockOffset = flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>;

BlockOffset put_block(Builder& builder, std::span<const std::uint8_t> bytes) {
  builder.ForceVectorAlignment(bytes.size(), 1, 8);  // a nested table is read in place
  return builder.CreateVector(bytes.data(), bytes.size());
}

template <class T>
Buffer finish(Builder& builder, fb::Body type, flatbuffers::Offset<T> body) {
  fb::FinishEnvelopeBuffer(builder, fb::CreateEnvelope(builder, type, body.Union()));
  const auto* data = builder.GetBufferPointer();
  return std::make_shared<const Bytes>(data, data + builder.GetSize());
}

flatbuffers::Offset<fb::Snapshot> put_snapshot(Builder& builder, const SnapshotBytes* snapshot) {
  if (!snapshot) return 0;
  const auto info = put_block(builder, snapshot->call_info);
  const auto status = put_block(builder, snapshot->call_status);
  return fb::CreateSnapshot(builder, info, status);
}

flatbuffers::Offset<fb::Device> put_device(Builder& builder, const DeviceValues& device) {
  std::vector<flatbuffers::Offset<fb::Address>> addresses;
  for (const auto& caps : device.addresses) addresses.push_back(fb::CreateAddress(builder, put_block(builder, caps)));
  const auto provider = builder.CreateString(device.provider);
  const auto extension = builder.CreateVector(device.extension);
  const auto msp = builder.CreateVector(device.msp);
  const auto caps = put_block(builder, device.caps);
  const auto list = builder.CreateVector(addresses);
  return fb::CreateDevice(builder, device.id, device.permanent, provider, device.version, extension, msp, caps, list,
                          device.arrived);
}

constexpr std::size_t kInventoryPart = 256 * 1024;  // a quarter of the frame limit

/// Copies of an inventory's parts, up to a bound: parts may share bytes, so that what they take together may be far
/// more than the frame.
class InventoryReader {
 public:
  DeviceValues device(const fb::Device& device);

 private:
  void spend(std::size_t bytes) {
    if (bytes > left_) throw Failure(Kind::Malformed, "an inventory holds more than its bound");
    left_ -= bytes;
  }
  Bytes bytes_of(const flatbuffers::Vector<std::uint8_t>* vector) {
    if (!vector) return {};
    spend(vector->size());
    return Bytes(vector->begin(), vector->end());
  }

  std::size_t left_ = kMaxInventory;
};

DeviceValues InventoryReader::device(const fb::Device& device) {
  spend(sizeof(DeviceValues));
  DeviceValues values;
  values.id = device.id();
  values.permanent = device.permanent();
  if (device.provider()) {
    spend(device.provider()->size());
    values.provider = device.provider()->str();
  }
  values.version = device.version();
  values.extension = bytes_of(device.extension());
  values.msp = bytes_of(device.msp());
  values.caps = bytes_of(device.caps());
  if (device.addresses()) {
    spend(device.addresses()->size() * sizeof(Bytes));
    for (const auto* address : *device.addresses()) values.addresses.push_back(bytes_of(address->caps()));
  }
  values.arrived = device.arrived();
  return values;
}

}  // namespace

Buffer make_request(std::uint64_t id, std::uint16_t function, std::uint32_t deadline_ms, std::uint64_t trace,
                    std::span<const std::uint8_t> arguments) {
  Builder builder(arguments.size() + 128);
  const auto block = put_block(builder, arguments);
  return finish(builder, fb::Body::Request, fb::CreateRequest(builder, id, function, deadline_ms, trace, block));
}

Buffer make_reply(std::uint64_t id, std::int32_t result, std::span<const std::uint8_t> outputs) {
  Builder builder(outputs.size() + 128);
  const auto block = put_block(builder, outputs);
  return finish(builder, fb::Body::Reply, fb::CreateReply(builder, id, result, block));
}

Buffer make_completion(std::uint64_t id, std::int32_t result, std::span<const std::uint8_t> outputs,
                       const SnapshotBytes* snapshot) {
  Builder builder(outputs.size() + 128);
  const auto block = put_block(builder, outputs);
  const auto shot = put_snapshot(builder, snapshot);
  return finish(builder, fb::Body::Completion, fb::CreateCompletion(builder, id, result, block, shot));
}

EventValues read_event(const fb::Event& event) {
  EventValues values;
  values.message = event.message();
  values.device = event.device();
  values.call = event.call();
  values.params[0] = event.param1();
  values.params[1] = event.param2();
  values.params[2] = event.param3();
  const auto data = span_of(event.data());
  values.data.assign(data.begin(), data.end());
  values.has_data = event.data() != nullptr;
  return values;
}

Buffer make_event(const EventValues& event, const SnapshotBytes* snapshot) {
  Builder builder(event.data.size() + 192);
  const auto data = event.has_data ? put_block(builder, event.data) : BlockOffset(0);
  const auto shot = put_snapshot(builder, snapshot);
  return finish(builder, fb::Body::Event,
                fb::CreateEvent(builder, event.message, event.device, event.call, event.params[0], event.params[1],
                                event.params[2], data, shot));
}

Buffer make_inventory(const InventoryValues& inventory) {
  Builder builder(16 * 1024);
  std::vector<flatbuffers::Offset<fb::Device>> lines;
  std::vector<flatbuffers::Offset<fb::Device>> phones;
  for (const auto& line : inventory.lines) lines.push_back(put_device(builder, line));
  for (const auto& phone : inventory.phones) phones.push_back(put_device(builder, phone));
  const auto line_list = builder.CreateVector(lines);
  const auto phone_list = builder.CreateVector(phones);
  return finish(
      builder, fb::Body::Inventory,
      fb::CreateInventory(builder, inventory.revision, inventory.complete, line_list, phone_list, inventory.more));
}

std::vector<Buffer> make_inventory_parts(const InventoryValues& inventory) {
  std::vector<Buffer> parts;
  InventoryValues part;
  std::size_t size = 0;
  const auto put = [&](bool more) {
    part.revision = inventory.revision;
    part.complete = inventory.complete;
    part.more = more;
    parts.push_back(make_inventory(part));
    part = {};
    size = 0;
  };
  for (const auto list : {&InventoryValues::lines, &InventoryValues::phones}) {
    for (const auto& device : inventory.*list) {
      if (size != 0 && size + bytes_of(device) > kInventoryPart) put(true);
      size += bytes_of(device);
      (part.*list).push_back(device);
    }
  }
  put(false);
  return parts;
}

std::size_t bytes_of(const DeviceValues& device) {
  std::size_t bytes = sizeof device + device.provider.size() + device.extension.size() + device.msp.size() +
                      device.caps.size() + device.addresses.size() * sizeof(Bytes);
  for (const auto& address : device.addresses) bytes += address.size();
  return bytes;
}

InventoryValues read_inventory(const fb::Inventory& inventory) {
  InventoryReader reader;
  InventoryValues values;
  values.revision = inventory.revision();
  values.complete = inventory.complete();
  values.more = inventory.more();
  if (inventory.lines()) {
    for (const auto* line : *inventory.lines()) values.lines.push_back(reader.device(*line));
  }
  if (inventory.phones()) {
    for (const auto* phone : *inventory.phones()) values.phones.push_back(reader.device(*phone));
  }
  return values;
}

const fb::Envelope* verified_envelope(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 8) return nullptr;
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 16, 100000);
  if (!fb::VerifyEnvelopeBuffer(verifier)) return nullptr;
  return fb::GetEnvelope(bytes.data());
}

}  // namespace tsplink::wire
