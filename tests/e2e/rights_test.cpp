// The policy file of a running host, seen from a desktop: lines that are not granted are not there, and changes come
// as LINE_CREATE and LINE_REMOVE.
#include <gtest/gtest.h>

#include <csignal>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

TEST(Rights, OfARunningHostAreThoseOfItsPolicyFile) {
  const Site site;
  site.set_policy("[[grant]]\nto = \"CN=desk1\"\nright = \"monitor\"\nname = \"* 1\"\nkind = \"line\"\n");
  const auto host = site.start_host();
  const auto configuration = site.proxy_configuration("desk1", site.port());
  const auto desktop =
      site.start({"limit 60\nwait lines 1\nopen line 1 as l\n"
                  "call lineMakeCall l lpszDestAddress=\"100\" as c\n"
                  "expect completion LINEERR_OPERATIONUNAVAIL of c\n"
                  "read lineGetLineDevStatus l\nclose l\nprint \"monitored\"\n"
                  "wait lines 4\nwait phones 2\nprint \"all\"\nwait lines 9\n",
                  "desk1", configuration});
  const auto trace = site.trace("desk1");
  ASSERT_TRUE(desktop->says("\"monitored\"", trace)) << desktop->story() << site.logs();
  EXPECT_EQ(text_of(trace).find("_CREATE"), text_of(trace).rfind("_CREATE")) << "more than one device\n"
                                                                             << site.logs();

  site.set_policy("[[grant]]\nto = \"CN=desk*\"\nright = \"control\"\n");
  ASSERT_TRUE(desktop->says("\"all\"", trace)) << desktop->story() << site.logs();

  site.set_policy("[[grant]]\nto = \"CN=desk2\"\nrigth = \"control\"\n");
  ASSERT_TRUE(host->says("policy.toml:3:9: grant.rigth is no setting")) << host->story();
  ASSERT_TRUE(host->says("What was in force before stays in force.")) << host->story();
  EXPECT_EQ(text_of(trace).find("LINE_REMOVE"), std::string::npos) << site.logs();

  site.set_policy("[[grant]]\nto = \"CN=desk1\"\nright = \"control\"\nkind = \"phone\"\n");
  ASSERT_TRUE(desktop->until([&] {
    const auto text = text_of(trace);
    std::size_t removed = 0;
    for (auto at = text.find("LINE_REMOVE"); at != std::string::npos; at = text.find("LINE_REMOVE", at + 1))
      ++removed;
    return removed == 4;
  })) << desktop->story()
      << site.logs();
  EXPECT_EQ(text_of(trace).find("PHONE_REMOVE"), std::string::npos) << site.logs();
  desktop->send(SIGKILL);
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
}

}  // namespace
}  // namespace tsplink::e2e
