// Conformance: the canonical trace of each scenario on the vendor's own TSP is the reference, and through proxy and
// host it must be the same. What the scenarios covered is added up on the way; uncovered.txt says what they do not
// cover yet, and a line too many or too few in it is a failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include "failures.hpp"
#include "functions.hpp"
#include "ledger.hpp"
#include "random_scenario.hpp"
#include "tests/e2e/site.hpp"
#include "tests/simpbx/config.hpp"
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

/// shared: for a host that others use too.
std::vector<Scenario> scenarios(bool shared = false) {
  auto out = written_scenarios();
  out.push_back({.name = "bad_arguments", .text = bad_arguments(), .derived = true});
  out.push_back({.name = "refused", .text = refusals(false, shared), .derived = true});
  out.push_back({.name = "failed", .text = refusals(true, shared), .derived = true});
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
  const auto direct = alone.canonical(
      {.scenario = other_call + text, .name = "direct", .module = e2e::module_of(End::desktop, scenario.vendor)});
  ASSERT_FALSE(direct.empty());

  const Site site;
  site.set_pbx(scenario.pbx);
  site.set_policy(kSharedPolicy);
  const auto host = site.start_host(
      {{e2e::module_of(End::host, "simpbx.tsp").string(), e2e::module_of(End::host, scenario.vendor).string()}});
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
struct HabitIn {
  std::string habit;
  Scenario scenario;
};

void PrintTo(const HabitIn& one, std::ostream* out) { *out << one.habit << " in " << one.scenario.name; }

class Habit : public testing::TestWithParam<HabitIn> {};

/// Where a habit shows by its nature, so that less of the traces can be compared.
enum class Compared { all, unordered, nothing };
struct Nature {
  std::string_view habit;     // empty: any
  std::string_view scenario;  // a text in it; empty: any
  Compared compared;
};
constexpr Nature kNatures[] = {
    // The scenario sets the vendor's habits itself.
    {"", "pbx habits", Compared::nothing},
    // lineCloseCall inside an event about the call comes before lineDrop's completion, which no provider may give
    // until the event's callback has returned.
    {"events_before_completion", "inside LINE_CALLSTATE IDLE", Compared::nothing},
    // Completions and events stay in the vendor's order, where completions overtake what is queued; what they say
    // is the same.
    {"complete_in_call", "", Compared::unordered},
    {"completion_before_output", "", Compared::unordered},
    {"events_before_completion", "", Compared::unordered},
    {"events_in_call", "", Compared::unordered},
    // No call that lineMakeCall made gets as far as to be talked about: HabitAlone plays one.
    {"complete_on_close", "call lineMakeCall", Compared::nothing},
    // What is not written cannot be shown: HabitAlone asks for everything.
    {"nothing_written", "", Compared::nothing}};

Compared compared(const HabitIn& one) {
  for (const auto& nature : kNatures) {
    const bool habit = nature.habit.empty() || nature.habit == one.habit;
    if (habit && one.scenario.text.find(nature.scenario) != std::string::npos) return nature.compared;
  }
  return Compared::all;
}

std::vector<std::string> all_habits() {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(simpbx::Habit::kCount); ++i) {
    out.emplace_back(simpbx::habit_name(static_cast<simpbx::Habit>(i)));
  }
  return out;
}

/// In a few scenarios, or with TSPLINK_HABITS=everywhere in all of them.
std::vector<HabitIn> habits() {
  const char* chosen = std::getenv("TSPLINK_HABITS");
  const bool everywhere = chosen != nullptr && std::string_view(chosen) == "everywhere";
  static const std::set<std::string_view> kUsually = {"call", "transfer", "park"};
  std::vector<HabitIn> out;
  for (const auto& habit : all_habits()) {
    for (const auto& scenario : scenarios()) {
      const HabitIn one{habit, scenario};
      if (!everywhere && kUsually.count(scenario.name) == 0) continue;
      if (compared(one) != Compared::nothing) out.push_back(one);
    }
  }
  return out;
}

/// What the vendor found wrong with what it was asked.
std::vector<std::string> complaints(const Site& site) {
  std::vector<std::string> out;
  for (const auto& line : tapisim::split(e2e::text_of(site.file("pbx.log")), '\n')) {
    const auto at = line.find("!! ");
    if (at != std::string::npos) out.push_back(line.substr(at));
  }
  return out;
}

/// A scenario on the vendor without a habit; played once.
struct Direct {
  std::string trace;
  std::vector<std::string> complaints;
};
const Direct& direct_run(const Scenario& scenario, const std::string& text) {
  static std::map<std::string, Direct> known;
  const auto [found, fresh] = known.emplace(scenario.name, Direct());
  if (fresh) {
    const Site alone;
    alone.set_pbx(scenario.pbx);
    const auto module = e2e::module_of(End::desktop, scenario.vendor);
    found->second.trace = alone.canonical({.scenario = text, .name = "direct", .module = module});
    found->second.complaints = complaints(alone);
  }
  return found->second;
}

std::unique_ptr<e2e::Process> host_with(const Site& site, const std::string& habit, const Scenario& scenario) {
  site.set_pbx(scenario.pbx + "block_ms = 200\nhabits = " + habit + "\n");
  const bool narrow = habit == "narrow_handles";
  return site.start_host(
      {{e2e::module_of(End::host, "simpbx.tsp").string(), e2e::module_of(End::host, scenario.vendor).string()},
       {"permanent_id = 1\n", narrow ? "permanent_id = 1\nslot_bytes = 4\n" : "permanent_id = 1\n"}});
}

TEST_P(Habit, IsNotSeenOnTheDesktop) {
  const auto& [habit, scenario] = GetParam();
  const auto text = "limit 60\n" + scenario.text;
  const auto& direct = direct_run(scenario, text);
  ASSERT_FALSE(direct.trace.empty());
  const Site site;
  const auto host = host_with(site, habit, scenario);
  const auto configuration = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", configuration});
  const auto proxied = site.canonical({text, "desk1", configuration});
  const bool ordered = compared(GetParam()) == Compared::all;
  const auto form = [&](const std::string& trace) { return ordered ? trace : sorted(trace); };
  if (form(direct.trace) != form(proxied)) ++differences;
  e2e::expect_same(form(direct.trace), form(proxied));
  EXPECT_EQ(complaints(site), direct.complaints);
  e2e::ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
}

/// Habits that leave nothing to compare: still no rule is broken on the desktop.
class HabitAlone : public testing::TestWithParam<Scenario> {};

std::vector<Scenario> of_one_habit() {
  return {{.name = "complete_on_close", .text = e2e::text_of(folder() / "complete_on_close.tap")},
          {.name = "nothing_written", .text = questions()}};
}

TEST_P(HabitAlone, BreaksNoRuleOnTheDesktop) {
  const Site site;
  const auto host = host_with(site, GetParam().name, GetParam());
  const auto configuration = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", configuration});
  EXPECT_FALSE(site.canonical({GetParam().text, "desk1", configuration}).empty());
  EXPECT_EQ(complaints(site), std::vector<std::string>());
  e2e::ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
}

TEST(Habits, AreAllPlayed) {
  std::set<std::string> shown;
  for (const auto& one : habits()) shown.insert(one.habit);
  for (const auto& one : of_one_habit()) shown.insert(one.name);
  const auto all = all_habits();
  EXPECT_EQ(shown, std::set<std::string>(all.begin(), all.end()));
}

INSTANTIATE_TEST_SUITE_P(Habits, HabitAlone, testing::ValuesIn(of_one_habit()),
                         [](const auto& one) { return one.param.name; });
INSTANTIATE_TEST_SUITE_P(Habits, Habit, testing::ValuesIn(habits()),
                         [](const auto& one) { return one.param.habit + "_" + one.param.scenario.name; });

INSTANTIATE_TEST_SUITE_P(Scenarios, Conformance, testing::ValuesIn(scenarios()),
                         [](const auto& one) { return one.param.name; });
INSTANTIATE_TEST_SUITE_P(Sharing, Shared, testing::ValuesIn(scenarios(true)),
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
    std::size_t not_here = 0;
    if (!has_bare_vendor()) {
      for (const auto& function : tapisim::functions()) {
        ledger.add("function " + function.name + " unavailable:\n", "not run here, taken from the native run");
        const auto failures = failures_of(function);
        if (std::find(failures.begin(), failures.end(), "unavailable") != failures.end()) ++not_here;
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
                         " differences" +
                         (not_here == 0 ? ""
                                        : " (that a function is missing at the vendor: not run here, for " +
                                              std::to_string(not_here) + " functions taken from the native run)") +
                         "\n";
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
