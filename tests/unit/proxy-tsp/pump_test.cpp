// The thread that calls TAPI: order, one callback at a time, calls that TAPI has no room for, many desktops at once.
#include <future>

#include "desktop.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;
using wire::Message;

constexpr std::uint64_t kCallId = 0xCCCC000000000001;

TEST(PumpTest, CallThatTapiHasNoRoomForIsOfferedAgainWithItsEventsBehindIt) {
  wire::ManualClock clock;
  CoreOptions options;
  options.clock = &clock;
  Desktop desktop(options);
  desktop.start();
  desktop.open_line();
  desktop.refuse_calls(1);
  desktop.event(Message::kLINE_NEWCALL, 0, kCallId);
  desktop.event(Message::kLINE_CALLSTATE, kCallId, LINECALLSTATE_OFFERING, 0, LINEMEDIAMODE_INTERACTIVEVOICE);
  desktop.event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_RINGING);
  EXPECT_EQ(desktop.told_so_far().size(), 2U);  // the refused call and the line's own event
  clock.advance(std::chrono::milliseconds(20));
  const auto told = desktop.told(4);
  EXPECT_EQ(told[2].request_or_message, DWORD_PTR{LINE_NEWCALL});
  EXPECT_EQ(told[3].request_or_message, DWORD_PTR{LINE_CALLSTATE});
  EXPECT_EQ(told[3].htCall, told[2].htCall);
  EXPECT_NE(told[3].htCall, 0U);
}

TEST(PumpTest, CallThatIsNeverTakenIsGivenBackToTheHost) {
  wire::ManualClock clock;
  CoreOptions options;
  options.clock = &clock;
  Desktop desktop(options);
  desktop.start();
  desktop.open_line();
  desktop.refuse_calls(1000000);
  desktop.event(Message::kLINE_NEWCALL, 0, kCallId);
  EXPECT_EQ(desktop.told_so_far().size(), 1U);  // and the next try has its time before the clock moves
  clock.advance(std::chrono::seconds(31));
  EXPECT_EQ(std::get<0>(
                wire::decode<calls::lineCloseCall::Inputs>(desktop.await_request(Function::lineCloseCall).arguments)),
            kCallId);
}

TEST(PumpTest, EventsThatTapiDoesNotTakeEndTheLinkBeforeTheyFillTheDesktop) {
  Desktop desktop;
  desktop.start();
  desktop.open_line();
  std::promise<void> go;
  desktop.inside_next_event([&] { go.get_future().wait(); });
  desktop.event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_RINGING);
  const std::string block(1024 * 1024, 'x');
  const auto send = [&](int times) {
    for (int i = 0; i < times; ++i) desktop.event(Message::kLINE_DEVSPECIFIC, 0, 0, 0, 0, block);
  };
  EXPECT_NO_THROW(send(15));
  EXPECT_THROW(send(2), Failure);
  go.set_value();
  desktop.told(16);
  EXPECT_NO_THROW(send(14)) << "what was taken counts no more";
}

/// The pump keeps its owner, so that it can be left behind in the callback.
TEST(PumpTest, AStopThatTheCallbackWaitsForComesToItsEnd) {
  struct Owner {
    wire::ManualClock clock;
    EventPump pump{clock};
  };
  auto owner = std::make_shared<Owner>();
  const std::weak_ptr<Owner> alive = owner;
  std::promise<void> entered, stopped, left;
  owner->pump.start(owner);
  owner->pump.post([&] {
    entered.set_value();
    stopped.get_future().wait();
    left.set_value();
  });
  entered.get_future().wait();
  std::atomic<bool> ends{false};
  std::thread stopper([&] {
    owner->pump.stop();
    ends = true;
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!ends && std::chrono::steady_clock::now() < end) {
    owner->clock.advance(std::chrono::milliseconds(100));
    std::this_thread::yield();
  }
  EXPECT_TRUE(ends);
  owner.reset();
  EXPECT_FALSE(alive.expired());
  stopped.set_value();
  left.get_future().wait();
  stopper.join();
  while (!alive.expired() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_TRUE(alive.expired());
}

TEST(PumpTest, OneCallbackAtATimeInOrder) {
  Desktop desktop;
  desktop.start();
  desktop.open_line();
  std::atomic<int> inside{0};
  std::atomic<bool> twice{false};
  for (int i = 0; i < 200; ++i) {
    desktop.inside_next_event([&] {
      if (inside.fetch_add(1) != 0) twice = true;
      std::this_thread::yield();
      inside.fetch_sub(1);
    });
  }
  for (DWORD_PTR i = 0; i < 200; ++i) desktop.event(Message::kLINE_DEVSPECIFIC, 0, i);
  const auto told = desktop.told(200);
  EXPECT_FALSE(twice);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(told[i].params[0], i);
}

TEST(PumpTest, NothingIsToldAfterShutdown) {
  Desktop desktop;
  desktop.start();
  desktop.open_line();
  desktop.core().shutdown();
  const auto before = desktop.told_so_far().size();
  desktop.event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_RINGING);
  EXPECT_EQ(desktop.told_so_far().size(), before);
}

TEST(PumpTest, FiftyDesktopsInOneProcessKeepTheirEventsApart) {
  std::vector<std::unique_ptr<Desktop>> desktops;
  for (int i = 0; i < 50; ++i) {
    desktops.push_back(std::make_unique<Desktop>());
    desktops.back()->start();
    desktops.back()->open_line();
  }
  for (DWORD_PTR i = 0; i < 50; ++i) desktops[i]->event(Message::kLINE_DEVSPECIFIC, 0, i);
  for (DWORD_PTR i = 0; i < 50; ++i) {
    const auto told = desktops[i]->told(1);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].params[0], i);
  }
}

TEST(PumpTest, AShutdownFromInsideACallbackIsTheLastThatTapiHears) {
  wire::ManualClock clock;
  CoreOptions options;
  options.clock = &clock;
  const auto owner = std::make_shared<int>();
  options.life.owner = [&] { return owner; };
  Desktop desktop(options);
  desktop.start();
  desktop.open_line();
  desktop.refuse_calls(1);  // TAPI is busy, so what comes of the call waits behind its LINE_NEWCALL
  desktop.event(Message::kLINE_NEWCALL, 0, kCallId);
  desktop.event(Message::kLINE_CALLSTATE, kCallId, LINECALLSTATE_OFFERING, 0, LINEMEDIAMODE_INTERACTIVEVOICE);
  EXPECT_EQ(desktop.told_so_far().size(), 1U);
  std::atomic<bool> down{false};
  desktop.inside_next_event([&] {
    desktop.core().shutdown();
    down = true;
  });
  clock.advance(std::chrono::milliseconds(20));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while ((!down || owner.use_count() > 1) && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(owner.use_count(), 1) << "the pump's thread has not ended";
  EXPECT_EQ(desktop.told_so_far().size(), 2U);
}

}  // namespace
}  // namespace tsplink::proxy::test
