// What TAPI sees when the host is slow, gone, or not there yet.
#include "desktop.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;
using wire::Message;

constexpr std::uint64_t kCallId = 0xCCCC000000000001;

/// Lets `call` wait, with a clock that stands still, until the host got its request; then the deadline passes.
template <class Call>
LONG past_deadline(Desktop& desktop, wire::ManualClock& clock, Function function, Call call) {
  LONG result = 1;
  std::thread application([&] { result = call(); });
  desktop.await_request(function);
  clock.advance(std::chrono::milliseconds(4999));
  EXPECT_EQ(desktop.requests(function), 1U);
  clock.advance(std::chrono::milliseconds(1));
  application.join();
  return result;
}

TEST(LinkLossTest, EveryRequestCompletesOnceThenCallsGoIdleAndDevicesAskToBeClosed) {
  Desktop desktop;
  desktop.start();
  const auto hdLine = desktop.open_line();
  const auto hdPhone = desktop.open_phone();
  const auto hdCall = desktop.incoming(kCallId);
  const auto id = request_id(desktop);
  desktop.run<calls::lineHold>(Function::lineHold, id, hdCall);
  const auto made = request_id(desktop);
  HDRVCALL hdMade{};
  desktop.run<calls::lineMakeCall>(Function::lineMakeCall, made, hdLine, reinterpret_cast<HTAPICALL>(DWORD_PTR{9}),
                                   &hdMade, reinterpret_cast<LPCWSTR>(u"1"), DWORD{0}, LPLINECALLPARAMS{});
  desktop.up = false;
  desktop.core().on_down("test");

  const auto told = desktop.told(6);
  EXPECT_EQ(told[1].request_or_message, id);
  EXPECT_EQ(told[1].result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(told[2].request_or_message, made);
  EXPECT_EQ(told[3].request_or_message, DWORD_PTR{LINE_CALLSTATE});
  EXPECT_EQ(told[3].params[0], DWORD_PTR{LINECALLSTATE_IDLE});
  EXPECT_EQ(told[3].htCall, told[0].htCall);  // the call whose completion failed gets no IDLE
  EXPECT_EQ(told[4].request_or_message, DWORD_PTR{LINE_CLOSE});
  EXPECT_EQ(told[5].request_or_message, DWORD_PTR{PHONE_CLOSE});
  desktop.core().on_down("again, before TAPI has closed them");

  DWORD value = 0;
  EXPECT_EQ(desktop.run<calls::lineGetNumAddressIDs>(Function::lineGetNumAddressIDs, hdLine, &value),
            static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(desktop.run<calls::phoneGetHookSwitch>(Function::phoneGetHookSwitch, hdPhone, &value),
            static_cast<LONG>(PHONEERR_OPERATIONFAILED));
  EXPECT_EQ(desktop.run<calls::lineCloseCall>(Function::lineCloseCall, hdCall), 0);
  EXPECT_EQ(desktop.run<calls::lineClose>(Function::lineClose, hdLine), 0);
  EXPECT_EQ(desktop.run<calls::phoneClose>(Function::phoneClose, hdPhone), 0);
  EXPECT_EQ(desktop.told_so_far().size(), 6U);
}

TEST(LinkLossTest, ACallThatOutlivesTheLinkIsAnnouncedAgain) {
  Desktop desktop;
  desktop.start();
  const auto hdLine = desktop.open_line();
  const auto hdCall = desktop.incoming(kCallId);
  desktop.up = false;
  desktop.core().on_down("test");
  desktop.told(3);  // the call, IDLE, LINE_CLOSE
  EXPECT_EQ(desktop.run<calls::lineCloseCall>(Function::lineCloseCall, hdCall), 0);
  EXPECT_EQ(desktop.run<calls::lineClose>(Function::lineClose, hdLine), 0);

  desktop.up = true;
  desktop.inventory({device(kLineId, 11)}, {device(kPhoneId, 21, true)});
  desktop.open_line();
  const auto again = desktop.incoming(kCallId);
  EXPECT_NE(again, hdCall);
  desktop.event(Message::kLINE_CALLSTATE, kCallId, LINECALLSTATE_CONNECTED);
  const auto told = desktop.told(5);
  EXPECT_EQ(told[3].request_or_message, DWORD_PTR{LINE_NEWCALL});
  EXPECT_EQ(told[4].htCall, told[3].htCall);
}

TEST(LinkLossTest, ALineThatWasBeingOpenedFailsAndTapiHearsNothingOfIt) {
  Desktop desktop;
  desktop.start();
  desktop.silent = {Function::lineOpen, Function::phoneOpen};
  HDRVLINE hdLine{};
  HDRVPHONE hdPhone{};
  std::thread line([&] {
    EXPECT_EQ(desktop.run<calls::lineOpen>(Function::lineOpen, kLineBase, HTAPILINE{}, &hdLine,
                                           DWORD{TAPI_CURRENT_VERSION}, LINEEVENT{}),
              static_cast<LONG>(LINEERR_OPERATIONFAILED));
  });
  std::thread phone([&] {
    EXPECT_EQ(desktop.run<calls::phoneOpen>(Function::phoneOpen, kPhoneBase, HTAPIPHONE{}, &hdPhone,
                                            DWORD{TAPI_CURRENT_VERSION}, PHONEEVENT{}),
              static_cast<LONG>(PHONEERR_OPERATIONFAILED));
  });
  desktop.await_request(Function::lineOpen);
  desktop.await_request(Function::phoneOpen);
  desktop.core().on_down("test");
  line.join();
  phone.join();
  desktop.core().shutdown();  // with it the event pump has ended: nothing comes any more
  EXPECT_TRUE(desktop.told_so_far().empty());
}

TEST(LinkLossTest, APositiveResultOfASynchronousFunctionIsAFailure) {
  Desktop desktop;
  desktop.start();
  const auto hdLine = desktop.open_line();
  desktop.answer_with(77);
  DWORD value = 0;
  EXPECT_EQ(desktop.run<calls::lineGetNumAddressIDs>(Function::lineGetNumAddressIDs, hdLine, &value),
            static_cast<LONG>(LINEERR_OPERATIONFAILED));
  HDRVPHONE hdPhone{};
  EXPECT_EQ(desktop.run<calls::phoneOpen>(Function::phoneOpen, kPhoneBase, HTAPIPHONE{}, &hdPhone,
                                          DWORD{TAPI_CURRENT_VERSION}, PHONEEVENT{}),
            static_cast<LONG>(PHONEERR_OPERATIONFAILED));
}

TEST(LinkLossTest, AfterTheReturnOfTheHostTheLineOpensAgain) {
  Desktop desktop;
  desktop.start();
  const auto hdLine = desktop.open_line();
  desktop.core().on_down("test");
  desktop.run<calls::lineClose>(Function::lineClose, hdLine);
  desktop.inventory({device(kLineId + 7, 11)}, {device(kPhoneId + 7, 21, true)});
  desktop.open_line();
  EXPECT_EQ(std::get<0>(wire::decode<calls::lineOpen::Inputs>(desktop.await_request(Function::lineOpen).arguments)),
            kLineId + 7);
}

TEST(LinkLossTest, SynchronousCallFailsAtItsDeadlineAndALateOpeningIsUndone) {
  wire::ManualClock clock;
  CoreOptions options;
  options.clock = &clock;
  Desktop desktop(options);
  desktop.start();
  desktop.silent = {Function::lineOpen};
  HDRVLINE hdLine{};
  EXPECT_EQ(past_deadline(desktop, clock, Function::lineOpen,
                          [&] {
                            return desktop.run<calls::lineOpen>(Function::lineOpen, kLineBase,
                                                                reinterpret_cast<HTAPILINE>(&desktop), &hdLine,
                                                                DWORD{TAPI_CURRENT_VERSION}, LINEEVENT{});
                          }),
            static_cast<LONG>(LINEERR_OPERATIONFAILED));
  const auto request = desktop.await_request(Function::lineOpen);
  EXPECT_EQ(request.deadline_ms, 5000U);
  EXPECT_EQ(desktop.requests(Function::lineClose), 0U);
  desktop.core().on_message(wire::make_reply(request.id, 0, {}));
  EXPECT_EQ(desktop.requests(Function::lineClose), 1U);
}

TEST(LinkLossTest, AMediaProvidersInstanceThatComesTooLateIsClosed) {
  wire::ManualClock clock;
  CoreOptions options;
  options.clock = &clock;
  Desktop desktop(options);
  desktop.start();
  const auto hdLine = desktop.open_line();
  desktop.silent = {Function::lineCreateMSPInstance};
  HDRVMSPLINE hdMSPLine{};
  EXPECT_EQ(past_deadline(desktop, clock, Function::lineCreateMSPInstance,
                          [&] {
                            return desktop.run<calls::lineCreateMSPInstance>(Function::lineCreateMSPInstance, hdLine,
                                                                             DWORD{0}, HTAPIMSPLINE{}, &hdMSPLine);
                          }),
            static_cast<LONG>(LINEERR_OPERATIONFAILED));
  const auto request = desktop.await_request(Function::lineCreateMSPInstance);
  const auto outputs = wire::encode(calls::lineCreateMSPInstance::Outputs{{}, {}, {}, 0xDD});
  desktop.core().on_message(wire::make_reply(request.id, 0, outputs));
  const auto closing = desktop.await_request(Function::lineCloseMSPInstance);
  EXPECT_EQ(std::get<0>(wire::decode<calls::lineCloseMSPInstance::Inputs>(closing.arguments)), 0xDDU);
}

TEST(LinkLossTest, RequestsWithoutAConnectionAreRefusedAtOnce) {
  Desktop desktop;
  desktop.start();
  const auto hdLine = desktop.open_line();
  desktop.up = false;
  const auto id = request_id(desktop);
  HDRVCALL hdCall{};
  EXPECT_EQ(desktop.run<calls::lineMakeCall>(Function::lineMakeCall, id, hdLine, HTAPICALL{}, &hdCall,
                                             reinterpret_cast<LPCWSTR>(u"1"), DWORD{0}, LPLINECALLPARAMS{}),
            static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_TRUE(desktop.told_so_far().empty());
}

/// A desktop whose host has gone; time stands unless a test moves it.
struct Lost {
  Lost() {
    desktop.start();
    desktop.up = false;
    desktop.core().on_down("test");
  }
  static CoreOptions options(const wire::Clock& clock) {
    CoreOptions options;
    options.clock = &clock;
    return options;
  }
  wire::ManualClock clock;
  Desktop desktop{options(clock)};
};

TEST(LinkLossTest, AbsentHostCostsOneDeadlineForAllDevicesTogether) {
  Lost lost;
  auto& desktop = lost.desktop;
  DWORD version = 0;
  const auto negotiate = [&] {
    return desktop.run<calls::lineNegotiateExtVersion>(Function::lineNegotiateExtVersion, kLineBase,
                                                       DWORD{TAPI_CURRENT_VERSION}, DWORD{0}, DWORD{1}, &version);
  };
  std::atomic<bool> first{false};
  std::thread application([&] {
    EXPECT_EQ(negotiate(), static_cast<LONG>(LINEERR_OPERATIONFAILED));
    first = true;
    EXPECT_EQ(negotiate(), static_cast<LONG>(LINEERR_OPERATIONFAILED));
  });
  while (!first) lost.clock.advance(std::chrono::milliseconds(1));
  application.join();  // the clock stands: the second question did not wait

  desktop.up = true;
  desktop.inventory({device(kLineId, 11)}, {device(kPhoneId, 21, true)});
  EXPECT_EQ(negotiate(), 0);
}

TEST(LinkLossTest, AHostThatHasNoSuchDeviceAnyMoreEndsTheWaitForIt) {
  Lost lost;
  auto& desktop = lost.desktop;
  std::atomic<bool> asks{false};
  std::thread application([&] {
    DWORD version = 0;
    asks = true;
    const auto result = desktop.run<calls::lineNegotiateExtVersion>(
        Function::lineNegotiateExtVersion, kLineBase, DWORD{TAPI_CURRENT_VERSION}, DWORD{0}, DWORD{1}, &version);
    // The second if it asked only when the device was gone.
    EXPECT_TRUE(result == static_cast<LONG>(LINEERR_NODEVICE) || result == static_cast<LONG>(LINEERR_BADDEVICEID))
        << result;
  });
  while (!asks) std::this_thread::yield();
  desktop.up = true;
  desktop.inventory({}, {device(kPhoneId, 21, true)});
  application.join();
  EXPECT_EQ(desktop.requests(Function::lineNegotiateExtVersion), 0U);
}

TEST(LinkLossTest, CloseSucceedsWithoutTheHostsAnswer) {
  wire::ManualClock clock;
  CoreOptions options;
  options.clock = &clock;
  Desktop desktop(options);
  desktop.start();
  const auto hdLine = desktop.open_line();
  desktop.silent = {Function::lineClose};
  EXPECT_EQ(past_deadline(desktop, clock, Function::lineClose,
                          [&] { return desktop.run<calls::lineClose>(Function::lineClose, hdLine); }),
            0);
  EXPECT_EQ(desktop.requests(Function::lineClose), 1U);
}

TEST(LinkLossTest, FramesThatMakeNoSenseAreSurvived) {
  Desktop desktop;
  desktop.start();
  desktop.open_line();
  desktop.core().on_message(std::make_shared<const wire::Bytes>(wire::Bytes(64, 0xFF)));
  desktop.core().on_message(wire::make_reply(999, 0, wire::Bytes(7, 1)));
  desktop.core().on_message(wire::make_completion(999, 0, wire::Bytes(7, 1)));
  desktop.event(Message::kLINE_CALLSTATE, 12345, LINECALLSTATE_IDLE);
  desktop.event(static_cast<Message>(4711), 0);
  desktop.event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_RINGING, 0, 0, {}, 999);
  EXPECT_TRUE(desktop.told_so_far().empty());
}

}  // namespace
}  // namespace tsplink::proxy::test
