// A vendor's dialog on the desktop: which modules may show it, when TAPI hears of it, how it ends.
#include <future>

#include "desktop.hpp"
#include "wire/codec.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;
using wire::Message;

constexpr std::uint64_t kDialogId = 0xDDDD000000000001;

CoreOptions allowing(const char* module) {
  CoreOptions options;
  options.dialog_modules = {module};
  return options;
}

/// A lineDevSpecific under way, and the dialog that the vendor wants for it.
struct Asked {
  DRV_REQUESTID id;
  Desktop::Request request;
};
Asked asked(Desktop& desktop, HDRVLINE hdLine) {
  const auto id = request_id(desktop);
  EXPECT_EQ(desktop.run<calls::lineDevSpecific>(Function::lineDevSpecific, id, hdLine, DWORD{0}, HDRVCALL{}, LPVOID{},
                                                DWORD{0}),
            static_cast<LONG>(id));
  return {id, desktop.await_request(Function::lineDevSpecific)};
}
void ask_for_dialog(Desktop& desktop, const Asked& asked) {
  const wire::DialogValues dialog{kDialogId, asked.request.id, u"C:\\Vendor\\VendorUI.dll", {1, 2, 3}};
  desktop.core().on_message(wire::make_event(wire::event_of(kLineId, dialog)));
}

TEST(DialogTest, IsShownByTheModuleOfThisMachineBeforeItsRequestCompletes) {
  Desktop desktop(allowing("vendorui.dll"));
  desktop.start();
  const auto hdLine = desktop.open_line();
  const auto made = asked(desktop, hdLine);
  // TAPI is busy while both come.
  std::promise<void> both;
  desktop.inside_next_event([&] { both.get_future().wait(); });
  desktop.event(Message::kLINE_LINEDEVSTATE, 0, 1);
  ask_for_dialog(desktop, made);
  desktop.complete<calls::lineDevSpecific>(made.request, 0, {});
  both.set_value();
  const auto told = desktop.told(3);
  EXPECT_EQ(told[1].request_or_message, static_cast<DWORD>(LINE_CREATEDIALOGINSTANCE));
  EXPECT_EQ(told[1].params[0], made.id);
  EXPECT_EQ(told[1].data, "VendorUI.dll");
  EXPECT_EQ(told[2].kind, Told::Completion);

  const auto hdDlgInst = reinterpret_cast<HDRVDIALOGINSTANCE>(told[1].params[1]);
  desktop.event(Message::kLINE_SENDDIALOGINSTANCEDATA, kDialogId, 0, 0, 0, "data");
  EXPECT_EQ(desktop.told(4).back().params[1], 4U);
  EXPECT_EQ(desktop.run<calls::providerFreeDialogInstance>(Function::providerFreeDialogInstance, hdDlgInst), 0);
  desktop.event(Message::kLINE_SENDDIALOGINSTANCEDATA, kDialogId, 0, 0, 0, "late");
  EXPECT_EQ(desktop.run<calls::lineClose>(Function::lineClose, hdLine), 0);  // waits for what TAPI is told before it
  EXPECT_EQ(desktop.told_so_far().size(), 4U);
}

TEST(DialogTest, OfAModuleThatIsNotAllowedIsEndedAtOnce) {
  for (const char* other : {"other.dll", "endorUI.dll", "VendorUI.dll.exe"}) {
    Desktop desktop(allowing(other));
    desktop.start();
    ask_for_dialog(desktop, asked(desktop, desktop.open_line()));
    const auto end = desktop.await_request(Function::providerFreeDialogInstance);
    EXPECT_EQ(end.arguments, wire::encode(calls::providerFreeDialogInstance::Inputs{kDialogId}));
    EXPECT_TRUE(desktop.told_so_far().empty());
    const auto refused = desktop.logged("does not allow");
    const auto request = desktop.logged("lineDevSpecific");
    ASSERT_TRUE(refused.size() == 1 && !request.empty());
    EXPECT_TRUE(refused[0].ends_with(request[0].substr(request[0].find(" trace=")))) << refused[0];
  }
}

TEST(DialogTest, ForARequestThatIsOverIsEndedAtOnce) {
  Desktop desktop(allowing("vendorui.dll"));
  desktop.start();
  const auto made = asked(desktop, desktop.open_line());
  desktop.complete<calls::lineDevSpecific>(made.request, 0, {});
  ask_for_dialog(desktop, made);
  desktop.await_request(Function::providerFreeDialogInstance);
  EXPECT_EQ(desktop.told(1).back().kind, Told::Completion);
}

TEST(DialogTest, IsToldToCloseWhenTheLinkIsLost) {
  Desktop desktop(allowing("vendorui.dll"));
  desktop.start();
  ask_for_dialog(desktop, asked(desktop, desktop.open_line()));
  const auto hdDlgInst = reinterpret_cast<HDRVDIALOGINSTANCE>(desktop.told(1).back().params[1]);
  desktop.up = false;
  desktop.core().on_down("test");
  const auto told = desktop.told(4);  // completion, close the dialog, LINE_CLOSE
  EXPECT_EQ(told[2].request_or_message, static_cast<DWORD>(LINE_SENDDIALOGINSTANCEDATA));
  EXPECT_EQ(told[2].params[0], 0U);
  EXPECT_EQ(desktop.run<calls::providerFreeDialogInstance>(Function::providerFreeDialogInstance, hdDlgInst), 0);
  EXPECT_EQ(desktop.requests(Function::providerFreeDialogInstance), 0U);
}

}  // namespace
}  // namespace tsplink::proxy::test
