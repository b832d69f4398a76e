// What crosses of every function: there and back, cut short, and broken.
#include <gtest/gtest.h>

#include "allocations.hpp"
#include "samples.hpp"

namespace tsplink::wire::testing {
namespace {

template <class Values>
void round_trip(const Values& values) {
  const Exact bytes(encode(values));
  EXPECT_EQ(decode<Values>(bytes.span()), values);
}

// Refused or read, without a byte past the end and without more memory than each field's share of what came.
template <class Values>
bool survives(std::span<const std::uint8_t> bytes) {
  const Exact exact(bytes);
  const Allocations before;
  bool good = true;
  try {
    (void)decode<Values>(exact.span());
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), Kind::Malformed);
    good = false;
  }
  EXPECT_LE(before.bytes(), std::tuple_size_v<Values> * (bytes.size() + 64) + 512);
  return good;
}

template <class Values>
void truncated(const Bytes& whole) {
  for (std::size_t size = 0; size < whole.size(); ++size) survives<Values>(std::span(whole).first(size));
  EXPECT_TRUE(survives<Values>(whole));
}

template <class Values>
void corrupted(Samples& samples, const Bytes& whole) {
  Bytes bytes = whole;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xFF}) {
      bytes[i] = static_cast<std::uint8_t>(whole[i] ^ mask);
      survives<Values>(bytes);
    }
    bytes[i] = whole[i];
  }
  for (int i = 0; i < 200; ++i) {
    bytes = whole;
    for (std::size_t words = 1 + samples.below(3); words > 0; --words) {
      const auto word = samples.below(4) == 0 ? static_cast<std::uint32_t>(samples.below(64))
                                              : static_cast<std::uint32_t>(samples.number());
      std::memcpy(bytes.data() + 4 * samples.below(bytes.size() / 4), &word, sizeof word);
    }
    survives<Values>(bytes);
  }
}

TEST(Codec, EveryFunctionGoesThereAndBack) {
  for_each_call([]<class C, Function F>() {
    for (const auto shape : kShapes) {
      SCOPED_TRACE(at<C>("round trip", F));
      for (std::uint64_t turn = 0; turn < (shape == Shape::Random ? 10 : 1); ++turn) {
        Samples samples(turn * 1000 + static_cast<std::uint64_t>(F), shape);
        round_trip(samples.values<typename C::Inputs>());
        round_trip(samples.values<typename C::Outputs>());
      }
    }
  });
}

TEST(Codec, EveryTruncationIsRefusedOrHarmless) {
  for_each_call([]<class C, Function F>() {
    SCOPED_TRACE(at<C>("truncated", F));
    Samples samples(static_cast<std::uint64_t>(F), Shape::Random, 60);
    truncated<typename C::Inputs>(encode(samples.values<typename C::Inputs>()));
    truncated<typename C::Outputs>(encode(samples.values<typename C::Outputs>()));
  });
}

TEST(Codec, BrokenBytesAreRefusedOrRead) {
  for_each_call([]<class C, Function F>() {
    SCOPED_TRACE(at<C>("corrupted", F));
    Samples samples(static_cast<std::uint64_t>(F), Shape::Random, 40);
    corrupted<typename C::Inputs>(samples, encode(samples.values<typename C::Inputs>()));
    corrupted<typename C::Outputs>(samples, encode(samples.values<typename C::Outputs>()));
  });
}

TEST(Codec, NullAndEmptyAreDifferent) {
  using Park = calls::linePark;
  constexpr auto text = Park::position("lpszDirAddress");
  Park::Inputs inputs{};
  EXPECT_FALSE(std::get<text>(decode<Park::Inputs>(encode(inputs))));
  std::get<text>(inputs) = u"";
  EXPECT_EQ(std::get<text>(decode<Park::Inputs>(encode(inputs))), u"");
}

// A peer chooses where a nested block begins; numbers must not be read from an odd place.
TEST(Codec, MisalignedBytesAreRefused) {
  calls::lineDrop::Inputs inputs{};
  std::get<1>(inputs) = 0x123456789ABCDEF0U;
  const Bytes good = encode(inputs);
  for (std::size_t shift = 1; shift < 8; ++shift) {
    Bytes moved(shift);
    moved.insert(moved.end(), good.begin(), good.end());
    EXPECT_THROW(decode<calls::lineDrop::Inputs>(std::span<const std::uint8_t>(moved).subspan(shift)), Failure)
        << shift;
  }
}

TEST(Codec, AFieldKeepsItsPlace) {
  // Position 5 of lineMakeCall, dwCountryCode: the vtable's entry is at 4 + 2 * 5.
  EXPECT_EQ(field_offset(calls::lineMakeCall::position("dwCountryCode")), 14);
}

}  // namespace
}  // namespace tsplink::wire::testing
