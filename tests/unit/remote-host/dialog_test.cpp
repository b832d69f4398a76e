// A vendor's dialogs: shown on the desktop whose request asks for one, and nobody else's.
#include "broker_desks.hpp"
#include "fake_vendor.hpp"

namespace tsplink::host::test {
namespace {

class DialogTest : public BrokerTest {};

TEST_F(DialogTest, ADialogIsTheDesktopsThatAskedForIt) {
  open(kAnna);
  open(kBert);
  const auto asking = request<calls::lineDevSpecific>(kAnna, {{}, kLine, 0, 0, {}, {}});
  const auto sent = take("lineDevSpecific");
  wire::DialogValues dialog{0xD1, sent.id, u"vendor.dll", {1, 2, 3}};
  const auto create = [&] { broker_.worker_message(worker_, wire::make_event(wire::event_of(kLine, dialog))); };
  create();
  ASSERT_FALSE(heard_.empty());
  EXPECT_EQ(heard_.back().first, kAnna);
  const auto told = wire::read_dialog(*wire::verified_envelope(*heard_.back().second)->body_as_Event());
  EXPECT_EQ(told.id, dialog.id);
  EXPECT_EQ(told.request, asking);  // as the desktop numbers it
  EXPECT_EQ(told.module, dialog.module);
  EXPECT_EQ(told.parameters, dialog.parameters);
  EXPECT_EQ(hears(kBert), Names{});

  // Nobody else has it.
  EXPECT_EQ(result_of(kBert, request<calls::providerFreeDialogInstance>(kBert, {0xD1})),
            static_cast<LONG>(LINEERR_INVALPARAM));
  EXPECT_EQ(result_of(kBert, request<calls::providerGenericDialogData>(
                                 kBert, {0xD1, TUISPIDLL_OBJECT_DIALOGINSTANCE, {}, {}})),
            static_cast<LONG>(LINEERR_INVALPARAM));
  hears(kAnna);
  event(Message::kLINE_SENDDIALOGINSTANCEDATA, 0xD1, 0);
  EXPECT_EQ(hears(kAnna), Names{"LINE_SENDDIALOGINSTANCEDATA 0"});
  EXPECT_EQ(hears(kBert), Names{});

  // A question of it reaches the vendor; what the desktop has not, it cannot ask about.
  request<calls::providerGenericDialogData>(kAnna, {0xD1, TUISPIDLL_OBJECT_DIALOGINSTANCE, {}, {}});
  EXPECT_EQ(vendor(), Names{"providerGenericDialogData"});
  EXPECT_EQ(
      result_of(kAnna, request<calls::providerGenericDialogData>(kAnna, {0x4711, TUISPIDLL_OBJECT_LINEID, {}, {}})),
      static_cast<LONG>(LINEERR_BADDEVICEID));
  EXPECT_NE(result_of(kAnna, request<calls::providerGenericDialogData>(kAnna, {0xD1, 77, {}, {}})), 0);
  EXPECT_EQ(vendor(), Names{});

  // A second one ends with the desktop, and one for a request that is over is ended at once.
  dialog.id = 0xD2;
  create();
  request<calls::providerFreeDialogInstance>(kAnna, {0xD1});
  EXPECT_EQ(vendor(), Names{"providerFreeDialogInstance"});
  hears(kAnna);
  request<calls::lineClose>(kAnna, {kLine});
  EXPECT_EQ(hears(kAnna), Names{"LINE_SENDDIALOGINSTANCEDATA 0"});  // it shall close
  EXPECT_EQ(vendor(), Names{"providerFreeDialogInstance"});
  answer(sent, 0);
  dialog.id = 0xD3;
  create();
  EXPECT_EQ(vendor(), Names{"providerFreeDialogInstance"});
}

TEST_F(DialogTest, ConfiguresAVendorOnlyWhereItsSectionSaysSo) {
  const auto id =
      request<calls::providerGenericDialogData>(kAnna, {kLine, TUISPIDLL_OBJECT_LINEID, wire::Bytes{1}, {}});
  EXPECT_EQ(result_of(kAnna, id), static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  EXPECT_EQ(vendor(), Names{});
}

class ConfiguringDialogTest : public BrokerTest {
 protected:
  ConfiguringDialogTest() : BrokerTest(ProviderRules{.desktops_configure = true}) {}
};

TEST_F(ConfiguringDialogTest, AsksAboutADeviceOfItsOwn) {
  request<calls::providerGenericDialogData>(kAnna, {kLine, TUISPIDLL_OBJECT_LINEID, wire::Bytes{1}, {}});
  EXPECT_EQ(vendor(), Names{"providerGenericDialogData"});
}

// --- at the vendor -------------------------------------------------------------------------------------------------

HTAPIDIALOGINSTANCE shown{};  // what the vendor was given for its dialog

/// A vendor that asks for a dialog within lineDevSpecific.
class VendorDialogTest : public WorkerTest {
 protected:
  VendorDialogTest() { shown = {}; }
  static void ask_for_dialog(DRV_REQUESTID request) {
    TUISPICREATEDIALOGINSTANCEPARAMS params{};
    params.dwRequestID = request;
    params.hdDlgInst = reinterpret_cast<HDRVDIALOGINSTANCE>(DWORD_PTR{0x300});
    params.htDlgInst = static_cast<HTAPIDIALOGINSTANCE>(4711);
    const std::basic_string<WCHAR> module(1, 'v');
    params.lpszUIDLLName = module.c_str();
    vendor().line_event(reinterpret_cast<HTAPILINE>(vendor().provider), nullptr, LINE_CREATEDIALOGINSTANCE,
                        reinterpret_cast<DWORD_PTR>(&params), 0, 0);
    shown = params.htDlgInst;
  }
  std::size_t heard(Message message) {
    const auto all = events();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto* event) {
      return event->message() == static_cast<std::uint16_t>(message);
    }));
  }
};

TEST_F(VendorDialogTest, IsForgottenAlsoWhereTheVendorHasNoFunctionToFreeIt) {
  fake_.set<calls::lineDevSpecific>([](DRV_REQUESTID request, HDRVLINE, DWORD, HDRVCALL, LPVOID, DWORD) -> LONG {
    ask_for_dialog(request);
    vendor().completion(request, 0);
    return static_cast<LONG>(request);
  });
  start();
  open_line();
  ASSERT_EQ(run<calls::lineDevSpecific>({{}, line(), 0, 0, {}, {}}).result, 0);
  ASSERT_NE(shown, HTAPIDIALOGINSTANCE{});
  const auto all = events();
  const auto made = std::find_if(all.begin(), all.end(), [](const auto* event) {
    return event->message() == static_cast<std::uint16_t>(Message::kLINE_CREATEDIALOGINSTANCE);
  });
  ASSERT_NE(made, all.end());
  const auto id = wire::read_dialog(**made).id;
  const auto say = [] {
    vendor().line_event(reinterpret_cast<HTAPILINE>(static_cast<DWORD_PTR>(shown)), nullptr,
                        LINE_SENDDIALOGINSTANCEDATA, 0, 0, 0);
  };
  say();
  EXPECT_EQ(heard(Message::kLINE_SENDDIALOGINSTANCEDATA), 1U);
  EXPECT_EQ(run<calls::providerFreeDialogInstance>({id}).result, static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  say();
  EXPECT_EQ(heard(Message::kLINE_SENDDIALOGINSTANCEDATA), 1U);
}

TEST_F(VendorDialogTest, ThatCannotBeToldOfHasNoHandle) {
  fake_.set<calls::lineDevSpecific>([](DRV_REQUESTID request, HDRVLINE, DWORD, HDRVCALL, LPVOID, DWORD) -> LONG {
    vendor().completion(request, 0);  // what comes now waits for the return, up to a bound
    for (int i = 0; i < 4096; ++i) {
      vendor().line_event(vendor().lines.begin()->second, nullptr, LINE_DEVSPECIFIC, 1, 2, 3);
    }
    ask_for_dialog(request);
    return static_cast<LONG>(request);
  });
  start();
  open_line();
  ASSERT_EQ(run<calls::lineDevSpecific>({{}, line(), 0, 0, {}, {}}).result, 0);
  EXPECT_EQ(shown, HTAPIDIALOGINSTANCE{});
  EXPECT_EQ(heard(Message::kLINE_CREATEDIALOGINSTANCE), 0U);
}

}  // namespace
}  // namespace tsplink::host::test
