// One line, three desktops: each file in sharing/ says what they do and what each of them sees. Desktops 1 and 2 have
// control, desktop 3 only watches; they wait for each other in the simulated PBX (`pbx meet PLACE`).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

constexpr const char* kDesktops[] = {"desk1", "desk2", "desk3"};
constexpr const char* kRights =
    "[[grant]]\nto = [\"CN=desk1\", \"CN=desk2\"]\nright = \"control\"\n[[grant]]\nto = \"CN=desk3\"\nright = "
    "\"monitor\"\n";

/// A file of sharing/: "== desk1" begins that desktop's scenario, "# simpbx: key = value" is a setting of the PBX.
struct Script {
  std::string settings;
  std::map<std::string, std::string> parts;

  explicit Script(const std::string& name) {
    std::istringstream lines(text_of(fs::path(E2E_SOURCES) / "tests/e2e/sharing" / (name + ".tap")));
    std::vector<std::string> now;
    const std::string setting = "# simpbx: ";
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind(setting, 0) == 0) settings += line.substr(setting.size()) + "\n";
      if (line.rfind("== ", 0) == 0) {
        std::istringstream names(line.substr(3));
        now.assign(std::istream_iterator<std::string>(names), {});
        for (const auto& desktop : now) parts[desktop] = "limit 60\nwait lines 4\nwait phones 2\n";
      } else {
        for (const auto& desktop : now) parts[desktop] += line + "\n";
      }
    }
  }
};

/// Plays a script at a site whose host runs.
void play(const Site& site, const Script& script) {
  std::vector<std::unique_ptr<Process>> desktops;
  for (const std::string name : kDesktops) {
    desktops.push_back(site.start({script.parts.at(name), name, site.proxy_configuration(name, site.port())}));
  }
  for (const auto& desktop : desktops) EXPECT_EQ(desktop->wait(), 0) << desktop->story();
  if (testing::Test::HasFailure()) ADD_FAILURE() << site.logs();
}

void expect_orderly_end(Process& host) {
  ask_to_end(host, End::host);
  EXPECT_EQ(host.wait(), 0) << host.story();
}

class Sharing : public testing::TestWithParam<const char*> {};

TEST_P(Sharing, IsForEachDesktopAsItsScenarioSays) {
  const Script script(GetParam());
  ASSERT_EQ(script.parts.size(), 3U);
  const Site site;
  site.set_policy(kRights);
  site.set_pbx(script.settings);
  const auto host = site.start_host();
  play(site, script);
  expect_orderly_end(*host);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Sharing,
                         testing::Values("made", "late", "drop", "closedrop", "keep", "masks", "own", "msp",
                                         "crossing", "both", "once"),
                         [](const auto& one) { return std::string(one.param); });

/// The call ids that the desktops print, each once.
std::set<std::string> call_ids(const Changes& changes) {
  const Site site;
  site.set_policy(kRights);
  const auto host = site.start_host(changes);
  play(site, Script("callids"));
  expect_orderly_end(*host);
  std::set<std::string> found;
  for (const std::string name : kDesktops) {
    const auto text = text_of(site.trace(name));
    const auto at = text.find("\"id ");
    EXPECT_NE(at, std::string::npos) << text;
    if (at != std::string::npos) found.insert(text.substr(at + 4, text.find('"', at + 4) - at - 4));
  }
  return found;
}

TEST(CallIds, AreTheDriversOrOfAScopeOfTheirOwn) {
  const auto plain = call_ids({});
  const auto scoped = call_ids({{"permanent_id = 1", "permanent_id = 1\nscoped_call_ids = true"}});
  EXPECT_EQ(plain.size(), 1U) << "desktops do not agree";
  EXPECT_EQ(scoped.size(), 1U) << "desktops do not agree";
  EXPECT_NE(plain, scoped);
}

}  // namespace
}  // namespace tsplink::e2e
