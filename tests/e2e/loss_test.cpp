// One end goes away during a call: the host in order, a desktop by a crash.
#include <gtest/gtest.h>

#include <csignal>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

TEST(Loss, OfTheHostEndsCallAndLineAtTheDesktop) {
  const Site site;
  const auto host = site.start_host();
  const auto configuration = site.proxy_configuration("desk1", site.port());
  const auto desktop = site.start({Site::scenario("e2e/scenarios/hold.tap"), "desk1", configuration});
  ASSERT_TRUE(desktop->says("in call", site.trace("desk1"))) << desktop->story() << site.logs();
  host->send(SIGTERM);
  EXPECT_EQ(host->wait(), 0) << host->story();
  // hold.tap expects IDLE and then LINE_CLOSE.
  EXPECT_EQ(desktop->wait(), 0) << desktop->story() << site.logs();
  EXPECT_FALSE(fs::exists(site.file("port"))) << "the host left its port file";
}

TEST(Loss, OfADesktopFreesItsLine) {
  const Site site;
  const auto host = site.start_host();
  const auto first = site.proxy_configuration("desk1", site.port());
  const auto second = site.proxy_configuration("desk2", site.port());
  const auto desktop = site.start({Site::scenario("e2e/scenarios/hold.tap"), "desk1", first});
  ASSERT_TRUE(desktop->says("in call", site.trace("desk1"))) << desktop->story() << site.logs();
  desktop->send(SIGKILL);
  EXPECT_EQ(desktop->wait(), 128 + SIGKILL);
  ASSERT_TRUE(host->says("Desktop desk1 (desk1, 127.0.0.1) is gone")) << host->story();
  const std::string scenario =
      "limit 60\nwait lines 1\nopen line 1 as l\npbx incoming line=1 from=+4930123456\n"
      "expect LINE_NEWCALL on l as c\nexpect LINE_CALLSTATE OFFERING on c\ncall lineDrop c\nexpect completion 0\n"
      "expect LINE_CALLSTATE IDLE on c\nclose c\nclose l\n";
  site.canonical({scenario, "desk2", second});
  host->send(SIGTERM);
  EXPECT_EQ(host->wait(), 0) << host->story();
}

}  // namespace
}  // namespace tsplink::e2e
