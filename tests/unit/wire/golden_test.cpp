// The bytes of one frame of each kind, committed: another encoder, compiler or platform must write the same ones.
// When a change is meant (a field added), write them anew and commit the file with the change:
//   TSPLINK_WRITE_GOLDEN=1 build/debug/bin/wire_test --gtest_filter='Golden.*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "envelope_frames.hpp"

namespace tsplink::wire::testing {
namespace {

std::string hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

TEST(Golden, FramesHaveTheCommittedBytes) {
  const auto frames = one_frame_of_each_kind();
  if (std::getenv("TSPLINK_WRITE_GOLDEN")) {
    std::ofstream file(TSPLINK_GOLDEN_FRAMES, std::ios::binary);
    for (const auto& [name, frame] : frames) file << name << ' ' << hex(*frame) << '\n';
    GTEST_SKIP() << "written anew: " << TSPLINK_GOLDEN_FRAMES;
  }
  std::map<std::string, std::string> golden;
  std::ifstream file(TSPLINK_GOLDEN_FRAMES);
  for (std::string name, bytes; file >> name >> bytes;) golden[name] = bytes;
  EXPECT_EQ(golden.size(), frames.size());
  for (const auto& [name, frame] : frames) EXPECT_EQ(hex(*frame), golden[name]) << name;
}

}  // namespace
}  // namespace tsplink::wire::testing
