// The life of calls, as TAPI and the far side drive it.
#include <algorithm>
#include <atomic>

#include "tests/unit/simpbx/fake_tapi.hpp"

namespace tsplink::simpbx_test {
namespace {

using Number = std::uintptr_t;

Text number_in(const void* structure, DWORD size, DWORD offset) {
  const auto* at = reinterpret_cast<const WCHAR*>(static_cast<const BYTE*>(structure) + offset);
  return size < 2 ? Text() : Text(at, size / 2 - 1);
}

auto call_state(Number call, DWORD state) {
  return [call, state](const Told& t) {
    return t.kind == Told::line && t.message == LINE_CALLSTATE && t.call == call && t.p1 == state;
  };
}
auto completion(DRV_REQUESTID request) {
  return [request](const Told& t) { return t.kind == Told::completion && t.message == request; };
}

TEST(Incoming, IsAnnouncedAnsweredAndDropped) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  ASSERT_EQ(tapi.control("incoming line=1 from=+4930123456 name=\"Alice\""), "ok call=1");
  const HDRVCALL call = tapi.new_call();
  const Number htCall = tapi.last_htCall;
  ASSERT_TRUE(tapi.state(htCall, LINECALLSTATE_OFFERING));
  const auto offering = tapi.told()[tapi.position(call_state(htCall, LINECALLSTATE_OFFERING))];
  EXPECT_EQ(offering.p3, DWORD_PTR{LINEMEDIAMODE_INTERACTIVEVOICE});
  EXPECT_EQ(offering.device, reinterpret_cast<Number>(FakeTapi::htLine(0)));

  alignas(8) BYTE buffer[2048] = {};
  auto* const info = reinterpret_cast<LPLINECALLINFO>(buffer);
  info->dwTotalSize = sizeof buffer;
  info->hLine = 0x1234;  // TAPI's own
  ASSERT_EQ(TSPI(tapi, lineGetCallInfo)(call, info), 0);
  EXPECT_EQ(info->hLine, 0x1234u);
  EXPECT_EQ(info->dwTotalSize, sizeof buffer);
  EXPECT_EQ(info->dwCallerIDOffset, 344u);  // right behind the fixed part of 3.0
  EXPECT_EQ(number_in(buffer, info->dwCallerIDSize, info->dwCallerIDOffset), WIDE("+4930123456"));
  EXPECT_EQ(number_in(buffer, info->dwCallerIDNameSize, info->dwCallerIDNameOffset), WIDE("Alice"));
  EXPECT_LE(info->dwUsedSize, info->dwNeededSize);

  ASSERT_EQ(TSPI(tapi, lineAccept)(10, call, nullptr, 0), 10);
  EXPECT_EQ(tapi.result(10), 0);
  ASSERT_EQ(TSPI(tapi, lineAnswer)(11, call, nullptr, 0), 11);
  EXPECT_EQ(tapi.result(11), 0);
  ASSERT_TRUE(tapi.state(htCall, LINECALLSTATE_CONNECTED));
  EXPECT_LT(tapi.position(completion(11)), tapi.position(call_state(htCall, LINECALLSTATE_CONNECTED)));

  ASSERT_EQ(TSPI(tapi, lineDrop)(12, call, nullptr, 0), 12);
  ASSERT_TRUE(tapi.state(htCall, LINECALLSTATE_IDLE));
  ASSERT_EQ(TSPI(tapi, lineCloseCall)(call), 0);
  EXPECT_EQ(TSPI(tapi, lineCloseCall)(call), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(tapi.control("calls"), "ok 0 calls");
  EXPECT_EQ(TSPI(tapi, lineClose)(line), 0);
}

TEST(Incoming, WaitsForMediaDetectionAndForTheMask) {
  FakeTapi tapi("announce_unasked_ms = 0\n");
  const HDRVLINE line = tapi.open(0, 0);
  ASSERT_EQ(tapi.control("incoming line=1 from=1 media=datamodem"), "ok call=1");
  ASSERT_EQ(TSPI(tapi, lineSetDefaultMediaDetection)(line, LINEMEDIAMODE_INTERACTIVEVOICE), 0);
  ASSERT_EQ(tapi.control("incoming line=1 from=2"), "ok call=2");
  const HDRVCALL voice = tapi.new_call();
  ASSERT_TRUE(tapi.state(tapi.last_htCall, LINECALLSTATE_OFFERING));
  DWORD address = 9, id = 0, related = 9;
  ASSERT_EQ(TSPI(tapi, lineGetCallIDs)(voice, &address, &id, &related), 0);
  EXPECT_EQ(id & 0xFFFF, 2u);  // the data call is withheld
  ASSERT_EQ(TSPI(tapi, lineSetDefaultMediaDetection)(line, LINEMEDIAMODE_INTERACTIVEVOICE | LINEMEDIAMODE_DATAMODEM),
            0);
  const HDRVCALL data = tapi.new_call();
  ASSERT_EQ(TSPI(tapi, lineGetCallIDs)(data, &address, &id, &related), 0);
  EXPECT_EQ(id & 0xFFFF, 1u);
}

TEST(Incoming, IsOfferedAgainWhenTapiIsOverloaded) {
  FakeTapi tapi("newcall_retry_ms = 5\n");
  tapi.refuse_new_calls = 3;
  tapi.open(0);
  tapi.control("incoming line=1 from=1");
  EXPECT_NE(tapi.new_call(), nullptr);
  EXPECT_TRUE(tapi.state(tapi.last_htCall, LINECALLSTATE_OFFERING));
}

TEST(Incoming, FarSideHangsUp) {
  FakeTapi tapi;
  tapi.open(0);
  tapi.control("incoming line=1 from=1");
  const HDRVCALL call = tapi.new_call();
  const Number htCall = tapi.last_htCall;
  TSPI(tapi, lineAnswer)(10, call, nullptr, 0);
  ASSERT_TRUE(tapi.state(htCall, LINECALLSTATE_CONNECTED));
  EXPECT_EQ(tapi.control("hangup call=1"), "ok");
  ASSERT_TRUE(tapi.state(htCall, LINECALLSTATE_DISCONNECTED));
  const auto event = tapi.told()[tapi.position(call_state(htCall, LINECALLSTATE_DISCONNECTED))];
  EXPECT_EQ(event.p2, DWORD_PTR{LINEDISCONNECTMODE_NORMAL});
  EXPECT_EQ(TSPI(tapi, lineAnswer)(11, call, nullptr, 0), static_cast<LONG>(LINEERR_INVALCALLSTATE));
}

TEST(Incoming, SurvivesACloseOfTheLine) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  tapi.control("incoming line=1 from=1");
  const HDRVCALL call = tapi.new_call();
  TSPI(tapi, lineAnswer)(10, call, nullptr, 0);
  ASSERT_TRUE(tapi.state(tapi.last_htCall, LINECALLSTATE_CONNECTED));
  ASSERT_EQ(TSPI(tapi, lineClose)(line), 0);
  EXPECT_EQ(TSPI(tapi, lineDrop)(11, call, nullptr, 0), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  tapi.open(0);
  EXPECT_NE(tapi.new_call(), call);
  EXPECT_TRUE(tapi.state(tapi.last_htCall, LINECALLSTATE_CONNECTED));  // its present state
}

TEST(Outgoing, NumberDecides) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  const auto ht = FakeTapi::htCall(1);
  ASSERT_EQ(TSPI(tapi, lineMakeCall)(20, line, ht, &call, WIDE("5550123"), 49, nullptr), 20);
  EXPECT_NE(call, nullptr);
  EXPECT_TRUE(sizeof(void*) < 8 || reinterpret_cast<Number>(call) > 0xFFFFFFFFu);
  EXPECT_EQ(tapi.result(20), 0);
  const auto number = reinterpret_cast<Number>(ht);
  ASSERT_TRUE(tapi.state(number, LINECALLSTATE_CONNECTED));
  const std::size_t order[] = {tapi.position(completion(20)),
                               tapi.position(call_state(number, LINECALLSTATE_DIALING)),
                               tapi.position(call_state(number, LINECALLSTATE_PROCEEDING)),
                               tapi.position(call_state(number, LINECALLSTATE_RINGBACK)),
                               tapi.position(call_state(number, LINECALLSTATE_CONNECTED))};
  EXPECT_TRUE(std::is_sorted(std::begin(order), std::end(order)));

  ASSERT_EQ(TSPI(tapi, lineMakeCall)(21, line, FakeTapi::htCall(2), &call, WIDE("5551000"), 0, nullptr), 21);
  EXPECT_TRUE(tapi.state(reinterpret_cast<Number>(FakeTapi::htCall(2)), LINECALLSTATE_BUSY));
  ASSERT_EQ(TSPI(tapi, lineMakeCall)(22, line, FakeTapi::htCall(3), &call, WIDE("5553000"), 0, nullptr), 22);
  EXPECT_EQ(tapi.result(22), static_cast<LONG>(LINEERR_CALLUNAVAIL));
  EXPECT_EQ(TSPI(tapi, lineCloseCall)(call), 0);  // TAPI closes after a failed completion
}

TEST(Outgoing, WaitsForTheFarSideToAnswer) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(20, line, FakeTapi::htCall(1), &call, WIDE("5552000"), 0, nullptr);
  const auto number = reinterpret_cast<Number>(FakeTapi::htCall(1));
  ASSERT_TRUE(tapi.state(number, LINECALLSTATE_RINGBACK));
  EXPECT_EQ(tapi.control("answer call=1"), "ok");
  EXPECT_TRUE(tapi.state(number, LINECALLSTATE_CONNECTED));
}

TEST(Outgoing, RefusesUnsupportedModifiersWithoutSideEffect) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = reinterpret_cast<HDRVCALL>(0x77);
  EXPECT_EQ(TSPI(tapi, lineMakeCall)(20, line, FakeTapi::htCall(1), &call, WIDE("555W0@1$"), 0, nullptr),
            static_cast<LONG>(LINEERR_DIALQUIET));
  EXPECT_EQ(TSPI(tapi, lineMakeCall)(20, line, FakeTapi::htCall(1), &call, WIDE("555?"), 0, nullptr),
            static_cast<LONG>(LINEERR_DIALPROMPT));
  EXPECT_EQ(tapi.control("calls"), "ok 0 calls");
  EXPECT_EQ(tapi.position([](const Told& t) { return t.kind == Told::completion; }), std::string::npos);
}

TEST(Outgoing, RingsAnotherLineOfTheExchange) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  tapi.open(1);
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(20, line, FakeTapi::htCall(1), &call, WIDE("1002"), 0, nullptr);
  const HDRVCALL other = tapi.new_call();
  const Number ht_other = tapi.last_htCall;
  TSPI(tapi, lineAnswer)(21, other, nullptr, 0);
  ASSERT_TRUE(tapi.state(ht_other, LINECALLSTATE_CONNECTED));
  ASSERT_TRUE(tapi.state(reinterpret_cast<Number>(FakeTapi::htCall(1)), LINECALLSTATE_CONNECTED));
  TSPI(tapi, lineDrop)(22, call, nullptr, 0);
  EXPECT_TRUE(tapi.state(ht_other, LINECALLSTATE_DISCONNECTED));
}

TEST(Calls, AreHeldAndSwapped) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  HDRVCALL one = nullptr, two = nullptr;
  const auto ht1 = reinterpret_cast<Number>(FakeTapi::htCall(1)), ht2 = reinterpret_cast<Number>(FakeTapi::htCall(2));
  TSPI(tapi, lineMakeCall)(20, line, FakeTapi::htCall(1), &one, WIDE("5550001"), 0, nullptr);
  ASSERT_TRUE(tapi.state(ht1, LINECALLSTATE_CONNECTED));
  EXPECT_EQ(TSPI(tapi, lineUnhold)(21, one), static_cast<LONG>(LINEERR_INVALCALLSTATE));
  TSPI(tapi, lineHold)(22, one);
  ASSERT_TRUE(tapi.state(ht1, LINECALLSTATE_ONHOLD));
  TSPI(tapi, lineMakeCall)(23, line, FakeTapi::htCall(2), &two, WIDE("5550002"), 0, nullptr);
  ASSERT_TRUE(tapi.state(ht2, LINECALLSTATE_CONNECTED));
  ASSERT_EQ(TSPI(tapi, lineSwapHold)(24, two, one), 24);
  EXPECT_EQ(tapi.result(24), 0);
  EXPECT_TRUE(tapi.state(ht2, LINECALLSTATE_ONHOLD));
}

TEST(Completions, ComeWhenReleased) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  EXPECT_EQ(tapi.control("completions hold"), "ok pending=0");
  BYTE block[256];
  for (unsigned i = 0; i < 256; ++i) block[i] = static_cast<BYTE>(i);
  ASSERT_EQ(TSPI(tapi, lineDevSpecific)(30, line, 0, nullptr, block, sizeof block), 30);
  EXPECT_EQ(tapi.control("wait pending=1"), "ok");
  EXPECT_EQ(block[1], 1);  // not touched yet
  tapi.control("completions release");
  EXPECT_EQ(tapi.result(30), 0);
  for (unsigned i = 0; i < 256; ++i) ASSERT_EQ(block[i], static_cast<BYTE>(i ^ 0x5A));
}

TEST(Completions, AreGivenBeforeTheCallOrLineIsClosed) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(20, line, FakeTapi::htCall(1), &call, WIDE("5550001"), 0, nullptr);
  ASSERT_EQ(tapi.result(20), 0);
  tapi.control("completions hold");
  ASSERT_EQ(TSPI(tapi, lineHold)(31, call), 31);
  ASSERT_EQ(TSPI(tapi, lineSetLineDevStatus)(32, line, LINEDEVSTATUSFLAGS_MSGWAIT, 1), 32);
  ASSERT_EQ(TSPI(tapi, lineCloseCall)(call), 0);
  EXPECT_NE(tapi.position(completion(31)), std::string::npos);  // already there: nothing is waited for
  EXPECT_EQ(tapi.position(completion(32)), std::string::npos);
  ASSERT_EQ(TSPI(tapi, lineClose)(line), 0);
  const auto at = tapi.position(completion(32));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(tapi.told()[at].result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(tapi.told().back().kind, Told::completion);
}

TEST(Callbacks, MayEnterTheProviderAgain) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  std::atomic<LONG> seen{-1};
  tapi.during = [&](const Told& t) {
    LINECALLSTATUS status{};
    status.dwTotalSize = sizeof status;
    if (t.message != LINE_CALLSTATE || t.p1 != LINECALLSTATE_CONNECTED) return;
    DWORD count = 0;
    seen = TSPI(tapi, lineGetNumAddressIDs)(line, &count);
  };
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(20, line, FakeTapi::htCall(1), &call, WIDE("5550001"), 0, nullptr);
  ASSERT_TRUE(tapi.state(reinterpret_cast<Number>(FakeTapi::htCall(1)), LINECALLSTATE_CONNECTED));
  EXPECT_EQ(seen, 0);
}

}  // namespace
}  // namespace tsplink::simpbx_test
