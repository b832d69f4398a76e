// Desktops that act on one line at the same time, or whose rights change while they do.
#include <fstream>

#include "broker_desks.hpp"
#include "tests/platform/files.hpp"

namespace tsplink::host::test {
namespace {

const auto kRefused = static_cast<LONG>(LINEERR_INVALDIGITMODE);

class TogetherTest : public BrokerTest {
 protected:
  void grant(const std::string& text) {
    const tests::TemporaryFolder folder;
    std::ofstream(folder.path() / "policy.toml") << text;
    broker_.set_policy(std::make_shared<Policy>(Policy::read(folder.path() / "policy.toml")));
  }
  void bert_monitors() {
    grant(
        "[[grant]]\nto = [\"CN=anna\", \"CN=carl\"]\nright = \"control\"\n"
        "[[grant]]\nto = \"CN=bert\"\nright = \"monitor\"\n");
  }
  void ring() {
    for (const auto session : {kAnna, kBert, kCarl}) open(session);
    new_call(0x77);
    for (const auto session : {kAnna, kBert, kCarl}) hears(session);
  }
  /// Anna and Bert have the line, and Bert owns no media.
  void open_with_a_bystander() {
    open(kAnna);
    open(kBert);
    request<calls::lineSetDefaultMediaDetection>(kBert, {kLine, 0});
    vendor();
  }
};

// --- who only monitors
// ----------------------------------------------------------------------------------------------

TEST_F(TogetherTest, AMonitorHearsOfCalls) {
  bert_monitors();
  open(kBert);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  EXPECT_EQ(hears(kBert), (Names{"LINE_NEWCALL 119", "LINE_CALLSTATE 256"}));
}

TEST_F(TogetherTest, AMonitorReplacesNothingThatAControllerHasSet) {
  bert_monitors();
  ring();
  request<calls::lineMonitorTones>(kAnna, {0x77, 31, {}, {}});
  vendor();
  request<calls::lineMonitorTones>(kBert, {0x77, 32, {}, {}});
  request<calls::lineSetCallHubTracking>(kBert, {kLine, {}});
  EXPECT_EQ(vendor(), Names{});
}

TEST_F(TogetherTest, AMonitorsClosingOfACallTakesItFromNobody) {
  bert_monitors();
  open(kBert);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  const auto closed = request<calls::lineCloseCall>(kBert, {0x77});
  EXPECT_EQ(result_of(kBert, closed), 0);
  EXPECT_EQ(vendor(), Names{});
  open(kAnna);
  EXPECT_EQ(hears(kAnna), (Names{"LINE_NEWCALL 119", "LINE_CALLSTATE 256"}));
  request<calls::lineCloseCall>(kAnna, {0x77});
  EXPECT_EQ(vendor(), Names{"lineCloseCall"});
}

TEST_F(TogetherTest, ACallThatOnlyAMonitorLetGoOfIsClosedWhenItEnds) {
  bert_monitors();
  open(kBert);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  request<calls::lineCloseCall>(kBert, {0x77});
  EXPECT_EQ(vendor(), Names{});
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_IDLE);
  EXPECT_EQ(vendor(), Names{"lineCloseCall"});
}

TEST_F(TogetherTest, AMonitorsTapiMayLetGoOfACallByLineDrop) {
  bert_monitors();
  open(kBert);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  hears(kBert);
  const auto drop = request<calls::lineDrop>(kBert, {{}, 0x77, {}, {}});
  EXPECT_EQ(vendor(), Names{});
  EXPECT_EQ(result_of(kBert, drop), 0);
  EXPECT_EQ(hears(kBert), Names{"LINE_CALLSTATE 1"});
}

// --- rights that change
// ---------------------------------------------------------------------------------------------

TEST_F(TogetherTest, AnAnswerThatComesAfterTheRightIsGoneTellsNothing) {
  const auto caps = request<calls::lineGetDevCaps>(kAnna, {kLine, 0x00020002, 0, 4096});
  const auto sent = take("lineGetDevCaps");
  grant("# nothing\n");
  EXPECT_LT(result_of(kAnna, caps), 0);
  calls::lineGetDevCaps::Outputs outputs;
  std::get<calls::lineGetDevCaps::position("lpLineDevCaps")>(outputs) = wire::Bytes(240, 7);
  heard_.clear();
  answer(sent, 0, wire::encode(outputs));
  EXPECT_TRUE(heard_.empty());
}

TEST_F(TogetherTest, ADialogEndsWithTheRightToIt) {
  open(kAnna);
  request<calls::lineDevSpecific>(kAnna, {{}, kLine, 0, 0, {}, {}});
  const auto sent = take("lineDevSpecific");
  broker_.worker_message(worker_,
                         wire::make_event(wire::event_of(kLine, wire::DialogValues{0xD1, sent.id, u"v.dll", {}})));
  hears(kAnna);
  grant("[[grant]]\nto = \"*\"\nright = \"monitor\"\n");
  EXPECT_EQ(hears(kAnna), Names{"LINE_SENDDIALOGINSTANCEDATA 0"});  // it shall close
  const auto asked = vendor();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "providerFreeDialogInstance"), 1);
  event(Message::kLINE_SENDDIALOGINSTANCEDATA, 0xD1, 0);
  EXPECT_EQ(hears(kAnna), Names{});
}

TEST_F(TogetherTest, ACallSurvivesAPolicyThatHandsItsLineOver) {
  for (const bool anna_first : {true, false}) {
    SCOPED_TRACE(anna_first);
    const std::string from = anna_first ? "CN=anna" : "CN=bert", to = anna_first ? "CN=bert" : "CN=anna";
    grant("[[grant]]\nto = \"" + from + "\"\nright = \"control\"\n[[grant]]\nto = \"" + to +
          "\"\nright = \"monitor\"\n");
    inventory(LINEDEVCAPFLAGS_CLOSEDROP);
    open(kAnna);
    open(kBert);
    new_call(0x77, LINECALLSTATE_CONNECTED);
    vendor();
    grant("[[grant]]\nto = \"" + to + "\"\nright = \"control\"\n");
    const auto asked = vendor();
    EXPECT_EQ(std::find(asked.begin(), asked.end(), "lineDrop"), asked.end());
    grant("# nothing\n");
    vendor();
  }
}

// --- masks that are under way
// ---------------------------------------------------------------------------------------

TEST_F(TogetherTest, NobodyIsToldThatAMaskIsSetBeforeTheVendorTookIt) {
  ring();
  request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_DTMF});
  const auto first = take("lineMonitorDigits");
  const auto second = request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_DTMF});
  EXPECT_EQ(result_of(kBert, second), 1);
  answer(first, kRefused);
  answer(take("lineMonitorDigits"), kRefused);
  EXPECT_EQ(result_of(kBert, second), kRefused);
}

TEST_F(TogetherTest, ALaterMaskOutlivesTheRefusalOfAnEarlierOne) {
  ring();
  const auto one = request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_PULSE});
  const auto two = request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_DTMF});
  answer(take("lineMonitorDigits"), kRefused);
  answer(take("lineMonitorDigits"), 0);
  EXPECT_EQ(result_of(kAnna, one), kRefused);
  EXPECT_EQ(result_of(kAnna, two), 0);
  event(Message::kLINE_MONITORDIGITS, 0x77, '5', LINEDIGITMODE_DTMF);
  EXPECT_EQ(hears(kAnna), Names{"LINE_MONITORDIGITS 53"});
}

TEST_F(TogetherTest, OneDesktopsBadMaskDoesNotSpoilAnothersGoodOne) {
  ring();
  request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_PULSE});
  const auto good = request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_DTMF});
  answer(take("lineMonitorDigits"), kRefused);
  EXPECT_EQ(vendor(), Names{"lineMonitorDigits"});
  EXPECT_EQ(given<calls::lineMonitorDigits>(), DWORD{LINEDIGITMODE_DTMF});
  EXPECT_EQ(result_of(kAnna, good), 0);
}

TEST_F(TogetherTest, WhoLeavesWhileItsMaskIsUnderWayLeavesNothingOfIt) {
  ring();
  request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_DTMF});
  vendor();
  request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_PULSE});
  const auto asked = take("lineMonitorDigits");
  request<calls::lineCloseCall>(kBert, {0x77});
  answer(asked, 0);
  EXPECT_EQ(vendor(), Names{"lineMonitorDigits"});
  EXPECT_EQ(given<calls::lineMonitorDigits>(), DWORD{LINEDIGITMODE_DTMF});
}

TEST_F(TogetherTest, WhatWaitsOfOneDesktopIsBoundedAndAnsweredWhenItLeaves) {
  ring();
  request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_DTMF});
  std::vector<std::uint64_t> waiting;
  for (int i = 0; i < 17; ++i)
    waiting.push_back(request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_PULSE}));
  EXPECT_EQ(result_of(kAnna, waiting.back()), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  EXPECT_EQ(result_of(kAnna, waiting.front()), 1);
  request<calls::lineCloseCall>(kAnna, {0x77});
  EXPECT_EQ(result_of(kAnna, waiting.front()), static_cast<LONG>(LINEERR_OPERATIONFAILED));
}

TEST_F(TogetherTest, AMaskThatWaitsForACallThatGoesIsAnswered) {
  ring();
  request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_DTMF});
  const auto waiting = request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_PULSE});
  wire::InventoryValues gone;
  gone.complete = false;
  gone.lines.emplace_back().id = kLine;
  broker_.worker_message(worker_, wire::make_inventory(gone));
  EXPECT_LT(result_of(kBert, waiting), 0);
}

// --- calls
// ------------------------------------------------------------------------------------------------------------

TEST_F(TogetherTest, AfterTheIdleOfALocalDropNothingComesOfThatCall) {
  open_with_a_bystander();
  new_call(0x77, LINECALLSTATE_CONNECTED);
  hears(kBert);
  request<calls::lineDrop>(kBert, {{}, 0x77, {}, {}});
  EXPECT_EQ(hears(kBert), Names{"LINE_CALLSTATE 1"});
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_ONHOLD, 0, LINEMEDIAMODE_INTERACTIVEVOICE);
  event(Message::kLINE_CALLINFO, 0x77, LINECALLINFOSTATE_CALLERID);
  EXPECT_EQ(hears(kBert), Names{});
}

TEST_F(TogetherTest, ABystanderDropsNoCallWhoseMediaModeTheVendorDoesNotRepeat) {
  open_with_a_bystander();
  new_call(0x77, LINECALLSTATE_OFFERING);
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_CONNECTED, 0, 0);
  request<calls::lineDrop>(kBert, {{}, 0x77, {}, {}});
  EXPECT_EQ(vendor(), Names{});
}

TEST_F(TogetherTest, ABystanderDropsNoCallWhoseStateTheVendorHasNotSaid) {
  open_with_a_bystander();
  request<calls::lineMakeCall>(kAnna, {{}, kLine, {}, 0x10, u"12", 0, {}});
  vendor();
  request<calls::lineDrop>(kBert, {{}, 0x77, {}, {}});
  EXPECT_EQ(vendor(), Names{});
}

TEST_F(TogetherTest, WhoActsOnACallSynchronouslyMayDropIt) {
  open_with_a_bystander();
  new_call(0x77, LINECALLSTATE_CONNECTED);
  request<calls::lineGenerateDigits>(kBert, {0x77, 1, LINEDIGITMODE_DTMF, u"12", 0});
  EXPECT_EQ(vendor(), Names{"lineGenerateDigits"});
  request<calls::lineDrop>(kBert, {{}, 0x77, {}, {}});
  EXPECT_EQ(vendor(), Names{"lineDrop"});
}

TEST_F(TogetherTest, TwoWhoAnswerACallAtOnceBothHaveTheVendorsAnswer) {
  ring();
  const auto first = request<calls::lineAnswer>(kAnna, {{}, 0x77, {}, {}});
  const auto second = request<calls::lineAnswer>(kBert, {{}, 0x77, {}, {}});
  answer(take("lineAnswer"), 0);
  answer(take("lineAnswer"), static_cast<LONG>(LINEERR_INVALCALLSTATE));
  EXPECT_EQ(result_of(kAnna, first), 0);
  EXPECT_EQ(result_of(kBert, second), static_cast<LONG>(LINEERR_INVALCALLSTATE));
}

TEST_F(TogetherTest, ADropOfAnEndedCallLeavesItToBeClosed) {
  open_with_a_bystander();
  new_call(0x77, LINECALLSTATE_CONNECTED);
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_IDLE);
  hears(kBert);
  request<calls::lineCloseCall>(kAnna, {0x77});
  const auto id = request<calls::lineDrop>(kBert, {{}, 0x77, {}, {}});
  EXPECT_EQ(result_of(kBert, id), 0);
  EXPECT_EQ(hears(kBert), Names{}) << "it has heard of the end";
  request<calls::lineCloseCall>(kBert, {0x77});
  EXPECT_EQ(vendor(), Names{"lineCloseCall"});
}

TEST_F(TogetherTest, WhoHasClosedACallHearsOfItNoMore) {
  open(kBert);
  open(kAnna, false);
  request<calls::lineMakeCall>(kAnna, {{}, kLine, {}, 0x10, u"12", 0, {}});
  answer(take("lineMakeCall"), 0, wire::encode(made(0x99)));
  request<calls::lineCloseCall>(kAnna, {0x99});
  hears(kAnna);
  run_timers();
  EXPECT_EQ(hears(kAnna), Names{});
}

TEST_F(TogetherTest, ACallWaitsForAControllerWhoOpenedTheLineAMomentAgo) {
  for (const DWORD flags : {DWORD{0}, DWORD{LINEDEVCAPFLAGS_CLOSEDROP}}) {
    SCOPED_TRACE(flags);
    inventory(flags);
    open(kAnna);
    new_call(0x77, LINECALLSTATE_CONNECTED);
    open(kBert, false);
    request<calls::lineClose>(kAnna, {kLine});
    const auto asked = vendor();
    EXPECT_EQ(std::find(asked.begin(), asked.end(), "lineDrop"), asked.end());
    EXPECT_EQ(std::find(asked.begin(), asked.end(), "lineCloseCall"), asked.end());
    hears(kBert);
    run_timers();
    EXPECT_EQ(hears(kBert), (Names{"LINE_NEWCALL 119", "LINE_CALLSTATE 256"}));
    request<calls::lineClose>(kBert, {kLine});
    EXPECT_EQ(vendor(),
              flags ? (Names{"lineDrop", "lineCloseCall", "lineClose"}) : (Names{"lineCloseCall", "lineClose"}));
  }
}

TEST_F(TogetherTest, AMonitorsLeavingTakesNoCallThatWaitsForItsLine) {
  bert_monitors();
  inventory(LINEDEVCAPFLAGS_CLOSEDROP);
  for (const auto session : {kAnna, kBert, kCarl}) open(session);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  vendor();
  for (const auto session : {kAnna, kBert, kCarl}) request<calls::lineCloseCall>(session, {0x77});
  request<calls::lineClose>(kBert, {kLine});
  request<calls::lineClose>(kCarl, {kLine});
  EXPECT_EQ(vendor(), Names{});
  request<calls::lineClose>(kAnna, {kLine});
  EXPECT_EQ(vendor(), (Names{"lineDrop", "lineCloseCall", "lineClose"}));
}

TEST_F(TogetherTest, WhatWaitsOfTheLastWhoLeavesGoesWithIt) {
  open(kAnna);
  request<calls::lineSetStatusMessages>(kAnna, {kLine, LINEDEVSTATE_RINGING, 0});
  request<calls::lineSetStatusMessages>(kAnna, {kLine, LINEDEVSTATE_MSGWAITON, 0});
  const auto first = take("lineSetStatusMessages");
  const auto sessions = broker_.inspect().sessions.size();
  broker_.session_down(kAnna, "cut");
  answer(first, 0);
  EXPECT_EQ(vendor(), Names{"lineClose"});
  EXPECT_EQ(broker_.inspect().sessions.size(), sessions - 1);
}

// --- extension versions
// -----------------------------------------------------------------------------------------------

TEST_F(TogetherTest, AnExtensionVersionDoesNotOutliveTheLastClose) {
  open(kAnna);
  request<calls::lineSelectExtVersion>(kAnna, {kLine, 3});
  vendor();
  request<calls::lineClose>(kAnna, {kLine});
  EXPECT_EQ(vendor(), Names{"lineClose"});
  const auto id = request<calls::lineNegotiateExtVersion>(kBert, {kLine, 0x00020002, 4, 9, {}});
  EXPECT_EQ(vendor(), Names{"lineNegotiateExtVersion"});
  EXPECT_EQ(result_of(kBert, id), 0);
}

TEST_F(TogetherTest, APhonesExtensionVersionGoesWithTheLastWhoUsesIt) {
  for (const auto session : {kAnna, kBert}) request<calls::phoneOpen>(session, {kPhone, {}, {}, 0x00020002, {}});
  vendor();
  request<calls::phoneSelectExtVersion>(kAnna, {kPhone, 3});
  vendor();
  const auto other = request<calls::phoneSelectExtVersion>(kBert, {kPhone, 4});
  EXPECT_EQ(result_of(kBert, other), static_cast<LONG>(PHONEERR_INCOMPATIBLEEXTVERSION));
  request<calls::phoneClose>(kAnna, {kPhone});
  EXPECT_EQ(vendor(), Names{"phoneSelectExtVersion"});  // to none
  const auto again = request<calls::phoneSelectExtVersion>(kBert, {kPhone, 4});
  EXPECT_EQ(vendor(), Names{"phoneSelectExtVersion"});
  EXPECT_EQ(result_of(kBert, again), 0);
}

TEST_F(TogetherTest, AnExtensionVersionStaysWithOneWhenAnothersRequestForItFails) {
  for (const auto session : {kAnna, kBert, kCarl}) open(session);
  request<calls::lineSelectExtVersion>(kAnna, {kLine, 3});
  const auto of_anna = take("lineSelectExtVersion");
  const auto selected = request<calls::lineSelectExtVersion>(kBert, {kLine, 3});
  const auto of_bert = take("lineSelectExtVersion");
  answer(of_anna, static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  answer(of_bert, 0);
  EXPECT_EQ(result_of(kBert, selected), 0);
  EXPECT_EQ(result_of(kCarl, request<calls::lineSelectExtVersion>(kCarl, {kLine, 4})),
            static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  EXPECT_EQ(vendor(), Names{});
}

}  // namespace
}  // namespace tsplink::host::test
