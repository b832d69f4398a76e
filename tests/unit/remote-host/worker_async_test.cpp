// What vendors do with asynchronous requests, good and bad, and what leaves the worker.
#include "fake_vendor.hpp"
#include "log_file.hpp"

namespace tsplink::host::test {
namespace {

using MakeCall = calls::lineMakeCall;

class AsyncTest : public WorkerTest {
 protected:
  std::uint64_t make_call(std::uint32_t deadline_ms = 0) {
    return request<MakeCall>({{}, line(), {}, 7, u"100", 0, std::nullopt}, deadline_ms);
  }
  static std::uint64_t call_of(const Answer& answer) {
    return std::get<3>(wire::decode<MakeCall::Outputs>(answer.outputs));
  }
  /// Number of this envelope among all that were sent.
  std::size_t position(const std::function<bool(const wire::fb::Envelope&)>& wanted) {
    const auto all = outbox_.all();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (wanted(*wire::verified_envelope(*all[i]))) return i;
    }
    return all.size();
  }
};

LONG remember(DRV_REQUESTID id, HTAPICALL htCall, LPHDRVCALL hdCall) {
  vendor().request = id;
  vendor().call = htCall;
  *hdCall = call_handle(1);
  return static_cast<LONG>(id);
}

void say_state(DWORD state) {
  vendor().line_event(vendor().lines.begin()->second, vendor().call, LINE_CALLSTATE, state, 0,
                      LINEMEDIAMODE_INTERACTIVEVOICE);
}

TEST_F(AsyncTest, CompletionInsideTheCallBeforeOutputs) {
  fake_.set<MakeCall>(
      [](DRV_REQUESTID id, HDRVLINE, HTAPICALL, LPHDRVCALL hdCall, LPCWSTR, DWORD, LINECALLPARAMS* const) -> LONG {
        vendor().completion(id, 0);
        *hdCall = call_handle(5);  // only now, as siptapi does
        return static_cast<LONG>(id);
      });
  start();
  open_line();
  const auto id = make_call();
  const auto answer = await(id);
  EXPECT_TRUE(answer.completion);
  EXPECT_EQ(answer.result, 0);
  EXPECT_NE(call_of(answer), 0U);
  EXPECT_EQ(completions_of(id), 1U);
}

TEST_F(AsyncTest, WhatComesAfterACompletionInsideTheCallStaysBehindIt) {
  fake_.set<MakeCall>(
      [](DRV_REQUESTID id, HDRVLINE, HTAPICALL, LPHDRVCALL hdCall, LPCWSTR, DWORD, LINECALLPARAMS* const) -> LONG {
        vendor().completion(id, 0);
        vendor().line_event(vendor().lines.begin()->second, nullptr, LINE_LINEDEVSTATE, LINEDEVSTATE_NUMCALLS, 1, 0);
        *hdCall = call_handle(5);
        return static_cast<LONG>(id);
      });
  start();
  open_line();
  await(make_call());
  const auto is_event = [](const wire::fb::Envelope& e) { return e.body_type() == wire::fb::Body::Event; };
  ASSERT_TRUE(outbox_.wait_for(is_event));
  EXPECT_LT(position([](const auto& e) { return e.body_type() == wire::fb::Body::Completion; }), position(is_event));
}

TEST_F(AsyncTest, CompletionTwiceAndUnknownIsDropped) {
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG {
    remember(id, htCall, hdCall);
    vendor().completion(id, 0);
    vendor().completion(id, static_cast<LONG>(LINEERR_OPERATIONFAILED));
    vendor().completion(id + 1000, 0);
    return static_cast<LONG>(id);
  });
  start();
  open_line();
  const auto id = make_call();
  EXPECT_EQ(await(id).result, 0);
  vendor().completion(vendor().request, 0);
  EXPECT_EQ(completions_of(id), 1U);
}

TEST_F(AsyncTest, ErrorFollowedByPositiveReturn) {
  fake_.set<MakeCall>(
      [](DRV_REQUESTID id, HDRVLINE, HTAPICALL, LPHDRVCALL, LPCWSTR, DWORD, LINECALLPARAMS* const) -> LONG {
        vendor().completion(id, static_cast<LONG>(LINEERR_CALLUNAVAIL));
        return static_cast<LONG>(id);
      });
  start();
  open_line();
  const auto id = make_call();
  EXPECT_EQ(await(id).result, static_cast<LONG>(LINEERR_CALLUNAVAIL));
  EXPECT_EQ(completions_of(id), 1U);
}

TEST_F(AsyncTest, RefusalAtOnceIsACompletion) {
  fake_.set<MakeCall>([](DRV_REQUESTID, HDRVLINE, HTAPICALL, LPHDRVCALL, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG { return static_cast<LONG>(LINEERR_INVALADDRESS); });
  start();
  open_line();
  const auto answer = await(make_call());
  EXPECT_TRUE(answer.completion);
  EXPECT_EQ(answer.result, static_cast<LONG>(LINEERR_INVALADDRESS));
}

// It may have gone while the request was on its way from the broker.
TEST_F(AsyncTest, AVanishedCallHasTheErrorOfItsParameter) {
  fake_.set<calls::lineAddToConference>(
      [](DRV_REQUESTID, HDRVCALL, HDRVCALL) -> LONG { return static_cast<LONG>(LINEERR_OPERATIONFAILED); });
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG {
    remember(id, htCall, hdCall);
    vendor().completion(id, 0);
    return static_cast<LONG>(id);
  });
  start();
  open_line();
  const auto call = call_of(await(make_call()));
  ASSERT_NE(call, 0U);
  EXPECT_EQ(run<calls::lineAddToConference>({{}, call + 1, call}).result,
            static_cast<LONG>(LINEERR_INVALCONFCALLHANDLE));
  EXPECT_EQ(run<calls::lineAddToConference>({{}, call, call + 1}).result,
            static_cast<LONG>(LINEERR_INVALCONSULTCALLHANDLE));
}

TEST_F(AsyncTest, ZeroInsteadOfTheIdFails) {
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG {
    remember(id, htCall, hdCall);
    return 0;
  });
  start();
  open_line();
  const auto id = make_call();
  EXPECT_EQ(await(id).result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  vendor().completion(vendor().request, 0);  // late, of a request that has its answer
  EXPECT_EQ(completions_of(id), 1U);
}

TEST_F(AsyncTest, EventsOfTheCallWaitForItsCompletion) {
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG {
    const auto result = remember(id, htCall, hdCall);
    say_state(LINECALLSTATE_DIALING);
    return result;
  });
  start();
  open_line();
  const auto id = make_call();
  ASSERT_TRUE(worker_->wait_idle(std::chrono::seconds(20)));
  say_state(LINECALLSTATE_PROCEEDING);
  EXPECT_TRUE(events().empty());
  vendor().completion(vendor().request, 0);
  say_state(LINECALLSTATE_CONNECTED);
  const auto answer = await(id);
  const auto seen = events();
  ASSERT_EQ(seen.size(), 3U);
  const DWORD states[] = {LINECALLSTATE_DIALING, LINECALLSTATE_PROCEEDING, LINECALLSTATE_CONNECTED};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(seen[i]->param1(), states[i]);
    EXPECT_EQ(seen[i]->call(), call_of(answer));
    EXPECT_EQ(seen[i]->device(), line());
  }
  EXPECT_LT(position([](const auto& each) { return each.body_as_Completion() != nullptr; }),
            position([](const auto& each) { return each.body_as_Event() != nullptr; }));
}

TEST_F(AsyncTest, CallThatFailedByCompletionIsClosedAndSilent) {
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG { return remember(id, htCall, hdCall); });
  start();
  open_line();
  const auto id = make_call();
  ASSERT_TRUE(worker_->wait_idle(std::chrono::seconds(20)));
  say_state(LINECALLSTATE_DIALING);
  vendor().completion(vendor().request, static_cast<LONG>(LINEERR_CALLUNAVAIL));
  say_state(LINECALLSTATE_IDLE);
  EXPECT_EQ(await(id).result, static_cast<LONG>(LINEERR_CALLUNAVAIL));
  ASSERT_TRUE(worker_->wait_idle(std::chrono::seconds(20)));
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(vendor().noted(), std::vector<std::string>{"close call"});
}

TEST_F(AsyncTest, LineCloseCompletesWhatIsOutstanding) {
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG { return remember(id, htCall, hdCall); });
  start();
  open_line();
  const auto id = make_call();
  const auto closed = request<calls::lineClose>({line()});
  EXPECT_EQ(await(closed).result, 0);
  EXPECT_EQ(await(id).result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_LT(position([&](const auto& each) { return each.body_as_Completion() != nullptr; }),
            position([&](const auto& each) { return each.body_as_Reply() && each.body_as_Reply()->id() == closed; }));
  vendor().completion(vendor().request, 0);
  say_state(LINECALLSTATE_IDLE);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(completions_of(id), 1U);
}

/// Each handle once, and before its line: a driver whose handles are pointers would use what it has freed.
TEST_F(AsyncTest, ACallThatIsBeingMadeIsClosedOnceBeforeItsLine) {
  static std::atomic<const char*> completes_in;
  const auto complete_in = [](const char* where) {
    vendor().note(where);
    if (completes_in.load() == std::string_view(where)) {
      vendor().completion(vendor().request, static_cast<LONG>(LINEERR_OPERATIONFAILED));
    }
  };
  static const auto enter = +complete_in;
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG { return remember(id, htCall, hdCall); });
  fake_.set<calls::lineCloseCall>([](HDRVCALL) -> LONG { return enter("close call"), 0; });
  fake_.set<calls::lineClose>([](HDRVLINE) -> LONG { return enter("close line"), 0; });
  start();
  for (const char* const where : {"nowhere", "close call", "close line"}) {
    SCOPED_TRACE(where);
    completes_in = where;
    vendor().log.clear();
    open_line();
    const auto made = make_call();
    EXPECT_EQ(run<calls::lineClose>({line()}).result, 0);
    EXPECT_EQ(await(made).result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
    // Behind whatever the worker still does on this line.
    EXPECT_EQ(run<calls::lineOpen>({line(), {}, {}, 0x00020002, {}}).result, 0);
    EXPECT_EQ(run<calls::lineClose>({line()}).result, 0);
    EXPECT_EQ(vendor().noted(), (std::vector<std::string>{"close call", "close line", "close line"}));
    EXPECT_EQ(completions_of(made), 1U);
  }
}

TEST_F(AsyncTest, ACallThatFailsWhileItsLinesCloseWaitsIsClosedBeforeTheLine) {
  static std::atomic<bool> fails;
  fails = false;
  fake_.set<MakeCall>([](DRV_REQUESTID id, HDRVLINE, HTAPICALL htCall, LPHDRVCALL hdCall, LPCWSTR, DWORD,
                         LINECALLPARAMS* const) -> LONG { return remember(id, htCall, hdCall); });
  // The failure comes while the line's close waits behind another function.
  fake_.set<calls::lineGetNumAddressIDs>([](HDRVLINE, LPDWORD) -> LONG {
    while (!fails) std::this_thread::yield();
    vendor().completion(vendor().request, static_cast<LONG>(LINEERR_OPERATIONFAILED));
    return 0;
  });
  start();
  open_line();
  const auto made = make_call();
  request<calls::lineGetNumAddressIDs>({line(), {}});
  const auto closed = request<calls::lineClose>({line()});
  fails = true;
  EXPECT_EQ(await(closed).result, 0);
  EXPECT_EQ(await(made).result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(run<calls::lineOpen>({line(), {}, {}, 0x00020002, {}}).result, 0);
  EXPECT_EQ(vendor().noted(), (std::vector<std::string>{"close call", "close line"}));
}

TEST_F(AsyncTest, NotDialledLate) {
  static std::atomic<bool> entered{false};
  static std::atomic<bool> go{false};
  static std::atomic<int> dialled{0};
  entered = false;
  go = false;
  dialled = 0;
  fake_.set<calls::lineGetNumAddressIDs>([](HDRVLINE, LPDWORD number) -> LONG {
    entered = true;
    while (!go) std::this_thread::yield();
    *number = 1;
    return 0;
  });
  fake_.set<MakeCall>(
      [](DRV_REQUESTID id, HDRVLINE, HTAPICALL, LPHDRVCALL, LPCWSTR, DWORD, LINECALLPARAMS* const) -> LONG {
        ++dialled;
        return static_cast<LONG>(id);
      });
  fake_.set<calls::lineGetLineDevStatus>([](HDRVLINE, LPLINEDEVSTATUS) -> LONG {
    ++dialled;
    return 0;
  });
  start();
  open_line();
  const auto slow = request<calls::lineGetNumAddressIDs>({line(), {}});
  const auto without_deadline = make_call();
  const auto with_deadline = request<calls::lineGetLineDevStatus>({line(), 512}, 500);
  const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!entered && std::chrono::steady_clock::now() < bound) std::this_thread::yield();
  clock_.advance(std::chrono::seconds(29));
  const LogFile log(log::Level::Warn);
  EXPECT_EQ(worker_->watch(), 0U);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(worker_->watch(), 1U);
  EXPECT_EQ(worker_->watch(), 0U);  // once for each call
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(
      lines[0].find("TSPI_lineGetNumAddressIDs does not return; what comes behind it waits. trace=0000000000000001"),
      std::string::npos)
      << lines[0];
  go = true;
  EXPECT_EQ(await(slow).result, 0);
  EXPECT_EQ(await(without_deadline).result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(await(with_deadline).result, static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(dialled, 0);
}

TEST_F(AsyncTest, LateOutputsComeWithTheCompletion) {
  static LPVOID params = nullptr;
  fake_.set<calls::lineDevSpecific>([](DRV_REQUESTID id, HDRVLINE, DWORD, HDRVCALL, LPVOID block, DWORD) -> LONG {
    vendor().request = id;
    params = block;
    return static_cast<LONG>(id);
  });
  start();
  open_line();
  const auto id = request<calls::lineDevSpecific>({{}, line(), 0, 0, wire::Bytes{1, 2, 3}, {}});
  ASSERT_TRUE(worker_->wait_idle(std::chrono::seconds(20)));
  std::fill_n(static_cast<std::uint8_t*>(params), 20, std::uint8_t{9});  // past the end too: the slack takes it
  vendor().completion(vendor().request, 0);
  const auto answer = await(id);
  EXPECT_EQ(std::get<4>(wire::decode<calls::lineDevSpecific::Outputs>(answer.outputs)), (wire::Bytes{9, 9, 9}));
}

}  // namespace
}  // namespace tsplink::host::test
