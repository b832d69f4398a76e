// What the host answers to the control program, without a socket: each command, and what a request may not be.
#include "remote-host/control/answers.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "remote-host/control/commands.hpp"
#include "remote-host/log.hpp"
#include "tests/platform/files.hpp"
#include "wire/failure.hpp"

namespace tsplink::host::control::test {
namespace {

using Json = nlohmann::json;

class ControlAnswersTest : public ::testing::Test, protected Controlled {
 protected:
  ControlAnswersTest() {
    std::ofstream(folder_.path() / "policy.toml")
        << "[[grant]]\nto = \"*\"\nright = \"monitor\"\nname = \"Ext*\"\n"
           "[[grant]]\nto = [\"CN=anna\", \"name:front\"]\n"
           "right = \"control\"\nkind = \"line\"\n"
           "[[grant]]\nto = \"*\"\nright = \"control\"\nprovider = \"pbxx\"\n";
    now_.policy = std::make_shared<Policy>(Policy::read(folder_.path() / "policy.toml"));
    now_.sessions = {{11, 1, "anna", "CN=anna", "10.0.0.1", {}, 2, 3},
                     {12, 2, "pool", "CN=pool-1", "10.0.0.2", {}, 0, 0},
                     {13, 3, "pool", "CN=pool-2", "10.0.0.3", {}, 0, 0},
                     {14, 4, "2", "CN=two", "10.0.0.4", {}, 0, 0}};
    now_.devices = {{{false, "pbx", "Extension 1", {"100", "101"}, 77}, "open", {{1, "anna", "control"}}, 1},
                    {{true, "pbx", "Phone", {}, 78}, "closed", {}, 0}};
    now_.calls = {
        {0xABCDEF, "pbx", "Extension 1", "LINECALLSTATE_CONNECTED", Direction::Incoming, {}, {{1, "anna", "owner"}}},
        {1, "pbx", "Extension 1", "", Direction::Unknown, {}, {}}};
    now_.owed = {5};
    facts_.serving = true;
    facts_.providers = {{"pbx", "/pbx.tsp", std::chrono::seconds(7), 1, 1, 2, 1}};
  }

  Json ask(const std::string& command, const Json& arguments = Json::object()) {
    return Json::parse(answer(*this, Json{{"command", command}, {"arguments", arguments}}.dump(), clock_));
  }
  std::string error(const Json& answer) const { return answer.value("error", "accepted: " + answer.dump()); }

  HostFacts facts() override { return facts_; }
  Inspection inspect() override {
    if (!facts_.serving) throw Failure(Kind::Unavailable, "starting");
    return now_;
  }
  void kick(SessionId session, const std::string& reason) override { kicked_ = {session, reason}; }
  void reload() override {
    if (!reload_fails_.empty()) throw Failure(Kind::Configuration, reload_fails_);
    ++reloads_;
  }

  const tests::TemporaryFolder folder_;
  Inspection now_;
  HostFacts facts_;
  wire::ManualClock clock_;
  std::pair<SessionId, std::string> kicked_;
  std::string reload_fails_;
  int reloads_ = 0;
};

TEST_F(ControlAnswersTest, EachCommandAnswersWhatItsColumnsName) {
  const Json arguments = {{"policy show", {{"as", "CN=anna"}}}};
  for (const auto& command : commands()) {
    if (command.local || command.parts.empty()) continue;
    const auto all = ask(command.words, arguments.value(command.words, Json::object()));
    for (const auto& part : command.parts) {
      ASSERT_TRUE(all.contains(part.key)) << command.words << ": " << all;
      ASSERT_FALSE(all[part.key].empty()) << command.words;
      const auto& row = part.list ? all[part.key][0] : all[part.key];
      for (const auto& column : part.columns) EXPECT_TRUE(row.contains(column.key)) << command.words << column.key;
      EXPECT_EQ(row.size(), part.columns.size()) << command.words << ": " << row;
    }
  }
}

TEST_F(ControlAnswersTest, TellsWhatThereIs) {
  EXPECT_EQ(ask("status")["status"]["lines"], 1);
  EXPECT_EQ(ask("status")["status"]["phones"], 1);
  EXPECT_EQ(ask("status")["status"]["calls"], 2);
  EXPECT_EQ(ask("lines")["lines"][0]["desktops"][0],
            (Json{{"machine", "anna"}, {"session", 1}, {"right", "control"}}));
  EXPECT_EQ(ask("calls")["calls"][0]["id"], "0000000000abcdef");
  EXPECT_EQ(ask("calls")["calls"][0]["state"], "CONNECTED");
  EXPECT_EQ(ask("calls")["calls"][0]["origin"], "incoming");
  EXPECT_EQ(ask("calls")["calls"][1]["state"], nullptr);
  EXPECT_EQ(ask("calls")["calls"][1]["origin"], nullptr);
  EXPECT_EQ(ask("providers")["providers"][0]["state"], "stuck");
  EXPECT_EQ(ask("providers")["providers"][0]["requests"], 5);
}

TEST_F(ControlAnswersTest, AHostThatStartsSaysWhichProviderItWaitsFor) {
  facts_.serving = false;
  facts_.providers[0].uptime.reset();
  facts_.providers[0].stuck = 0;
  EXPECT_EQ(ask("status")["status"]["state"], "starting");
  EXPECT_EQ(ask("providers")["providers"][0]["state"], "starting");
  EXPECT_EQ(error(ask("sessions")), "starting");
  EXPECT_EQ(error(ask("reload")), "starting");
}

TEST_F(ControlAnswersTest, PolicyShowNamesRightsTheirGrantsAndGrantsInVain) {
  const auto anna = ask("policy show", {{"as", "CN=anna"}});
  EXPECT_EQ(anna["devices"].size(), 1U);
  EXPECT_EQ(anna["devices"][0]["right"], "control");
  EXPECT_EQ(anna["devices"][0]["grants"], Json({5})) << "the grant that is weaker does not matter";
  EXPECT_EQ(anna["unmatched"], Json::parse(R"([{"line": 9}])"));
  const auto other = ask("policy show", {{"as", "CN=carl"}});
  EXPECT_EQ(other["devices"][0]["right"], "monitor");
  EXPECT_EQ(other["devices"][0]["grants"], Json({1}));
  EXPECT_EQ(ask("policy show", {{"as", "CN=carl"}, {"names", {"front"}}})["devices"][0]["right"], "control");
}

TEST_F(ControlAnswersTest, KickTakesANumberOrAMachineThatIsOne) {
  EXPECT_EQ(ask("kick", {{"desktop", "anna"}, {"reason", "lunch"}})["message"],
            "The session of desktop anna (CN=anna, 10.0.0.1) is ended; it may connect again.");
  EXPECT_EQ(kicked_.first, 11U);
  EXPECT_EQ(kicked_.second, "lunch");
  ask("kick", {{"desktop", "2"}});
  EXPECT_EQ(kicked_.first, 12U) << "a number goes before a name";
  kicked_ = {};
  EXPECT_EQ(error(ask("kick", {{"desktop", "pool"}})),
            "2 desktops are named \"pool\"; give the number of one, see tsplinkctl sessions.");
  EXPECT_EQ(error(ask("kick", {{"desktop", "9"}})), "No desktop \"9\" is connected; see tsplinkctl sessions.");
  for (const auto& reason : {std::string("a\nb"), std::string(201, 'x')})
    EXPECT_EQ(error(ask("kick", {{"desktop", "1"}, {"reason", reason}})).find("A reason is at most 200 bytes"), 0U);
  EXPECT_EQ(kicked_.first, 0U);
}

TEST_F(ControlAnswersTest, ReloadSaysWhatIsInForceOrTheMistake) {
  EXPECT_EQ(ask("reload")["message"],
            "Policy and certificates are in force: 3 grants. The one at line 9 matches no line or phone there is.");
  EXPECT_EQ(reloads_, 1);
  reload_fails_ = "policy.toml:3:9: no.";
  EXPECT_EQ(error(ask("reload")), "policy.toml:3:9: no.");
}

TEST_F(ControlAnswersTest, LogLevelIsChanged) {
  const auto before = log::level();
  EXPECT_EQ(ask("log level", {{"level", "error"}})["message"],
            "The log level is error, it was " + std::string(log::name_of(before)) + ".");
  EXPECT_EQ(log::level(), log::Level::Error);
  log::set_level(before);
  EXPECT_EQ(error(ask("log level", {{"level", "loud"}})),
            "A log level is trace, debug, info, warn or error; give one of these.");
}

TEST_F(ControlAnswersTest, WhatIsNoRequestIsRefused) {
  const auto deep = std::string(5000, '[');
  for (const auto& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("\xFF\xFE"), std::string("{\"command\":1}"),
        std::string(R"({"command":"kick","arguments":[]})"), std::string(R"({"command":"kick"})"), deep,
        std::string(R"({"command":"kick","arguments":{"desktop":["anna"]}})"),
        std::string(R"({"command":"policy show","arguments":{"as":"CN=a","names":[1]}})"),
        std::string(R"({"command":"status","arguments":{"what":"x"}})"), std::string(R"({"command":"shutdown"})"),
        std::string(R"({"command":"policy check","arguments":{"file":"/etc/passwd"}})")}) {
    EXPECT_EQ(answer(*this, text, clock_).find("{\"error\":\""), 0U) << text.substr(0, 80);
  }
  EXPECT_EQ(kicked_.first, 0U);
}

TEST_F(ControlAnswersTest, TextsThatAreNoUtf8AreAnsweredAllTheSame) {
  now_.sessions[0].machine = "an\xFF\x1B[2J";
  const auto text = answer(*this, R"({"command":"sessions"})", clock_);
  EXPECT_EQ(text.find('\x1B'), std::string::npos);
  EXPECT_EQ(Json::parse(text)["sessions"][0]["machine"], "an\uFFFD\x1B[2J");
}

}  // namespace
}  // namespace tsplink::host::control::test
