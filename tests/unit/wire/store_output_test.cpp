// What the desktop lays out in TAPI's buffer, at every version and every total size.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "structure_maker.hpp"

namespace tsplink::wire {
namespace {

/// Every part of `source` that `version` knows is in `stored` unharmed, or there with size and offset 0. Counts both.
struct Parts {
  std::size_t there = 0, left_out = 0;
};
Parts compare_parts(const StructureDescription& structure, const StructureDescription& root,
                    const std::uint8_t* source, std::size_t source_base, std::uint32_t source_version,
                    const std::uint8_t* stored, std::size_t stored_base, std::uint32_t version) {
  Parts parts;
  for (const Pair& pair : structure.pairs) {
    if (pair.since > version || pair.since > source_version || pair.tapi_owned) continue;
    const std::uint32_t size = word(source, source_base + pair.size_at),
                        offset = word(source, source_base + pair.offset_at);
    const std::uint32_t to_size = word(stored, stored_base + pair.size_at),
                        to = word(stored, stored_base + pair.offset_at);
    if (size == 0 || to_size == 0) {
      EXPECT_EQ(0U, to_size) << pair.name;
      EXPECT_EQ(0U, to) << pair.name;
      parts.left_out += size != 0;
      continue;
    }
    ++parts.there;
    EXPECT_GE(to, fixed_size(root, version)) << pair.name;
    EXPECT_EQ(0U, to % 4) << pair.name;
    if (!pair.element) {
      EXPECT_EQ(size, to_size) << pair.name;
      EXPECT_EQ(0, std::memcmp(source + offset, stored + to, size)) << pair.name;
      continue;
    }
    const std::uint32_t step = fixed_size(*pair.element, source_version),
                        to_step = fixed_size(*pair.element, version);
    EXPECT_EQ(size / step, to_size / to_step) << pair.name;
    for (std::uint32_t i = 0; i < size / step; ++i) {
      if (pair.element->pairs.empty() || pair.element->pairs.front().size_at != 0) {
        EXPECT_EQ(word(source, offset + i * step), word(stored, to + i * to_step)) << pair.name;
      }
      const Parts inner = compare_parts(*pair.element, root, source, offset + i * step, source_version, stored,
                                        to + i * to_step, version);
      parts.there += inner.there;
      parts.left_out += inner.left_out;
    }
  }
  return parts;
}

std::set<std::size_t> kept_positions(const StructureDescription& structure, std::uint32_t version) {
  std::set<std::size_t> kept{0, 1, 2, 3};
  const auto add = [&](std::size_t from, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) kept.insert(from + i);
  };
  for (const Field& field : structure.tapi_owned) add(field.at, field.size);
  for (const Pair& pair : structure.pairs)
    if (pair.tapi_owned && pair.since <= version) add(pair.size_at, 8);
  return kept;
}
std::set<std::size_t> computed_positions(const StructureDescription& structure) {
  std::set<std::size_t> computed;
  for (std::size_t i = 4; i < 12; ++i) computed.insert(i);
  for (const Pair& pair : structure.pairs)
    for (std::size_t i = 0; i < 8; ++i) computed.insert(pair.size_at + i);
  return computed;
}

void round_trip(const StructureDescription& structure, const Bytes& bytes, std::uint32_t version,
                std::uint32_t source_version) {
  SCOPED_TRACE(std::string(structure.name) + " from " + std::to_string(source_version) + " to " +
               std::to_string(version));
  Exact source(bytes);
  const std::uint32_t fixed = fixed_size(structure, version),
                      known = std::min(fixed, fixed_size(structure, source_version));
  const auto kept = kept_positions(structure, version), computed = computed_positions(structure);
  std::uint32_t needed = fixed;
  for (std::uint32_t total = 0; total <= needed + 1; ++total) {
    Exact buffer(std::max<std::uint32_t>(total, 4), 0xA5);
    put(buffer.get(), 0, total);
    const LONG result = store_output(structure, source.span(), buffer.get(), version, source_version);
    ASSERT_EQ(total, word(buffer.get(), 0));
    if (total < fixed) {
      ASSERT_EQ(to_family(static_cast<LONG>(LINEERR_STRUCTURETOOSMALL), structure.family), result);
      for (std::size_t i = 4; i < buffer.size; ++i) ASSERT_EQ(0xA5, buffer.get()[i]);
      continue;
    }
    ASSERT_EQ(0, result);
    const std::uint32_t used = word(buffer.get(), 8);
    if (total == fixed) needed = word(buffer.get(), 4);
    ASSERT_EQ(needed, word(buffer.get(), 4)) << "what is needed depends on the room at hand";
    ASSERT_LE(used, std::min(total, needed));
    for (std::size_t i = 0; i < fixed; ++i) {
      if (kept.count(i)) {
        if (i >= 4) {
          ASSERT_EQ(0xA5, buffer.get()[i]) << "TAPI's byte " << i;
        }
      } else if (!computed.count(i)) {
        ASSERT_EQ(i < known ? bytes[i] : 0, buffer.get()[i]) << "byte " << i;
      }
    }
    for (std::size_t i = used; i < buffer.size; ++i) ASSERT_EQ(0xA5, buffer.get()[i]) << "unused byte " << i;
    const Parts parts =
        compare_parts(structure, structure, bytes.data(), 0, source_version, buffer.get(), 0, version);
    ASSERT_EQ(total >= needed, used == needed);
    if (total >= needed) {
      ASSERT_EQ(0U, parts.left_out);
    }
    if (total + 1 == needed) {
      ASSERT_NE(0U, parts.left_out);
    }
    for (const Pair& pair : structure.pairs)
      if (pair.tapi_owned && pair.since <= version) put(buffer.get(), pair.size_at, 0);
    ASSERT_EQ("", message_of(structure, buffer.span(), version, true));
  }
}

TEST(StoreOutput, RoundTripAtEveryVersionAndEveryTotalSize) {
  Maker maker(seed());
  for (const auto* structure : with_totals()) {
    for (const std::uint32_t version : kVersions) {
      round_trip(*structure, maker.make(*structure, version), version, version);
      round_trip(*structure, maker.make(*structure, kNewest), version, kNewest);
      round_trip(*structure, maker.make(*structure, 0x00020000), version, 0x00020000);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(StoreOutput, PartsFollowTheFixedPartAtOnce) {
  const auto& structure = describe<VARSTRING>();
  Bytes source(40, 0x41);
  put(source.data(), offsetof(VARSTRING, dwStringSize), 6);
  put(source.data(), offsetof(VARSTRING, dwStringOffset), 33);
  Exact buffer(30);
  put(buffer.get(), 0, 30);
  ASSERT_EQ(0, store_output(structure, source, buffer.get(), 0x00020000));
  EXPECT_EQ(24U, word(buffer.get(), offsetof(VARSTRING, dwStringOffset)));
  EXPECT_EQ(30U, word(buffer.get(), 4));
  EXPECT_EQ(30U, word(buffer.get(), 8));
}

TEST(StoreOutput, PartsOfAnOlderSourceAreNotTakenForNewerMembers) {
  const auto& structure = describe<LINEADDRESSCAPS>();
  Bytes source(300, 0);  // 1.4: what 2.0 has at 196 is text here, and looks like a pair
  put(source.data(), offsetof(LINEADDRESSCAPS, dwDeviceClassesSize), 8);
  put(source.data(), offsetof(LINEADDRESSCAPS, dwDeviceClassesOffset), 240);
  put(source.data(), offsetof(LINEADDRESSCAPS, dwAvailableMediaModes), 0x41414141);
  Exact buffer(400, 0xA5);
  put(buffer.get(), 0, buffer.size);
  ASSERT_EQ(0, store_output(structure, source, buffer.get(), 0x00020000, 0x00010004));
  EXPECT_EQ(0U, word(buffer.get(), offsetof(LINEADDRESSCAPS, dwDeviceClassesSize)));
  EXPECT_EQ(0U, word(buffer.get(), offsetof(LINEADDRESSCAPS, dwDeviceClassesOffset)));
  EXPECT_EQ(0U, word(buffer.get(), offsetof(LINEADDRESSCAPS, dwAvailableMediaModes)));
  EXPECT_EQ(228U, word(buffer.get(), 4));
}

TEST(StoreOutput, PartsThatShareBytesAreBounded) {
  const auto& structure = describe<LINECALLINFO>();
  Exact source(344 + 200'000, 0x41);
  for (const Pair& pair : structure.pairs) {
    put(source.get(), pair.size_at, 200'000);
    put(source.get(), pair.offset_at, 344);
  }
  Exact buffer(4'000'000);
  put(buffer.get(), 0, buffer.size);
  ASSERT_EQ(0, store_output(structure, source.span(), buffer.get(), kNewest));
  EXPECT_EQ(344U + 5 * 200'000U, word(buffer.get(), 4));
  EXPECT_EQ(word(buffer.get(), 4), word(buffer.get(), 8));
}

TEST(StoreOutput, ForwardEntriesOfAnotherHeaderThanTheVersionTells) {
  const auto& structure = describe<LINEADDRESSSTATUS>();
  Bytes source(64 + 2 * 32);  // built with 3.1's entries of 32 bytes, negotiated 2.0
  put(source.data(), offsetof(LINEADDRESSSTATUS, dwForwardNumEntries), 2);
  put(source.data(), offsetof(LINEADDRESSSTATUS, dwForwardSize), 64);
  put(source.data(), offsetof(LINEADDRESSSTATUS, dwForwardOffset), 64);
  put(source.data(), 64, LINEFORWARDMODE_UNCOND);
  put(source.data(), 64 + 32, LINEFORWARDMODE_BUSY);
  put(source.data(), 8, source.size());
  EXPECT_EQ("", message_of(structure, source, 0x00020000, true));
  Exact buffer(64 + 48);
  put(buffer.get(), 0, buffer.size);
  ASSERT_EQ(0, store_output(structure, source, buffer.get(), 0x00020000));
  EXPECT_EQ(48U, word(buffer.get(), offsetof(LINEADDRESSSTATUS, dwForwardSize)));
  EXPECT_EQ(std::uint32_t{LINEFORWARDMODE_UNCOND}, word(buffer.get(), 64));
  EXPECT_EQ(std::uint32_t{LINEFORWARDMODE_BUSY}, word(buffer.get(), 64 + 24));
}

}  // namespace
}  // namespace tsplink::wire
