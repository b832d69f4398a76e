// Permanent ids outlast restarts and move to standby hosts: TAPI and applications store them.
#include "remote-host/worker/permanent_ids.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/platform/files.hpp"
#include "wire/failure.hpp"

namespace tsplink::host::test {
namespace {

class PermanentIdsTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const char* name) const { return folder_.path() / name; }
  void write(const char* name, const std::string& text) const { std::ofstream(file(name)) << text; }

  const tests::TemporaryFolder folder_;
};

// These two vendor ids have one hash at provider "pbx", found by search.
constexpr std::uint32_t kFirst = 90909;
constexpr std::uint32_t kCollides = 978366;

TEST_F(PermanentIdsTest, AreFixedForEver) {
  PermanentIds ids;
  EXPECT_EQ(ids.of("simpbx", false, 1, 0), 890345982U);
  EXPECT_EQ(ids.of("simpbx", true, 1, 0), 3824085270U);
  EXPECT_EQ(PermanentIds("berlin").of("simpbx", false, 1, 0), 698236283U);
}

TEST_F(PermanentIdsTest, WhoMovedOnStaysThere) {
  std::uint32_t first = 0, second = 0;
  {
    PermanentIds ids("", file("ids.toml"));
    first = ids.of("pbx", false, kFirst, 0);
    second = ids.of("pbx", false, kCollides, 0);
    EXPECT_EQ(second, first + 1);
    ids.store();
  }
  PermanentIds again("", file("ids.toml"));
  EXPECT_EQ(again.of("pbx", false, kCollides, 0), second);  // although it is the first to ask now
  EXPECT_EQ(again.of("pbx", false, kFirst, 0), first);
}

TEST_F(PermanentIdsTest, AStandbyHostHasTheSame) {
  PermanentIds host("berlin", file("host.toml"));
  const auto first = host.of("pb\"x", false, kFirst, 0);
  const auto second = host.of("pb\"x", true, 7, 3);
  host.write(file("table.toml"));
  PermanentIds standby("berlin", file("standby.toml"));
  EXPECT_EQ(standby.add(file("table.toml")), 2U);
  EXPECT_EQ(standby.add(file("table.toml")), 0U);
  PermanentIds restarted("berlin", file("standby.toml"));
  EXPECT_EQ(restarted.of("pb\"x", false, kFirst, 0), first);
  EXPECT_EQ(restarted.of("pb\"x", true, 7, 3), second);
}

TEST_F(PermanentIdsTest, ATableThatContradictsIsRefusedAsAWhole) {
  PermanentIds ids("", file("ids.toml"));
  const auto mine = ids.of("pbx", false, 1, 0);
  const auto device = [](std::uint32_t vendor_id, std::uint32_t id) {
    return "[[device]]\nprovider = \"pbx\"\nkind = \"line\"\nvendor_id = " + std::to_string(vendor_id) +
           "\nnth = 0\nid = " + std::to_string(id) + "\n";
  };
  const struct {
    std::string text;
    const char* expected;
  } mistakes[] = {
      {"site = \"paris\"\n", "of site \"paris\""},
      {device(5, 500) + device(1, mine + 1), "which is not so here"},
      {device(5, 500) + device(2, mine), "which is not so here"},
      {device(5, 500) + device(6, 500), "device.id 500 is there twice"},
      {device(5, 500) + device(5, 501), "this device is there twice"},
      {"[[device]]\nkind = \"trunk\"\n", "device.kind must be"},
      {"[[device]]\nkind = \"line\"\n", "device.id is missing"},
      {"device = 1\n", "device must be a list of tables"},
      {"[[device]\n", "table.toml:1:"},
  };
  for (const auto& mistake : mistakes) {
    write("table.toml", mistake.text);
    try {
      ids.add(file("table.toml"));
      ADD_FAILURE() << "taken: " << mistake.text;
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find(mistake.expected), std::string::npos) << failure.what();
    }
  }
  write("other.toml", device(5, 500));
  EXPECT_EQ(ids.add(file("other.toml")), 1U);  // so none of the mistakes above had taken it
}

TEST_F(PermanentIdsTest, AnImportThatIsNotStoredSaysSo) {
  PermanentIds from("", file("from.toml"));
  from.of("simpbx", false, 1, 0);
  from.store();
  EXPECT_THROW(PermanentIds("", file("none") / "ids.toml").add(file("from.toml")), Failure);
}

TEST_F(PermanentIdsTest, ARunningHostKeepsWhatWasImportedMeanwhile) {
  write("other.toml", "[[device]]\nprovider = \"pbx\"\nkind = \"line\"\nvendor_id = 5\nnth = 0\nid = 4711\n");
  PermanentIds running("", file("ids.toml"));
  running.of("pbx", false, 1, 0);
  running.store();
  EXPECT_EQ(PermanentIds("", file("ids.toml")).add(file("other.toml")), 1U);
  running.of("pbx", false, 2, 0);  // a new device
  running.store();
  EXPECT_EQ(PermanentIds("", file("ids.toml")).of("pbx", false, 5, 0), 4711U);
}

/// The file is read and written as a whole: not once for each line of a driver that starts.
TEST_F(PermanentIdsTest, ManyAreStoredTogether) {
  PermanentIds ids("", file("ids.toml"));
  for (std::uint32_t i = 0; i < 100; ++i) ids.of("pbx", false, i, 0);
  EXPECT_FALSE(std::filesystem::exists(file("ids.toml")));
  ids.store();
  EXPECT_EQ(PermanentIds("", file("ids.toml")).size(), 100U);
  std::filesystem::remove(file("ids.toml"));
  ids.store();
  EXPECT_FALSE(std::filesystem::exists(file("ids.toml"))) << "nothing is new";
}

TEST_F(PermanentIdsTest, ABrokenTableIsNotWrittenOver) {
  write("ids.toml", "[[device]\n");
  EXPECT_THROW(PermanentIds("", file("ids.toml")), Failure);
}

}  // namespace
}  // namespace tsplink::host::test
