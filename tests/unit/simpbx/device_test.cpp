// Lines as devices: handles, versions, structure sizes, status, devices that come and go.
#include <cstring>

#include "tests/unit/simpbx/fake_tapi.hpp"

namespace tsplink::simpbx_test {
namespace {

constexpr auto kLine = [](DWORD message, DWORD_PTR p1) {
  return [message, p1](const Told& t) { return t.kind == Told::line && t.message == message && t.p1 == p1; };
};

auto told_any(const std::function<bool(const Told&)>& what) {
  return [what](const std::vector<Told>& all) {
    for (const Told& t : all) {
      if (what(t)) return true;
    }
    return false;
  };
}

TEST(Provider, EnumeratesAndIgnoresASecondInit) {
  FakeTapi tapi("lines = 6\nphones = 1\n");
  EXPECT_EQ(tapi.lines, 6u);
  EXPECT_EQ(tapi.phones, 1u);
  EXPECT_EQ(tapi.options, 0u);
  DWORD options = 5;
  EXPECT_EQ(TSPI(tapi, providerInit)(0x00030001, 7, 100, 100, 6, 1, &FakeTapi::completed, &options), 0);
  DWORD version = 0;
  EXPECT_EQ(TSPI(tapi, lineNegotiateTSPIVersion)(5, 0x00020000, 0x00030001, &version), 0);
  EXPECT_EQ(TSPI(tapi, lineNegotiateTSPIVersion)(6, 0x00020000, 0x00030001, &version),
            static_cast<LONG>(LINEERR_BADDEVICEID));
  EXPECT_EQ(TSPI(tapi, lineNegotiateTSPIVersion)(0, 0x00010003, 0x00010004, &version),
            static_cast<LONG>(LINEERR_INCOMPATIBLEAPIVERSION));
}

TEST(Handles, UnknownOnesAreRefused) {
  FakeTapi tapi;
  const auto line = reinterpret_cast<HDRVLINE>(0x7A5B40001001);
  const auto call = reinterpret_cast<HDRVCALL>(0x7A5B40001001);
  const auto phone = reinterpret_cast<HDRVPHONE>(0x7A5B40001001);
  EXPECT_EQ(TSPI(tapi, lineClose)(line), static_cast<LONG>(LINEERR_INVALLINEHANDLE));
  EXPECT_EQ(TSPI(tapi, lineHold)(1, call), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(TSPI(tapi, phoneClose)(phone), static_cast<LONG>(PHONEERR_INVALPHONEHANDLE));
  const HDRVLINE open = tapi.open(0);
  HDRVLINE again = nullptr;
  EXPECT_EQ(TSPI(tapi, lineOpen)(0, FakeTapi::htLine(0), &again, 0x00030001, &FakeTapi::line_event),
            static_cast<LONG>(LINEERR_ALLOCATED));
  EXPECT_EQ(TSPI(tapi, lineHold)(1, reinterpret_cast<HDRVCALL>(open)), static_cast<LONG>(LINEERR_INVALCALLHANDLE));
}

struct Fixed {
  DWORD version, size;
};

TEST(Structures, HaveTheFixedPartOfTheirVersion) {
  FakeTapi tapi;
  for (const auto [version, size] : {Fixed{0x00020000, 252}, Fixed{0x00020002, 268}, Fixed{0x00030000, 292}}) {
    // Exactly as big as the fixed part, so that a sanitizer sees one byte too far.
    std::vector<BYTE> small(size);
    auto* const caps = reinterpret_cast<LPLINEDEVCAPS>(small.data());
    caps->dwTotalSize = size - 1;
    EXPECT_EQ(TSPI(tapi, lineGetDevCaps)(0, version, 0, caps), static_cast<LONG>(LINEERR_STRUCTURETOOSMALL));
    caps->dwTotalSize = size;
    EXPECT_EQ(TSPI(tapi, lineGetDevCaps)(0, version, 0, caps), 0);
    EXPECT_EQ(caps->dwUsedSize, size);
    EXPECT_GT(caps->dwNeededSize, size);
    EXPECT_EQ(caps->dwLineNameSize, 0u);  // left out whole, not cut

    std::vector<BYTE> whole(caps->dwNeededSize, 0);
    auto* const full = reinterpret_cast<LPLINEDEVCAPS>(whole.data());
    full->dwTotalSize = static_cast<DWORD>(whole.size());
    ASSERT_EQ(TSPI(tapi, lineGetDevCaps)(0, version, 0, full), 0);
    EXPECT_EQ(full->dwUsedSize, full->dwNeededSize);
    EXPECT_EQ(full->dwProviderInfoOffset, size);
    EXPECT_EQ(std::memcmp(whole.data() + full->dwLineNameOffset, WIDE("simpbx line 1"), full->dwLineNameSize), 0);
    EXPECT_EQ((full->dwDevCapFlags & LINEDEVCAPFLAGS_MSP) != 0, version >= 0x00030000);
  }
}

TEST(Lines, ReportOnlyWhatWasAskedFor) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  TSPI(tapi, lineSetStatusMessages)(line, LINEDEVSTATE_OUTOFSERVICE | LINEDEVSTATE_INSERVICE, 0);
  tapi.control("state disconnected line=1");
  tapi.control("state outofservice line=1");
  ASSERT_TRUE(tapi.wait(told_any(kLine(LINE_LINEDEVSTATE, LINEDEVSTATE_OUTOFSERVICE))));
  EXPECT_EQ(tapi.position(kLine(LINE_LINEDEVSTATE, LINEDEVSTATE_DISCONNECTED)), std::string::npos);
  LINEDEVSTATUS status{};
  status.dwTotalSize = sizeof status;
  status.dwNumOpens = 3;  // TAPI's own
  ASSERT_EQ(TSPI(tapi, lineGetLineDevStatus)(line, &status), 0);
  EXPECT_EQ(status.dwNumOpens, 3u);
  EXPECT_EQ(status.dwDevStatusFlags, 0u);
  EXPECT_EQ(status.dwLineFeatures, 0u);
  HDRVCALL call = nullptr;
  EXPECT_EQ(TSPI(tapi, lineMakeCall)(9, line, FakeTapi::htCall(1), &call, WIDE("5550000"), 0, nullptr),
            static_cast<LONG>(LINEERR_INVALLINESTATE));
}

TEST(Lines, ComeAndGo) {
  FakeTapi tapi;
  EXPECT_EQ(tapi.control("create line"), "ok line=5");
  ASSERT_TRUE(tapi.wait(told_any(kLine(LINE_CREATE, 0x55005500))));
  EXPECT_EQ(TSPI(tapi, providerCreateLineDevice)(5, 40), 0);  // not contiguous
  EXPECT_EQ(TSPI(tapi, providerCreateLineDevice)(5, 41), static_cast<LONG>(LINEERR_BADDEVICEID));
  const HDRVLINE line = tapi.open(40);
  EXPECT_NE(line, nullptr);
  EXPECT_EQ(tapi.control("remove line=5"), "ok");
  ASSERT_TRUE(tapi.wait(told_any(kLine(LINE_REMOVE, 40))));
  EXPECT_EQ(TSPI(tapi, lineClose)(line), 0);
  DWORD version = 0;
  EXPECT_EQ(TSPI(tapi, lineNegotiateTSPIVersion)(40, 0x00020000, 0x00030001, &version),
            static_cast<LONG>(LINEERR_NODEVICE));
}

TEST(Events, OfEveryKindCanBeProvoked) {
  FakeTapi tapi;
  tapi.open(0);
  HDRVPHONE phone = nullptr;
  ASSERT_EQ(TSPI(tapi, phoneOpen)(0, FakeTapi::htPhone(0), &phone, 0x00030001, &FakeTapi::phone_event), 0);
  const std::pair<const char*, LONG> lines[] = {{"LINE_ADDRESSSTATE", LINE_ADDRESSSTATE},
                                                {"LINE_CALLINFO", LINE_CALLINFO},
                                                {"LINE_CLOSE", LINE_CLOSE},
                                                {"LINE_DEVSPECIFIC", LINE_DEVSPECIFIC},
                                                {"LINE_DEVSPECIFICFEATURE", LINE_DEVSPECIFICFEATURE},
                                                {"LINE_GATHERDIGITS", LINE_GATHERDIGITS},
                                                {"LINE_GENERATE", LINE_GENERATE},
                                                {"LINE_LINEDEVSTATE", LINE_LINEDEVSTATE},
                                                {"LINE_MONITORDIGITS", LINE_MONITORDIGITS},
                                                {"LINE_MONITORMEDIA", LINE_MONITORMEDIA},
                                                {"LINE_MONITORTONE", LINE_MONITORTONE},
                                                {"LINE_DEVSPECIFICEX", LINE_DEVSPECIFICEX},
                                                {"LINE_CALLDEVSPECIFIC", LINE_CALLDEVSPECIFIC},
                                                {"LINE_CALLDEVSPECIFICFEATURE", LINE_CALLDEVSPECIFICFEATURE},
                                                {"LINE_QOSINFO", LINE_QOSINFO}};
  for (const auto& [name, message] : lines) {
    ASSERT_EQ(tapi.control(std::string("event ") + name + " line=1 p1=0xFEDCBA9876543210 p2=2 p3=3"), "ok") << name;
    EXPECT_TRUE(tapi.wait(told_any(kLine(static_cast<DWORD>(message), static_cast<DWORD_PTR>(0xFEDCBA9876543210)))))
        << name;
  }
  for (const auto& [name, message] : {std::pair{"PHONE_BUTTON", PHONE_BUTTON},
                                      {"PHONE_CLOSE", PHONE_CLOSE},
                                      {"PHONE_DEVSPECIFIC", PHONE_DEVSPECIFIC},
                                      {"PHONE_STATE", PHONE_STATE}}) {
    ASSERT_EQ(tapi.control(std::string("event ") + name + " phone=1 p1=77"), "ok");
    EXPECT_TRUE(tapi.wait(told_any([m = static_cast<DWORD>(message)](const Told& t) {
      return t.kind == Told::phone && t.message == m && t.p1 == 77;
    })));
  }
  tapi.control("create phone");
  EXPECT_TRUE(tapi.wait(told_any([](const Told& t) { return t.kind == Told::phone && t.message == PHONE_CREATE; })));
  tapi.control("remove phone=1");
  EXPECT_TRUE(tapi.wait(told_any([](const Told& t) { return t.kind == Told::phone && t.message == PHONE_REMOVE; })));
  EXPECT_EQ(tapi.control("event LINE_REPLY line=1"), "error 'LINE_REPLY' is no message of a TSP.");
}

TEST(Dialogs, AreOpenedAndFreed) {
  FakeTapi tapi;
  const HDRVLINE line = tapi.open(0);
  tapi.control("completions hold");
  BYTE block[2] = {1, 2};
  TSPI(tapi, lineDevSpecific)(60, line, 0, nullptr, block, 2);
  const std::string answer = tapi.control("dialog create request=60 text=hello");
  ASSERT_TRUE(answer.starts_with("ok dialog=")) << answer;
  ASSERT_TRUE(tapi.wait(told_any([](const Told& t) {
    return t.message == static_cast<DWORD>(LINE_CREATEDIALOGINSTANCE) && t.device == 0x55005500;
  })));
  ASSERT_EQ(tapi.control("dialog send text=more"), "ok");
  ASSERT_TRUE(tapi.wait(told_any([](const Told& t) {
    return t.message == static_cast<DWORD>(LINE_SENDDIALOGINSTANCEDATA) && t.device == 0x4242 && t.p2 == 4;
  })));
  const auto dialog = reinterpret_cast<HDRVDIALOGINSTANCE>(std::stoull(answer.substr(10), nullptr, 0));
  EXPECT_EQ(TSPI(tapi, providerFreeDialogInstance)(dialog), 0);
  EXPECT_NE(TSPI(tapi, providerFreeDialogInstance)(dialog), 0);
}

TEST(Control, AnswersMistakesWithASentence) {
  FakeTapi tapi;
  EXPECT_EQ(tapi.control("nonsense"), "error There is no command 'nonsense'; 'help' lists them.");
  EXPECT_EQ(tapi.control("incoming line=9 from=1"), "error There is no line 9.");
  EXPECT_EQ(tapi.control("hangup"), "error 'hangup' needs call=<number>.");
  EXPECT_TRUE(tapi.control("help").starts_with("ok "));
}

#ifndef _WIN32  // it is not built there
TEST(Minimal, ExportsFewFunctions) {
  const tests::Module module(tests::program_folder() / "simpbx_min.tsp");
  EXPECT_NE(module.symbol("TSPI_lineMakeCall"), nullptr);
  EXPECT_EQ(module.symbol("TSPI_lineHold"), nullptr);
  EXPECT_EQ(module.symbol("TSPI_lineMSPIdentify"), nullptr);
}
#endif

}  // namespace
}  // namespace tsplink::simpbx_test
