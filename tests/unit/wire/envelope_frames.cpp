#include "envelope_frames.hpp"

#include "wire/calls.hpp"
#include "wire/codec.hpp"
#include "wire/events.hpp"

namespace tsplink::wire::testing {

namespace {

template <class T, class Make>
Buffer made(fb::Body type, Make&& make) {
  flatbuffers::FlatBufferBuilder builder;
  const flatbuffers::Offset<T> body = make(builder);
  fb::FinishEnvelopeBuffer(builder, fb::CreateEnvelope(builder, type, body.Union()));
  return std::make_shared<const Bytes>(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
}

Buffer inventory() {
  DeviceValues line;
  line.id = 0x0102030405060708U;
  line.permanent = 77;
  line.provider = "sim";
  line.version = 0x00030001;
  line.extension = counting_bytes(16);
  line.caps = counting_bytes(40);
  line.addresses = {counting_bytes(9), Bytes()};
  line.arrived = true;
  DeviceValues phone;
  phone.id = 5;
  phone.msp = counting_bytes(16);
  InventoryValues values;
  values.revision = 3;
  values.lines = {line};
  values.phones = {phone};
  return make_inventory(values);
}

}  // namespace

Bytes counting_bytes(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
  return bytes;
}

std::vector<std::pair<std::string, Buffer>> one_frame_of_each_kind() {
  using MakeCall = calls::lineMakeCall;
  const SnapshotBytes snapshot{counting_bytes(20), counting_bytes(12)};
  EventValues event;
  event.message = static_cast<std::uint16_t>(Message::kLINE_CALLSTATE);
  event.device = 0x0102030405060708U;
  event.call = 0x1112131415161718U;
  event.params[0] = LINECALLSTATE_OFFERING;
  event.params[2] = 4;
  EventValues data;
  data.message = static_cast<std::uint16_t>(Message::kLINE_SENDMSPDATA);
  data.device = 9;
  data.has_data = true;
  data.data = counting_bytes(33);

  std::vector<std::pair<std::string, Buffer>> frames;
  frames.emplace_back("hello", made<fb::Hello>(fb::Body::Hello, [](auto& builder) {
                        const Bytes id = counting_bytes(16), token = counting_bytes(32);
                        return fb::CreateHelloDirect(builder, 1, 2, 0x1234, "1.2.3", "desk-7", &id, 64, &token);
                      }));
  frames.emplace_back("welcome", made<fb::Welcome>(fb::Body::Welcome, [](auto& builder) {
                        const Bytes token = counting_bytes(32);
                        return fb::CreateWelcomeDirect(builder, 1, 0x1234, "1.2.3", 42, &token, 1000, 1048576);
                      }));
  frames.emplace_back(
      "request",
      make_request(17, static_cast<std::uint16_t>(Function::lineMakeCall), 5000, 0xABCD,
                   encode(MakeCall::Inputs{Nothing{}, 0x3F0C, {}, 21, u"5550100", 0, counting_bytes(180)})));
  frames.emplace_back("reply", make_reply(18, 0, encode(calls::lineGetCallIDs::Outputs{Nothing{}, 1, 2, 3})));
  frames.emplace_back("completion",
                      make_completion(17, static_cast<std::int32_t>(LINEERR_CALLUNAVAIL),
                                      encode(MakeCall::Outputs{Nothing{}, {}, {}, 0x77, {}, {}, {}}), &snapshot));
  frames.emplace_back("event", make_event(event, &snapshot));
  frames.emplace_back("event-data", make_event(data));
  frames.emplace_back("inventory", inventory());
  frames.emplace_back("ack", made<fb::Ack>(fb::Body::Ack, [](auto& builder) { return fb::CreateAck(builder); }));
  frames.emplace_back("ping",
                      made<fb::Ping>(fb::Body::Ping, [](auto& builder) { return fb::CreatePing(builder, 5); }));
  frames.emplace_back("pong",
                      made<fb::Pong>(fb::Body::Pong, [](auto& builder) { return fb::CreatePong(builder, 5); }));
  frames.emplace_back("bye", made<fb::Bye>(fb::Body::Bye, [](auto& builder) {
                        return fb::CreateByeDirect(builder, "update the desktop \"now\"", true);
                      }));
  return frames;
}

}  // namespace tsplink::wire::testing
