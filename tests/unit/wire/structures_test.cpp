#include "wire/structures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <regex>
#include <set>
#include <string>

namespace tsplink::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::uint32_t kVersions[] = {0x00010003, 0x00010004, 0x00020000, 0x00020001,
                                       0x00020002, 0x00030000, 0x00030001};
constexpr std::uint32_t kNewest = 0x00030001;

std::uint32_t word(const std::uint8_t* bytes, std::size_t at) {
  std::uint32_t value;
  std::memcpy(&value, bytes + at, sizeof value);
  return value;
}
void put(std::uint8_t* bytes, std::size_t at, std::uint64_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  std::memcpy(bytes + at, &narrow, sizeof narrow);
}

/// A heap block of exactly `size` bytes: a sanitizer sees one byte too far.
struct Exact {
  explicit Exact(std::size_t size_, std::uint8_t fill = 0) : bytes(new std::uint8_t[size_]), size(size_) {
    std::memset(bytes.get(), fill, size);
  }
  explicit Exact(const Bytes& from) : Exact(from.size()) { std::copy(from.begin(), from.end(), bytes.get()); }
  std::uint8_t* get() { return bytes.get(); }
  std::span<std::uint8_t> span() { return {bytes.get(), size}; }
  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t size;
};

unsigned seed() {
  const char* given = std::getenv("TSPLINK_TEST_SEED");
  const unsigned value = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  testing::Test::RecordProperty("seed", std::to_string(value));
  std::printf("TSPLINK_TEST_SEED=%u\n", value);
  return value;
}

/// Makes structures as a good vendor would, but with their parts in any order and with gaps.
class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  Bytes make(const StructureDescription& structure, std::uint32_t version, bool empty_parts = true) {
    const std::uint32_t fixed = fixed_size(structure, version);
    Bytes bytes(fixed);
    for (auto& byte : bytes) byte = any_byte();
    if (structure.inline_element) {
      const std::uint32_t count = 3, step = fixed_size(*structure.inline_element, version);
      put(bytes.data(), structure.inline_count_at, count);
      bytes.resize(fixed + count * step, 0x11);
      for (std::uint32_t i = 0; i < count; ++i)
        fill_parts(*structure.inline_element, fixed + i * step, version, bytes, empty_parts);
    }
    fill_parts(structure, 0, version, bytes, empty_parts);
    if (structure.has_totals) {
      put(bytes.data(), 0, bytes.size() + 100);  // the capacity at the vendor
      put(bytes.data(), 4, bytes.size());
      put(bytes.data(), 8, bytes.size());
    } else {
      put(bytes.data(), structure.total_at, bytes.size());
    }
    return bytes;
  }

  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  std::uint32_t any_word() { return static_cast<std::uint32_t>(random_()); }

 private:
  std::uint8_t any_byte() { return static_cast<std::uint8_t>(random_() % 255 + 1); }

  void fill_parts(const StructureDescription& structure, std::size_t base, std::uint32_t version, Bytes& bytes,
                  bool empty) {
    std::vector<const Pair*> order;
    for (const Pair& pair : structure.pairs)
      if (pair.since <= version) order.push_back(&pair);
    std::shuffle(order.begin(), order.end(), random_);
    for (const Pair* pair : order) {
      const std::uint32_t step = pair->element ? fixed_size(*pair->element, version) : 1;
      const std::uint32_t count = pair->element ? 1 + below(3) : empty && below(5) == 0 ? 0 : 1 + below(21);
      bytes.resize(bytes.size() + below(4), 0xEE);
      const std::size_t begin = bytes.size();
      for (std::uint32_t i = 0; i < count * step; ++i) bytes.push_back(any_byte());
      put(bytes.data(), base + pair->size_at, count * step);
      put(bytes.data(), base + pair->offset_at, count == 0 ? 0 : begin);
      if (pair->count_at != kNoMember) put(bytes.data(), base + pair->count_at, count);
      for (std::uint32_t i = 0; pair->element && i < count; ++i)
        fill_parts(*pair->element, begin + i * step, version, bytes, empty);
    }
  }

  std::mt19937 random_;
};

std::vector<const StructureDescription*> with_totals() {
  std::vector<const StructureDescription*> all;
  for (const auto* structure : all_structures())
    if (structure->has_totals) all.push_back(structure);
  return all;
}
std::vector<const StructureDescription*> inputs() {
  return {&describe<LINECALLPARAMS>(), &describe<LINEFORWARDLIST>(), &describe<LINECALLQOSINFO>(),
          &describe<PHONEBUTTONINFO>()};
}

std::string message_of(const StructureDescription& structure, std::span<const std::uint8_t> bytes,
                       std::uint32_t version, bool output = false) {
  try {
    if (output) check_output(structure, bytes, version);
    else check_input(structure, bytes, version);
  } catch (const Failure& failure) {
    EXPECT_EQ(Kind::Malformed, failure.kind());
    return failure.what();
  }
  return {};
}

// ---- the descriptions against the headers ----

std::string read(const char* header) {
  std::ifstream file(std::string(TSPLINK_TAPI_FOLDER) + "/" + header);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::map<std::string, std::string> structures_of_headers() {
  std::map<std::string, std::string> bodies;
  const std::regex structure(R"(typedef struct \w+_tag \{([\s\S]*?)\n  \} ?(\w+) ?,)");
  for (const std::string& text : {read("tapi.h"), read("tspi.h")}) {
    for (std::sregex_iterator it(text.begin(), text.end(), structure), end; it != end; ++it)
      bodies[(*it)[2]] = (*it)[1];
  }
  return bodies;
}

TEST(Descriptions, CoverEveryOffsetMemberOfTheHeader) {
  const auto bodies = structures_of_headers();
  const std::regex offset(R"(DWORD (dw\w+)Offset;)"), size(R"(DWORD (dw\w+)Size;)");
  std::size_t pairs = 0;
  for (const auto* structure : all_structures()) {
    SCOPED_TRACE(structure->name);
    ASSERT_TRUE(bodies.count(structure->name));
    const std::string& body = bodies.at(structure->name);
    std::set<std::string> in_header, described;
    for (std::sregex_iterator it(body.begin(), body.end(), offset), end; it != end; ++it) in_header.insert((*it)[1]);
    for (const Pair& pair : structure->pairs) described.insert(pair.name);
    EXPECT_EQ(in_header, described);
    EXPECT_EQ(described.size(), structure->pairs.size());
    pairs += described.size();
  }
  EXPECT_GT(pairs, 80U);
}

TEST(Descriptions, CoverEveryVariableStructureThatTspiFunctionsTake) {
  const auto bodies = structures_of_headers();
  std::set<std::string> described, taken;
  for (const auto* structure : all_structures()) described.insert(structure->name);
  const std::string text = read("tspi.h");
  const std::regex function(R"(LONG WINAPI T(?:UI)?SPI_\w+\(([^)]*)\))"), parameter(R"(\bLP([A-Z]+)\b)");
  for (std::sregex_iterator it(text.begin(), text.end(), function), end; it != end; ++it) {
    const std::string parameters = (*it)[1];
    for (std::sregex_iterator p(parameters.begin(), parameters.end(), parameter); p != end; ++p) {
      const auto body = bodies.find((*p)[1]);
      if (body != bodies.end() && body->second.find("dwTotalSize") != std::string::npos) taken.insert(body->first);
    }
  }
  EXPECT_GE(taken.size(), 13U);
  for (const std::string& name : taken) EXPECT_TRUE(described.count(name)) << name;
}

TEST(Descriptions, FixedPartsOfEachVersion) {
  const auto expect = [](const StructureDescription& structure, std::initializer_list<std::uint32_t> sizes) {
    auto version = std::begin(kVersions);
    for (const std::uint32_t size : sizes) EXPECT_EQ(size, fixed_size(structure, *version++)) << structure.name;
  };
  expect(describe<LINEDEVCAPS>(), {240, 240, 252, 252, 268, 292, 292});
  expect(describe<LINEADDRESSCAPS>(), {180, 180, 228, 228, 228, 228, 228});
  expect(describe<LINECALLINFO>(), {296, 296, 324, 324, 324, 344, 344});
  expect(describe<LINECALLPARAMS>(), {112, 112, 176, 176, 176, 180, 180});
  expect(describe<LINECALLSTATUS>(), {36, 36, 56, 56, 56, 56, 56});
  expect(describe<LINEDEVSTATUS>(), {76, 76, 88, 88, 88, 88, 88});
  expect(describe<PHONECAPS>(), {144, 144, 180, 180, 196, 196, 196});
  expect(describe<PHONESTATUS>(), {100, 100, 104, 104, 104, 104, 104});
  expect(describe<LINEFORWARD>(), {24, 24, 24, 24, 24, 24, 32});
  expect(describe<VARSTRING>(), {24, 24, 24, 24, 24, 24, 24});
}

TEST(Descriptions, PairsAppearWithTheFixedPartThatHoldsThem) {
  for (const auto* structure : all_structures()) {
    for (const Pair& pair : structure->pairs) {
      EXPECT_LE(pair.offset_at + 4U, fixed_size(*structure, pair.since)) << structure->name << " " << pair.name;
    }
  }
  EXPECT_EQ(0x00020000U, describe<LINEDEVCAPS>().pairs.back().since);
}

TEST(Descriptions, WhatIsAnotherOnEachDesktop) {
  std::set<std::string> names;
  for (const auto* structure : all_structures()) {
    for (const RewriteField& rewrite : structure->rewrites)
      names.insert(std::string(structure->name) + "." + rewrite.field.name);
  }
  for (const char* name :
       {"LINEADDRESSCAPS.dwLineDeviceID", "LINECALLINFO.dwLineDeviceID", "LINEDEVCAPS.dwPermanentLineID",
        "LINEDEVCAPS.PermanentLineGuid", "PHONECAPS.dwPermanentPhoneID", "PHONECAPS.PermanentPhoneGuid"}) {
    EXPECT_TRUE(names.count(name)) << name;
  }
}

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
  EXPECT_NE("", message_of(describe<LINECALLPARAMS>(), bytes, 0x00030000));
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

// ---- into TAPI's buffer ----

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
