// Features beyond connecting: transfer, conference, park, forward, digits, settings of calls.
#include <cstring>

#include "tests/unit/simpbx/fake_tapi.hpp"

namespace tsplink::simpbx_test {
namespace {

using Number = std::uintptr_t;

class Feature : public ::testing::Test {
 protected:
  void SetUp() override { line = tapi.open(0); }

  HDRVCALL connected(unsigned n, const WCHAR* number = WIDE("5550001")) {
    HDRVCALL call = nullptr;
    const DRV_REQUESTID id = tapi.next_request++;
    EXPECT_EQ(TSPI(tapi, lineMakeCall)(id, line, FakeTapi::htCall(n), &call, number, 0, nullptr),
              static_cast<LONG>(id));
    EXPECT_EQ(tapi.result(id), 0);
    EXPECT_TRUE(tapi.state(ht(n), LINECALLSTATE_CONNECTED));
    return call;
  }
  static Number ht(unsigned n) { return reinterpret_cast<Number>(FakeTapi::htCall(n)); }
  bool event(LONG message, Number call, DWORD_PTR p1) {
    return tapi.wait([&](const std::vector<Told>& all) {
      for (const Told& t : all) {
        if (t.kind == Told::line && t.message == static_cast<DWORD>(message) && t.call == call && t.p1 == p1)
          return true;
      }
      return false;
    });
  }
  FakeTapi tapi;
  HDRVLINE line = nullptr;
};

TEST_F(Feature, TransfersByConsultation) {
  const HDRVCALL call = connected(1);
  HDRVCALL consult = nullptr;
  ASSERT_EQ(TSPI(tapi, lineSetupTransfer)(1, call, FakeTapi::htCall(2), &consult, nullptr), 1);
  ASSERT_EQ(tapi.result(1), 0);
  EXPECT_TRUE(tapi.state(ht(1), LINECALLSTATE_ONHOLDPENDTRANSFER));
  ASSERT_TRUE(tapi.state(ht(2), LINECALLSTATE_DIALTONE));
  ASSERT_EQ(TSPI(tapi, lineDial)(2, consult, WIDE("5550002"), 0), 2);
  ASSERT_TRUE(tapi.state(ht(2), LINECALLSTATE_CONNECTED));
  ASSERT_EQ(TSPI(tapi, lineCompleteTransfer)(3, call, consult, nullptr, nullptr, LINETRANSFERMODE_TRANSFER), 3);
  EXPECT_EQ(tapi.result(3), 0);
  EXPECT_TRUE(tapi.state(ht(1), LINECALLSTATE_IDLE));
  EXPECT_TRUE(tapi.state(ht(2), LINECALLSTATE_IDLE));
}

TEST_F(Feature, HoldsConferences) {
  const HDRVCALL call = connected(1);
  HDRVCALL conference = nullptr, consult = nullptr;
  ASSERT_EQ(TSPI(tapi, lineSetupConference)(1, call, nullptr, FakeTapi::htCall(2), &conference, FakeTapi::htCall(3),
                                            &consult, 3, nullptr),
            1);
  ASSERT_EQ(tapi.result(1), 0);
  EXPECT_NE(conference, consult);
  ASSERT_TRUE(tapi.state(ht(3), LINECALLSTATE_DIALTONE));
  const auto at =
      tapi.position([](const Told& t) { return t.message == LINE_CALLSTATE && t.p1 == LINECALLSTATE_CONFERENCED; });
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(tapi.told()[at].p2, ht(2));  // the conference's HTAPICALL
  TSPI(tapi, lineDial)(2, consult, WIDE("5550003"), 0);
  ASSERT_TRUE(tapi.state(ht(3), LINECALLSTATE_CONNECTED));
  ASSERT_EQ(TSPI(tapi, lineAddToConference)(3, conference, consult), 3);
  ASSERT_EQ(tapi.result(3), 0);
  EXPECT_TRUE(tapi.state(ht(2), LINECALLSTATE_CONNECTED));
  EXPECT_TRUE(tapi.state(ht(3), LINECALLSTATE_CONFERENCED));
  ASSERT_EQ(TSPI(tapi, lineRemoveFromConference)(4, consult), 4);
  EXPECT_EQ(tapi.result(4), 0);
  TSPI(tapi, lineDrop)(5, conference, nullptr, 0);
  EXPECT_TRUE(tapi.state(ht(1), LINECALLSTATE_IDLE));  // the member that was left in it
}

TEST_F(Feature, ParksAndUnparks) {
  const HDRVCALL call = connected(1);
  alignas(8) BYTE buffer[128] = {};
  auto* const where = reinterpret_cast<LPVARSTRING>(buffer);
  where->dwTotalSize = sizeof buffer;
  ASSERT_EQ(TSPI(tapi, linePark)(1, call, LINEPARKMODE_NONDIRECTED, nullptr, where), 1);
  ASSERT_EQ(tapi.result(1), 0);
  EXPECT_TRUE(tapi.state(ht(1), LINECALLSTATE_IDLE));
  const Text address(reinterpret_cast<const WCHAR*>(buffer + where->dwStringOffset));
  EXPECT_EQ(address, WIDE("*71"));
  HDRVCALL back = nullptr;
  ASSERT_EQ(TSPI(tapi, lineUnpark)(2, line, 0, FakeTapi::htCall(2), &back, address.c_str()), 2);
  EXPECT_EQ(tapi.result(2), 0);
  EXPECT_TRUE(tapi.state(ht(2), LINECALLSTATE_CONNECTED));
  ASSERT_EQ(TSPI(tapi, lineUnpark)(3, line, 0, FakeTapi::htCall(3), &back, address.c_str()), 3);
  EXPECT_EQ(tapi.result(3), static_cast<LONG>(LINEERR_INVALADDRESS));
  const auto announced = [](const Told& t) { return t.message == static_cast<DWORD>(LINE_NEWCALL); };
  EXPECT_EQ(tapi.position(announced), std::string::npos);  // what was parked is no call of TAPI's
}

TEST_F(Feature, ForgetsTapisBuffersWhenTheLineCloses) {
  const HDRVCALL call = connected(1);
  WCHAR digits[4] = {WIDE('x'), WIDE('x'), WIDE('x'), WIDE('x')};
  ASSERT_EQ(TSPI(tapi, lineGatherDigits)(call, 77, LINEDIGITMODE_DTMF, digits, 4, nullptr, 0, 0), 0);
  ASSERT_EQ(TSPI(tapi, lineClose)(line), 0);
  const std::size_t before = tapi.told().size();
  EXPECT_EQ(tapi.control("digits call=1 123"), "ok");  // the call goes on in the exchange
  EXPECT_EQ(Text(digits, 4), WIDE("xxxx"));
  EXPECT_EQ(tapi.told().size(), before);
}

TEST_F(Feature, DoesNotAnnounceAgainWhatTapiClosed) {
  const HDRVCALL call = connected(1);
  ASSERT_EQ(TSPI(tapi, lineCloseCall)(call), 0);
  ASSERT_EQ(TSPI(tapi, lineSetDefaultMediaDetection)(line, LINEMEDIAMODE_INTERACTIVEVOICE), 0);
  tapi.control("incoming line=1 from=2");
  const HDRVCALL other = tapi.new_call();
  DWORD address = 0, id = 0, related = 0;
  ASSERT_EQ(TSPI(tapi, lineGetCallIDs)(other, &address, &id, &related), 0);
  EXPECT_EQ(id & 0xFFFF, 2u);
}

TEST_F(Feature, PicksUpAnotherLinesCall) {
  tapi.open(1);
  tapi.control("incoming line=2 from=0301234");
  tapi.new_call();
  const Number ringing = tapi.last_htCall;
  HDRVCALL mine = nullptr;
  ASSERT_EQ(TSPI(tapi, linePickup)(1, line, 0, FakeTapi::htCall(1), &mine, WIDE("1002"), nullptr), 1);
  EXPECT_EQ(tapi.result(1), 0);
  EXPECT_TRUE(tapi.state(ht(1), LINECALLSTATE_CONNECTED));
  EXPECT_TRUE(tapi.state(ringing, LINECALLSTATE_DISCONNECTED));
}

TEST_F(Feature, ForwardsWithoutConsultation) {
  alignas(8) BYTE buffer[96] = {};
  auto* const list = reinterpret_cast<LPLINEFORWARDLIST>(buffer);
  list->dwTotalSize = sizeof buffer;
  list->dwNumEntries = 1;
  list->ForwardList[0].dwForwardMode = LINEFORWARDMODE_BUSY;
  list->ForwardList[0].dwDestAddressSize = 10;
  list->ForwardList[0].dwDestAddressOffset = 60;
  std::memcpy(buffer + 60, WIDE("1003"), 10);
  HDRVCALL consult = reinterpret_cast<HDRVCALL>(0x1);
  ASSERT_EQ(TSPI(tapi, lineForward)(1, line, 1, 0, list, 4, FakeTapi::htCall(1), &consult, nullptr), 1);
  EXPECT_EQ(consult, nullptr);
  ASSERT_EQ(tapi.result(1), 0);
  alignas(8) BYTE out[512] = {};
  auto* const status = reinterpret_cast<LPLINEADDRESSSTATUS>(out);
  status->dwTotalSize = sizeof out;
  ASSERT_EQ(TSPI(tapi, lineGetAddressStatus)(line, 0, status), 0);
  ASSERT_EQ(status->dwForwardNumEntries, 1u);
  EXPECT_EQ(status->dwNumRingsNoAnswer, 4u);
  const auto* const entry = reinterpret_cast<const LINEFORWARD*>(out + status->dwForwardOffset);
  EXPECT_EQ(entry->dwForwardMode, DWORD{LINEFORWARDMODE_BUSY});
  EXPECT_EQ(std::memcmp(out + entry->dwDestAddressOffset, WIDE("1003"), 10), 0);
}

TEST_F(Feature, GathersAndMonitorsDigits) {
  const HDRVCALL call = connected(1);
  WCHAR digits[5] = {WIDE('x'), WIDE('x'), WIDE('x'), WIDE('x'), WIDE('x')};
  ASSERT_EQ(TSPI(tapi, lineMonitorDigits)(call, LINEDIGITMODE_DTMF), 0);
  ASSERT_EQ(TSPI(tapi, lineGatherDigits)(call, 77, LINEDIGITMODE_DTMF, digits, 5, WIDE("#"), 0, 0), 0);
  EXPECT_EQ(tapi.control("digits call=1 \"12#\""), "ok");
  ASSERT_TRUE(event(LINE_GATHERDIGITS, ht(1), LINEGATHERTERM_TERMDIGIT));
  EXPECT_EQ(Text(digits), WIDE("12#"));
  EXPECT_TRUE(event(LINE_MONITORDIGITS, ht(1), WIDE('2')));
  ASSERT_EQ(TSPI(tapi, lineGatherDigits)(call, 78, LINEDIGITMODE_DTMF, digits, 5, nullptr, 10, 10), 0);
  EXPECT_TRUE(event(LINE_GATHERDIGITS, ht(1), LINEGATHERTERM_FIRSTTIMEOUT));
  ASSERT_EQ(TSPI(tapi, lineGenerateDigits)(call, 79, LINEDIGITMODE_DTMF, WIDE("123"), 1), 0);
  EXPECT_TRUE(event(LINE_GENERATE, ht(1), LINEGENERATETERM_DONE));
}

TEST_F(Feature, WritesTheCompletionIdBeforeTheCompletion) {
  HDRVCALL call = nullptr;
  TSPI(tapi, lineMakeCall)(1, line, FakeTapi::htCall(1), &call, WIDE("5551000"), 0, nullptr);
  ASSERT_TRUE(tapi.state(ht(1), LINECALLSTATE_BUSY));
  DWORD id = 0;
  ASSERT_EQ(TSPI(tapi, lineCompleteCall)(2, call, &id, LINECALLCOMPLMODE_CALLBACK, 0), 2);
  ASSERT_EQ(tapi.result(2), 0);
  EXPECT_NE(id, 0u);
  ASSERT_EQ(TSPI(tapi, lineUncompleteCall)(3, line, id), 3);
  EXPECT_EQ(tapi.result(3), 0);
  EXPECT_EQ(TSPI(tapi, lineUncompleteCall)(4, line, id), static_cast<LONG>(LINEERR_INVALCOMPLETIONID));
}

TEST_F(Feature, SetsWhatCallInformationShows) {
  const HDRVCALL call = connected(1);
  BYTE data[4] = {1, 2, 3, 4};
  TSPI(tapi, lineSetCallData)(1, call, data, sizeof data);
  TSPI(tapi, lineSetCallTreatment)(2, call, LINECALLTREATMENT_MUSIC);
  TSPI(tapi, lineSetCallQualityOfService)(3, call, data, 2, data + 2, 2);
  TSPI(tapi, lineSecureCall)(4, call);
  TSPI(tapi, lineSetCallParams)(5, call, LINEBEARERMODE_DATA, 100, 200, nullptr);
  TSPI(tapi, lineSetTerminal)(6, line, 0, call, LINECALLSELECT_CALL, LINETERMMODE_RINGER, 1, 1);
  for (DRV_REQUESTID id = 1; id <= 6; ++id) EXPECT_EQ(tapi.result(id), 0) << id;
  EXPECT_EQ(TSPI(tapi, lineSetAppSpecific)(call, 0xABCD1234), 0);
  EXPECT_TRUE(event(LINE_CALLINFO, ht(1), LINECALLINFOSTATE_APPSPECIFIC));
  EXPECT_EQ(tapi.control("uui call=1 text=hello"), "ok");
  alignas(8) BYTE buffer[2048] = {};
  auto* const info = reinterpret_cast<LPLINECALLINFO>(buffer);
  info->dwTotalSize = sizeof buffer;
  ASSERT_EQ(TSPI(tapi, lineGetCallInfo)(call, info), 0);
  EXPECT_EQ(info->dwAppSpecific, 0xABCD1234u);
  EXPECT_EQ(info->dwCallTreatment, DWORD{LINECALLTREATMENT_MUSIC});
  EXPECT_EQ(info->dwBearerMode, DWORD{LINEBEARERMODE_DATA});
  EXPECT_EQ(info->dwRate, 200u);
  EXPECT_TRUE(info->dwCallParamFlags & LINECALLPARAMFLAGS_SECURE);
  EXPECT_EQ(std::memcmp(buffer + info->dwCallDataOffset, data, 4), 0);
  EXPECT_EQ(std::memcmp(buffer + info->dwReceivingFlowspecOffset, data + 2, 2), 0);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(buffer + info->dwUserUserInfoOffset), info->dwUserUserInfoSize),
            "hello");
}

TEST_F(Feature, RefusesWhatDoesNotLieInsideAStructure) {
  alignas(8) BYTE buffer[sizeof(LINECALLPARAMS)] = {};
  auto* const params = reinterpret_cast<LPLINECALLPARAMS>(buffer);
  params->dwTotalSize = sizeof buffer;
  params->dwUserUserInfoSize = 8;
  params->dwUserUserInfoOffset = sizeof buffer - 4;
  HDRVCALL call = nullptr;
  EXPECT_EQ(TSPI(tapi, lineMakeCall)(1, line, FakeTapi::htCall(1), &call, WIDE("1"), 0, params),
            static_cast<LONG>(LINEERR_INVALCALLPARAMS));
  params->dwTotalSize = 20;
  EXPECT_EQ(TSPI(tapi, lineMakeCall)(1, line, FakeTapi::htCall(1), &call, WIDE("1"), 0, params),
            static_cast<LONG>(LINEERR_STRUCTURETOOSMALL));
  EXPECT_EQ(tapi.control("calls"), "ok 0 calls");
}

TEST_F(Feature, KeepsDeviceConfigurations) {
  BYTE config[5] = {5, 4, 3, 2, 1};
  ASSERT_EQ(TSPI(tapi, lineSetDevConfig)(0, config, sizeof config, WIDE("tapi/line")), 0);
  alignas(8) BYTE buffer[128] = {};
  auto* const out = reinterpret_cast<LPVARSTRING>(buffer);
  out->dwTotalSize = sizeof buffer;
  ASSERT_EQ(TSPI(tapi, lineGetDevConfig)(0, out, WIDE("tapi/line")), 0);
  EXPECT_EQ(out->dwStringFormat, DWORD{STRINGFORMAT_BINARY});
  EXPECT_EQ(std::memcmp(buffer + out->dwStringOffset, config, sizeof config), 0);
  EXPECT_EQ(TSPI(tapi, lineGetDevConfig)(0, out, WIDE("comm")), static_cast<LONG>(LINEERR_INVALDEVICECLASS));
}

TEST_F(Feature, OrderedFaultsHappen) {
  const HDRVCALL call = connected(1);
  tapi.control("fail lineHold error=LINEERR_RESOURCEUNAVAIL");
  EXPECT_EQ(TSPI(tapi, lineHold)(1, call), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  tapi.control("completions fail error=LINEERR_OPERATIONFAILED");
  EXPECT_EQ(TSPI(tapi, lineHold)(2, call), 2);
  EXPECT_EQ(tapi.result(2), static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(TSPI(tapi, lineHold)(3, call), 3);
  EXPECT_EQ(tapi.result(3), 0);
}

}  // namespace
}  // namespace tsplink::simpbx_test
