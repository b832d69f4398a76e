// Conformance: the canonical trace of each scenario on the vendor's own TSP is the reference, and through proxy and
// host it must be the same. What the scenarios covered is added up on the way; uncovered.txt says what they do not
// cover yet, and a line too many or too few in it is a failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>
#include <tuple>

#include "failures.hpp"
#include "functions.hpp"
#include "ledger.hpp"
#include "random_scenario.hpp"
#include "tests/e2e/site.hpp"
#include "text.hpp"
#include "vendor_log.hpp"

namespace tsplink::conformance {
namespace {

using e2e::End;
using e2e::Site;
namespace fs = std::filesystem;

Ledger ledger;
std::size_t differences = 0;
bool listing = false;

struct Scenario {
  std::string name;
  std::string text;
  std::string pbx = {};               // settings of simpbx
  std::string vendor = "simpbx.tsp";  // module
  bool derived = false;
};

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

fs::path folder() { return fs::path(E2E_SOURCES) / "tests" / "conformance"; }

/// "# simpbx: key = value" at the beginning of a scenario is for the vendor. With "# simpbx NAME: key = value" the
/// scenario is one for each such line.
std::vector<Scenario> written(const fs::path& file) {
  Scenario common{file.stem().string(), e2e::text_of(file)};
  std::vector<Scenario> variants;
  for (const auto& line : tapisim::split(common.text, '\n')) {
    constexpr std::string_view mark = "# simpbx";
    const auto colon = line.find(": ");
    if (!tapisim::starts_with(line, mark) || colon == std::string::npos) break;
    const auto setting = line.substr(colon + 2) + "\n";
    if (colon == mark.size()) {
      common.pbx += setting;
    } else {
      const auto variant = line.substr(mark.size() + 1, colon - mark.size() - 1);
      variants.push_back({.name = common.name + "_" + variant, .text = common.text, .pbx = setting});
    }
  }
  if (variants.empty()) return {common};
  for (auto& each : variants) each.pbx += common.pbx;
  return variants;
}

/// Of Windows builds there is none: what MinGW exports cannot be taken back by the linker.
bool has_bare_vendor() { return !e2e::is_windows(End::host) && !e2e::is_windows(End::desktop); }

std::vector<Scenario> written_scenarios() {
  std::vector<Scenario> out;
  for (const auto& entry : fs::directory_iterator(folder() / "scenarios")) {
    for (auto& each : written(entry.path())) out.push_back(std::move(each));
  }
  std::sort(out.begin(), out.end(), [](const Scenario& a, const Scenario& b) { return a.name < b.name; });
  return out;
}

std::vector<Scenario> scenarios() {
  auto out = written_scenarios();
  out.push_back({.name = "bad_arguments", .text = bad_arguments(), .derived = true});
  out.push_back({.name = "refused", .text = refusals(false), .derived = true});
  out.push_back({.name = "failed", .text = refusals(true), .derived = true});
  if (has_bare_vendor()) out.push_back({"unavailable", unavailable(), "msp = no\n", "simpbx_bare.tsp", true});
  return out;
}

/// TSPLINK_SEED=N chooses the first seed; each is in its test's name, so a failure can be played again.
std::vector<Scenario> random_scenarios() {
  constexpr std::uint64_t kCount = 4;
  const char* chosen = std::getenv("TSPLINK_SEED");
  const auto first = chosen ? std::strtoull(chosen, nullptr, 10) : 1;
  std::vector<Scenario> out;
  for (auto seed = first; seed < first + kCount; ++seed) {
    out.push_back({.name = "seed_" + std::to_string(seed), .text = random_scenario(seed)});
  }
  return out;
}

class Conformance : public testing::TestWithParam<Scenario> {};

TEST_P(Conformance, IsTheVendorsOwnTrace) {
  const auto& scenario = GetParam();
  const auto text = "limit 60\n" + scenario.text;
  const Site alone;
  alone.set_pbx(scenario.pbx);
  const auto direct =
      alone.canonical({.scenario = text, .name = "direct", .module = e2e::module_of(End::desktop, scenario.vendor)});
  ASSERT_FALSE(direct.empty());
  ledger.add(e2e::text_of(alone.coverage("direct")), scenario.name);
  EXPECT_EQ(e2e::text_of(alone.trace("direct")).find("so its place is luck"), std::string::npos)
      << "expect the last callback before a line or phone is closed";

  const Site site;
  site.set_pbx(scenario.pbx);
  const auto host = site.start_host(
      {{e2e::module_of(End::host, "simpbx.tsp").string(), e2e::module_of(End::host, scenario.vendor).string()}});
  const auto configuration = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", configuration});
  const auto proxied = site.canonical({text, "desk1", configuration});
  if (direct != proxied) ++differences;
  e2e::expect_same(direct, proxied);
  e2e::ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
  const bool asked_otherwise = scenario.text.find("# asked otherwise: ") != std::string::npos;
  if (scenario.derived || asked_otherwise) return;  // what is refused on the way never reaches the vendor
  const auto asked = asked_of_vendor(e2e::text_of(alone.file("pbx.log")));
  const auto asked_by_host = asked_of_vendor(e2e::text_of(site.file("pbx.log")));
  if (asked != asked_by_host) ++differences;
  SCOPED_TRACE("what the vendor was asked");
  e2e::expect_same(asked, asked_by_host);
}

/// The same on a host that others use too: one desktop monitors every line and phone, another has a call on a line of
/// its own.
class Shared : public testing::TestWithParam<Scenario> {};

constexpr const char* kSharedPolicy = R"(
[[grant]]
to = "CN=desk1"
right = "control"
[[grant]]
to = "CN=desk2"
right = "monitor"
[[grant]]
to = "CN=desk3"
right = "control"
name = "*4"
kind = "line"
)";

TEST_P(Shared, IsTheVendorsOwnTrace) {
  const auto& scenario = GetParam();
  const auto text = "limit 60\n" + scenario.text;
  const Site alone;
  alone.set_pbx(scenario.pbx);
  // The vendor counts its calls, and the other desktop has the first.
  const auto other_call = "pbx incoming line=4 from=+4930987654\n";
  const auto direct = alone.canonical({.scenario = other_call + text, .name = "direct"});
  ASSERT_FALSE(direct.empty());

  const Site site;
  site.set_pbx(scenario.pbx);
  site.set_policy(kSharedPolicy);
  const auto host = site.start_host();
  const auto learnt = [&](const std::string& desk, const std::string& learn) {
    const auto configuration = site.proxy_configuration(desk, site.port());
    site.canonical({learn, desk, configuration});
    return configuration;
  };
  const auto all = Site::scenario("tapisrv/scenarios/learn.tap");
  const auto monitor = site.start({e2e::text_of(folder() / "monitor.tap"), "desk2", learnt("desk2", all)});
  const auto other = site.start(
      {e2e::text_of(folder() / "other_line.tap"), "desk3", learnt("desk3", "limit 60\nwait lines 1\nshutdown\n")});
  ASSERT_TRUE(monitor->says("\"monitoring\"", site.trace("desk2"))) << monitor->story() << site.logs();
  ASSERT_TRUE(other->says("\"in call\"", site.trace("desk3"))) << other->story() << site.logs();
  const auto proxied = site.canonical({text, "desk1", learnt("desk1", all)});
  if (direct != proxied) ++differences;
  e2e::expect_same(direct, proxied);
  EXPECT_EQ(monitor->wait(e2e::Seconds(0)), std::nullopt) << monitor->story();
  EXPECT_EQ(other->wait(e2e::Seconds(0)), std::nullopt) << other->story();
}

std::string sorted(const std::string& text) {
  auto lines = tapisim::split(text, '\n');
  std::sort(lines.begin(), lines.end());
  return tapisim::join(lines, "\n");
}

/// A host with a vendor that has a habit of real drivers: what it does to its handles, completions, buffers and
/// threads is the host's affair, and the desktop sees what it would see of a vendor without it.
class Habit : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(Habit, IsNotSeenOnTheDesktop) {
  const auto [habit, name] = GetParam();
  const auto scenario = written(folder() / "scenarios" / (std::string(name) + ".tap")).front();
  const auto text = "limit 60\n" + scenario.text;
  const Site alone;
  alone.set_pbx(scenario.pbx);
  const auto direct = alone.canonical({.scenario = text, .name = "direct"});
  const Site site;
  site.set_pbx(scenario.pbx + "habits = " + habit + "\n");
  const bool narrow = std::string_view(habit) == "narrow_handles";
  const auto host =
      site.start_host({{"permanent_id = 1\n", narrow ? "permanent_id = 1\nslot_bytes = 4\n" : "permanent_id = 1\n"}});
  const auto configuration = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", configuration});
  const auto proxied = site.canonical({text, "desk1", configuration});
  // When completions and events come stays as the vendor has it, and such a one's completions overtake what it has
  // queued; what they say is the same.
  static const std::set<std::string_view> kOwnOrder = {"complete_in_call", "events_before_completion",
                                                       "events_in_call"};
  const bool same_order = kOwnOrder.count(habit) == 0;
  const auto form = [&](const std::string& trace) { return same_order ? trace : sorted(trace); };
  if (form(direct) != form(proxied)) ++differences;
  e2e::expect_same(form(direct), form(proxied));
  EXPECT_EQ(e2e::text_of(site.file("pbx.log")).find("!!"), std::string::npos) << "the vendor complains";
  e2e::ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
}

INSTANTIATE_TEST_SUITE_P(
    Habits, Habit,
    testing::Combine(testing::Values("complete_in_call", "error_then_id", "completion_before_output", "refuse_late",
                                     "events_before_completion", "events_in_call", "newcall_no_retry", "app_handles",
                                     "call_is_line", "narrow_handles", "used_too_small", "write_past_used",
                                     "needed_changes", "options_unset", "announce_early", "nonreentrant", "init_once",
                                     "block_open", "block_close_call", "locked_callback"),
                     testing::Values("call", "transfer", "park")),
    [](const auto& one) { return std::string(std::get<0>(one.param)) + "_" + std::get<1>(one.param); });

INSTANTIATE_TEST_SUITE_P(Scenarios, Conformance, testing::ValuesIn(scenarios()),
                         [](const auto& one) { return one.param.name; });
INSTANTIATE_TEST_SUITE_P(Sharing, Shared, testing::ValuesIn(written_scenarios()),
                         [](const auto& one) { return one.param.name; });
INSTANTIATE_TEST_SUITE_P(Random, Conformance, testing::ValuesIn(random_scenarios()),
                         [](const auto& one) { return one.param.name; });

/// After the scenarios: what they covered is what uncovered.txt leaves.
class Report : public testing::Environment {
 public:
  void TearDown() override {
    const auto& run = *testing::UnitTest::GetInstance();
    for (int i = 0; i < run.total_test_suite_count(); ++i) {
      const auto& suite = *run.GetTestSuite(i);
      const bool scenarios = tapisim::starts_with(suite.name(), "Scenarios/");
      if (!scenarios || suite.test_to_run_count() == suite.total_test_count()) continue;
      if (listing) std::cout << ledger.list() << "(of the scenarios that the filter chose)\n";
      return;  // a filter: no sums
    }
    if (!has_bare_vendor()) {
      for (const auto& function : tapisim::functions()) {
        ledger.add("function " + function.name + " unavailable:\n", "(natively)");
      }
    }
    const auto file = folder() / "uncovered.txt";
    std::vector<std::string> known;
    for (const auto& line : tapisim::split(e2e::text_of(file), '\n')) {
      if (!line.empty() && line.front() != '#') known.push_back(line);
    }
    EXPECT_EQ(tapisim::join(ledger.missing(), "\n"), tapisim::join(known, "\n"))
        << "what the scenarios do not cover differs from " << file;
    const auto summary = "conformance: " + std::to_string(ledger.functions()) + " functions, " +
                         std::to_string(ledger.messages()) + " messages, " + std::to_string(differences) +
                         " differences\n";
    if (listing) std::cout << ledger.list();
    std::cout << summary;
    if (const char* report = std::getenv("TSPLINK_CONFORMANCE_REPORT")) e2e::write(report, ledger.list() + summary);
  }
};

}  // namespace
}  // namespace tsplink::conformance

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument != "--list") {
      const bool help = argument == "--help";
      (help ? std::cout : std::cerr) << (help ? std::string()
                                              : "conformance_test: unknown option '" + argument + "'\n")
                                     << "  --list   plays the scenarios, then prints each function and message with "
                                        "what covers it\n";
      return help ? 0 : 2;
    }
    tsplink::conformance::listing = true;
  }
  testing::AddGlobalTestEnvironment(new tsplink::conformance::Report);
  return RUN_ALL_TESTS();
}
