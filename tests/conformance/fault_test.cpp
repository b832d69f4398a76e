// The proof of the conformance suite: a product with a rule broken on purpose (wire/faults.def) is caught in a
// scenario, and by what it did wrong; the same scenario passes in the same build without the fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "tests/e2e/site.hpp"
#include "tests/platform/process.hpp"
#include "text.hpp"

namespace tsplink::conformance {
namespace {

using e2e::Site;
namespace fs = std::filesystem;

/// A fault and the scenario that shows it. `named` is a breach of tapisrv/rules.def, the statement that waits in
/// vain, or a line of the difference.
struct Shown {
  const char* fault;
  const char* scenario;
  const char* named;
  const char* pbx = "";      // settings of simpbx
  const char* habits = "";   // of the vendor behind proxy and host
  const char* in_vain = "";  // what the fault takes away: waited for no longer than it takes to be sure
};

void PrintTo(const Shown& shown, std::ostream* out) { *out << shown.fault; }

const Shown kTable[] = {
    {"early_event", "consult", "LINE_CALLSTATE DIALTONE did not come on c", "forward_consult = yes\n",
     "events_before_completion", "expect LINE_CALLSTATE DIALTONE on c"},
    {"newcall_slot", "call", "no LINE_CALLSTATE came for the new call", "", "", "expect LINE_NEWCALL on l as c"},
    {"lost_byte", "dialogs", "\n[+] .*LINE_SENDDIALOGINSTANCEDATA.*lpParams=x:0001fe, dwSize=3"},
    {"exchanged_events", "call", "\n[+] .*LINE_CALLINFO.*CONNECTEDID.*\n .*LINE_CALLSTATE.*LINECALLSTATE_CONNECTED",
     "", "complete_in_call,events_in_call"},
    {"completion_twice", "call", "RULE BROKEN completion_twice: "},
    {"host_device_id", "line", "\n[+] .*dwLineDeviceID=\\d"},
    {"host_conference", "conference", "RULE BROKEN callstate_parent: "},
    {"short_count", "phone", "\n[+] .*phoneGetDisplay.*Hell  "},
};

/// A vendor that tells events before the completion is heard so: only what it tells is compared then.
std::string form(const Shown& shown, const std::string& trace) {
  if (std::string_view(shown.habits) != "events_before_completion") return trace;
  auto lines = tapisim::split(trace, '\n');
  std::sort(lines.begin(), lines.end());
  return tapisim::join(lines, "\n");
}

/// What a desktop behind proxy and host says and shows unlike one on the vendor itself; empty when nothing is.
std::string unlike(const Shown& shown, const std::string& fault) {
  auto text = "limit 60\n" + e2e::text_of(fs::path(E2E_SOURCES) / "tests/conformance/scenarios" /
                                          (std::string(shown.scenario) + ".tap"));
  const Site alone;
  alone.set_pbx(shown.pbx);
  const auto direct = alone.canonical({.scenario = text, .name = "direct"});
  const Site site;
  site.set_pbx(shown.pbx + std::string("habits = ") + shown.habits + "\n");
  tests::set_environment("TSPLINK_FAULT", fault);
  const auto host = site.start_host();
  const auto configuration = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", configuration});
  const std::string in_vain = shown.in_vain;
  if (!fault.empty() && !in_vain.empty()) text.insert(text.find(in_vain) + in_vain.size(), " within 3");
  const auto desktop = site.start({text, "desk1", configuration});
  const auto status = desktop->wait(e2e::Seconds(130));
  tests::set_environment("TSPLINK_FAULT", "");
  auto out = desktop->err();
  if (status == 0) {
    out += e2e::difference(form(shown, direct), form(shown, e2e::text_of(site.file("desk1.canonical"))));
  } else if (out.empty()) {
    out = desktop->story();
  }
  e2e::ask_to_end(*host, e2e::End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
  return out;
}

class Fault : public testing::TestWithParam<Shown> {};

TEST_P(Fault, IsNamed) {
  const auto out = unlike(GetParam(), GetParam().fault);
  EXPECT_TRUE(std::regex_search(out, std::regex(GetParam().named))) << out;
}

TEST_P(Fault, IsNotThereUnlessSelected) { EXPECT_EQ(unlike(GetParam(), ""), ""); }

INSTANTIATE_TEST_SUITE_P(Table, Fault, testing::ValuesIn(kTable),
                         [](const auto& one) { return std::string(one.param.fault); });

/// The tests that are derived from the sheet name it, too.
TEST(Derived, AShortCountIsNamed) {
  const Site site;
  const auto run = [&](const std::string& fault) {
    auto command = program_of(e2e::End::host, "wire_test");
    command.insert(command.end(), {"--gtest_filter=Vendor.ACountIsWhatArrived", "--gtest_output="});
    return std::make_unique<e2e::Process>(e2e::Process::Start{command, {{"TSPLINK_FAULT", fault}}},
                                          site.file("derived" + fault));
  };
  const auto sound = run(""), broken = run("short_count");
  EXPECT_EQ(sound->wait(), 0) << sound->story();
  EXPECT_EQ(broken->wait(), 1) << broken->story();
  EXPECT_NE(broken->out().find("lineDrop"), std::string::npos) << broken->story();
}

TEST(Table, HasEveryFault) {
  const std::set<std::string> faults{
#define FAULT(name, rule) #name,
#include "wire/faults.def"
#undef FAULT
  };
  std::set<std::string> shown;
  for (const auto& one : kTable) shown.insert(one.fault);
  EXPECT_EQ(shown, faults);
}

}  // namespace
}  // namespace tsplink::conformance
