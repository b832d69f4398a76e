// One end goes away during a call: the host in order, a desktop by a crash.
#include <gtest/gtest.h>

#include <csignal>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

/// desk1 in a call, on a line that it knows already.
std::unique_ptr<Process> in_call(const Site& site) {
  const auto configuration = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", configuration});
  auto desktop = site.start({Site::scenario("e2e/scenarios/hold.tap"), "desk1", configuration});
  EXPECT_TRUE(desktop->says("in call", site.trace("desk1"))) << desktop->story() << site.logs();
  return desktop;
}

TEST(Loss, OfTheHostEndsCallAndLineAtTheDesktop) {
  const Site site;
  const auto host = site.start_host();
  const auto desktop = in_call(site);
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
  // hold.tap expects IDLE and then LINE_CLOSE.
  EXPECT_EQ(desktop->wait(), 0) << desktop->story() << site.logs();
  EXPECT_FALSE(fs::exists(site.file("port"))) << "the host left its port file";
}

TEST(Loss, OfADesktopFreesItsLine) {
  const Site site;
  const auto host = site.start_host();
  const auto second = site.proxy_configuration("desk2", site.port());
  const auto desktop = in_call(site);
  desktop->send(SIGKILL);
  EXPECT_EQ(desktop->wait(), 128 + SIGKILL);
  ASSERT_TRUE(host->says("Desktop desk1 (CN=desk1, 127.0.0.1) is gone")) << host->story();
  EXPECT_TRUE(host->says(" is gone: the connection was cut")) << host->story();
  const std::string scenario =
      "limit 60\nwait lines 1\nopen line 1 as l\nexpect LINE_NEWCALL on l as old\n"
      "expect LINE_CALLSTATE CONNECTED on old\npbx incoming line=1 from=+4930123456\n"
      "expect LINE_NEWCALL on l as c\nexpect LINE_CALLSTATE OFFERING on c\ncall lineDrop c\nexpect completion 0\n"
      "expect LINE_CALLSTATE IDLE on c\nclose c\nclose l\n";
  site.canonical({scenario, "desk2", second});
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
}

// ---- Stopping the host

TEST(Stop, EndsAHostWhoseDriverHangsInItsStart) {
  const Site site;
  write(site.file("slow"), "init_ms = 300000\n");
  auto command = program_of(End::host, "tsplink-host");
  command.insert(command.end(), {"--config", site.host_configuration().string()});
  Process host({command, {{"SIMPBX_CONFIG", site.file("slow").string()}}}, site.file("host"));
  ASSERT_TRUE(host.says("Starting provider simpbx.")) << host.story();
  ask_to_end(host, End::host);
  ASSERT_TRUE(host.says("Stopping as soon as")) << host.story();
  ask_to_end(host, End::host);
  EXPECT_EQ(host.wait(), status_of_impatience(End::host)) << host.story();
}

TEST(Stop, LeavesADriverThatHangsInItsEndWhenTheStartHasFailed) {
  const Site site;
  site.set_pbx("shutdown_ms = 3600000\n");
  const auto host = site.run_host(site.host_configuration({{"port_file = \"port\"", "port_file = \".\""}}));
  EXPECT_EQ(host->wait(), 2) << host->story();
  EXPECT_NE(host->err().find("tsplink-host: "), std::string::npos) << host->story();
  EXPECT_NE(host->err().find("port_file"), std::string::npos) << host->story();
}

/// They are one module in the process, and it said that it must not be entered twice at a time.
TEST(Stop, EndsTheProvidersOfOneDriverOneAfterTheOther) {
  const Site site;
  site.set_pbx("lines = 1\nphones = 0\nhabits = nonreentrant\nlinger_ms = 100\n");
  const auto one = "[[provider]]\nname = \"simpbx\"";
  const auto two = "[[provider]]\nname = \"other\"\nmodule = \"" + module_of(End::host, "simpbx.tsp").string() +
                   "\"\npermanent_id = 2\n";
  const auto host = site.start_host({{one, two + one}});
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
  const auto calls = text_of(site.file("pbx.log"));
  EXPECT_NE(calls.find("<- providerShutdown"), std::string::npos) << calls;
  EXPECT_EQ(calls.find("!! "), std::string::npos) << calls;
}

TEST(Stop, IsInOrderAlthoughNobodyReadsTheLogAnyMore) {
  const Site site;
  Process::Start start{{"/bin/bash", "-c", "exec \"$@\" 2> >(exec true)", "bash"},
                       {{"SIMPBX_CONTROL", site.file("pbx.port").string()}}};
  const auto program = program_of(End::host, "tsplink-host");
  start.command.insert(start.command.end(), program.begin(), program.end());
  start.command.insert(start.command.end(), {"--config", site.host_configuration().string()});
  Process host(start, site.file("host"));
  ASSERT_TRUE(host.until([&] { return !site.port().empty(); })) << host.story();
  ask_to_end(host, End::host);
  EXPECT_EQ(host.wait(), 0) << host.story();
  EXPECT_FALSE(fs::exists(site.file("port")));
  EXPECT_FALSE(fs::exists(site.file("pbx.port"))) << "the provider was not shut down";
}

}  // namespace
}  // namespace tsplink::e2e
