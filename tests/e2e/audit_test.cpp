// What is left of a request in the logs: the same trace id on desktop and host, and one audit line for what acted.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

std::vector<std::string> lines_with(const std::string& text, const std::vector<std::string>& parts) {
  std::vector<std::string> found;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    if (std::all_of(parts.begin(), parts.end(),
                    [&](const auto& part) { return line.find(part) != std::string::npos; })) {
      found.push_back(line);
    }
  }
  return found;
}

/// " trace=..." of a line.
std::string trace_of(const std::string& line) {
  const auto at = line.find(" trace=");
  return at == std::string::npos ? "no trace in " + line : line.substr(at, sizeof " trace=0123456789abcdef" - 1);
}

TEST(Audit, ALineDropIsOneStoryInTheLogsOfBothEnds) {
  const Site site;
  const auto host = site.start_host(
      {{"level = \"info\"", "level = \"debug\"\n[audit]\nfile = \"audit.log\"\nmask_numbers = true"}});
  const auto configuration =
      site.proxy_configuration("desk1", site.port(), {{"level = \"info\"", "level = \"debug\""}});
  site.canonical({Site::scenario("tapisrv/scenarios/outgoing.tap"), "desk1", configuration});
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();

  const auto desktop = text_of(site.file("desk1.log"));
  const auto asked = lines_with(desktop, {"request ", " lineDrop "});
  ASSERT_EQ(asked.size(), 1U) << desktop;
  const auto trace = trace_of(asked[0]);
  EXPECT_EQ(lines_with(desktop, {"lineDrop ended with 0", trace}).size(), 1U) << desktop;

  EXPECT_EQ(lines_with(host->err(), {"request ", " lineDrop", trace}).size(), 1U) << host->err();
  EXPECT_EQ(lines_with(host->err(), {"TSPI_lineDrop returned ", trace}).size(), 1U) << host->err();
  EXPECT_EQ(lines_with(host->err(), {"TSPI_lineDrop completed 0", trace}).size(), 1U) << host->err();
  EXPECT_EQ(lines_with(host->err(), {"is gone"}).size(), 1U) << host->err();

  const auto audit = text_of(site.file("audit.log"));
  const auto dropped = lines_with(audit, {" function=lineDrop ", trace});
  ASSERT_EQ(dropped.size(), 1U) << audit;
  EXPECT_NE(dropped[0].find(" result=0 certificate=\"CN=desk1\" machine=desk1 address=127.0.0.1 session="),
            std::string::npos)
      << audit;
  const auto dialled = lines_with(audit, {" function=lineMakeCall result=0 ", " to=*********54"});
  ASSERT_EQ(dialled.size(), 1U) << audit;
  const auto call = dialled[0].find(" call=");
  ASSERT_NE(call, std::string::npos);
  EXPECT_NE(dropped[0].find(dialled[0].substr(call, sizeof " call=0123456789abcdef" - 1)), std::string::npos)
      << audit;
  EXPECT_EQ(audit.find("30987654"), std::string::npos);
  EXPECT_EQ(host->err().find("30987654"), std::string::npos) << "a number in the log";
  EXPECT_TRUE(lines_with(host->err(), {" trace Desktop "}).empty());
}

TEST(Trace, EachFrameIsALine) {
  const Site site;
  const auto host = site.start_host({{"level = \"info\"", "level = \"trace\""}});
  site.canonical(
      {Site::scenario("tapisrv/scenarios/outgoing.tap"), "desk1", site.proxy_configuration("desk1", site.port())});
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
  const std::string desktop = " trace Desktop desk1 (CN=desk1, 127.0.0.1)";
  for (const char* frame : {" is sent: Inventory complete", " is sent: Reply ", " is sent: Completion ",
                            " is sent: Event LINE_CALLSTATE "}) {
    EXPECT_FALSE(lines_with(host->err(), {desktop + frame}).empty()) << frame << "\n" << host->err();
  }
  EXPECT_EQ(lines_with(host->err(), {desktop + " sent: Request ", " lineMakeCall ", "30987654"}).size(), 1U)
      << host->err();
}

}  // namespace
}  // namespace tsplink::e2e
