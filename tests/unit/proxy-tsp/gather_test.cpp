// lineGatherDigits: TAPI's buffer is filled before its LINE_GATHERDIGITS, and never that of another gathering.
#include "desktop.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;
using wire::Message;

constexpr std::uint64_t kCallId = 0xCCCC000000000001;

/// TAPI's buffer, of exact size for a sanitizer, full of what nobody gathered.
struct Buffer {
  explicit Buffer(std::size_t size_) : text(new WCHAR[size_]), size(size_) { std::fill_n(text.get(), size, u'-'); }
  std::u16string digits() const { return {text.get(), text.get() + size}; }
  std::unique_ptr<WCHAR[]> text;
  std::size_t size;
};

class GatherTest : public ::testing::Test {
 protected:
  GatherTest() {
    desktop_.start();
    desktop_.open_line();
    hdCall_ = desktop_.incoming(kCallId);
  }
  LONG gather(DWORD id, WCHAR* digits, std::size_t size) {
    return desktop_.run<calls::lineGatherDigits>(Function::lineGatherDigits, hdCall_, id, DWORD{LINEDIGITMODE_DTMF},
                                                 digits, static_cast<DWORD>(size), LPCWSTR{}, DWORD{0}, DWORD{0});
  }
  /// The number by which the host knows the gathering that was asked for last.
  std::uint32_t host_id() {
    const auto request = desktop_.await_request(Function::lineGatherDigits);
    return std::get<1>(wire::decode<calls::lineGatherDigits::Inputs>(request.arguments));
  }
  /// Begins to gather; the host's number of it.
  std::uint32_t begin(DWORD id, const Buffer& buffer) {
    EXPECT_EQ(gather(id, buffer.text.get(), buffer.size), 0);
    return host_id();
  }
  void host_says(DWORD reason, std::uint32_t id, std::u16string_view digits) {
    const std::string data(reinterpret_cast<const char*>(digits.data()), digits.size() * sizeof(char16_t));
    desktop_.event(Message::kLINE_GATHERDIGITS, kCallId, reason, id, 5, data);
  }
  /// The ends of gatherings that TAPI heard of: reason and dwEndToEndID.
  std::vector<std::pair<DWORD_PTR, DWORD_PTR>> ends() {
    std::vector<std::pair<DWORD_PTR, DWORD_PTR>> found;
    for (const auto& each : desktop_.told_so_far()) {
      if (each.request_or_message == static_cast<DWORD>(LINE_GATHERDIGITS))
        found.emplace_back(each.params[0], each.params[1]);
    }
    return found;
  }
  using Ends = std::vector<std::pair<DWORD_PTR, DWORD_PTR>>;

  Desktop desktop_;
  HDRVCALL hdCall_{};
};

TEST_F(GatherTest, DigitsAreInTheBufferWhenTapiHearsOfThem) {
  const Buffer buffer(4);
  const auto id = begin(0x201, buffer);
  std::u16string seen;
  desktop_.inside_next_event([&] { seen = buffer.digits(); });
  host_says(LINEGATHERTERM_TERMDIGIT, id, u"12#");
  EXPECT_EQ(ends(), (Ends{{LINEGATHERTERM_TERMDIGIT, 0x201}}));
  EXPECT_EQ(seen, std::u16string(u"12#\0", 4));
}

TEST_F(GatherTest, AFullBufferHasNoNulAndAHostCannotWriteBehindIt) {
  const Buffer exact(3), longer(6);
  host_says(LINEGATHERTERM_BUFFERFULL, begin(1, exact), u"123");
  EXPECT_EQ(gather(2, longer.text.get(), 2), 0);
  host_says(LINEGATHERTERM_BUFFERFULL, host_id(), u"123456");
  EXPECT_EQ(ends().size(), 2U);
  EXPECT_EQ(exact.digits(), u"123");
  EXPECT_EQ(longer.digits(), u"12----");
}

TEST_F(GatherTest, ANewOneEndsTheOldWhetherTheHostSaysSoOrNot) {
  const Buffer first(4), second(4), third(4);
  const auto one = begin(1, first);
  const auto two = begin(2, second);
  host_says(LINEGATHERTERM_CANCEL, one, u"1");
  const auto three = begin(3, third);
  host_says(LINEGATHERTERM_BUFFERFULL, three, u"3456");
  host_says(LINEGATHERTERM_CANCEL, two, u"99");  // too late: TAPI takes it for over
  EXPECT_EQ(ends(), (Ends{{LINEGATHERTERM_CANCEL, 1}, {LINEGATHERTERM_BUFFERFULL, 3}}));
  EXPECT_EQ(first.digits(), std::u16string(u"1\0--", 4));
  EXPECT_EQ(second.digits(), u"----");
  EXPECT_EQ(third.digits(), u"3456");
}

// dwEndToEndID is the application's affair: most give 0 each time.
TEST_F(GatherTest, TwoWithOneEndToEndIdKeepTheirOwnBuffers) {
  const Buffer first(3), second(3);
  begin(0, first);
  const auto two = begin(0, second);
  host_says(LINEGATHERTERM_BUFFERFULL, two, u"222");  // a vendor that says nothing of the one that it ended
  EXPECT_EQ(ends(), (Ends{{LINEGATHERTERM_BUFFERFULL, 0}}));
  EXPECT_EQ(first.digits(), u"---");
  EXPECT_EQ(second.digits(), u"222");
}

TEST_F(GatherTest, TheEndOfTheFirstMayComeAfterTheSecondBegan) {
  const Buffer first(3), second(3);
  const auto one = begin(0, first);
  const auto two = begin(0, second);
  host_says(LINEGATHERTERM_BUFFERFULL, one, u"111");  // was on its way already
  host_says(LINEGATHERTERM_BUFFERFULL, two, u"222");
  EXPECT_EQ(ends().size(), 2U);
  EXPECT_EQ(first.digits(), u"111");
  EXPECT_EQ(second.digits(), u"222");
}

TEST_F(GatherTest, OfTwoThatBeganAtOnceTheHostsOrderCounts) {
  const Buffer first(3), second(3);
  const auto one = begin(1, first);
  const auto two = begin(2, second);
  host_says(LINEGATHERTERM_CANCEL, two, u"2");  // which reached the vendor before the other
  host_says(LINEGATHERTERM_BUFFERFULL, one, u"111");
  EXPECT_EQ(ends(), (Ends{{LINEGATHERTERM_CANCEL, 2}, {LINEGATHERTERM_BUFFERFULL, 1}}));
  EXPECT_EQ(first.digits(), u"111");
}

TEST_F(GatherTest, AnApplicationCancelsWithoutABuffer) {
  const Buffer buffer(4);
  const auto id = begin(8, buffer);
  EXPECT_EQ(gather(8, nullptr, 0), 0);
  host_says(LINEGATHERTERM_CANCEL, id, u"5");
  EXPECT_EQ(ends(), (Ends{{LINEGATHERTERM_CANCEL, 8}}));
  EXPECT_EQ(buffer.digits(), std::u16string(u"5\0--", 4));
}

TEST_F(GatherTest, WhatTheHostRefusedIsNotWrittenAndTheOneBeforeGoesOn) {
  const Buffer first(2), second(2);
  const auto one = begin(0, first);
  desktop_.answer_with(static_cast<LONG>(LINEERR_INVALDIGITMODE));
  EXPECT_EQ(gather(0, second.text.get(), second.size), static_cast<LONG>(LINEERR_INVALDIGITMODE));
  host_says(LINEGATHERTERM_BUFFERFULL, host_id(), u"99");
  host_says(LINEGATHERTERM_BUFFERFULL, one, u"12");
  EXPECT_EQ(ends(), (Ends{{LINEGATHERTERM_BUFFERFULL, 0}}));
  EXPECT_EQ(second.digits(), u"--");
  EXPECT_EQ(first.digits(), u"12");
}

TEST_F(GatherTest, WithoutAConnectionNothingIsGathered) {
  const Buffer buffer(2);
  desktop_.up = false;
  EXPECT_EQ(gather(7, buffer.text.get(), buffer.size), static_cast<LONG>(LINEERR_OPERATIONFAILED));
  desktop_.up = true;
  host_says(LINEGATHERTERM_BUFFERFULL, 7, u"12");
  EXPECT_EQ(ends(), Ends{});
  EXPECT_EQ(buffer.digits(), u"--");
}

TEST_F(GatherTest, AnotherDesktopsDigitsAreNotHeard) {
  const Buffer buffer(2);
  const auto id = begin(7, buffer);
  host_says(LINEGATHERTERM_BUFFERFULL, id + 1, u"99");
  EXPECT_EQ(ends(), Ends{});
  EXPECT_EQ(buffer.digits(), u"--");
}

TEST_F(GatherTest, AClosedCallsBufferIsLeftAlone) {
  auto buffer = std::make_unique<Buffer>(2);
  const auto id = begin(7, *buffer);
  EXPECT_EQ(desktop_.run<calls::lineCloseCall>(Function::lineCloseCall, hdCall_), 0);
  const auto before = buffer->digits();
  host_says(LINEGATHERTERM_BUFFERFULL, id, u"99");
  EXPECT_EQ(ends(), Ends{});
  EXPECT_EQ(buffer->digits(), before);
}

}  // namespace
}  // namespace tsplink::proxy::test
