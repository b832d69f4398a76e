// Every rule of rules.def is broken once by the TSP with bad habits; the tour must end with status 1 and its name.
#include <gtest/gtest.h>

#include "rules.hpp"
#include "run.hpp"

namespace tsplink::tapisim {
namespace {

class BadHabit : public testing::TestWithParam<RuleText> {};

TEST_P(BadHabit, IsCaughtAndNamed) {
  const std::string rule(GetParam().name);
  const bool without = rule == "export_missing";
  const std::string options = "--call-limit-ms 2000 --callback-delay-us " +
                              std::string(rule == "callback_overlap" ? "20000" : "0") + " --linger-ms 2000";
  const Said said = run_tapisim(without ? BAD_TSP_WITHOUT : BAD_TSP, TOUR, options, rule);
  EXPECT_EQ(said.status, 1) << said.text;
  EXPECT_NE(said.text.find("RULE BROKEN " + rule + ": "), std::string::npos) << said.text;
  EXPECT_NE(said.text.find(std::string(GetParam().source)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Rules, BadHabit, testing::ValuesIn(rules()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(GoodManners, PassTheTour) {
  const Said said = run_tapisim(BAD_TSP, TOUR, "--repeat 2");
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_NE(said.text.find("done, no rule broken"), std::string::npos);
}

TEST(GoodManners, GiveTheSameCanonicalTraceEveryTime) {
  const std::string first = testing::TempDir() + "tapisim-first.txt",
                    second = testing::TempDir() + "tapisim-second.txt";
  ASSERT_EQ(run_tapisim(BAD_TSP, TOUR, "--canonical " + first).status, 0);
  ASSERT_EQ(run_tapisim(BAD_TSP, TOUR, "--callback-delay-us 500 --canonical " + second).status, 0);
  EXPECT_EQ(file_text(first), file_text(second));
  EXPECT_NE(file_text(first).find("LINE_NEWCALL(htLine=line1) gives call1"), std::string::npos);
}

TEST(AllowedRule, IsOnlyNoted) {
  const Said said = run_tapisim(BAD_TSP_WITHOUT, TOUR, "--allow export_missing");
  EXPECT_EQ(said.status, 0) << said.text;
}

TEST(KeepGoing, NamesEveryBreach) {
  const Said said = run_tapisim(BAD_TSP, TOUR, "--keep-going", "output_overrun");
  EXPECT_EQ(said.status, 1);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = said.text.find("| RULE BROKEN", at)) != std::string::npos; ++at) ++count;
  EXPECT_GE(count, 2U) << said.text;
}

TEST(Devices, AreListed) {
  const Said said = run_tapisim(BAD_TSP, "", "--lines --phones --quiet");
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_NE(said.text.find("line 1: \"Line\", device 3"), std::string::npos) << said.text;
  EXPECT_NE(said.text.find("phone 1: \"Phone\", device 5"), std::string::npos) << said.text;
}

}  // namespace
}  // namespace tsplink::tapisim
