// tsplinkctl and a running host with a desktop in a call: each command, for people and for programs.
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

using Json = nlohmann::json;

struct Result {
  int status = -1;
  std::string out, error;
};

class Control : public ::testing::Test {
 protected:
  Result run(std::vector<std::string> arguments) const {
    auto command = program_of(End::host, "tsplinkctl");
    command.insert(command.end(), {"--config", site_.file("host.toml").string()});
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process process({command, {}}, site_.file("ctl"));
    Result result;
    result.status = process.wait().value_or(-1);
    result.out = process.out();
    result.error = process.err();
    std::erase(result.out, '\r');  // of a Windows program
    std::erase(result.error, '\r');
    return result;
  }
  /// The table of a command that succeeds.
  std::string table(const std::vector<std::string>& arguments) const {
    const auto result = run(arguments);
    EXPECT_EQ(result.status, 0) << result.error << site_.logs();
    return result.out;
  }
  Json json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const auto text = table(arguments);
    const auto json = Json::parse(text, nullptr, false);
    EXPECT_TRUE(json.is_object()) << text;
    return json.is_object() ? json : Json::object();
  }
  void expect_refused(const std::vector<std::string>& arguments, int status, const std::string& sentence) const {
    const auto result = run(arguments);
    EXPECT_EQ(result.status, status) << result.out << result.error;
    EXPECT_NE(result.error.find(sentence), std::string::npos) << result.error;
    EXPECT_EQ(result.out, "");
  }
  static bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

  const Site site_{};
};

TEST_F(Control, ShowsAndSteersAHostWithACall) {
  site_.set_policy(
      "[[grant]]\nto = \"CN=desk1\"\nright = \"control\"\nkind = \"line\"\n\n"
      "[[grant]]\nto = \"*\"\nright = \"monitor\"\nname = \"* 1\"\n\n"
      "[[grant]]\nto = \"*\"\nright = \"control\"\nprovider = \"simpbxx\"\n");
  const auto host = site_.start_host();
  const auto configuration = site_.proxy_configuration("desk1", site_.port());
  const auto desktop =
      site_.start({"limit 60\nwait lines 4\nopen line 1 as l\n"
                   "call lineMakeCall l lpszDestAddress=\"+4930987654\" "
                   "lpCallParams.dwMediaMode=LINEMEDIAMODE_INTERACTIVEVOICE as c\nexpect completion 0 of c\n"
                   "expect LINE_CALLSTATE CONNECTED on c\nprint \"in call\"\nwait lines 9\n",
                   "desk1", configuration});
  ASSERT_TRUE(desktop->says("in call", site_.trace("desk1"))) << desktop->story() << site_.logs();

  const auto status = table({"status"});
  EXPECT_TRUE(holds(status, "State:                 serving\n")) << status;
  EXPECT_TRUE(holds(status, "Desktops come to:      127.0.0.1:" + site_.port() + "\n")) << status;
  const auto facts = json({"status"})["status"];
  EXPECT_EQ(facts["lines"], 4);
  EXPECT_EQ(facts["phones"], 2);
  EXPECT_EQ(facts["calls"], 1);
  EXPECT_EQ(facts["sessions"], 1);
  EXPECT_EQ(facts["log_level"], "info");

  const auto session = json({"sessions"})["sessions"][0];
  EXPECT_EQ(session["machine"], "desk1");
  EXPECT_EQ(session["subject"], "CN=desk1");
  EXPECT_EQ(session["address"], "127.0.0.1");
  EXPECT_EQ(session["opens"], 1);
  EXPECT_TRUE(holds(table({"sessions"}), "\n1       desk1    CN=desk1     127.0.0.1  ")) << table({"sessions"});

  const auto lines = json({"lines"})["lines"];
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0]["state"], "open");
  EXPECT_EQ(lines[0]["addresses"], Json({"1001"}));
  EXPECT_EQ(lines[0]["desktops"][0]["right"], "control");
  EXPECT_EQ(lines[1]["state"], "closed");
  EXPECT_TRUE(holds(table({"lines"}), "  open    1      desk1 (1, control)\n")) << table({"lines"});

  const auto call = json({"calls"})["calls"][0];
  EXPECT_EQ(call["line"], "simpbx line 1");
  EXPECT_EQ(call["state"], "CONNECTED");
  EXPECT_EQ(call["origin"], "made here");
  EXPECT_EQ(call["desktops"][0]["right"], "owner");
  EXPECT_TRUE(holds(table({"calls"}), "  CONNECTED  made here  ")) << table({"calls"});

  const auto provider = json({"providers"})["providers"][0];
  EXPECT_EQ(provider["name"], "simpbx");
  EXPECT_EQ(provider["state"], "running");
  EXPECT_EQ(provider["stuck"], 0);
  EXPECT_TRUE(holds(table({"providers"}), "\nsimpbx  running  ")) << table({"providers"});

  const auto certificate = (Site::certificates() / "desktop-desk1.crt").string();
  const auto shown = json({"policy", "show", "--as", certificate});
  EXPECT_EQ(shown["as"]["subject"], "CN=desk1");
  EXPECT_EQ(shown["devices"].size(), 5U);
  EXPECT_EQ(shown["devices"][0]["right"], "control");
  EXPECT_EQ(shown["devices"][0]["grants"], Json({1}));
  EXPECT_EQ(shown["devices"][4]["kind"], "phone");
  EXPECT_EQ(shown["devices"][4]["grants"], Json({6}));
  EXPECT_EQ(shown["unmatched"], Json::parse(R"([{"line": 11}])"));
  EXPECT_TRUE(holds(table({"policy", "show", "--as", "CN=desk2"}), "  monitor  no        6\n"));
  expect_refused({"policy", "show", "--as", "desk2"}, 2, "\"desk2\" is no file and no subject");

  EXPECT_TRUE(holds(table({"log", "level", "debug"}), "The log level is debug, it was info.\n"));
  EXPECT_EQ(json({"status"})["status"]["log_level"], "debug");
  EXPECT_TRUE(holds(json({"log", "level", "info"})["message"], "it was debug"));
  expect_refused({"log", "level", "loud"}, 1, "A log level is trace, debug, info, warn or error");

  const auto policy = site_.file("policy.toml").string();
  site_.set_policy("[[grant]]\nto = \"CN=desk1\"\nrigth = \"control\"\n");
  expect_refused({"reload"}, 1, "policy.toml:3:9: grant.rigth is no setting");
  expect_refused({"policy", "check", policy}, 1, "policy.toml:3:9: grant.rigth is no setting");
  EXPECT_EQ(json({"lines"})["lines"][0]["desktops"].size(), 1U);
  site_.set_policy("[[grant]]\nto = \"CN=desk1\"\nright = \"monitor\"\n");
  EXPECT_TRUE(holds(table({"policy", "check", policy}), "policy.toml: the policy is valid, 1 grants.\n"));
  EXPECT_EQ(table({"reload"}), "Policy and certificates are in force: 1 grants.\n");
  EXPECT_EQ(json({"lines"})["lines"][0]["desktops"][0]["right"], "monitor") << "in force when reload returns";

  expect_refused({"kick", "desk2"}, 1, "No desktop \"desk2\" is connected");
  EXPECT_EQ(table({"kick", "desk1", "--reason", "moved to another host"}),
            "The session of desktop desk1 (CN=desk1, 127.0.0.1) is ended; it may connect again.\n");
  ASSERT_TRUE(host->says("is gone: moved to another host")) << host->story();
  ASSERT_TRUE(host->says("audit function=kick result=0 note=\"moved to another host\" certificate=\"CN=desk1\""));
  EXPECT_TRUE(holds(host->err(), "audit function=reload result=refused note="));
  EXPECT_TRUE(holds(host->err(), "audit function=reload result=0"));
  EXPECT_TRUE(holds(host->err(), "audit function=\"log level\" result=0 note=debug"));
  EXPECT_TRUE(desktop->says("moved to another host", site_.file("desk1.log"))) << site_.logs();
  EXPECT_TRUE(host->until([&] {
    const auto sessions = json({"sessions"})["sessions"];
    return sessions.size() == 1 && sessions[0]["number"] == 2;
  })) << "it does not come back\n"
      << site_.logs();

  desktop->send(SIGKILL);
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
  expect_refused({"status"}, 2, "No tsplink-host is reached at ");
}

TEST_F(Control, NewCertificatesAreTakenWhileTheHostRuns) {
  const auto pki = site_.file("pki"), others = site_.file("others");
  const auto certificates_in = [&](const fs::path& folder, std::vector<std::string> arguments) {
    auto command = program_of(End::host, "tsplinkctl");
    command.emplace_back("certificates");
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"--dir", folder.string()});
    Process process({command, {}}, site_.file("certificates"));
    EXPECT_EQ(process.wait(), 0) << process.story();
  };
  const auto certificates = [&](const std::vector<std::string>& arguments) { certificates_in(pki, arguments); };
  certificates_in(others, {"init"});
  certificates({"init"});
  certificates({"host", "localhost"});
  certificates({"desktop", "desk1", "desk2"});
  const auto instead_of = Site::certificates().string();
  const Changes ours(3, {instead_of, pki.string()});  // certificate, key, authority
  const auto list = pki / "revocations.crl";
  auto of_host = ours;
  of_host.emplace_back("[log]", "revocations = \"" + list.string() + "\"\n[log]");
  const auto host = site_.start_host(of_host);
  const auto desktop = [&](const std::string& name) {
    return site_.start({"limit 60\nwait lines 4\nprint \"there\"\nwait lines 9\n", name,
                        site_.proxy_configuration(name, site_.port(), ours)});
  };
  const auto first = desktop("desk1"), second = desktop("desk2");
  ASSERT_TRUE(first->says("there", site_.trace("desk1"))) << first->story() << site_.logs();
  ASSERT_TRUE(second->says("there", site_.trace("desk2"))) << second->story() << site_.logs();
  const auto present = [&] { return json({"sessions"})["sessions"]; };
  ASSERT_EQ(present().size(), 2U);

  certificates({"revoke", "desk1"});
  ASSERT_TRUE(host->says("The certificates are in force: ")) << host->story();
  ASSERT_TRUE(host->says("by them the peer's certificate \"CN=desk1\" was revoked by its authority"))
      << host->story();
  EXPECT_TRUE(first->says("\"CN=desk1\" was revoked by its authority", site_.file("desk1.log"))) << site_.logs();
  ASSERT_EQ(present().size(), 1U);
  EXPECT_EQ(present()[0]["machine"], "desk2");
  EXPECT_TRUE(holds(json({"status"})["status"]["revocations"].dump(), "number 2 of "));
  EXPECT_TRUE(holds(text_of(site_.file("desk2.log")), "the host offers 4 lines and 2 phones to this desktop"));

  const auto good = text_of(list);
  write(list, text_of(others / "revocations.crl"));  // would admit nobody
  expect_refused({"reload"}, 1, "The certificates cannot be used: the revocation lists in ");
  write(list, "no list");
  expect_refused({"reload"}, 1, "The certificates cannot be used: ");
  EXPECT_TRUE(holds(json({"status"})["status"]["certificates_problem"].dump(), "revocations.crl"));
  EXPECT_EQ(present().size(), 1U) << "what was in force before stays";
  write(list, good);
  EXPECT_TRUE(holds(table({"reload"}), "Policy and certificates are in force: 1 grants."));
  EXPECT_TRUE(json({"status"})["status"]["certificates_problem"].is_null());
  EXPECT_EQ(present()[0]["machine"], "desk2");

  const auto certificate = pki / "desktop-desk1.crt";
  fs::remove(certificate);
  EXPECT_TRUE(first->says("certificate file " + certificate.string() + " does not exist", site_.file("desk1.log")))
      << site_.logs();
  certificates({"renew", "desk1", "--new-key"});
  EXPECT_TRUE(
      first->says("the certificates are taken, for connections from now on: \"CN=desk1\"", site_.file("desk1.log")))
      << site_.logs();
  EXPECT_TRUE(first->until([&] { return present().size() == 2; })) << "without a restart; " << site_.logs();
}

TEST_F(Control, BelongsToTheHostsAccountAndOneHost) {
  const auto host = site_.start_host();
  const auto socket = site_.file("host.socket");
  if (!is_windows(End::host)) {
    EXPECT_EQ(fs::status(socket).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_TRUE(fs::is_socket(socket));
  }
  const Changes changes = {{"[log]", "[control]\nsocket = \"host.socket\"\n[log]"},
                           {"port_file = \"port\"", "port_file = \"other.port\""}};
  const auto named = site_.host_configuration(changes, "named.toml");
  if (!is_windows(End::host)) {  // where the default is no file
    const auto second = site_.run_host(named, "second");
    EXPECT_EQ(second->wait(), 2) << second->story();
    EXPECT_TRUE(holds(second->err(), "Another tsplink-host is reached by the control socket ")) << second->story();
  }
  EXPECT_EQ(json({"status"})["status"]["state"], "serving");
  host->send(SIGKILL);
  ASSERT_EQ(host->wait(), 128 + SIGKILL);

  const auto next = site_.run_host(named, "next");
  ASSERT_TRUE(next->until([&] { return !text_of(site_.file("other.port")).empty(); })) << next->story();
  auto command = program_of(End::host, "tsplinkctl");
  command.insert(command.end(), {"--config", named.string(), "status"});
  Process status({command, {}}, site_.file("ctl"));
  EXPECT_EQ(status.wait(), 0) << status.story();
  ask_to_end(*next, End::host);
  EXPECT_EQ(next->wait(), 0) << next->story();
  EXPECT_FALSE(fs::exists(socket)) << "the socket is left behind";
}

}  // namespace
}  // namespace tsplink::e2e
