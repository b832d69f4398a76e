// What TAPI sees of the proxy while the host is there: requests, completions, new calls, closing.
#include <thread>

#include "desktop.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;
using wire::Message;

constexpr std::uint64_t kCallId = 0xCCCC000000000001;

class CoreTest : public ::testing::Test {
 protected:
  CoreTest() { desktop_.start(); }
  LONG hold(DRV_REQUESTID id, HDRVCALL hdCall) {
    return desktop_.run<calls::lineHold>(Function::lineHold, id, hdCall);
  }
  LONG make_call(DRV_REQUESTID id, HDRVLINE hdLine, HTAPICALL htCall, HDRVCALL* hdCall, LPCWSTR number) {
    return desktop_.run<calls::lineMakeCall>(Function::lineMakeCall, id, hdLine, htCall, hdCall, number, DWORD{0},
                                             LPLINECALLPARAMS{});
  }
  Desktop desktop_;
};

TEST_F(CoreTest, AsynchronousFunctionReturnsBeforeTheHostAnswersAndCompletesOnce) {
  desktop_.open_line();
  const auto hdCall = desktop_.incoming(kCallId);
  const auto id = request_id(desktop_);
  EXPECT_EQ(hold(id, hdCall), static_cast<LONG>(id));
  EXPECT_EQ(desktop_.told_so_far().size(), 1U);  // LINE_NEWCALL, no completion yet

  const auto request = desktop_.await_request(Function::lineHold);
  EXPECT_EQ(std::get<1>(wire::decode<calls::lineHold::Inputs>(request.arguments)), kCallId);
  desktop_.complete<calls::lineHold>(request, 0, {});
  desktop_.complete<calls::lineHold>(request, 0, {});
  const auto told = desktop_.told_so_far();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].kind, Told::Completion);
  EXPECT_EQ(told[1].request_or_message, id);
  EXPECT_EQ(told[1].result, 0);
}

TEST_F(CoreTest, WhatIsPendingAtTheShutdownCompletes) {
  desktop_.open_line();
  const auto hdCall = desktop_.incoming(kCallId);
  const auto id = request_id(desktop_);
  ASSERT_EQ(hold(id, hdCall), static_cast<LONG>(id));
  desktop_.core().shutdown();
  const auto told = desktop_.told_so_far();
  ASSERT_EQ(told.size(), 2U);  // behind LINE_NEWCALL
  EXPECT_EQ(told[1].request_or_message, id);
  EXPECT_EQ(told[1].result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
}

TEST_F(CoreTest, ARequestAndItsEndAreLoggedUnderOneTrace) {
  desktop_.open_line();
  const auto hdCall = desktop_.incoming(kCallId);
  hold(request_id(desktop_), hdCall);
  desktop_.complete<calls::lineHold>(desktop_.await_request(Function::lineHold),
                                     static_cast<LONG>(LINEERR_INVALCALLSTATE), {});
  desktop_.told(2);
  auto lines = desktop_.logged("lineHold");
  ASSERT_EQ(lines.size(), 2U);
  auto trace = lines[0].substr(lines[0].find(" trace="));
  EXPECT_EQ(trace.size(), sizeof " trace=0123456789abcdef" - 1);
  EXPECT_EQ(lines[1], "lineHold ended with LINEERR_INVALCALLSTATE" + trace);

  desktop_.up = false;
  EXPECT_EQ(hold(request_id(desktop_), hdCall), static_cast<LONG>(LINEERR_OPERATIONFAILED));
  lines = desktop_.logged("lineHold");
  ASSERT_EQ(lines.size(), 4U);
  trace = lines[2].substr(lines[2].find(" trace="));
  EXPECT_EQ(lines[3], "lineHold: no connection to the host" + trace);
}

TEST_F(CoreTest, AnAnswerThatCannotBeReadIsLoggedUnderItsRequestsTrace) {
  desktop_.open_line();
  const auto hdCall = desktop_.incoming(kCallId);
  desktop_.silent = {Function::lineGetCallAddressID};
  std::thread host([&] {
    const auto request = desktop_.await_request(Function::lineGetCallAddressID);
    desktop_.core().on_message(wire::make_reply(request.id, 0, wire::Bytes(7, 1)));
  });
  DWORD address = 0;
  EXPECT_NE(desktop_.run<calls::lineGetCallAddressID>(Function::lineGetCallAddressID, hdCall, &address), 0);
  host.join();
  const auto lines = desktop_.logged("lineGetCallAddressID");
  ASSERT_FALSE(lines.empty());
  const auto trace = lines.front().substr(lines.front().find(" trace="));
  for (const auto& line : lines) EXPECT_TRUE(line.ends_with(trace)) << line;
}

TEST_F(CoreTest, MadeCallHasAHandleAtOnceAndItsEventsFollowItsCompletion) {
  const auto hdLine = desktop_.open_line();
  const auto htCall = reinterpret_cast<HTAPICALL>(DWORD_PTR{0x4444});
  HDRVCALL hdCall{};
  const auto id = request_id(desktop_);
  EXPECT_EQ(make_call(id, hdLine, htCall, &hdCall, reinterpret_cast<LPCWSTR>(u"5550100")), static_cast<LONG>(id));
  EXPECT_NE(hdCall, HDRVCALL{});
  // Until the completion the handle names no call of the host.
  EXPECT_EQ(hold(request_id(desktop_), hdCall), static_cast<LONG>(LINEERR_INVALCALLHANDLE));

  const auto request = desktop_.await_request(Function::lineMakeCall);
  const auto in = wire::decode<calls::lineMakeCall::Inputs>(request.arguments);
  EXPECT_EQ(std::get<1>(in), kLineId);
  EXPECT_EQ(std::get<3>(in), reinterpret_cast<DWORD_PTR>(hdCall));
  EXPECT_EQ(std::get<4>(in), u"5550100");
  desktop_.complete<calls::lineMakeCall>(request, 0, {{}, {}, {}, kCallId, {}, {}, {}});
  desktop_.event(Message::kLINE_CALLSTATE, kCallId, LINECALLSTATE_DIALING, 0, LINEMEDIAMODE_INTERACTIVEVOICE);
  const auto told = desktop_.told(2);
  EXPECT_EQ(told[0].kind, Told::Completion);
  EXPECT_EQ(told[1].htCall, 0x4444U);
  EXPECT_EQ(told[1].params[0], DWORD_PTR{LINECALLSTATE_DIALING});
}

TEST_F(CoreTest, CallThatFailedByCompletionIsClosedByTapiWithoutEvents) {
  const auto hdLine = desktop_.open_line();
  HDRVCALL hdCall{};
  const auto id = request_id(desktop_);
  make_call(id, hdLine, reinterpret_cast<HTAPICALL>(DWORD_PTR{1}), &hdCall, reinterpret_cast<LPCWSTR>(u"1"));
  desktop_.core().on_message(wire::make_completion(desktop_.await_request(Function::lineMakeCall).id,
                                                   static_cast<LONG>(LINEERR_CALLUNAVAIL), {}));
  EXPECT_EQ(desktop_.told(1)[0].result, static_cast<LONG>(LINEERR_CALLUNAVAIL));
  EXPECT_EQ(desktop_.run<calls::lineCloseCall>(Function::lineCloseCall, hdCall), 0);
  EXPECT_EQ(desktop_.run<calls::lineCloseCall>(Function::lineCloseCall, hdCall),
            static_cast<LONG>(LINEERR_INVALCALLHANDLE));
}

TEST_F(CoreTest, DialModifiersThatTheLineCannotDoAreRefusedBeforeAnythingIsSent) {
  const auto hdLine = desktop_.open_line();
  const std::pair<LPCWSTR, DWORD> refused[] = {{reinterpret_cast<LPCWSTR>(u"1W2"), LINEERR_DIALDIALTONE},
                                               {reinterpret_cast<LPCWSTR>(u"1@2"), LINEERR_DIALQUIET},
                                               {reinterpret_cast<LPCWSTR>(u"1$2"), LINEERR_DIALBILLING},
                                               {reinterpret_cast<LPCWSTR>(u"1?2"), LINEERR_DIALPROMPT}};
  for (const auto& [number, error] : refused) {
    HDRVCALL hdCall{};
    EXPECT_EQ(make_call(request_id(desktop_), hdLine, {}, &hdCall, number), static_cast<LONG>(error));
  }
  EXPECT_EQ(desktop_.requests(Function::lineMakeCall), 0U);
}

TEST_F(CoreTest, LateBlockIsWrittenBeforeTheCompletion) {
  const auto hdLine = desktop_.open_line();
  std::string block = "question";
  const auto id = request_id(desktop_);
  EXPECT_EQ(desktop_.run<calls::lineDevSpecific>(Function::lineDevSpecific, id, hdLine, DWORD{0}, HDRVCALL{},
                                                 static_cast<LPVOID>(block.data()), static_cast<DWORD>(block.size())),
            static_cast<LONG>(id));
  const auto request = desktop_.await_request(Function::lineDevSpecific);
  std::string seen;
  desktop_.inside_next_event([&] { seen = block; });
  const std::string answer = "response";
  desktop_.complete<calls::lineDevSpecific>(request, 0,
                                            {{}, {}, {}, {}, wire::Bytes(answer.begin(), answer.end()), {}});
  desktop_.told(1);
  EXPECT_EQ(seen, answer);
}

TEST_F(CoreTest, BlockThatComesBackLargerIsNotWritten) {
  const auto hdLine = desktop_.open_line();
  auto block = std::make_unique<char[]>(4);
  const auto id = request_id(desktop_);
  desktop_.run<calls::lineDevSpecific>(Function::lineDevSpecific, id, hdLine, DWORD{0}, HDRVCALL{},
                                       static_cast<LPVOID>(block.get()), DWORD{4});
  desktop_.complete<calls::lineDevSpecific>(desktop_.await_request(Function::lineDevSpecific), 0,
                                            {{}, {}, {}, {}, wire::Bytes(4096, 7), {}});
  EXPECT_EQ(desktop_.told(1)[0].result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
}

TEST_F(CoreTest, ClosingACallCompletesItsRequestsFirstAndSilencesIt) {
  desktop_.open_line();
  const auto hdCall = desktop_.incoming(kCallId);
  const auto id = request_id(desktop_);
  hold(id, hdCall);
  EXPECT_EQ(desktop_.run<calls::lineCloseCall>(Function::lineCloseCall, hdCall), 0);
  const auto told = desktop_.told(2);  // there when lineCloseCall returned: nothing to wait for
  EXPECT_EQ(told[1].request_or_message, id);
  EXPECT_EQ(told[1].result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  desktop_.complete<calls::lineHold>(desktop_.await_request(Function::lineHold), 0, {});
  desktop_.event(Message::kLINE_CALLSTATE, kCallId, LINECALLSTATE_IDLE);
  EXPECT_EQ(desktop_.told_so_far().size(), 2U);
}

TEST_F(CoreTest, ClosingALineEndsItsCalls) {
  const auto hdLine = desktop_.open_line();
  const auto hdCall = desktop_.incoming(kCallId);
  EXPECT_EQ(desktop_.run<calls::lineClose>(Function::lineClose, hdLine), 0);
  EXPECT_EQ(hold(request_id(desktop_), hdCall), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  desktop_.event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_RINGING);
  EXPECT_EQ(desktop_.told_so_far().size(), 1U);
}

TEST_F(CoreTest, FunctionsMayBeCalledFromInsideAnEvent) {
  desktop_.open_line();
  const auto hdCall = desktop_.incoming(kCallId);
  LONG read = 1;
  LONG closed = 1;
  desktop_.inside_next_event([&] {
    DWORD address = 0;
    read = desktop_.run<calls::lineGetCallAddressID>(Function::lineGetCallAddressID, hdCall, &address);
    closed = desktop_.run<calls::lineCloseCall>(Function::lineCloseCall, hdCall);
  });
  desktop_.event(Message::kLINE_CALLSTATE, kCallId, LINECALLSTATE_IDLE);
  desktop_.told(2);
  EXPECT_EQ(read, 0);
  EXPECT_EQ(closed, 0);
}

TEST_F(CoreTest, MspDataCrossesBothWaysWithTapisOwnToken) {
  const auto hdLine = desktop_.open_line();
  HDRVMSPLINE hdMSPLine{};
  desktop_.silent = {Function::lineCreateMSPInstance};
  std::thread application([&] {
    EXPECT_EQ(desktop_.run<calls::lineCreateMSPInstance>(Function::lineCreateMSPInstance, hdLine, DWORD{0},
                                                         HTAPIMSPLINE{77}, &hdMSPLine),
              0);
  });
  const auto request = desktop_.await_request(Function::lineCreateMSPInstance);
  constexpr std::uint64_t kInstance = 0xDDDD000000000001;
  desktop_.core().on_message(
      wire::make_reply(request.id, 0, wire::encode(calls::lineCreateMSPInstance::Outputs{{}, {}, {}, kInstance})));
  application.join();

  std::string block;
  for (int byte = 0; byte < 256; ++byte) block += static_cast<char>(byte);
  desktop_.event(Message::kLINE_SENDMSPDATA, 0, kInstance, 0, 0, block);
  const auto told = desktop_.told(1);
  EXPECT_EQ(told[0].params[0], 77U);
  EXPECT_EQ(told[0].data, block);
  EXPECT_EQ(
      desktop_.run<calls::lineReceiveMSPData>(Function::lineReceiveMSPData, hdLine, HDRVCALL{}, hdMSPLine,
                                              static_cast<LPVOID>(block.data()), static_cast<DWORD>(block.size())),
      0);
  const auto in =
      wire::decode<calls::lineReceiveMSPData::Inputs>(desktop_.await_request(Function::lineReceiveMSPData).arguments);
  EXPECT_EQ(std::get<2>(in), kInstance);
  EXPECT_EQ(std::get<3>(in), wire::Bytes(block.begin(), block.end()));
}

TEST_F(CoreTest, ConferenceInACallStateIsTapisHandle) {
  desktop_.open_line();
  desktop_.incoming(kCallId);
  desktop_.incoming(kCallId + 1);
  const auto conference = desktop_.told_so_far()[1].htCall;
  desktop_.event(Message::kLINE_CALLSTATE, kCallId, LINECALLSTATE_CONFERENCED, kCallId + 1);
  EXPECT_EQ(desktop_.told(3)[2].params[1], conference);
}

TEST_F(CoreTest, ASecondOpenIsRefusedAndTheFirstGoesOn) {
  const auto hdLine = desktop_.open_line();
  const auto hdPhone = desktop_.open_phone();
  HDRVLINE line{};
  EXPECT_EQ(desktop_.run<calls::lineOpen>(Function::lineOpen, kLineBase, HTAPILINE{}, &line,
                                          DWORD{TAPI_CURRENT_VERSION}, LINEEVENT{}),
            static_cast<LONG>(LINEERR_ALLOCATED));
  HDRVPHONE phone{};
  EXPECT_EQ(desktop_.run<calls::phoneOpen>(Function::phoneOpen, kPhoneBase, HTAPIPHONE{}, &phone,
                                           DWORD{TAPI_CURRENT_VERSION}, PHONEEVENT{}),
            static_cast<LONG>(PHONEERR_ALLOCATED));
  desktop_.event(wire::Message::kLINE_DEVSPECIFIC, 0, 77);
  desktop_.event(wire::Message::kPHONE_DEVSPECIFIC, 0, 78, 0, 0, {}, kPhoneId);
  const auto told = desktop_.told(2);
  EXPECT_EQ(told[0].params[0], 77U);
  EXPECT_EQ(told[1].params[0], 78U);
  EXPECT_EQ(desktop_.run<calls::lineClose>(Function::lineClose, hdLine), 0);
  EXPECT_EQ(desktop_.run<calls::phoneClose>(Function::phoneClose, hdPhone), 0);
}

TEST_F(CoreTest, UnknownHandlesAndDevicesAreRefusedByKind) {
  const auto wrong = DWORD_PTR{0x1234567};
  DWORD value = 0;
  EXPECT_EQ(desktop_.run<calls::lineGetNumAddressIDs>(Function::lineGetNumAddressIDs,
                                                      reinterpret_cast<HDRVLINE>(wrong), &value),
            static_cast<LONG>(LINEERR_INVALLINEHANDLE));
  EXPECT_EQ(desktop_.run<calls::phoneGetHookSwitch>(Function::phoneGetHookSwitch, reinterpret_cast<HDRVPHONE>(wrong),
                                                    &value),
            static_cast<LONG>(PHONEERR_INVALPHONEHANDLE));
  EXPECT_EQ(hold(request_id(desktop_), reinterpret_cast<HDRVCALL>(wrong)),
            static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  HDRVLINE hdLine{};
  EXPECT_EQ(desktop_.run<calls::lineOpen>(Function::lineOpen, DWORD{99}, HTAPILINE{}, &hdLine,
                                          DWORD{TAPI_CURRENT_VERSION}, LINEEVENT{}),
            static_cast<LONG>(LINEERR_BADDEVICEID));
}

TEST_F(CoreTest, VersionsAreNegotiatedWithoutTheHost) {
  DWORD version = 0;
  const auto negotiate = [&](DWORD device, DWORD low, DWORD high) {
    return desktop_.run<calls::lineNegotiateTSPIVersion>(Function::lineNegotiateTSPIVersion, device, low, high,
                                                         &version);
  };
  EXPECT_EQ(negotiate(0xFFFFFFFF, 0x00010003, 0x00030001), 0);
  EXPECT_EQ(version, 0x00030001U);
  EXPECT_EQ(negotiate(kLineBase, 0x00020000, 0x00020002), 0);
  EXPECT_EQ(version, 0x00020002U);
  EXPECT_EQ(negotiate(kLineBase, 0x00010003, 0x00010004), static_cast<LONG>(LINEERR_INCOMPATIBLEAPIVERSION));
  EXPECT_EQ(desktop_.requests(Function::lineNegotiateTSPIVersion), 0U);
}

}  // namespace
}  // namespace tsplink::proxy::test
