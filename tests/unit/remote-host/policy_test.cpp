// The policy file: what it grants, and what an administrator may get wrong.
#include "remote-host/policy.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>
#ifndef _WIN32
#include <sys/stat.h>
#endif

#include "security/file_watch.hpp"
#include "tests/platform/files.hpp"
#include "wire/failure.hpp"

namespace tsplink::host::test {
namespace {

using security::FileWatch;
using wire::Right;

class PolicyTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  std::filesystem::path file() const { return folder_.path() / "policy.toml"; }
  Policy read(const std::string& text) const {
    write(text);
    return Policy::read(file());
  }
  std::shared_ptr<const Policy> policy_of(const FileWatch::Texts& texts) const {
    return std::make_shared<const Policy>(Policy::parse(texts.at(file())->text(), file()));
  }
  std::string refusal(const std::string& text) const {
    try {
      read(text);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), Kind::Configuration);
      return failure.what();
    }
    return "accepted";
  }

  const Holder anna_{"CN=anna,O=Example", {"front-1.example.org", "10.0.0.1"}};
  const Holder bert_{"CN=bert,O=Example", {}};
  const DeviceFacts line_{false, "pbx", "Extension 100", {"100", "+4930100"}, 1};
  const DeviceFacts other_{false, "trunk", "Trunk", {"0"}, 2};
  const DeviceFacts phone_{true, "pbx", "Desk phone 100", {}, 3};
  const wire::ManualClock clock_{};
  const tests::TemporaryFolder folder_;
  std::vector<std::string> told_;
  const FileWatch::Tell tell_ = [this](const std::string& sentence) { told_.push_back(sentence); };
};

TEST_F(PolicyTest, WhatNoGrantNamesIsNotGranted) {
  for (const auto& text : {std::string("# nothing\n"), std::string("[groups]\nall = [\"*\"]\n")}) {
    EXPECT_EQ(read(text).grant(anna_, line_), Grant{}) << text;
  }
}

TEST_F(PolicyTest, GrantsByCertificateAndDevice) {
  const struct {
    std::string grant;  // with to and right
    Right anna_line, anna_other, anna_phone, bert_line;
  } cases[] = {
      {"to = \"*\"\nright = \"control\"", Right::Control, Right::Control, Right::Control, Right::Control},
      {"to = \"CN=anna,O=Example\"\nright = \"monitor\"", Right::Monitor, Right::Monitor, Right::Monitor,
       Right::Local},
      {"to = \"CN=anna\"\nright = \"control\"", Right::Local, Right::Local, Right::Local, Right::Local},
      {"to = \"CN=*,O=Example\"\nright = \"control\"", Right::Control, Right::Control, Right::Control,
       Right::Control},
      {"to = \"name:front-?.example.org\"\nright = \"control\"", Right::Control, Right::Control, Right::Control,
       Right::Local},
      {"to = [\"name:10.0.0.2\", \"name:10.0.0.1\"]\nright = \"control\"", Right::Control, Right::Control,
       Right::Control, Right::Local},
      {"to = \"group:desks\"\nright = \"control\"", Right::Control, Right::Control, Right::Control, Right::Local},
      {"to = \"*\"\nright = \"control\"\nkind = \"line\"", Right::Control, Right::Control, Right::Local,
       Right::Control},
      {"to = \"*\"\nright = \"control\"\nkind = \"phone\"", Right::Local, Right::Local, Right::Control, Right::Local},
      {"to = \"*\"\nright = \"control\"\nprovider = \"pbx\"", Right::Control, Right::Local, Right::Control,
       Right::Control},
      {"to = \"*\"\nright = \"control\"\nname = [\"Tr*\", \"Desk*\"]", Right::Local, Right::Control, Right::Control,
       Right::Local},
      {"to = \"*\"\nright = \"control\"\naddress = \"+4930*\"", Right::Control, Right::Local, Right::Local,
       Right::Control},
      {"to = \"*\"\nright = \"control\"\npermanent_id = [2, 3]", Right::Local, Right::Control, Right::Control,
       Right::Local},
      {"to = \"*\"\nright = \"control\"\nprovider = \"pbx\"\naddress = \"0\"", Right::Local, Right::Local,
       Right::Local, Right::Local},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.grant);
    const auto policy = read("[groups]\ndesks = [\"CN=carl\", \"name:front-*\"]\n[[grant]]\n" + each.grant + "\n");
    EXPECT_EQ(policy.grant(anna_, line_).right, each.anna_line);
    EXPECT_EQ(policy.grant(anna_, other_).right, each.anna_other);
    EXPECT_EQ(policy.grant(anna_, phone_).right, each.anna_phone);
    EXPECT_EQ(policy.grant(bert_, line_).right, each.bert_line);
  }
}

TEST_F(PolicyTest, TheStrongestCountsAndMspDataIsAskedForByName) {
  const auto policy = read(
      "[[grant]]\nto = \"*\"\nright = \"control\"\nname = \"Extension*\"\n"
      "[[grant]]\nto = \"*\"\nright = \"monitor\"\n"
      "[[grant]]\nto = \"CN=anna*\"\nright = \"monitor\"\nprovider = \"trunk\"\nmsp_data = true\n");
  EXPECT_EQ(policy.grant(anna_, line_), (Grant{Right::Control, true}));
  EXPECT_EQ(policy.grant(bert_, other_), (Grant{Right::Monitor, false}));
  EXPECT_EQ(policy.grant(anna_, other_), (Grant{Right::Monitor, true}));
}

TEST_F(PolicyTest, PatternsAreOfTheWholeText) {
  const struct {
    const char* pattern;
    const char* text;
    bool fits;
  } cases[] = {{"", "", true},        {"", "a", false},          {"*", "", true},       {"a", "ab", false},
               {"b", "ab", false},    {"A", "a", false},         {"a*c", "abbc", true}, {"a*c", "abcb", false},
               {"*b*", "abc", true},  {"*?", "", false},         {"?", "ä", true},      {"a**b", "ab", true},
               {"*a*b", "aab", true}, {"CN=a,*", "CN=ab", false}};
  for (const auto& each : cases)
    EXPECT_EQ(matches(each.pattern, each.text), each.fits) << each.pattern << " " << each.text;
  // What a backtracking comparer would never finish.
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", std::string(4000, 'a')));
}

TEST_F(PolicyTest, MistakesAreNamedWithTheirPlace) {
  const std::string grant = "[[grant]]\nto = \"*\"\nright = \"control\"\n";
  const struct {
    std::string text;
    const char* expected;
  } mistakes[] = {
      {"[[grant]\n", "policy.toml:1:"},
      {"grants = 1\n" + grant, "policy.toml:1:10: grants is no setting"},
      {"grant = 1\n", "policy.toml:1:9: grant must be a list of tables"},
      {"[[grant]]\nright = \"control\"\n", "policy.toml:1:1: grant.to is missing"},
      {"[[grant]]\nto = \"*\"\n", "grant.right must be \"monitor\" or \"control\""},
      {"[[grant]]\nto = \"*\"\nright = \"all\"\n", "policy.toml:3:9: grant.right must be"},
      {"[[grant]]\nto = []\nright = \"control\"\n", "policy.toml:2:6: grant.to is an empty list"},
      {"[[grant]]\nto = [\"\"]\nright = \"control\"\n", "grant.to must be text in quotes"},
      {"[[grant]]\nto = \"group:desks\"\nright = \"control\"\n", "policy.toml:2:6: there is no group:desks"},
      {"[[grant]]\nto = [\"CN=a\", \"sup\"]\nright = \"control\"\n", "policy.toml:2:15: \"sup\" is no certificate"},
      {"[groups]\na = \"group:b\"\n" + grant, "policy.toml:2:5: a group cannot hold groups"},
      {grant + "adress = \"1\"\n", "policy.toml:4:10: grant.adress is no setting"},
      {grant + "kind = \"lines\"\n", "grant.kind must be"},
      {grant + "kind = \"phone\"\naddress = \"1\"\n", "phones have no addresses"},
      {grant + "permanent_id = \"1\"\n", "policy.toml:4:16: grant.permanent_id must be a number"},
      {grant + "permanent_id = -1\n", "grant.permanent_id must be a number"},
      {grant + "msp_data = false\n", "policy.toml:4:12: grant.msp_data is for right = \"monitor\""},
      {grant + "msp_data = 1\n", "grant.msp_data must be true or false"},
  };
  for (const auto& mistake : mistakes) {
    const auto sentence = refusal(mistake.text);
    EXPECT_NE(sentence.find(mistake.expected), std::string::npos) << mistake.text << "\n-> " << sentence;
    EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
  }
  std::filesystem::remove(file());
  EXPECT_THROW(Policy::read(file()), Failure);
}

TEST_F(PolicyTest, AChangeIsTakenWhenItIsWhole) {
  write("[[grant]]\nto = \"*\"\nright = \"monitor\"\n");
  std::vector<std::shared_ptr<const Policy>> taken;
  FileWatch watch(
      clock_, {{file(), "policy file"}}, [&](const auto& texts) { taken.push_back(policy_of(texts)); }, tell_);
  watch.look();
  watch.look();
  EXPECT_TRUE(taken.empty());
  write("[[grant]]\nto = \"CN=b*\"\nright = \"control\"\n");  // half of what is written
  watch.look();
  write("[[grant]]\nto = \"CN=b*\"\nright = \"control\"\n[[grant]]\nto = \"CN=a*\"\nright = \"control\"\n");
  watch.look();
  EXPECT_TRUE(taken.empty());
  watch.look();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0]->grant(anna_, line_).right, Right::Control);
  write("[[grant]\n");
  for (int i = 0; i < 3; ++i) watch.look();
  EXPECT_NE(watch.problem().find("policy.toml:1:"), std::string::npos) << watch.problem();
  ASSERT_EQ(told_.size(), 1U) << "a mistake is told once";
  EXPECT_NE(told_[0].find("What was in force before stays in force."), std::string::npos) << told_[0];
  std::filesystem::remove(file());
  for (int i = 0; i < 3; ++i) watch.look();
  std::filesystem::create_directory(file());
  for (int i = 0; i < 3; ++i) watch.look();
  std::filesystem::remove(file());
  write(" \n");  // somebody begins to write it, or the disk is full
  for (int i = 0; i < 3; ++i) watch.look();
  EXPECT_EQ(taken.size(), 1U);  // what is broken or gone leaves the one before in force
  write("# nobody\n");
  for (int i = 0; i < 3; ++i) watch.look();
  ASSERT_EQ(taken.size(), 2U);  // without grants it is a policy, and grants nothing
  EXPECT_EQ(watch.problem(), "");
  EXPECT_FALSE(taken[1]->grant(bert_, line_).exists());
}

TEST_F(PolicyTest, WhatCannotBeReadIsNamedAndTakenWhenItCan) {
  write("# nothing\n");
  int taken = 0;
  std::string refusal;
  FileWatch watch(
      clock_, {{file(), "policy file"}},
      [&](const auto&) {
        if (!refusal.empty()) throw Failure(Kind::Configuration, refusal);
        ++taken;
      },
      tell_);
  const auto problem = [&] {
    for (int i = 0; i < 3; ++i) watch.look();
    return watch.problem();
  };
  const auto named = [&](const std::string& what) { return problem().find(what) != std::string::npos; };
  std::filesystem::remove(file());
  EXPECT_TRUE(named("does not exist")) << problem();
  std::filesystem::create_directory(file());
  EXPECT_TRUE(named("is a folder")) << problem();
  std::filesystem::remove(file());
  std::ofstream(file()).close();
  std::filesystem::resize_file(file(), std::uintmax_t{5} << 20U);
  EXPECT_TRUE(named("is larger than 4 MiB")) << problem();
#ifndef _WIN32
  std::filesystem::remove(file());
  ASSERT_EQ(mkfifo(file().c_str(), 0600), 0);
  EXPECT_TRUE(named("is no ordinary file")) << problem();
  std::filesystem::remove(file());
  std::filesystem::create_symlink("/proc/self/mem", file());
  EXPECT_TRUE(named("cannot be read")) << problem();
#endif
  std::filesystem::remove(file());
  EXPECT_EQ(taken, 0);
  write("# nothing\n");
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(taken, 1);

  // A mistake that is not in what the files hold.
  refusal = "The key can be read by others.";
  write("# new\n");
  EXPECT_EQ(problem(), refusal);
  refusal.clear();
  EXPECT_EQ(problem(), "") << "mended, and not taken";
  EXPECT_EQ(taken, 2);
}

/// False: not within a minute.
bool comes(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

/// A clock that stands still, and says for how long somebody waited by it.
class AskedClock final : public wire::Clock {
 public:
  wire::TimePoint now() const override { return time_.now(); }
  wire::Duration nap(wire::Duration remaining) const override {
    asked_ = remaining.count();
    return time_.nap(remaining);
  }
  void advance(wire::Duration by) { time_.advance(by); }
  /// How long somebody waits from now on; zero: nobody does.
  wire::Duration wait() {
    asked_ = 0;
    comes([&] { return asked_ != 0; });
    return wire::Duration(asked_);
  }

 private:
  wire::ManualClock time_;
  mutable std::atomic<wire::Duration::rep> asked_{0};
};

TEST_F(PolicyTest, LooksEachSecondOfItsClock) {
  write("# nothing\n");
  std::atomic<int> taken{0};
  AskedClock clock;
  FileWatch watch(
      clock, {{file(), "policy file"}}, [&](const auto&) { ++taken; }, tell_);
  watch.start();
  EXPECT_EQ(clock.wait(), std::chrono::seconds(1));
  write("# new\n");
  EXPECT_TRUE(comes([&] {
    clock.advance(std::chrono::seconds(1));
    return taken == 1;
  }));
}

TEST_F(PolicyTest, IsTakenAtOnceWhenSomebodyAsks) {
  write("# nothing\n");
  std::vector<std::shared_ptr<const Policy>> taken;
  FileWatch watch(
      clock_, {{file(), "policy file"}}, [&](const auto& texts) { taken.push_back(policy_of(texts)); }, tell_);
  const auto before = watch.taken();
  write("[[grant]]\nto = \"*\"\nright = \"control\"\n");
  watch.take_now();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0]->grant(anna_, line_).right, Right::Control);
  EXPECT_GE(watch.taken(), before);
  const auto then = watch.taken();
  for (int i = 0; i < 3; ++i) watch.look();
  EXPECT_EQ(taken.size(), 1U) << "taken twice";
  write("[[grant]\n");
  EXPECT_THROW(watch.take_now(), Failure);
  EXPECT_NE(watch.problem(), "");
  for (int i = 0; i < 3; ++i) watch.look();
  EXPECT_EQ(taken.size(), 1U);
  EXPECT_EQ(watch.taken(), then);
}

TEST_F(PolicyTest, SaysWhichGrantsGiveARightAndWhichAreInVain) {
  const auto policy = read(
      "[groups]\nstaff = \"CN=*,O=Example\"\n"
      "[[grant]]\nto = \"*\"\nright = \"monitor\"\nmsp_data = true\n"              // line 3
      "[[grant]]\nto = \"*\"\nright = \"monitor\"\nprovider = \"pbx\"\n"           // line 7
      "\n[[grant]]\nto = \"group:staff\"\nright = \"control\"\nname = \"Ext*\"\n"  // line 12
      "[[grant]]\nto = \"*\"\nright = \"control\"\nname = \"extension *\"\n");     // line 16
  using Lines = std::vector<std::size_t>;
  EXPECT_EQ(policy.grants_for(anna_, line_), (Lines{12}));
  EXPECT_EQ(policy.grants_for({"CN=other", {}}, line_), (Lines{3, 7}));
  EXPECT_EQ(policy.grants_for({"CN=other", {}}, other_), (Lines{3}));
  EXPECT_EQ(policy.grants_without({line_, other_, phone_}), (Lines{16}));
  EXPECT_EQ(policy.grants_without({other_}), (Lines{7, 12, 16}));
  EXPECT_EQ(policy.size(), 4U);
}

}  // namespace
}  // namespace tsplink::host::test
