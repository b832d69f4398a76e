// The splitter: any pieces, any damage.
#include <gtest/gtest.h>

#include "support.hpp"
#include "wire/failure.hpp"

namespace tsplink::link {
namespace {

using wire::Bytes;
using wire::Splitter;

constexpr std::uint32_t kLimit = 64 * 1024;

Bytes three_frames() {
  Bytes bytes;
  wire::append_frame(bytes, *event(1), 1, 0);
  wire::append_frame(bytes, *make_ping(5), 0, 9);
  wire::append_frame(bytes, *event(2, 3000), 2, 0xffff'ffff'ffff'fffe);
  return bytes;
}

void expect_three(Splitter& splitter, std::vector<wire::Frame>& frames) {
  while (auto frame = splitter.next()) frames.push_back(std::move(*frame));
}

TEST(Frame, ComesWholeOutOfEveryCut) {
  const Bytes bytes = three_frames();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Splitter splitter(kLimit);
    std::vector<wire::Frame> frames;
    splitter.feed(std::span(bytes).first(cut));
    expect_three(splitter, frames);
    splitter.feed(std::span(bytes).subspan(cut));
    expect_three(splitter, frames);
    ASSERT_EQ(frames.size(), 3u) << "cut at " << cut;
    EXPECT_EQ(number_of(frames[0].envelope), 1u);
    EXPECT_EQ(frames[1].header.acknowledgement, 9u);
    EXPECT_EQ(frames[2].header.sequence, 2u);
    EXPECT_EQ(frames[2].header.acknowledgement, 0xffff'ffff'ffff'fffe);
    EXPECT_EQ(*frames[2].envelope, *event(2, 3000));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frames[2].envelope->data()) % 8, 0u);
  }
}

TEST(Frame, ComesOneByteAtATime) {
  Splitter splitter(kLimit);
  std::vector<wire::Frame> frames;
  for (const std::uint8_t byte : three_frames()) {
    splitter.feed({&byte, 1});
    expect_three(splitter, frames);
  }
  EXPECT_EQ(frames.size(), 3u);
}

TEST(Frame, HeaderIsLittleEndianOnTheWire) {
  const auto header = wire::encode_header({0x04030201, 0x0807060504030201, 0x1817161514131211});
  const std::array<std::uint8_t, 24> expected{1, 2, 3, 4, 0,    0,    0,    0,    1,    2,    3,    4,
                                              5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18};
  EXPECT_EQ(header, expected);
}

TEST(Frame, HeaderOverTheLimitIsRefusedBeforeItsPayload) {
  for (const std::uint32_t length : {kLimit + 1, 0x7fff'ffffu, 0xffff'ffffu}) {
    Splitter splitter(kLimit);
    splitter.feed(wire::encode_header({length, 1, 0}));
    EXPECT_THROW(splitter.next(), Failure);
  }
}

TEST(Frame, ReservedFieldAndEmptyFramesAreRefused) {
  for (std::size_t byte = 4; byte < 8; ++byte) {
    Bytes bytes = three_frames();
    bytes[byte] = 1;
    Splitter splitter(kLimit);
    splitter.feed(bytes);
    EXPECT_THROW(splitter.next(), Failure);
  }
  Splitter splitter(kLimit);
  splitter.feed(wire::encode_header({0, 0, 0}));
  EXPECT_THROW(splitter.next(), Failure);
}

TEST(Frame, EveryCorruptedByteOfAnEnvelopeIsRefusedOrStillReadable) {
  const Bytes good = *make_hello(local("a machine's name"));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      // Exactly as long as the envelope: a sanitizer sees one byte too far.
      auto bytes = std::make_unique<std::uint8_t[]>(good.size());
      std::copy(good.begin(), good.end(), bytes.get());
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ flip);
      try {
        wire::verify_envelope({bytes.get(), good.size()});
        const auto* envelope = wire::fb::GetEnvelope(bytes.get());
        if (const auto* hello = envelope->body_as_Hello(); hello != nullptr && hello->machine() != nullptr) {
          EXPECT_LE(hello->machine()->str().size(), good.size());
        }
      } catch (const Failure& failure) {
        EXPECT_EQ(failure.kind(), Kind::Malformed);
      }
    }
  }
}

TEST(Frame, EveryTruncatedEnvelopeIsRefused) {
  const Bytes good = *make_hello(local("desk"));
  // The last three bytes may be padding.
  for (std::size_t size = 0; size + 3 < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(wire::verify_envelope(cut), Failure) << size;
  }
}

TEST(Frame, AnotherFileIdentifierAndAMissingBodyAreRefused) {
  Bytes bytes = *make_ping(1);
  bytes[4] = 'X';
  EXPECT_THROW(wire::verify_envelope(bytes), Failure);
  flatbuffers::FlatBufferBuilder builder;
  wire::fb::FinishEnvelopeBuffer(builder, wire::fb::CreateEnvelope(builder));
  EXPECT_THROW(wire::verify_envelope({builder.GetBufferPointer(), builder.GetSize()}), Failure);
}

TEST(Frame, TheSameTableAThousandTimesIsRefused) {
  flatbuffers::FlatBufferBuilder builder;
  const auto caps = builder.CreateVector(std::vector<std::uint8_t>(8));
  const auto address = wire::fb::CreateAddress(builder, caps);
  const auto addresses = builder.CreateVector(std::vector<std::remove_const_t<decltype(address)>>(200, address));
  wire::fb::DeviceBuilder device(builder);
  device.add_addresses(addresses);
  const auto one = device.Finish();
  const auto lines = builder.CreateVector(std::vector<std::remove_const_t<decltype(one)>>(200, one));
  wire::fb::InventoryBuilder inventory(builder);
  inventory.add_lines(lines);
  const auto body = inventory.Finish();
  wire::fb::FinishEnvelopeBuffer(builder, wire::fb::CreateEnvelope(builder, wire::fb::Body::Inventory, body.Union()));
  EXPECT_THROW(wire::verify_envelope({builder.GetBufferPointer(), builder.GetSize()}), Failure);
}

}  // namespace
}  // namespace tsplink::link
