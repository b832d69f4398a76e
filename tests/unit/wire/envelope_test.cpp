// Envelopes: what was put in comes out, and nothing that arrives is read past its end or costs more than it weighs.
#include <gtest/gtest.h>

#include <algorithm>

#include "allocations.hpp"
#include "envelope_frames.hpp"
#include "samples.hpp"
#include "wire/events.hpp"
#include "wire/trace.hpp"

namespace tsplink::wire::testing {
namespace {

// Verified, read as each kind's reader reads it, printed.
bool survives(std::span<const std::uint8_t> bytes) {
  const Exact exact(bytes);
  const Allocations before;
  const auto* envelope = verified_envelope(exact.span());
  try {
    if (envelope && envelope->body_as_Inventory()) (void)read_inventory(*envelope->body_as_Inventory());
    if (const auto* event = envelope ? envelope->body_as_Event() : nullptr) {
      (void)read_event(*event);
      (void)read_dialog(*event);
    }
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), Kind::Malformed);
  }
  const auto line = trace_frame(exact.span(), Function::lineMakeCall);
  EXPECT_FALSE(line.empty());
  EXPECT_LE(line.size(), kMaxTraceLine);
  EXPECT_LE(before.bytes(), 64 * 1024 + 64 * bytes.size());
  return envelope != nullptr;
}

TEST(Envelope, EveryTruncationIsRefusedOrHarmless) {
  for (const auto& [name, frame] : one_frame_of_each_kind()) {
    SCOPED_TRACE(name);
    for (std::size_t size = 0; size < frame->size(); ++size) survives(std::span(*frame).first(size));
    EXPECT_TRUE(survives(*frame));
  }
}

/// Each byte broken in four ways, and some words at once, so many times.
void survives_corruption(std::span<const std::uint8_t> frame, Samples& samples, int times) {
  Bytes bytes(frame.begin(), frame.end());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int mask : {0x01, 0x04, 0x80, 0xFF}) {
      bytes[i] = static_cast<std::uint8_t>(frame[i] ^ mask);
      survives(bytes);
    }
    bytes[i] = frame[i];
  }
  for (int i = 0; i < times; ++i) {
    bytes.assign(frame.begin(), frame.end());
    for (std::size_t words = 1 + samples.below(3); words > 0; --words) {
      const auto word = static_cast<std::uint32_t>(samples.below(2) ? samples.below(128) : samples.number());
      std::memcpy(bytes.data() + 4 * samples.below(bytes.size() / 4), &word, sizeof word);
    }
    survives(bytes);
  }
}

TEST(Envelope, BrokenBytesAreRefusedOrRead) {
  Samples samples(3);
  for (const auto& [name, frame] : one_frame_of_each_kind()) {
    SCOPED_TRACE(name + ", TSPLINK_TEST_SEED=" + std::to_string(test_seed()));
    survives_corruption(*frame, samples, 3000);
  }
}

TEST(Envelope, EveryMessageGoesThereAndBack) {
  for (std::uint16_t message = 0; message < kEventCount; ++message) {
    Samples samples(message);
    SCOPED_TRACE(std::string(event_description(message)->name) +
                 ", TSPLINK_TEST_SEED=" + std::to_string(test_seed()));
    EventValues event;
    event.message = message;
    event.device = samples.number();
    event.call = samples.number();
    for (auto& param : event.params) param = samples.number();
    event.has_data = message % 2 == 1;
    if (event.has_data) event.data = samples.bytes(samples.below(500));
    const SnapshotBytes snapshot{samples.bytes(samples.below(400)), samples.bytes(samples.below(60))};
    const auto frame = make_event(event, message % 3 == 0 ? &snapshot : nullptr);
    const auto* envelope = verified_envelope(*frame);
    ASSERT_TRUE(envelope && envelope->body_as_Event());
    const auto& read = *envelope->body_as_Event();
    EXPECT_EQ(read.message(), message);
    EXPECT_EQ(read.device(), event.device);
    EXPECT_EQ(read.call(), event.call);
    EXPECT_EQ(read.param1(), event.params[0]);
    EXPECT_EQ(read.param2(), event.params[1]);
    EXPECT_EQ(read.param3(), event.params[2]);
    EXPECT_EQ(read.data() != nullptr, event.has_data);
    EXPECT_TRUE(std::ranges::equal(span_of(read.data()), event.data));
    EXPECT_EQ(read.snapshot() != nullptr, message % 3 == 0);
    if (read.snapshot()) {
      EXPECT_TRUE(std::ranges::equal(span_of(read.snapshot()->call_info()), snapshot.call_info));
    }
    for (std::size_t size = 0; size < frame->size(); ++size) survives(std::span(*frame).first(size));
    survives_corruption(*frame, samples, 1000);
  }
}

// The arguments of every function, nested in a request, are aligned where they lie.
TEST(Envelope, ANestedTableIsReadInPlace) {
  for_each_call([]<class C, Function F>() {
    for (std::uint64_t salt = 0; salt < 4; ++salt) {
      Samples samples(salt);
      const auto inputs = samples.values<typename C::Inputs>();
      const auto frame = make_request(salt, static_cast<std::uint16_t>(F), 0, 0, encode(inputs));
      const auto* envelope = verified_envelope(*frame);
      ASSERT_TRUE(envelope) << at<C>("nested", F);
      const auto arguments = span_of(envelope->body_as_Request()->arguments());
      EXPECT_TRUE(decode<typename C::Inputs>(arguments) == inputs) << at<C>("nested", F);
    }
  });
}

TEST(Envelope, AnInventoryGoesThereAndBack) {
  const auto frames = one_frame_of_each_kind();
  const auto& frame = std::ranges::find(frames, "inventory", &std::pair<std::string, Buffer>::first)->second;
  const auto values = read_inventory(*verified_envelope(*frame)->body_as_Inventory());
  ASSERT_EQ(values.lines.size(), 1U);
  EXPECT_EQ(values.lines[0].addresses.size(), 2U);
  EXPECT_EQ(values.lines[0].extension, counting_bytes(16));
  EXPECT_TRUE(values.lines[0].arrived);
  EXPECT_EQ(*make_inventory(values), *frame);
}

TEST(Envelope, AnInventoryInPartsIsTheSameAndEachPartIsSmall) {
  InventoryValues values;
  values.revision = 3;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    auto& device = (i < 1500 ? values.lines : values.phones).emplace_back();
    device.id = i;
    device.caps = Bytes(i == 7 ? 300'000 : 500, 7);
    device.addresses = {Bytes(1000, 8)};
  }
  InventoryValues whole;
  std::size_t count = 0;
  for (const auto& part : make_inventory_parts(values)) {
    EXPECT_LT(part->size(), 512U * 1024);
    const auto read = read_inventory(*verified_envelope(*part)->body_as_Inventory());
    EXPECT_EQ(read.revision, 3U);
    EXPECT_TRUE(read.complete);
    whole.revision = read.revision;
    whole.more = read.more;
    whole.lines.insert(whole.lines.end(), read.lines.begin(), read.lines.end());
    whole.phones.insert(whole.phones.end(), read.phones.begin(), read.phones.end());
    ++count;
    EXPECT_EQ(read.more, whole.lines.size() + whole.phones.size() < 2000);
  }
  EXPECT_GT(count, 10U);
  EXPECT_EQ(*make_inventory(whole), *make_inventory(values));
  EXPECT_EQ(make_inventory_parts({}).size(), 1U) << "that there is nothing must be told, too";
}

// Many devices that are one and the same bytes: a frame of 300 KiB must not become gigabytes.
TEST(Envelope, AnInventoryThatRepeatsItselfIsRefused) {
  flatbuffers::FlatBufferBuilder builder;
  const Bytes caps(200 * 1024);
  const auto device = fb::CreateDeviceDirect(builder, 1, 1, "sim", 0, nullptr, nullptr, &caps);
  const auto lines = builder.CreateVector(std::vector<flatbuffers::Offset<fb::Device>>(20000, device));
  fb::FinishEnvelopeBuffer(builder, fb::CreateEnvelope(builder, fb::Body::Inventory,
                                                       fb::CreateInventory(builder, 1, true, lines).Union()));
  const Exact bytes(std::span<const std::uint8_t>(builder.GetBufferPointer(), builder.GetSize()));
  const auto* envelope = verified_envelope(bytes.span());
  ASSERT_TRUE(envelope);
  const Allocations before;
  EXPECT_THROW(read_inventory(*envelope->body_as_Inventory()), Failure);
  EXPECT_LE(before.bytes(), 64U * 1024 * 1024);
}

TEST(Envelope, NotAnEnvelope) {
  EXPECT_EQ(verified_envelope({}), nullptr);
  const Bytes zeros(64);
  EXPECT_EQ(verified_envelope(zeros), nullptr);
  Bytes other = *one_frame_of_each_kind().front().second;
  other[4] = 'X';  // another file identifier
  EXPECT_EQ(verified_envelope(other), nullptr);
}

}  // namespace
}  // namespace tsplink::wire::testing
