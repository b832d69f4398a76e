// lineGatherDigits at the vendor, whose buffer is the worker's: what it wrote leaves with LINE_GATHERDIGITS. And
// lineGetID, whose device ids mean nothing on another machine.
#include <cstring>

#include "fake_vendor.hpp"
#include "wire/device_ids.hpp"

namespace tsplink::host::test {
namespace {

using Gather = calls::lineGatherDigits;

/// The buffers that the vendor was given, in order.
std::vector<LPWSTR> buffers;

class GatherTest : public WorkerTest {
 protected:
  GatherTest() {
    buffers.clear();
    fake_.set<Gather>([](HDRVCALL, DWORD, DWORD, LPWSTR digits, DWORD size, LPCWSTR, DWORD, DWORD) -> LONG {
      if (size == 66) return static_cast<LONG>(LINEERR_INVALPARAM);
      buffers.push_back(digits);
      return 0;
    });
  }
  /// A call that came in; the desktop's id of it.
  void ring() {
    start();
    open_line();
    HTAPICALL htCall{};
    vendor().line_event(vendor().lines.begin()->second, nullptr, LINE_NEWCALL,
                        reinterpret_cast<DWORD_PTR>(call_handle(1)), reinterpret_cast<DWORD_PTR>(&htCall), 0);
    ASSERT_TRUE(htCall);
    vendor().call = htCall;
    call_ = events().back()->param1();
  }
  LONG gather(std::uint32_t id, std::uint32_t size, bool buffer = true) {
    return run<Gather>({call_, id, LINEDIGITMODE_DTMF, buffer ? 1U : 0U, size, std::nullopt, 0, 0}).result;
  }
  static void write(std::size_t which, std::u16string_view digits) {
    std::copy(digits.begin(), digits.end(), buffers.at(which));
  }
  static void vendor_says(DWORD reason, DWORD id) {
    vendor().line_event(vendor().lines.begin()->second, vendor().call, LINE_GATHERDIGITS, reason, id, 0);
  }
  /// Digits of each LINE_GATHERDIGITS that left.
  std::vector<std::u16string> gathered() {
    std::vector<std::u16string> found;
    for (const auto* event : events()) {
      if (event->message() != static_cast<std::uint16_t>(wire::Message::kLINE_GATHERDIGITS)) continue;
      const auto data = wire::span_of(event->data());
      found.emplace_back(data.size() / 2, u'?');
      if (!data.empty()) std::memcpy(found.back().data(), data.data(), data.size());
    }
    return found;
  }
  using Texts = std::vector<std::u16string>;
  std::uint64_t call_ = 0;
};

/// A vendor that accepts each and tells the end of none keeps all their buffers.
TEST_F(GatherTest, TooManyOfOneCallAreRefused) {
  ring();
  for (std::uint32_t i = 1; i <= 16; ++i) ASSERT_EQ(gather(i, 4), 0);
  EXPECT_EQ(gather(17, 4), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  EXPECT_EQ(buffers.size(), 16U);
  vendor_says(LINEGATHERTERM_CANCEL, 16);
  EXPECT_EQ(gather(18, 4), 0);
}

TEST_F(GatherTest, DigitsLeaveWithTheMessage) {
  ring();
  ASSERT_EQ(gather(1, 4), 0);
  write(0, u"12#");
  vendor_says(LINEGATHERTERM_TERMDIGIT, 1);
  EXPECT_EQ(gathered(), Texts{u"12#"});
  const auto* event = events().back();
  EXPECT_EQ(event->param1(), DWORD{LINEGATHERTERM_TERMDIGIT});
  EXPECT_EQ(event->param2(), 1U);
  EXPECT_EQ(event->call(), call_);
}

TEST_F(GatherTest, AVendorThatWritesBehindTheBufferIsClipped) {
  ring();
  ASSERT_EQ(gather(1, 2), 0);
  write(0, u"1234567890");
  vendor_says(LINEGATHERTERM_BUFFERFULL, 1);
  EXPECT_EQ(gathered(), Texts{u"12"});
}

TEST_F(GatherTest, TheMessageMayComeBeforeTheFunctionReturns) {
  fake_.set<Gather>([](HDRVCALL, DWORD id, DWORD, LPWSTR digits, DWORD, LPCWSTR, DWORD, DWORD) -> LONG {
    digits[0] = u'7';
    vendor_says(LINEGATHERTERM_BUFFERFULL, id);
    return 0;
  });
  ring();
  ASSERT_EQ(gather(1, 1), 0);
  EXPECT_EQ(gathered(), Texts{u"7"});
}

TEST_F(GatherTest, TheOneThatWasEndedHasItsOwnDigits) {
  ring();
  ASSERT_EQ(gather(1, 4), 0);
  write(0, u"1");
  ASSERT_EQ(gather(2, 4), 0);
  vendor_says(LINEGATHERTERM_CANCEL, 1);
  write(1, u"2345");
  vendor_says(LINEGATHERTERM_BUFFERFULL, 2);
  EXPECT_EQ(gathered(), (Texts{u"1", u"2345"}));
}

TEST_F(GatherTest, AVendorNeedNotSayThatItEndedOne) {
  ring();
  ASSERT_EQ(gather(1, 4), 0);
  write(0, u"1");
  ASSERT_EQ(gather(2, 4), 0);
  write(1, u"23");
  vendor_says(LINEGATHERTERM_INTERTIMEOUT, 2);
  EXPECT_EQ(gathered(), Texts{u"23"});
}

TEST_F(GatherTest, OneThatIsCancelledAfterAnotherHasItsOwnDigits) {
  ring();
  ASSERT_EQ(gather(1, 4), 0);
  write(0, u"1");
  ASSERT_EQ(gather(2, 4), 0);  // a vendor that does not say that it ended the first
  write(1, u"23");
  ASSERT_EQ(gather(2, 0, false), 0);  // the application's own end
  vendor_says(LINEGATHERTERM_CANCEL, 2);
  EXPECT_EQ(gathered(), Texts{u"23"});
}

TEST_F(GatherTest, AVendorThatSaysAnotherNumberMeansTheOnlyOneThereIs) {
  ring();
  ASSERT_EQ(gather(7, 4), 0);
  write(0, u"12#");
  vendor_says(LINEGATHERTERM_TERMDIGIT, 0);
  EXPECT_EQ(gathered(), Texts{u"12#"});
  EXPECT_EQ(events().back()->param2(), 7U);
  ASSERT_EQ(gather(8, 4), 0);
  ASSERT_EQ(gather(9, 4), 0);
  write(1, u"1");
  write(2, u"2");
  vendor_says(LINEGATHERTERM_TERMDIGIT, 0);  // nobody can tell
  EXPECT_EQ(gathered(), (Texts{u"12#", u""}));
}

TEST_F(GatherTest, ARefusedOneLeavesTheOneBefore) {
  ring();
  ASSERT_EQ(gather(1, 4), 0);
  EXPECT_EQ(gather(2, 66), static_cast<LONG>(LINEERR_INVALPARAM));
  write(0, u"12");
  vendor_says(LINEGATHERTERM_FIRSTTIMEOUT, 1);
  EXPECT_EQ(gathered(), Texts{u"12"});
}

TEST_F(GatherTest, AVendorMayEndItWhileTheCallIsClosedAndNotAfter) {
  fake_.set<calls::lineCloseCall>([](HDRVCALL) -> LONG {
    vendor_says(LINEGATHERTERM_CANCEL, 1);
    return 0;
  });
  ring();
  ASSERT_EQ(gather(1, 4), 0);
  write(0, u"9");
  ASSERT_EQ(run<calls::lineCloseCall>({call_}).result, 0);
  vendor_says(LINEGATHERTERM_CANCEL, 1);
  EXPECT_EQ(gathered(), Texts{u"9"});
}

// --- device ids ----------------------------------------------------------------------------------------------------

class DeviceIdsTest : public WorkerTest {
 protected:
  /// What the vendor answers, as ids beyond its base: line and phone 0 are the first ones.
  static inline std::vector<std::uint32_t> answer_;

  template <class C>
  std::vector<std::uint32_t> ids_of(const Answer& answer) {
    EXPECT_EQ(answer.result, 0);
    const auto outputs = wire::decode<typename C::Outputs>(answer.outputs);
    const auto block = std::get<C::position("lpDeviceID")>(outputs).value_or(wire::Bytes(sizeof(VARSTRING)));
    VARSTRING head{};
    std::memcpy(&head, block.data(), sizeof head);
    std::vector<std::uint32_t> ids(head.dwStringSize / 4);
    if (!ids.empty()) std::memcpy(ids.data(), block.data() + head.dwStringOffset, head.dwStringSize);
    return ids;
  }
  static LONG give(LPVARSTRING out, const std::vector<std::uint32_t>& ids) {
    const auto bytes = wire::varstring_of(ids);
    const DWORD total = out->dwTotalSize;
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    out->dwTotalSize = total;
    return 0;
  }
  std::uint32_t line_permanent(std::size_t index) const { return inventory_.lines.at(index).permanent; }
  std::uint32_t phone_permanent() const { return inventory_.phones.at(0).permanent; }
};

TEST_F(DeviceIdsTest, LinesAndPhonesLeaveAsPermanentIds) {
  fake_.set<calls::lineGetID>([](HDRVLINE, DWORD, HDRVCALL, DWORD, LPVARSTRING out, LPCWSTR, HANDLE) -> LONG {
    return give(out, {vendor().base, vendor().base + 1, vendor().base + 5});
  });
  start();
  open_line();
  const auto ask = [&](const char16_t* name) {
    return ids_of<calls::lineGetID>(run<calls::lineGetID>({line(), 0, 0, LINECALLSELECT_LINE, 400, name, {}}));
  };
  EXPECT_EQ(ask(u"tapi/line"), (std::vector<std::uint32_t>{line_permanent(0), line_permanent(1)}));
  EXPECT_EQ(ask(u"tapi/phone"), std::vector<std::uint32_t>{phone_permanent()});
  EXPECT_EQ(ask(u"tapi/terminal"), (std::vector<std::uint32_t>{phone_permanent(), wire::kNoDevice, wire::kNoDevice}));
}

TEST_F(DeviceIdsTest, WhatIsMeantAndNotThereNeverReachesTheVendor) {
  fake_.set<calls::lineGetID>([](HDRVLINE, DWORD, HDRVCALL, DWORD, LPVARSTRING out, LPCWSTR, HANDLE) -> LONG {
    vendor().note("asked");
    return give(out, {});
  });
  start();
  open_line();
  const auto ask = [&](std::uint64_t id, DWORD select) {
    return run<calls::lineGetID>({id, 0, 0, select, 400, u"tapi/line", {}}).result;
  };
  EXPECT_EQ(ask(line(), LINECALLSELECT_CALL), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(ask(0, LINECALLSELECT_LINE), static_cast<LONG>(LINEERR_INVALLINEHANDLE));
  EXPECT_EQ(ask(0, LINECALLSELECT_ADDRESS), static_cast<LONG>(LINEERR_INVALLINEHANDLE));
  const auto noted = vendor().noted();
  EXPECT_EQ(std::count(noted.begin(), noted.end(), "asked"), 0);
}

TEST_F(DeviceIdsTest, TerminalsOfAPhoneLeaveWithTheLineThatTheyAreOf) {
  fake_.set<calls::phoneOpen>([](DWORD, HTAPIPHONE, LPHDRVPHONE hdPhone, DWORD, PHONEEVENT) -> LONG {
    *hdPhone = reinterpret_cast<HDRVPHONE>(DWORD_PTR{1});
    return 0;
  });
  fake_.set<calls::phoneClose>([](HDRVPHONE) -> LONG { return 0; });
  fake_.set<calls::phoneGetID>(
      [](HDRVPHONE, LPVARSTRING out, LPCWSTR, HANDLE) -> LONG { return give(out, answer_); });
  start();
  const auto phone = inventory_.phones.at(0).id;
  ASSERT_EQ(run<calls::phoneOpen>({phone, {}, {}, 0x00020002, {}}).result, 0);
  const auto ask = [&](std::vector<std::uint32_t> answer) {
    answer_ = std::move(answer);
    return ids_of<calls::phoneGetID>(run<calls::phoneGetID>({phone, 400, u"tapi/terminal", {}}));
  };
  const std::vector<std::uint32_t> expected{line_permanent(0), 10, line_permanent(1), 11};
  EXPECT_EQ(ask({10, 11}), expected);  // one for each of its own lines
  const std::vector<std::uint32_t> of_one{line_permanent(0), wire::kNoDevice, line_permanent(1), 11};
  EXPECT_EQ(ask({wire::kNoDevice, 11}), of_one);
}

}  // namespace
}  // namespace tsplink::host::test
