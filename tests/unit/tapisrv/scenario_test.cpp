// Scenario files: what a person gets wrong is named with its line.
#include <gtest/gtest.h>

#include "run.hpp"
#include "scenario.hpp"

namespace tsplink::tapisim {
namespace {

std::string problem(const std::string& text) {
  try {
    parse_scenario(text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

std::string write(const std::string& text) {
  const std::string path = testing::TempDir() + "tapisim-scenario.tap";
  std::ofstream(path) << text;
  return path;
}

TEST(Scenario, ReadsBlocks) {
  const Scenario scenario =
      parse_scenario("open line 1 as l\nrepeat 2\n  print \"a b\"\nend\nparallel\nprint a\nand\nend");
  ASSERT_EQ(scenario.size(), 3U);
  EXPECT_EQ(scenario[1].blocks.at(0).at(0).words.at(1), "\"a b\"");
  EXPECT_EQ(scenario[2].blocks.size(), 2U);
}

TEST(Scenario, NamesAnOpenBlockAndAStrayEnd) {
  EXPECT_NE(problem("print x\nrepeat 2\nprint y").find("line 2"), std::string::npos);
  EXPECT_NE(problem("print x\nend").find("line 2"), std::string::npos);
}

TEST(Scenario, NamesAQuoteThatIsOpen) {
  EXPECT_EQ(problem("print x\nprint \"a b # c"), "Scenario line 2: the quote in \"a b # c is not closed.");
  EXPECT_EQ(problem("print \"a b\" x=\"c\"  # it's \"so"), "");
}

TEST(Scenario, HasABoundForItsDepth) {
  std::string text, end;
  for (int i = 0; i < 20000; ++i) text += "repeat 1\n", end += "end\n";
  EXPECT_EQ(problem(text + end), "Scenario line 101: blocks nest deeper than 100.");
}

TEST(Scenario, HasABoundForThreads) {
  std::string text = "parallel\n";
  for (int i = 0; i < 99; ++i) text += "print x\nand\n";
  EXPECT_EQ(problem(text + "print x\nend"), "");
  EXPECT_EQ(problem(text + "print x\nand\nprint x\nend"),
            "Scenario line 203: more than 100 blocks in parallel, each a thread.");
}

TEST(Scenario, FailsWithItsLine) {
  const struct {
    const char* text;
    const char* says;
  } cases[] = {
      {"opne line 1", "line 1: \"opne\" is no statement"},
      {"open line 7", "there is no line 7"},
      {"open line 1 as l\ncall lineNothing l", "line 2: TSPI has no function lineNothing"},
      {"open line 1 as l\ncall lineGetNumAddressIDs x", "nothing is called \"x\""},
      {"open line 1 as l\nlimit 1\nexpect LINE_NEWCALL on l", "LINE_NEWCALL did not come on l within 1 s"},
      {"open line 1 as l\nread lineGetNumAddressIDs l dwNumAddressIDs=2", "gave dwNumAddressIDs=1 instead of 2"},
      {"open line 1 as l\ncall lineSetLineDevStatus l dwStatusToChange=1 as s\nclose l",
       "did not ask what became of lineSetLineDevStatus in line 2"},
      {"open line 1 foo as l", "\"foo\" says nothing to open"},
      {"print a\nrepeat 2\nexpct LINE_CLOSE on l\nend", "line 3: \"expct\" is no statement"},
      {"open line 1 as l\ncall lineMakeCall lpszDestAddress=\"1\" as c",
       "line 2: lineMakeCall needs a line for hdLine"},
      {"open phone 1 as p\ncall lineMakeCall p as c",
       "line 2: lineMakeCall needs a line for hdLine, and \"p\" is a phone"},
      {"open line 1 as l\nclose l\nread lineGetNumAddressIDs l", "line 3: \"l\" is closed"},
      {"open line 1 as l\nclose l\nclose l", "line 3: \"l\" is closed"},
      {"open line 1 as l\ncall lineDevSpecific l lpParams=\"x\"\nexpect completion any",
       "ended in 0 instead of an error"},
      {"open line 1 as l\nread lineGetAddressStatus l dwAddressID=99999999999", "is more than 32 bits hold"},
      {"limit 1\nopen line 1 as l\ncall lineDevSpecific l lpParams=\"ring\"\nexpect completion\nexpect LINE_NEWCALL "
       "on l as "
       "c\ncall lineAnswer c\nexpect completion\nexpect LINE_CALLSTATE CONNECTED on c\n"
       "expect LINE_CALLSTATE LINECALLSTATE_IDLE on c",  // the value of LINECONNECTEDMODE_ACTIVE, which came
       "line 9: LINE_CALLSTATE LINECALLSTATE_IDLE did not come on c"},
      {"open line 1 as l\ncall lineForward l lpForwardList[0].dwForwardMode=1", "lpForwardList is a structure"},
      {"open line 1 as l\ncall lineForward l lpForwardList=x:00", "lpForwardList is a structure"},
      {"open line 1 as l\ncall lineDevSpecific l lpParams=x:01 dwSize=1000000", "is more than lpParams has"},
      {"open line 1 as l\ncall lineDevSpecific l lpParams=pattern:99999999999:1", "is more than 64 MiB"},
      {"limit 99999999999999999999", "seconds"},
      {"overload 99999999999", "overload takes 1000"},
      {"wait lines -1", "is no number of lines"},
      {"repeat -1\nprint x\nend", "line 1: repeat takes 1000000 rounds at most"},
      {"open line 1 as l\nexpect LINE_LINEDEVSTATE on l dwParam1=3", "--describe LINE_LINEDEVSTATE lists them"},
      {"\xEF\xBB\xBFopen line", "line 1: a word is missing after \"open line\""},
      {"limit 1\nwait no line 1", "line 2: line 1 is still there"},
      {"open line 1 as l\nexpect no LINE_CLOSE on l within 99999999999999999999", "line 2: "},
      {"open line 1 as l\nexpect no LINE_CLOSE on l within 86401", "86401 is more than 86400 seconds"},
      {"open line 1 as l\ninside LINE_CLOSE on l call providerShutdown", "line 2: providerShutdown waits for"},
  };
  for (const auto& one : cases) {
    const Said said = run_tapisim(BAD_TSP, write(one.text), "--quiet");
    EXPECT_EQ(said.status, 1) << one.text;
    EXPECT_NE(said.text.find(one.says), std::string::npos) << one.text << "\n" << said.text;
  }
}

TEST(Scenario, IsLookedAtBeforeAnythingIsCalled) {
  const Said said = run_tapisim(BAD_TSP, write("open line 1 as l\nread lineNothing l\n"), "");
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.text.find("lineOpen"), std::string::npos) << said.text;
}

TEST(Scenario, AsksForTheEndOfWhatWasCalledInsideACallback) {
  const std::string text =
      "open line 1 as l\ncall lineDevSpecific l lpParams=\"ring\"\nexpect completion\nexpect LINE_NEWCALL on l as c\n"
      "inside LINE_CALLSTATE CONNECTED on c call lineDevSpecific l lpParams=\"nothing\" as r\ncall lineAnswer c\n"
      "expect completion of r\n";
  const Said said = run_tapisim(BAD_TSP, write(text), "--quiet");
  EXPECT_EQ(said.status, 0) << said.text;
}

TEST(Scenario, CountsEachLoopForItself) {
  const Said said = run_tapisim(BAD_TSP, write("repeat 2\nrepeat 3\nprint inner $i\nend\nprint outer $i\nend\n"), "");
  EXPECT_NE(said.text.find("outer 1"), std::string::npos) << said.text;
  EXPECT_EQ(said.text.find("outer 3"), std::string::npos) << said.text;
}

TEST(Scenario, ThatFailsLeavesWhatItReached) {
  const std::string coverage = testing::TempDir() + "tapisim-failed.coverage";
  std::remove(coverage.c_str());
  const Said said = run_tapisim(BAD_TSP, write("open line 1 as l\ncheck 1 2\n"), "--quiet --coverage " + coverage);
  EXPECT_EQ(said.status, 1) << said.text;
  EXPECT_NE(file_text(coverage).find("function lineOpen success:"), std::string::npos) << file_text(coverage);
}

TEST(Scenario, NamesTheFunctionInWhichTheProviderCrashes) {
#ifdef TSPLINK_SANITIZED
  GTEST_SKIP() << "the sanitizer names crashes";
#endif
  const Said said =
      run_tapisim(BAD_TSP, write("open line 1 as l\nread lineGetNumAddressIDs l\n"), "--quiet", "crash");
  EXPECT_NE(said.status, 0);
  EXPECT_NE(said.text.find("The provider crashed inside TSPI_lineGetNumAddressIDs, called by line 2 of the scenario"),
            std::string::npos)
      << said.text;
}

TEST(Scenario, OptionsLeaveTheScenarioToItsPlace) {
  const Said said = run_tapisim(BAD_TSP, "--allow permanent_id " + write("print x"), "--quiet");
  EXPECT_EQ(said.status, 0) << said.text;
}

TEST(Scenario, NamesARuleThatIsNone) {
  const Said said = run_tapisim(BAD_TSP, write("wait lines 1"), "--allow no_such_rule");
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.text.find("There is no rule no_such_rule"), std::string::npos) << said.text;
}

TEST(Scenario, RunsThreadsSideBySide) {
  const std::string text =
      "wait lines 2\nopen line 1 as l\nopen line 2 as k\nparallel\nrepeat 50\nread lineGetNumAddressIDs l "
      "dwNumAddressIDs=1\n"
      "end\nand\nrepeat 20\ncall lineDevSpecific k lpParams=\"nothing\"\nexpect completion 0\nend\nend\n";
  const Said said = run_tapisim(BAD_TSP, write(text), "--quiet");
  EXPECT_EQ(said.status, 0) << said.text;
}

TEST(Scenario, ActsOnANewCallWhenTheProviderHasGivenItsState) {
  const std::string text =
      "open line 1 as l\ncall lineDevSpecific l lpParams=\"ring\"\nexpect completion\nexpect LINE_NEWCALL on l as c\n"
      "call lineAnswer c\nexpect completion 0\n";
  const Said said = run_tapisim(BAD_TSP, write(text), "--callback-delay-us 50000");
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_LT(said.text.find("LINE_CALLSTATE(htLine=line1, htCall=call1, dwCallState=LINECALLSTATE_OFFERING"),
            said.text.find("lineAnswer("))
      << said.text;
}

TEST(Scenario, SaysThatANewCallGetsNoState) {
  const std::string text =
      "limit 1\nopen line 1 as l\ncall lineDevSpecific l lpParams=\"ring\"\nexpect completion\n"
      "expect LINE_NEWCALL on l as c\n";
  const Said said = run_tapisim(BAD_TSP, write(text), "", "no_state");
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.text.find("no LINE_CALLSTATE"), std::string::npos) << said.text;
}

TEST(Scenario, PlaysAnOverloadedTapi) {
  const std::string text =
      "open line 1 as l\noverload 1\ncall lineDevSpecific l lpParams=\"ring\"\nexpect completion 0\n"
      "expect no LINE_NEWCALL on l within 1\n";
  const Said said = run_tapisim(BAD_TSP, write(text), "");
  EXPECT_NE(said.text.find("overloaded TAPI"), std::string::npos) << said.text;
}

}  // namespace
}  // namespace tsplink::tapisim
