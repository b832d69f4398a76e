// The canonical traces: what TAPI sees through proxy and host is what it sees of the vendor's TSP directly, for each
// scenario, also when another desktop watches the same line.
#include <gtest/gtest.h>

#include <csignal>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

void expect_orderly_end(Process& host) {
  ask_to_end(host, End::host);
  EXPECT_EQ(host.wait(), 0) << host.story();
}

/// Once for each scenario in a run: the vendor without us.
const std::string& direct_trace(const std::string& scenario) {
  static std::map<std::string, std::string> traces;
  auto& trace = traces[scenario];
  if (trace.empty()) trace = Site().canonical({Site::scenario("tapisrv/scenarios/" + scenario + ".tap")});
  EXPECT_FALSE(trace.empty());
  return trace;
}

class Trace : public testing::TestWithParam<const char*> {
 protected:
  std::string text_ = Site::scenario("tapisrv/scenarios/" + std::string(GetParam()) + ".tap");
};

TEST_P(Trace, IsTheSameThroughTheProxyThatKnowsItsLines) {
  const Site site;
  const auto host = site.start_host();
  const auto configuration = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", configuration});
  ASSERT_FALSE(fs::is_empty(site.file("desk1.state"))) << "no inventory was kept";
  expect_same(direct_trace(GetParam()), site.canonical({text_, "desk1", configuration}));
  expect_orderly_end(*host);
}

TEST_P(Trace, IsTheSameThroughTheProxyThatLearnsItsLinesLate) {
  const Site site;
  const auto host = site.start_host();
  const auto configuration = site.proxy_configuration("desk1", site.port());
  expect_same(direct_trace(GetParam()), site.canonical({text_, "desk1", configuration}));
  expect_orderly_end(*host);
}

TEST_P(Trace, IsTheSameWhileAnotherDesktopWatches) {
  const Site site;
  const auto host = site.start_host();
  const auto second = site.proxy_configuration("desk2", site.port());
  const auto watcher = site.start({Site::scenario("e2e/scenarios/watch.tap"), "desk2", second});
  ASSERT_TRUE(watcher->says("watching", site.trace("desk2"))) << watcher->story() << site.logs();
  const auto first = site.proxy_configuration("desk1", site.port());
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", first});
  expect_same(direct_trace(GetParam()), site.canonical({text_, "desk1", first}));
  EXPECT_EQ(watcher->wait(), 0) << watcher->story() << site.logs();
  expect_orderly_end(*host);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Trace, testing::Values("incoming", "outgoing"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace tsplink::e2e
