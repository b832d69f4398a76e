// Numbers, acknowledgements, bounds, and going on after a reconnect.
#include <gtest/gtest.h>

#include "support.hpp"
#include "wire/failure.hpp"
#include "wire/link/session.hpp"

namespace tsplink::link {
namespace {

constexpr wire::TimePoint kNow{};

std::vector<std::uint64_t> sent(Session& session) {
  std::vector<std::uint64_t> numbers;
  while (const auto next = session.next_to_send()) {
    EXPECT_EQ(number_of(next->envelope), next->sequence);
    numbers.push_back(next->sequence);
  }
  return numbers;
}

TEST(Session, NumbersInOrderAndKeepsUntilAcknowledged) {
  Session session{Limits{}};
  for (std::uint64_t i = 1; i <= 3; ++i) session.post(event(i));
  EXPECT_EQ(sent(session), (std::vector<std::uint64_t>{1, 2, 3}));
  const auto kept = session.kept_bytes();
  EXPECT_GT(kept, 0u);
  EXPECT_TRUE(session.receive({0, 0, 2}, kNow));
  EXPECT_LT(session.kept_bytes(), kept);
  session.receive({0, 0, 3}, kNow);
  EXPECT_EQ(session.kept_bytes(), 0u);
}

TEST(Session, DropsWhatItHasSeenAndRefusesGaps) {
  Session session{Limits{}};
  EXPECT_TRUE(session.receive({10, 1, 0}, kNow));
  EXPECT_FALSE(session.receive({10, 1, 0}, kNow));
  EXPECT_TRUE(session.receive({10, 2, 0}, kNow));
  EXPECT_EQ(session.received(), 2u);
  EXPECT_THROW(session.receive({10, 4, 0}, kNow), Failure);
}

TEST(Session, RefusesAcknowledgementsOfWhatWasNotSent) {
  Session session{Limits{}};
  EXPECT_THROW(session.receive({0, 0, 1}, kNow), Failure);
  session.post(event(1));
  EXPECT_THROW(session.receive({0, 0, 1}, kNow), Failure) << "posted, but not sent";
  sent(session);
  EXPECT_NO_THROW(session.receive({0, 0, 1}, kNow));
  EXPECT_NO_THROW(session.receive({0, 0, 0}, kNow)) << "an old acknowledgement does no harm";
  EXPECT_THROW(session.receive({0, 0, UINT64_MAX}, kNow), Failure);
}

TEST(Session, OwesAnAcknowledgementByTimeByCountAndByBytes) {
  Limits limits;
  limits.acknowledge_frames = 3;
  Session session(limits);
  EXPECT_EQ(session.acknowledge_at(), wire::TimePoint::max());
  session.receive({10, 1, 0}, kNow);
  EXPECT_EQ(session.acknowledge_at(), kNow + limits.acknowledge);
  session.receive({10, 2, 0}, kNow + limits.acknowledge / 2);
  EXPECT_EQ(session.acknowledge_at(), kNow + limits.acknowledge) << "the first one counts";
  session.receive({10, 3, 0}, kNow + limits.acknowledge / 2);
  EXPECT_EQ(session.acknowledge_at(), kNow + limits.acknowledge / 2);
  session.acknowledgement_sent();
  EXPECT_EQ(session.acknowledge_at(), wire::TimePoint::max());
  session.receive({static_cast<std::uint32_t>(limits.kept / 4), 4, 0}, kNow);
  EXPECT_EQ(session.acknowledge_at(), kNow);
}

TEST(Session, EndsWithAReasonWhenTooMuchIsKept) {
  Limits limits;
  limits.kept = 10'000;
  Session session(limits);
  std::uint64_t count = 0;
  try {
    while (count < 100) session.post(event(++count, 1000));
    FAIL() << "no bound";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), Kind::TooLarge);
    EXPECT_NE(std::string(failure.what()).find("10000 bytes"), std::string::npos);
  }
  EXPECT_LE(session.kept_bytes(), limits.kept);
}

TEST(Session, GoesOnAfterAReconnectWithWhatTheOtherSideHasNotSeen) {
  Session session{Limits{}};
  for (std::uint64_t i = 1; i <= 5; ++i) session.post(event(i));
  EXPECT_EQ(sent(session).size(), 5u);
  session.receive({0, 0, 1}, kNow);
  session.post(event(6));
  session.resend_from(3);
  EXPECT_EQ(sent(session), (std::vector<std::uint64_t>{4, 5, 6}));
  EXPECT_THROW(session.resend_from(2), Failure) << "acknowledged and gone";
  EXPECT_THROW(session.resend_from(7), Failure) << "never sent";
}

}  // namespace
}  // namespace tsplink::link
