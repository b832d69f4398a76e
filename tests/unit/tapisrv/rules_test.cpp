// Every rule of rules.def is broken once by the TSP with bad habits, and once more for each other place where tapisim
// looks for it; the tour must end with status 1 and name that rule and no other.
#include <gtest/gtest.h>

#include <set>

#include "rules.hpp"
#include "run.hpp"

namespace tsplink::tapisim {
namespace {

Said tour_with(const std::string& habit) {
  const std::string options = "--call-limit-ms 2000 --callback-delay-us " +
                              std::string(habit == "callback_overlap" ? "20000" : "0") + " --linger-ms 2000";
  return run_tapisim(habit == "export_missing" ? BAD_TSP_WITHOUT : BAD_TSP, TOUR, options, habit);
}

void expect_named(const Said& said, const std::string& rule) {
  EXPECT_EQ(said.status, 1) << said.text;
  constexpr std::string_view mark = "RULE BROKEN ";
  std::set<std::string> named;
  for (auto at = said.text.find(mark); at != std::string::npos; at = said.text.find(mark, at + 1)) {
    const auto from = at + mark.size();
    named.insert(said.text.substr(from, said.text.find(':', from) - from));
  }
  EXPECT_EQ(named, std::set<std::string>{rule}) << said.text;
}

class BadHabit : public testing::TestWithParam<RuleText> {};

TEST_P(BadHabit, IsCaughtAndNamed) {
  const Said said = tour_with(std::string(GetParam().name));
  expect_named(said, std::string(GetParam().name));
  EXPECT_NE(said.text.find(std::string(GetParam().source)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Rules, BadHabit, testing::ValuesIn(rules()),
                         [](const auto& one) { return std::string(one.param.name); });

struct OtherWay {
  std::string rule, way, said;
};

class BadHabitOfAnotherWay : public testing::TestWithParam<OtherWay> {};

TEST_P(BadHabitOfAnotherWay, IsCaughtAndNamed) {
  const auto& [rule, way, words] = GetParam();
  const Said said = tour_with(rule + ":" + way);
  expect_named(said, rule);
  EXPECT_NE(said.text.find(words), std::string::npos) << said.text;
}

INSTANTIATE_TEST_SUITE_P(
    Rules, BadHabitOfAnotherWay,
    testing::Values(OtherWay{"completion_after_refusal", "later", "came although the function returned"},
                    OtherWay{"completion_late_line", "phone", "TSPI_phoneClose returned while"},
                    OtherWay{"event_unknown_message", "phone", "by PHONEEVENT"},
                    OtherWay{"event_unknown_line", "dialog", "names no dialog instance"},
                    OtherWay{"event_after_close", "call", "names call1, which is closed"},
                    OtherWay{"newcall_handle", "place", "without a place for htCall"},
                    OtherWay{"handle_reused", "newcall", "LINE_NEWCALL gives the handle"},
                    OtherWay{"output_missing", "structure", "dwUsedSize and dwNeededSize are 0"},
                    OtherWay{"field_outside", "fixed_part", "ProviderInfo is said to be 8 bytes at 4"},
                    OtherWay{"permanent_id", "changing", "is another than before"},
                    OtherWay{"permanent_id", "shared", "is that of device 3"},
                    OtherWay{"version", "provider", "lineNegotiateTSPIVersion answered version 1.3"},
                    OtherWay{"version", "phone", "phoneNegotiateTSPIVersion answered version 1.3"}),
    [](const auto& one) { return one.param.rule + "_" + one.param.way; });

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

TEST(CanonicalTrace, OfTheNameDashIsAloneOnTheStandardOutput) {
  const std::string file = testing::TempDir() + "tapisim-canonical.txt",
                    errors = testing::TempDir() + "tapisim-errors.txt";
  ASSERT_EQ(run_tapisim(BAD_TSP, TOUR, "--canonical " + file).status, 0);
  const Said said = run_tapisim(BAD_TSP, TOUR, "--canonical - --lines", "", errors);
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_EQ(said.text, file_text(file));
  EXPECT_NE(file_text(errors).find("done, no rule broken"), std::string::npos) << file_text(errors);
  EXPECT_NE(file_text(errors).find("line 1: "), std::string::npos) << file_text(errors);

  // What it came to when it fails, too.
  const Said failed = run_tapisim(BAD_TSP, TOUR, "--canonical - --quiet", "output_overrun", errors);
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(failed.text.find("provider"), std::string::npos) << failed.text;
  EXPECT_EQ(failed.text.find("RULE BROKEN"), std::string::npos) << failed.text;
  EXPECT_NE(file_text(errors).find("tapisim: "), std::string::npos) << file_text(errors);
#ifndef _WIN32
  EXPECT_EQ(run_tapisim(BAD_TSP, TOUR, "--canonical - --quiet >/dev/full", "", errors).status, 1);
  EXPECT_NE(file_text(errors).find("cannot be written to the standard output"), std::string::npos);
#endif
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
