// Each bad habit does what it says: a host that copes with simpbx's habits has seen them.
#include <atomic>
#include <chrono>
#include <cstring>

#include "tests/unit/simpbx/fake_tapi.hpp"

namespace tsplink::simpbx_test {
namespace {

using Number = std::uintptr_t;

Number ht(unsigned n) { return reinterpret_cast<Number>(FakeTapi::htCall(n)); }
auto completion(DRV_REQUESTID request) {
  return [request](const Told& t) { return t.kind == Told::completion && t.message == request; };
}
auto dialing() {
  return [](const Told& t) {
    return t.kind == Told::line && t.message == LINE_CALLSTATE && t.p1 == LINECALLSTATE_DIALING;
  };
}

TEST(Habit, CompleteInCall) {
  FakeTapi tapi("habits = complete_in_call\n");
  const HDRVLINE line = tapi.open(0);
  BYTE block[1] = {0};
  ASSERT_EQ(TSPI(tapi, lineDevSpecific)(5, line, 0, nullptr, block, 1), 5);
  const auto at = tapi.position(completion(5));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(tapi.told()[at].thread, std::this_thread::get_id());
  EXPECT_EQ(block[0], 0x5A);
}

TEST(Habit, CompletionBeforeOutput) {
  FakeTapi tapi("habits = completion_before_output\n");
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  std::atomic<bool> early{false};
  tapi.during = [&](const Told& t) {
    if (t.kind == Told::completion) early = call == nullptr;
  };
  ASSERT_EQ(TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr), 5);
  EXPECT_TRUE(early);
  EXPECT_NE(call, nullptr);
}

TEST(Habit, ErrorThenId) {
  FakeTapi tapi("habits = complete_in_call,error_then_id\n");
  EXPECT_EQ(TSPI(tapi, lineHold)(5, reinterpret_cast<HDRVCALL>(1)), 5);
  const auto at = tapi.position(completion(5));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(tapi.told()[at].result, static_cast<LONG>(LINEERR_INVALCALLHANDLE));
}

TEST(Habit, RefuseLate) {
  FakeTapi tapi("habits = refuse_late\n");
  EXPECT_EQ(TSPI(tapi, lineHold)(5, reinterpret_cast<HDRVCALL>(1)), 5);
  EXPECT_EQ(tapi.result(5), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
}

TEST(Habit, CompleteOnClose) {
  FakeTapi tapi("habits = complete_on_close\n");
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  ASSERT_EQ(TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr), 5);
  ASSERT_TRUE(tapi.state(ht(1), LINECALLSTATE_CONNECTED));
  EXPECT_EQ(tapi.position(completion(5)), std::string::npos);
  EXPECT_EQ(TSPI(tapi, lineClose)(line), 0);
  EXPECT_NE(tapi.position(completion(5)), std::string::npos);
}

TEST(Habit, EventsBeforeCompletion) {
  FakeTapi tapi("habits = events_before_completion\n");
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr);
  EXPECT_EQ(tapi.result(5), 0);
  EXPECT_LT(tapi.position(dialing()), tapi.position(completion(5)));
}

TEST(Habit, EventsInCall) {
  FakeTapi tapi("habits = complete_in_call,events_in_call,events_before_completion\n");
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr);
  const auto at = tapi.position(dialing());
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(tapi.told()[at].thread, std::this_thread::get_id());
}

TEST(Habit, AppHandles) {
  FakeTapi tapi("habits = app_handles\n");
  const HDRVLINE line = tapi.open(0);
  EXPECT_EQ(reinterpret_cast<Number>(line), reinterpret_cast<Number>(FakeTapi::htLine(0)));
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr);
  EXPECT_EQ(reinterpret_cast<Number>(call), ht(1));
}

TEST(Habit, CallIsLine) {
  FakeTapi tapi("habits = call_is_line\n");
  const HDRVLINE line = tapi.open(0);
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr);
  EXPECT_EQ(reinterpret_cast<Number>(call), reinterpret_cast<Number>(line));
  EXPECT_EQ(tapi.result(5), 0);
}

TEST(Habit, NarrowHandles) {
  if (sizeof(void*) == 4) GTEST_SKIP() << "all handles are that narrow here";
  FakeTapi tapi("habits = narrow_handles\n");
  const HDRVLINE line = tapi.open(0);
  EXPECT_LT(reinterpret_cast<Number>(line), 0x80000000u);
  tapi.control("incoming line=1 from=1");  // this TAPI writes 8 bytes into the slot of 4, and is found out
  EXPECT_NE(tapi.new_call(), nullptr);
  ASSERT_TRUE(tapi.wait([](const std::vector<Told>& all) {
    return all.back().message == LINE_CALLSTATE || all.back().message == LINE_CALLINFO;
  }));
  EXPECT_NE(tapi.log_text().find("more than 4 bytes"), std::string::npos);
}

TEST(Habit, NewcallNoRetry) {
  FakeTapi tapi("habits = newcall_no_retry\n");
  tapi.refuse_new_calls = 1;
  tapi.open(0);
  tapi.control("incoming line=1 from=1");
  EXPECT_EQ(tapi.control("wait calls=0"), "ok");
}

TEST(Habit, CarelessStructures) {
  const auto status = [](const char* habit, LINEADDRESSSTATUS& out, BYTE* beyond = nullptr) {
    FakeTapi tapi(std::string("habits = ") + habit + "\n");
    const HDRVLINE line = tapi.open(0);
    alignas(8) BYTE buffer[512] = {};
    auto* const s = reinterpret_cast<LPLINEADDRESSSTATUS>(buffer);
    s->dwTotalSize = sizeof buffer;
    EXPECT_EQ(TSPI(tapi, lineGetAddressStatus)(line, 0, s), 0);
    std::memcpy(&out, buffer, sizeof out);
    if (beyond) *beyond = buffer[out.dwUsedSize];
  };
  LINEADDRESSSTATUS good{}, out{};
  BYTE beyond = 0;
  status("none", good, &beyond);
  EXPECT_EQ(beyond, 0);
  status("used_too_small", out);
  EXPECT_LT(out.dwUsedSize, sizeof out);
  status("write_past_used", out, &beyond);
  EXPECT_EQ(beyond, 0xEE);
  status("nothing_written", out);
  EXPECT_EQ(out.dwNeededSize, 0u);

  FakeTapi tapi("habits = needed_changes,options_unset\n");
  EXPECT_EQ(tapi.options, 0xAAAAAAAAu);
  DWORD needed[2];
  for (DWORD& n : needed) {
    LINEDEVCAPS caps{};
    caps.dwTotalSize = sizeof caps;
    TSPI(tapi, lineGetDevCaps)(0, 0x00030001, 0, &caps);
    n = caps.dwNeededSize;
  }
  EXPECT_NE(needed[0], needed[1]);
}

TEST(Habit, AnnounceEarly) {
  FakeTapi tapi("habits = announce_early\n");
  tapi.control("incoming line=1 from=1");
  tapi.open(0, 0);  // no media detection
  EXPECT_NE(tapi.new_call(), nullptr);
}

TEST(Habit, Nonreentrant) {
  FakeTapi tapi("habits = nonreentrant\nlinger_ms = 30\n");
  EXPECT_EQ(tapi.options, DWORD{LINETSPIOPTION_NONREENTRANT});
  const auto ask = [&] {
    DWORD version = 0;
    for (int i = 0; i < 5; ++i) TSPI(tapi, lineNegotiateTSPIVersion)(0, 0x00020000, 0x00030001, &version);
  };
  std::thread other(ask);
  ask();
  other.join();
  EXPECT_EQ(tapi.control("status").find("reentered=0"), std::string::npos);
}

TEST(Habit, InitOnce) {
  { FakeTapi tapi; }
  {
    FakeTapi tapi("habits = init_once\n");
    EXPECT_EQ(tapi.init_result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  }
  FakeTapi tapi;  // without the habit the provider starts again
  EXPECT_EQ(tapi.init_result, 0);
}

TEST(Habit, BlocksInOpenAndCloseCall) {
  FakeTapi tapi("habits = block_open,block_close_call\nblock_ms = 40\n");
  const auto begin = std::chrono::steady_clock::now();
  const HDRVLINE line = tapi.open(0);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(40));
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr);
  tapi.result(5);
  const auto middle = std::chrono::steady_clock::now();
  EXPECT_EQ(TSPI(tapi, lineCloseCall)(call), 0);
  EXPECT_GE(std::chrono::steady_clock::now() - middle, std::chrono::milliseconds(40));
}

TEST(Habit, LockedCallback) {
  FakeTapi tapi("habits = locked_callback\n");
  const HDRVLINE line = tapi.open(0);
  std::atomic<LONG> same{-1};
  tapi.during = [&](const Told& t) {
    DWORD count = 0;
    if (t.kind == Told::completion)
      same = TSPI(tapi, lineGetNumAddressIDs)(line, &count);  // on its own thread it may
  };
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(5, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr);
  EXPECT_EQ(tapi.result(5), 0);
  EXPECT_EQ(same, 0);
}

}  // namespace
}  // namespace tsplink::simpbx_test
