// What is checked of structures that come in, and what is mended of a vendor's.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "structure_maker.hpp"

namespace tsplink::wire {
namespace {

// ---- inputs ----

TEST(CheckInput, TakesWhatIsGoodAndRefusesEveryTruncation) {
  Maker maker(seed());
  for (const auto* structure : inputs()) {
    for (const std::uint32_t version : kVersions) {
      SCOPED_TRACE(std::string(structure->name) + " " + std::to_string(version));
      Bytes whole = maker.make(*structure, version, false);
      put(whole.data(), structure->total_at, whole.size());
      EXPECT_EQ("", message_of(*structure, Exact(whole).span(), version));
      for (std::size_t size = 0; size < whole.size(); ++size) {
        Exact cut(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        EXPECT_NE("", message_of(*structure, cut.span(), version)) << size;
        // The same with a dwTotalSize that does not lie: then a variable part is what lies outside.
        if (size < structure->total_at + 4U) continue;
        put(cut.get(), structure->total_at, size);
        EXPECT_NE("", message_of(*structure, cut.span(), version)) << size;
      }
    }
  }
}

TEST(CheckInput, NamesStructureAndMember) {
  Maker maker(1);
  Bytes bytes = maker.make(describe<LINECALLPARAMS>(), kNewest, false);
  put(bytes.data(), offsetof(LINECALLPARAMS, dwCommentOffset), 0xFFFFFFFF);
  EXPECT_EQ("LINECALLPARAMS: dwComment reaches beyond the end",
            message_of(describe<LINECALLPARAMS>(), bytes, kNewest));
  bytes = maker.make(describe<LINEFORWARDLIST>(), 0x00020000, false);
  put(bytes.data(), 8 + 24 + offsetof(LINEFORWARD, dwDestAddressOffset), 8);
  EXPECT_EQ("LINEFORWARDLIST: elements[1].dwDestAddress begins inside of the fixed part",
            message_of(describe<LINEFORWARDLIST>(), bytes, 0x00020000));
  put(bytes.data(), 4, 0xFFFFFFFF);
  EXPECT_EQ("LINEFORWARDLIST: elements counts more elements than there are",
            message_of(describe<LINEFORWARDLIST>(), bytes, 0x00020000));
}

TEST(CheckInput, PartsMayBeginRightBehindTheFixedPartAndNotBefore) {
  Bytes bytes(200);
  put(bytes.data(), 0, bytes.size());
  put(bytes.data(), offsetof(LINECALLPARAMS, dwCommentSize), 24);
  put(bytes.data(), offsetof(LINECALLPARAMS, dwCommentOffset), 176);
  EXPECT_EQ("", message_of(describe<LINECALLPARAMS>(), bytes, 0x00020000));
  put(bytes.data(), offsetof(LINECALLPARAMS, dwCommentOffset), 175);
  EXPECT_EQ("LINECALLPARAMS: dwComment begins inside of the fixed part",
            message_of(describe<LINECALLPARAMS>(), bytes, 0x00020000));
  put(bytes.data(), offsetof(LINECALLPARAMS, dwCommentOffset), 177);
  EXPECT_EQ("LINECALLPARAMS: dwComment reaches beyond the end",
            message_of(describe<LINECALLPARAMS>(), bytes, 0x00020000));
}

TEST(CheckInput, NewerMembersDoNotCountInAnOlderVersion) {
  Bytes bytes(176);
  put(bytes.data(), 0, 176);
  EXPECT_EQ("", message_of(describe<LINECALLPARAMS>(), bytes, 0x00020002));
  // Of an application that knows 2.x, on a line that has a newer version.
  EXPECT_EQ("", message_of(describe<LINECALLPARAMS>(), bytes, 0x00030001));
  put(bytes.data(), 176 - 4, 0xFFFFFFFF);  // what a newer one has behind that is not looked at
  EXPECT_EQ("", message_of(describe<LINECALLPARAMS>(), bytes, 0x00030001));
}

TEST(CheckInput, ItsCallerHearsWhatIsWrong) {
  const auto code_of = [](Bytes bytes) {
    try {
      check_input(describe<LINECALLPARAMS>(), bytes, 0x00030001);
    } catch (const Failure& failure) {
      return failure.code();
    }
    return std::int32_t{0};
  };
  Bytes bytes(200);
  put(bytes.data(), 0, 175);
  EXPECT_EQ(code_of(bytes), static_cast<std::int32_t>(LINEERR_STRUCTURETOOSMALL));
  put(bytes.data(), 0, 200);
  put(bytes.data(), offsetof(LINECALLPARAMS, dwCommentSize), 24);
  put(bytes.data(), offsetof(LINECALLPARAMS, dwCommentOffset), 0xFFFFFFF0);
  EXPECT_EQ(code_of(bytes), static_cast<std::int32_t>(LINEERR_INVALPARAM));
}

// ---- outputs of vendors ----

TEST(ClampOutput, LeavesAGoodStructureAsItIs) {
  Maker maker(seed());
  for (const auto* structure : with_totals()) {
    for (const std::uint32_t version : kVersions) {
      Bytes bytes = maker.make(*structure, version, false);
      put(bytes.data(), 0, bytes.size());
      Exact exact(bytes);
      const Mended mended = clamp_output(*structure, exact.span(), version);
      EXPECT_TRUE(mended.fields.empty()) << structure->name << ": " << mended.fields.front();
      EXPECT_EQ(bytes.size(), mended.bytes);
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), exact.get()));
    }
  }
}

TEST(ClampOutput, AVendorThatWroteNothing) {
  for (const auto* structure : with_totals()) {
    Exact exact(1000);
    const Mended mended = clamp_output(*structure, exact.span(), kNewest);
    const std::uint32_t fixed = fixed_size(*structure, kNewest);
    EXPECT_EQ(fixed, mended.bytes);
    EXPECT_EQ(1000U, word(exact.get(), 0));
    EXPECT_EQ(fixed, word(exact.get(), 4));
    EXPECT_EQ(fixed, word(exact.get(), 8));
    Exact small(fixed - 1);
    EXPECT_EQ(0U, clamp_output(*structure, small.span(), kNewest).bytes);
  }
}

TEST(ClampOutput, CarelessSizes) {
  const auto& structure = describe<LINECALLSTATUS>();
  Exact exact(100);
  put(exact.get(), 0, 7);
  put(exact.get(), 4, 3000);
  put(exact.get(), 8, 20);  // less than the fixed part, though a part follows
  put(exact.get(), offsetof(LINECALLSTATUS, dwDevSpecificSize), 8);
  put(exact.get(), offsetof(LINECALLSTATUS, dwDevSpecificOffset), 60);
  Mended mended = clamp_output(structure, exact.span(), 0x00020000);
  EXPECT_EQ((std::vector<std::string>{"dwTotalSize", "dwUsedSize"}), mended.fields);
  EXPECT_EQ(68U, mended.bytes);
  EXPECT_EQ(3000U, word(exact.get(), 4));
  EXPECT_EQ(60U, word(exact.get(), offsetof(LINECALLSTATUS, dwDevSpecificOffset)));

  put(exact.get(), 8, 101);
  put(exact.get(), offsetof(LINECALLSTATUS, dwDevSpecificOffset), 93);
  mended = clamp_output(structure, exact.span(), 0x00020000);
  EXPECT_EQ((std::vector<std::string>{"dwDevSpecific", "dwUsedSize"}), mended.fields);
  EXPECT_EQ(56U, mended.bytes);
  EXPECT_EQ(0U, word(exact.get(), offsetof(LINECALLSTATUS, dwDevSpecificSize)));
  EXPECT_EQ(0U, word(exact.get(), offsetof(LINECALLSTATUS, dwDevSpecificOffset)));
}

TEST(ClampOutput, CountsAndPartsOfElements) {
  const auto& structure = describe<LINEADDRESSSTATUS>();
  Exact exact(64 + 48 + 4);
  put(exact.get(), offsetof(LINEADDRESSSTATUS, dwForwardNumEntries), 9);
  put(exact.get(), offsetof(LINEADDRESSSTATUS, dwForwardSize), 50);
  put(exact.get(), offsetof(LINEADDRESSSTATUS, dwForwardOffset), 64);
  put(exact.get(), 64 + 24 + offsetof(LINEFORWARD, dwDestAddressSize), 4);
  put(exact.get(), 64 + 24 + offsetof(LINEFORWARD, dwDestAddressOffset), 113);
  const Mended mended = clamp_output(structure, exact.span(), 0x00020000);
  EXPECT_EQ((std::vector<std::string>{"dwTotalSize", "dwForward (count)", "dwForward[1].dwDestAddress", "dwUsedSize",
                                      "dwNeededSize"}),
            mended.fields);
  EXPECT_EQ(2U, word(exact.get(), offsetof(LINEADDRESSSTATUS, dwForwardNumEntries)));
  EXPECT_EQ(0U, word(exact.get(), 64 + 24 + offsetof(LINEFORWARD, dwDestAddressSize)));
  EXPECT_EQ("", message_of(structure, exact.span(), 0x00020000, true));
}

// ---- nonsense ----

std::vector<std::size_t> words_to_corrupt(const StructureDescription& structure, const Bytes& bytes,
                                          std::uint32_t version) {
  std::vector<std::size_t> at;
  const auto pairs = [&at](const StructureDescription& of, std::size_t base) {
    for (const Pair& pair : of.pairs) at.insert(at.end(), {base + pair.size_at, base + pair.offset_at});
  };
  if (structure.has_totals) at = {0, 4, 8};
  else at = {structure.total_at};
  for (const Pair& pair : structure.pairs) {
    if (pair.since > version) continue;
    at.insert(at.end(), {pair.size_at, pair.offset_at});
    if (pair.count_at != kNoMember) at.insert(at.end(), 6, pair.count_at);
    if (pair.element) pairs(*pair.element, word(bytes.data(), pair.offset_at));
  }
  if (structure.inline_element) {
    at.insert(at.end(), 4, structure.inline_count_at);
    pairs(*structure.inline_element, fixed_size(structure, version));
  }
  return at;
}

void corrupt(const StructureDescription& structure, Bytes& bytes, std::uint32_t version, Maker& maker) {
  const auto places = words_to_corrupt(structure, bytes, version);
  const std::uint32_t fixed = fixed_size(structure, version), size = static_cast<std::uint32_t>(bytes.size());
  const std::uint32_t evil[] = {0,
                                1,
                                2,
                                3,
                                8,
                                12,
                                fixed - 1,
                                fixed,
                                fixed + 1,
                                size - 4,
                                size - 1,
                                size,
                                size + 1,
                                0x7FFFFFFF,
                                0x80000000,
                                0xFFFFFFFF,
                                0xFFFFFFFF - fixed,
                                0xFFFFFFFF - size + 1,
                                maker.any_word(),
                                maker.below(size)};
  for (std::uint32_t changes = 1 + maker.below(6); changes > 0; --changes) {
    const std::size_t at = places[maker.below(static_cast<std::uint32_t>(places.size()))];
    if (at + 4 <= bytes.size()) put(bytes.data(), at, evil[maker.below(std::size(evil))]);
  }
}

TEST(Corruption, NothingIsReadOrWrittenOutside) {
  Maker maker(seed());
  for (const auto* structure : all_structures()) {
    if (structure->total_at == kNoMember) continue;
    for (const std::uint32_t version : kVersions) {
      for (int round = 0; round < 300; ++round) {
        SCOPED_TRACE(std::string(structure->name) + " " + std::to_string(version) + " round " +
                     std::to_string(round));
        Bytes bytes = maker.make(*structure, version);
        corrupt(*structure, bytes, version, maker);
        if (maker.below(4) == 0) bytes.resize(maker.below(static_cast<std::uint32_t>(bytes.size())) + 1);
        Exact exact(bytes);
        message_of(*structure, exact.span(), version);
        if (!structure->has_totals) continue;
        message_of(*structure, exact.span(), version, true);

        // The desktop, which may also be wrong about the version that laid the bytes out.
        const std::uint32_t desktop = kVersions[maker.below(std::size(kVersions))];
        const std::uint32_t laid_out = kVersions[maker.below(std::size(kVersions))];
        Exact buffer(4 + maker.below(1000));
        put(buffer.get(), 0, buffer.size);
        if (store_output(*structure, exact.span(), buffer.get(), desktop, laid_out) == 0) {
          ASSERT_EQ("", message_of(*structure, buffer.span(), desktop, true));
          ASSERT_LE(word(buffer.get(), 4), fixed_size(*structure, desktop) + kLaidOutLimit);
        }
        // The host.
        const Mended mended = clamp_output(*structure, exact.span(), version);
        ASSERT_LE(mended.bytes, exact.size);
        ASSERT_LE(mended.fields.size(), 16U);
        if (mended.bytes == 0) continue;
        ASSERT_EQ(exact.size, word(exact.get(), 0));
        ASSERT_EQ(mended.bytes, word(exact.get(), 8));
        Exact sent(Bytes(exact.get(), exact.get() + mended.bytes));
        ASSERT_EQ("", message_of(*structure, sent.span(), version, true));
        ASSERT_TRUE(clamp_output(*structure, exact.span(), version).fields.empty());
      }
    }
  }
}

}  // namespace
}  // namespace tsplink::wire
