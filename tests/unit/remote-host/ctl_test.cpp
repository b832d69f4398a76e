// tsplinkctl: its tables, and what it does without a host.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "remote-host/ctl/program.hpp"
#include "remote-host/ctl/table.hpp"
#include "tests/platform/files.hpp"

namespace tsplink::host::ctl::test {
namespace {

using control::Column;
using control::Command;
using control::Part;
using Json = nlohmann::ordered_json;

constexpr Column kColumns[] = {{"name", "NAME"}, {"time", "TIME", control::Show::Duration}, {"who", "WHO"}};
constexpr Part kList[] = {{"rows", true, kColumns}, {"more", true, kColumns, "More:", true}};
constexpr Part kOne[] = {{"it", false, kColumns}};

TEST(CtlTable, AlignsColumnsByCharacters) {
  const Command command{"", "", {}, kList};
  const auto answer = Json::parse(R"({"rows": [
    {"name": "Zürich", "time": 90061, "who": [{"machine": "a", "number": 1, "right": "control"}, "b"], "unknown": 1},
    {"name": "", "time": null, "who": []},
    {"who": true}]})");
  EXPECT_EQ(to_text(command, answer),
            "NAME    TIME          WHO\n"
            "Zürich  1 d 01:01:01  a (1, control), b\n"
            "-       -             -\n"
            "-       -             yes\n");
  EXPECT_EQ(to_text(command, Json::parse(R"({"rows": [], "more": [{"name": "x"}]})")),
            "NAME  TIME  WHO\n\nMore:\nNAME  TIME  WHO\nx     -     -\n");
}

TEST(CtlTable, OneObjectIsAListOfItsFields) {
  EXPECT_EQ(to_text({"", "", {}, kOne}, Json::parse(R"({"it": {"name": "x", "time": 59, "who": 7}})")),
            "NAME:  x\nTIME:  00:00:59\nWHO:   7\n");
}

TEST(CtlTable, TextsOfOthersDoNotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1B[2J\n\x7F"), "a\\x1B[2J\\x0A\\x7F");
  EXPECT_EQ(printable("\xC2\x9B"
                      "1m"),
            "\\xC2\\x9B"
            "1m")
      << "C1";
  EXPECT_EQ(printable("\xE2\x80\xAE"
                      "x"),
            "\\xE2\\x80\\xAE"
            "x")
      << "right to left";
  EXPECT_EQ(printable("\xFF\xC0\xAF\xE2\x82"), "\\xFF\\xC0\\xAF\\xE2\\x82") << "no UTF-8";
  EXPECT_EQ(printable("Zürich \xE2\x82\xAC \xF0\x9F\x93\x9E"), "Zürich \xE2\x82\xAC \xF0\x9F\x93\x9E");
}

class CtlTest : public ::testing::Test {
 protected:
  int run(const std::vector<std::string>& arguments) {
    out_.str("");
    errors_.str("");
    return ctl::run(arguments, out_, errors_);
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
    return (folder_.path() / name).string();
  }
  const tests::TemporaryFolder folder_;
  std::ostringstream out_;
  std::ostringstream errors_;
};

TEST_F(CtlTest, ChecksAPolicyWithoutAHost) {
  const auto good = file("good.toml", "[[grant]]\nto = \"*\"\nright = \"control\"\n");
  EXPECT_EQ(run({"policy", "check", good}), 0) << errors_.str();
  EXPECT_EQ(out_.str(), good + ": the policy is valid, 1 grants.\n");
  EXPECT_EQ(run({"policy", "check", good, "--json"}), 0);
  EXPECT_EQ(Json::parse(out_.str())["message"], good + ": the policy is valid, 1 grants.");
  const auto bad = file("bad.toml", "[[grant]]\nto = \"*\"\nrigth = \"control\"\n");
  EXPECT_EQ(run({"policy", "check", bad}), 1);
  EXPECT_EQ(errors_.str(), "tsplinkctl: " + bad +
                               ":3:9: grant.rigth is no setting of tsplink-host; remove it or correct its name.\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(CtlTest, EndsWith2AndASentenceWithoutAHostOrBeforeOneIsAsked) {
  const auto nobody = file("host.toml", "");
  const auto off = file("off.toml", "[control]\nsocket = \"\"\n");
  const struct {
    std::vector<std::string> arguments;
    std::string sentence;
  } cases[] = {
      {{}, "A subcommand is required"},
      {{"policy"}, "A subcommand is required"},
      {{"kick", "--config", nobody}, "desktop is required"},
      {{"dance"}, "A subcommand is required"},
      {{"status"}, "Which host? Name its configuration by --config or its socket by --socket."},
      {{"status", "--config", off}, "off.toml: control.socket is empty"},
      {{"status", "--config", nobody}, "No tsplink-host is reached at "},
      {{"--socket", (folder_.path() / "no").string(), "status"}, "No tsplink-host is reached at "},
      {{"policy", "show", "--as", "anna", "--config", nobody}, "\"anna\" is no file and no subject"},
      {{"policy", "show", "--as", nobody, "--config", nobody}, "certificate file " + nobody + " is empty"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(run(each.arguments), 2) << each.sentence;
    EXPECT_NE(errors_.str().find(each.sentence), std::string::npos) << errors_.str();
    EXPECT_EQ(out_.str(), "");
  }
}

TEST_F(CtlTest, HelpNamesEachCommand) {
  EXPECT_EQ(run({"--help"}), 0);
  for (const auto& command : control::commands()) {
    const std::string words = command.words;
    EXPECT_NE(out_.str().find("\n  " + words.substr(0, words.find(' ')) + " "), std::string::npos) << words;
  }
  for (const auto& command : control::commands()) {
    std::istringstream words(command.words);
    std::vector<std::string> arguments(std::istream_iterator<std::string>(words), {});
    arguments.emplace_back("--help");
    EXPECT_EQ(run(arguments), 0);
    EXPECT_EQ(out_.str().find(command.help), 0U) << out_.str();
  }
}

}  // namespace
}  // namespace tsplink::host::ctl::test
