// What several desktops read of one line costs its driver what one desktop would; and nobody is told less than the
// truth.
#include "broker_desks.hpp"

namespace tsplink::host::test {
namespace {

constexpr std::uint64_t kCall = 0x21;

class AnswersTest : public BrokerTest {
 protected:
  explicit AnswersTest(ProviderRules rules = {}) : BrokerTest(rules) {
    for (const auto session : {kAnna, kBert, kCarl}) open(session);
    new_call(kCall);
    heard_.clear();
  }
  std::uint64_t ask(SessionId session) { return request<calls::lineGetCallAddressID>(session, {kCall, {}}); }
  /// The vendor answers what it was asked, with `address`; how often it was asked.
  std::size_t told(std::uint32_t address) {
    std::size_t asked = 0;
    for (; !asked_.empty(); ++asked) {
      answer(take("lineGetCallAddressID"), 0,
             wire::encode(calls::lineGetCallAddressID::Outputs{wire::Nothing{}, address}));
    }
    return asked;
  }
  std::uint32_t address(SessionId session, std::uint64_t id) {
    return std::get<1>(outputs_of<calls::lineGetCallAddressID>(session, id));
  }
};

TEST_F(AnswersTest, ThoseWhoAskTheSameGetOneAnswer) {
  const auto anna = ask(kAnna), bert = ask(kBert);
  EXPECT_EQ(told(7), 1U);
  const auto carl = ask(kCarl);
  EXPECT_EQ(told(0), 0U);
  EXPECT_EQ(address(kAnna, anna), 7U);
  EXPECT_EQ(address(kBert, bert), 7U);
  EXPECT_EQ(address(kCarl, carl), 7U);
}

TEST_F(AnswersTest, WhoAsksAgainHearsTheVendorAgain) {
  ask(kAnna);
  told(1);
  const auto again = ask(kAnna);
  EXPECT_EQ(told(2), 1U);
  EXPECT_EQ(address(kAnna, again), 2U);
  const auto bert = ask(kBert);
  EXPECT_EQ(told(3), 0U);
  EXPECT_EQ(address(kBert, bert), 2U);
}

TEST_F(AnswersTest, OtherArgumentsAreAnotherQuestion) {
  request<calls::lineGetCallInfo>(kAnna, {kCall, 400});
  request<calls::lineGetCallInfo>(kBert, {kCall, 500});
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(AnswersTest, AfterAnEventTheVendorIsAskedAgain) {
  ask(kAnna);
  told(1);
  event(Message::kLINE_CALLSTATE, kCall, LINECALLSTATE_CONNECTED);
  ask(kBert);
  event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_OTHER);
  ask(kCarl);
  EXPECT_EQ(told(2), 2U);
}

TEST_F(AnswersTest, AfterARequestThatMayChangeSomethingTheVendorIsAskedAgain) {
  ask(kAnna);
  told(1);
  request<calls::lineHold>(kAnna, {wire::Nothing{}, kCall});
  const auto hold = take("lineHold");
  ask(kBert);
  EXPECT_EQ(told(2), 1U);
  answer(hold, 0);
  ask(kCarl);
  EXPECT_EQ(told(3), 1U);
}

TEST_F(AnswersTest, AnOldAnswerIsNone) {
  ask(kAnna);
  told(1);
  clock_.advance(std::chrono::milliseconds(1999));
  ask(kBert);
  EXPECT_EQ(told(2), 0U);
  clock_.advance(std::chrono::milliseconds(1));
  ask(kCarl);
  EXPECT_EQ(told(3), 1U);
}

TEST_F(AnswersTest, ARefusalIsForThoseWhoWaitAndIsNotKept) {
  const auto anna = ask(kAnna), bert = ask(kBert);
  answer(take("lineGetCallAddressID"), static_cast<LONG>(LINEERR_NOMEM));
  EXPECT_EQ(result_of(kAnna, anna), static_cast<LONG>(LINEERR_NOMEM));
  EXPECT_EQ(result_of(kBert, bert), static_cast<LONG>(LINEERR_NOMEM));
  const auto carl = ask(kCarl);
  EXPECT_EQ(told(5), 1U);
  EXPECT_EQ(address(kCarl, carl), 5U);
}

/// He may hear of the event before the answer that is older than it.
TEST_F(AnswersTest, WhoWaitsForAnotherWhenSomethingHappensAsksForHimself) {
  const auto anna = ask(kAnna), bert = ask(kBert), carl = ask(kCarl);
  request<calls::lineCloseCall>(kCarl, {kCall});
  event(Message::kLINE_CALLSTATE, kCall, LINECALLSTATE_CONNECTED);
  EXPECT_EQ(asked_.size(), 2U);  // Carl has let go
  for (const std::uint32_t said : {1U, 2U}) {
    answer(take("lineGetCallAddressID"), 0,
           wire::encode(calls::lineGetCallAddressID::Outputs{wire::Nothing{}, said}));
  }
  EXPECT_EQ(address(kAnna, anna), 1U);
  EXPECT_EQ(address(kBert, bert), 2U);
  EXPECT_EQ(result_of(kCarl, carl), static_cast<LONG>(LINEERR_OPERATIONFAILED));
}

TEST_F(AnswersTest, WhoWaitsForOneThatIsAskedAgainAsksForHimself) {
  ask(kAnna);
  const auto bert = ask(kBert);
  ask(kAnna);
  EXPECT_EQ(told(3), 3U);
  EXPECT_EQ(address(kBert, bert), 3U);
}

TEST_F(AnswersTest, WhoWaitsWhenTooManyQuestionsAreKeptAsksForHimself) {
  const auto anna = ask(kAnna), bert = ask(kBert);
  const auto asks_info = [](const Sent& sent) { return sent.function == number_of<calls::lineGetCallInfo>; };
  for (std::uint32_t size = 400; asked_.size() < 16; ++size) request<calls::lineGetCallInfo>(kAnna, {kCall, size});
  EXPECT_EQ(std::count_if(asked_.begin(), asked_.end(), asks_info), 15) << "Bert does not wait for Anna's";
  request<calls::lineGetCallInfo>(kAnna, {kCall, 500});
  std::erase_if(asked_, asks_info);
  EXPECT_EQ(told(2), 2U);
  EXPECT_EQ(address(kAnna, anna), 2U);
  EXPECT_EQ(address(kBert, bert), 2U);
}

/// Of one who waits for another, the worker has not been asked.
TEST_F(AnswersTest, AWorkersWrongNumberHurtsNobodyElse) {
  const auto anna = ask(kAnna), bert = ask(kBert), carl = ask(kCarl);
  auto wrong = asked_.front();
  ++wrong.id;
  answer(wrong, static_cast<LONG>(LINEERR_NOMEM));
  event(Message::kLINE_CALLSTATE, kCall, LINECALLSTATE_CONNECTED);
  EXPECT_EQ(told(3), 2U);
  EXPECT_EQ(address(kAnna, anna), 3U);
  EXPECT_EQ(result_of(kBert, bert), static_cast<LONG>(LINEERR_NOMEM));
  EXPECT_EQ(address(kCarl, carl), 3U);
}

/// The worker refuses what comes too late, by the deadline of the one that it has.
TEST_F(AnswersTest, NobodyWaitsForOneWhoseDeadlineIsShorter) {
  const auto hurry = [&](SessionId session, std::uint32_t deadline_ms) {
    broker_.session_message(session,
                            wire::make_request(next_++, number_of<calls::lineGetCallAddressID>, deadline_ms, 1,
                                               wire::encode(calls::lineGetCallAddressID::Inputs{kCall, {}})));
  };
  hurry(kAnna, 100);
  hurry(kBert, 5000);
  hurry(kCarl, 3000);
  EXPECT_EQ(told(1), 2U);
}

TEST_F(AnswersTest, WhatIsLongIsNotKept) {
  const auto read = [&](SessionId session, std::size_t size) {
    request<calls::lineGetCallInfo>(session, {kCall, 100'000});
    if (!asked_.empty()) {
      answer(take("lineGetCallInfo"), 0,
             wire::encode(calls::lineGetCallInfo::Outputs{wire::Nothing{}, wire::Bytes(size)}));
      return true;
    }
    return false;
  };
  EXPECT_TRUE(read(kAnna, 50'000));
  EXPECT_TRUE(read(kBert, 1000));
  EXPECT_FALSE(read(kCarl, 1000));
}

TEST_F(AnswersTest, OneWhoLeavesTakesNobodysAnswerAlong) {
  const auto anna = ask(kAnna), bert = ask(kBert), carl = ask(kCarl);
  broker_.session_down(kAnna, "test");
  request<calls::lineCloseCall>(kBert, {kCall});
  EXPECT_EQ(result_of(kBert, bert), static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(told(6), 1U);
  EXPECT_EQ(result_of(kAnna, anna), 1);
  EXPECT_EQ(address(kCarl, carl), 6U);
}

struct NothingSharedTest : AnswersTest {
  NothingSharedTest() : AnswersTest({.shared_answers = {}}) {}
};

TEST_F(NothingSharedTest, EachAsksForItself) {
  ask(kAnna), ask(kBert);
  EXPECT_EQ(told(1), 2U);
  ask(kCarl);
  EXPECT_EQ(told(1), 1U);
}

}  // namespace
}  // namespace tsplink::host::test
