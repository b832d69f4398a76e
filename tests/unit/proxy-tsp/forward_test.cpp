// lineForward, whose consultation call TAPI must know of when the function returns: the host's Reply says it, the
// Completion follows. What comes late, broken or not at all.
#include <thread>

#include "desktop.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;
using C = calls::lineForward;

constexpr std::uint64_t kConsult = 0xCCCC000000000042;
const LONG kFailed = static_cast<LONG>(LINEERR_OPERATIONFAILED);

class ForwardTest : public ::testing::Test {
 protected:
  ForwardTest() {
    desktop_.start();
    hdLine_ = desktop_.open_line();
  }
  ~ForwardTest() override {
    if (application_.joinable()) {
      desktop_.core().on_down("the test ends");
      application_.join();
    }
  }
  /// TAPI's thread calls; the host has its request when this returns.
  Desktop::Request begin() {
    id_ = request_id(desktop_);
    application_ = std::thread([this] {
      result_ =
          desktop_.run<C>(Function::lineForward, id_, hdLine_, DWORD{1}, DWORD{0}, LPLINEFORWARDLIST{}, DWORD{0},
                          reinterpret_cast<HTAPICALL>(DWORD_PTR{0x4444}), &hdConsult_, LPLINECALLPARAMS{});
    });
    return desktop_.await_request(Function::lineForward);
  }
  LONG returned() {
    application_.join();
    return result_;
  }
  static wire::Bytes outputs(std::uint64_t consult) {
    C::Outputs out{};
    std::get<C::position("lphdConsultCall")>(out) = consult;
    return wire::encode(out);
  }
  void reply(const Desktop::Request& request, LONG result, const wire::Bytes& bytes) {
    desktop_.core().on_message(wire::make_reply(request.id, result, bytes));
  }
  void complete(const Desktop::Request& request, LONG result, const wire::Bytes& bytes) {
    desktop_.core().on_message(wire::make_completion(request.id, result, bytes));
  }
  /// Results of the completions that TAPI got for the request.
  std::vector<LONG> completions() {
    std::vector<LONG> found;
    for (const auto& each : desktop_.told_so_far()) {
      if (each.kind == Told::Completion && each.request_or_message == id_) found.push_back(each.result);
    }
    return found;
  }
  LONG hold() { return desktop_.run<calls::lineHold>(Function::lineHold, request_id(desktop_), hdConsult_); }
  std::uint64_t closed() {
    const auto request = desktop_.await_request(Function::lineCloseCall);
    return std::get<0>(wire::decode<calls::lineCloseCall::Inputs>(request.arguments));
  }

  wire::ManualClock clock_;
  Desktop desktop_{[this] {
    CoreOptions options;
    options.clock = &clock_;
    return options;
  }()};
  HDRVLINE hdLine_{};
  DRV_REQUESTID id_ = 0;
  HDRVCALL hdConsult_ = reinterpret_cast<HDRVCALL>(DWORD_PTR{0xBAD});
  LONG result_ = 1;
  std::thread application_;
};

using Results = std::vector<LONG>;

TEST_F(ForwardTest, TheReplySaysThatThereIsNoConsultationCall) {
  const auto request = begin();
  reply(request, 0, outputs(0));
  EXPECT_EQ(returned(), static_cast<LONG>(id_));
  EXPECT_EQ(hdConsult_, nullptr);
  EXPECT_EQ(completions(), Results{});
  complete(request, 0, outputs(0));
  EXPECT_EQ(completions(), Results{0});
}

TEST_F(ForwardTest, AConsultationCallIsThereAtTheReturnAndValidWithTheCompletion) {
  const auto request = begin();
  reply(request, 0, outputs(kConsult));
  EXPECT_EQ(returned(), static_cast<LONG>(id_));
  ASSERT_NE(hdConsult_, nullptr);
  EXPECT_EQ(hold(), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  complete(request, 0, outputs(kConsult));
  EXPECT_EQ(completions(), Results{0});
  EXPECT_GT(hold(), 0);
  desktop_.event(wire::Message::kLINE_CALLSTATE, kConsult, LINECALLSTATE_DIALTONE);
  EXPECT_EQ(desktop_.told_so_far().back().htCall, 0x4444U);
}

TEST_F(ForwardTest, ARefusalComesAsTheOnlyCompletion) {
  const auto request = begin();
  complete(request, static_cast<LONG>(LINEERR_INVALADDRESS), {});
  EXPECT_EQ(returned(), static_cast<LONG>(id_));
  complete(request, 0, outputs(kConsult));
  EXPECT_EQ(completions(), Results{static_cast<LONG>(LINEERR_INVALADDRESS)});
}

TEST_F(ForwardTest, ACompletionWithoutAReplyIsEnough) {
  const auto request = begin();
  complete(request, 0, outputs(kConsult));
  EXPECT_EQ(returned(), static_cast<LONG>(id_));
  EXPECT_NE(hdConsult_, nullptr);
  reply(request, 0, outputs(0));  // out of order: nobody waits for it
  EXPECT_EQ(completions(), Results{0});
  EXPECT_GT(hold(), 0);
}

TEST_F(ForwardTest, PastTheDeadlineItFailedAndTheLateConsultationCallIsClosed) {
  const auto request = begin();
  EXPECT_EQ(request.deadline_ms, 5000U);
  clock_.advance(std::chrono::milliseconds(5000));
  EXPECT_EQ(returned(), kFailed);
  EXPECT_EQ(hold(), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  reply(request, 0, outputs(kConsult));
  EXPECT_EQ(desktop_.requests(Function::lineCloseCall), 0U);  // not made before its completion
  complete(request, 0, outputs(kConsult));
  EXPECT_EQ(closed(), kConsult);
  complete(request, 0, outputs(kConsult));
  EXPECT_EQ(desktop_.requests(Function::lineCloseCall), 1U);
  EXPECT_EQ(completions(), Results{});
}

TEST_F(ForwardTest, ALateFailureLeavesNothingToUndo) {
  const auto request = begin();
  clock_.advance(std::chrono::milliseconds(5000));
  EXPECT_EQ(returned(), kFailed);
  complete(request, static_cast<LONG>(LINEERR_CALLUNAVAIL), {});
  EXPECT_EQ(desktop_.requests(Function::lineCloseCall), 0U);
  EXPECT_EQ(completions(), Results{});
}

TEST_F(ForwardTest, ALateSuccessWithoutACallLeavesNothingToUndo) {
  const auto request = begin();
  clock_.advance(std::chrono::milliseconds(5000));
  EXPECT_EQ(returned(), kFailed);
  complete(request, 0, outputs(0));
  EXPECT_EQ(desktop_.requests(Function::lineCloseCall), 0U);
  EXPECT_EQ(completions(), Results{});
}

// Bytes that a hostile or broken host sends where a table belongs.
const wire::Bytes kRubbish(24, 0xFF);

TEST_F(ForwardTest, AMalformedReplyLeavesTheRequestToItsCompletion) {
  const auto request = begin();
  EXPECT_NO_THROW(reply(request, 0, kRubbish));
  EXPECT_EQ(returned(), static_cast<LONG>(id_));  // accepted: TAPI is owed one completion and no failure beside it
  EXPECT_EQ(completions(), Results{});
  complete(request, 0, outputs(0));
  EXPECT_EQ(completions(), Results{0});
}

TEST_F(ForwardTest, AMalformedCompletionIsOneFailure) {
  const auto request = begin();
  EXPECT_NO_THROW(complete(request, 0, kRubbish));
  EXPECT_EQ(returned(), static_cast<LONG>(id_));
  EXPECT_EQ(completions(), Results{kFailed});
}

TEST_F(ForwardTest, AMalformedCompletionAfterTheReplyIsOneFailure) {
  const auto request = begin();
  reply(request, 0, outputs(kConsult));
  EXPECT_EQ(returned(), static_cast<LONG>(id_));
  EXPECT_NO_THROW(complete(request, 0, kRubbish));
  EXPECT_EQ(completions(), Results{kFailed});
}

TEST_F(ForwardTest, AMalformedLateCompletionUndoesNothingAndThrowsNothing) {
  const auto request = begin();
  clock_.advance(std::chrono::milliseconds(5000));
  EXPECT_EQ(returned(), kFailed);
  EXPECT_NO_THROW(reply(request, 0, kRubbish));
  EXPECT_NO_THROW(complete(request, 0, kRubbish));
  EXPECT_EQ(desktop_.requests(Function::lineCloseCall), 0U);
  EXPECT_EQ(completions(), Results{});
}

TEST_F(ForwardTest, TheLinksLossEndsTheWaitWithOneFailure) {
  begin();
  desktop_.core().on_down("test");
  EXPECT_EQ(returned(), static_cast<LONG>(id_));
  EXPECT_EQ(completions(), Results{kFailed});
}

// Capabilities that rule a consultation call out spare the round trip.
TEST_F(ForwardTest, WithoutFwdConsultItReturnsAtOnce) {
  auto line = device(kLineId, 11);
  line.addresses = {wire::Bytes(sizeof(LINEADDRESSCAPS))};
  desktop_.inventory({line}, {device(kPhoneId, 21, true)});
  const auto request = begin();
  EXPECT_EQ(returned(), static_cast<LONG>(id_));  // nothing was answered
  EXPECT_EQ(hdConsult_, nullptr);
  complete(request, 0, outputs(0));
  EXPECT_EQ(completions(), Results{0});
}

}  // namespace
}  // namespace tsplink::proxy::test
