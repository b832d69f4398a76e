// One line, three desktops: each file in sharing/ says what they do and what each of them sees. Desktops 1 and 2 have
// control, desktop 3 only watches; they wait for each other in the simulated PBX (`pbx meet PLACE`).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

constexpr const char* kDesktops[] = {"desk1", "desk2", "desk3"};
constexpr const char* kRights =
    "[[grant]]\nto = [\"CN=desk1\", \"CN=desk2\"]\nright = \"control\"\n[[grant]]\nto = \"CN=desk3\"\nright = "
    "\"monitor\"\n";

const std::set<std::string> kAuditKeys = {"time", "level",        "audit",   "message", "function", "result",
                                          "note", "certificate",  "machine", "address", "session",  "provider",
                                          "line", "permanent_id", "call",    "to",      "trace"};

using Texts = std::vector<std::string>;

/// A file of sharing/: "== desk1" begins that desktop's scenario, "# simpbx: key = value" is a setting of the PBX,
/// "# driver: FUNCTION PARAMETER VALUE.." says what the driver is given, each change.
struct Script {
  struct Given {
    std::string function, parameter;
    Texts values;
  };
  std::string settings;
  std::vector<Given> given;
  std::map<std::string, std::string> parts;

  explicit Script(const std::string& name) {
    std::istringstream lines(text_of(fs::path(E2E_SOURCES) / "tests/e2e/sharing" / (name + ".tap")));
    std::vector<std::string> now;
    const std::string setting = "# simpbx: ", driver = "# driver: ";
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind(driver, 0) == 0) {
        std::istringstream words(line.substr(driver.size()));
        Given one;
        words >> one.function >> one.parameter;
        one.values.assign(std::istream_iterator<std::string>(words), {});
        given.push_back(one);
      }
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

void expect_orderly_end(Process& host) {
  ask_to_end(host, End::host);
  EXPECT_EQ(host.wait(), 0) << host.story();
}

/// Plays a script at a site with a host of its own.
void play(const Site& site, const Script& script, const Changes& changes = {}) {
  const auto host = site.start_host(changes);
  std::vector<std::unique_ptr<Process>> desktops;
  for (const std::string name : kDesktops) {
    desktops.push_back(site.start({script.parts.at(name), name, site.proxy_configuration(name, site.port())}));
  }
  for (const auto& desktop : desktops) EXPECT_EQ(desktop->wait(), 0) << desktop->story();
  if (testing::Test::HasFailure()) ADD_FAILURE() << site.logs();
  expect_orderly_end(*host);
}

/// What the driver was given for a parameter, as its log shows it, each change.
Texts given(const Site& site, const std::string& function, const std::string& parameter) {
  Texts values;
  std::istringstream lines(text_of(site.file("pbx.log")));
  const std::string call = "<- " + function + "(", name = parameter + "=";
  for (std::string line; std::getline(lines, line);) {
    if (line.find(call) == std::string::npos) continue;
    const auto at = line.find(name);
    if (at == std::string::npos) continue;
    const auto from = at + name.size();
    const auto value = line.substr(from, line.find_first_of(",)", from) - from);
    if (values.empty() || values.back() != value) values.push_back(value);
  }
  return values;
}

void expect_given(const Site& site, const Script& script) {
  for (const auto& [function, parameter, values] : script.given) {
    EXPECT_EQ(given(site, function, parameter), values) << function << "\n" << text_of(site.file("pbx.log"));
  }
}

class Sharing : public testing::TestWithParam<const char*> {};

TEST_P(Sharing, IsForEachDesktopAsItsScenarioSays) {
  const Script script(GetParam());
  ASSERT_EQ(script.parts.size(), 3U);
  const Site site;
  site.set_policy(kRights);
  site.set_pbx(script.settings);
  play(site, script);
  expect_given(site, script);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Sharing,
                         testing::Values("made", "late", "drop", "closes", "owners", "closedrop", "keep", "masks",
                                         "buttons", "monitormedia", "own", "extension", "settings", "phones", "msp",
                                         "crossing", "both", "once"),
                         [](const auto& one) { return std::string(one.param); });

TEST(Reading, OfThreeDesktopsCostsTheDriverWhatOnesDoes) {
  const Site site;
  site.set_policy(kRights);
  play(site, Script("reads"), {{"permanent_id = 1", "permanent_id = 1\nshared_answers_ms = 60000"}});
}

TEST(MspData, OfOneWhoOnlyWatchesCrossWhereThePolicySaysSo) {
  const Site site;
  site.set_policy(std::string(kRights) + "msp_data = true\n");  // of the last grant, the monitor's
  play(site, Script("watchedmsp"));
  EXPECT_NE(text_of(site.file("pbx.log")).find("lineReceiveMSPData"), std::string::npos);
}

TEST(MspData, OfEachDesktopAreThoseOfItsOwnInstance) {
  const Site site;
  site.set_policy(kRights);
  play(site, Script("tokens"));
  // Each desktop has numbers of its own, and what the driver gets must tell them apart.
  const auto tokens = given(site, "lineCreateMSPInstance", "htMSPLine");
  EXPECT_EQ(std::set(tokens.begin(), tokens.end()).size(), 3U) << text_of(site.file("pbx.log"));
  for (const auto& token : tokens) {
    EXPECT_GT(std::stoull(token, nullptr, 0), 0U);
    EXPECT_LT(std::stoull(token, nullptr, 0), 1ULL << 32U) << "more than a driver may keep";
  }
  const auto senders = given(site, "lineReceiveMSPData", "hdMSPLine");
  EXPECT_EQ(std::set(senders.begin(), senders.end()).size(), 2U) << text_of(site.file("pbx.log"));
}

/// What a desktop's scenario prints behind a word: print "id $id".
Texts printed(const Site& site, const std::string& desktop, const std::string& word) {
  Texts found;
  std::istringstream lines(text_of(site.trace(desktop)));
  const auto begin = "\"" + word + " ";
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(begin);
    if (at == std::string::npos) continue;
    const auto from = at + begin.size();
    found.push_back(line.substr(from, line.find('"', from) - from));
  }
  EXPECT_FALSE(found.empty()) << text_of(site.trace(desktop));
  return found;
}

std::string printed_id(const Site& site, const std::string& desktop) {
  const auto found = printed(site, desktop, "id");
  return found.empty() ? "" : found.front();
}

/// What all three desktops print behind a word; nothing where they do not agree.
Texts agreed(const Site& site, const std::string& word) {
  const auto first = printed(site, kDesktops[0], word);
  for (const std::string desktop : kDesktops) {
    const auto own = printed(site, desktop, word);
    EXPECT_EQ(own, first) << "desktops do not agree";
    if (own != first) return {};
  }
  return first;
}

struct CallId {
  std::string desktops, driver;
};

CallId call_id(const Changes& changes) {
  const Site site;
  site.set_policy(kRights);
  play(site, Script("callids"), changes);
  const auto desktops = agreed(site, "id"), driver = printed(site, "desk1", "driver");
  if (desktops.empty() || driver.empty()) return {};
  return {desktops.front(), driver.front()};
}

TEST(CallIds, AreTheDriversOrOfAScopeOfTheirOwn) {
  const auto plain = call_id({});
  const auto scoped = call_id({{"permanent_id = 1", "permanent_id = 1\nscoped_call_ids = true"}});
  EXPECT_FALSE(plain.desktops.empty());
  EXPECT_EQ(plain.desktops, plain.driver);
  EXPECT_EQ(scoped.driver, plain.driver);
  EXPECT_NE(scoped.desktops, scoped.driver);
}

TEST(PermanentIds, AreTheSameOnAllDesktops) {
  const Site site;
  site.set_policy(kRights);
  play(site, Script("permanent"));
  const auto lines = agreed(site, "line"), phones = agreed(site, "phone");
  ASSERT_EQ(lines.size(), 2U);
  ASSERT_EQ(phones.size(), 1U);
  EXPECT_NE(lines[0], lines[1]);
}

/// The first line's permanent id, as a desktop has it from a host of its own start and end.
unsigned long permanent_id(const Site& site, const Changes& changes, const std::string& desktop = "desk1") {
  const auto host = site.start_host(changes);
  const std::string scenario =
      "limit 60\nwait lines 4\nread lineGetDevCaps on 1 dwPermanentLineID=?id\nprint \"id $id\"\n";
  site.canonical({scenario, desktop, site.proxy_configuration(desktop, site.port())});
  expect_orderly_end(*host);
  const auto printed = printed_id(site, desktop);
  return printed.empty() ? 0 : std::stoul(printed, nullptr, 0);
}

void run_host_with(const Site& site, const Changes& changes, const std::string& option, const fs::path& table,
                   int status = 0) {
  auto command = program_of(End::host, "tsplink-host");
  command.insert(command.end(), {"--config", site.host_configuration(changes).string(), option, table.string()});
  Process process({command, {}}, site.file("ids"));
  EXPECT_EQ(process.wait(), status) << process.story();
}

TEST(Standby, GivesALineTheIdThatItHasOnTheFirstHost) {
  const Changes changes = {{"listen = ", "site = \"berlin\"\npermanent_ids = \"ids.toml\"\nlisten = "}};
  const Site first, standby, other;
  const auto derived = permanent_id(first, changes);
  // Another id than the derived one, as of a line that came when that was taken.
  auto table = text_of(first.file("ids.toml"));
  const auto from = "id = " + std::to_string(derived);
  const auto at = table.find(from);
  ASSERT_NE(at, std::string::npos) << table;
  table.replace(at, from.size(), "id = 4711");
  write(first.file("ids.toml"), table);
  EXPECT_EQ(permanent_id(first, changes, "desk2"), 4711U);  // desk1 remembers the line of before

  run_host_with(first, changes, "--export-ids", first.file("table.toml"));
  run_host_with(first, changes, "--export-ids", first.file("table.toml"));
  const auto policy = text_of(first.file("policy.toml"));
  run_host_with(first, changes, "--export-ids", first.file("policy.toml"), 2);
  EXPECT_EQ(text_of(first.file("policy.toml")), policy) << "something else is overwritten";
  run_host_with(standby, changes, "--import-ids", first.file("table.toml"));
  for (const std::string desktop : kDesktops) EXPECT_EQ(permanent_id(standby, changes, desktop), 4711U) << desktop;
  EXPECT_EQ(permanent_id(other, changes), derived) << "without the table";
}

TEST(MediaMask, IsThatOfTheDesktopsWhichControlTheLine) {
  const Site site;
  site.set_policy(kRights);
  const Script script("media");
  ASSERT_FALSE(script.given.empty());
  play(site, script, {{"permanent_id = 1", "permanent_id = 1\nmonitor_media = 32"}});
  expect_given(site, script);
}

TEST(Audit, NamesCertificateAndMachineOfEachDesktopAndNoPerson) {
  const Site site;
  site.set_policy(kRights);
  play(site, Script("both"), {{"[limits]", "[audit]\nfile = \"audit.log\"\nformat = \"json\"\n[limits]"}});
  std::map<std::string, std::string> results;  // of lineAnswer, by certificate
  std::istringstream lines(text_of(site.file("audit.log")));
  for (std::string line; std::getline(lines, line);) {
    const auto action = nlohmann::json::parse(line);
    if (action.at("function") == "lineAnswer") results[action.at("certificate")] = action.at("result");
    EXPECT_EQ("CN=" + std::string(action.at("machine")), action.at("certificate")) << line;
    for (const auto& [key, value] : action.items()) EXPECT_EQ(kAuditKeys.count(key), 1U) << line;
  }
  EXPECT_EQ(results, (std::map<std::string, std::string>{{"CN=desk1", "0"},
                                                         {"CN=desk2", "LINEERR_INVALCALLSTATE"},
                                                         {"CN=desk3", "LINEERR_OPERATIONUNAVAIL"}}));
}

}  // namespace
}  // namespace tsplink::e2e
