// The descriptions of structures against tapi.h and tspi.h.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "structure_maker.hpp"

namespace tsplink::wire {
namespace {

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

}  // namespace
}  // namespace tsplink::wire
