// What the broker lets a desktop do and hear on lines that it may share.
#include "broker_desks.hpp"

namespace tsplink::host::test {
namespace {

TEST_F(BrokerTest, InventoryComesFirst) {
  broker_.session_up(4, {"dora", {"CN=dora", {}}, "127.0.0.1"});
  ASSERT_EQ(heard_.size(), 1U);
  const auto* inventory = wire::verified_envelope(*heard_[0].second)->body_as_Inventory();
  ASSERT_TRUE(inventory);
  EXPECT_TRUE(inventory->complete());
  EXPECT_EQ(inventory->lines()->size(), 2U);
  EXPECT_EQ(inventory->phones()->size(), 1U);
}

TEST_F(BrokerTest, FirstOpensLastCloses) {
  const auto first = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00010004, {}});
  const auto second = request<calls::lineOpen>(kBert, {kLine, {}, {}, 0x00010004, {}});
  const auto asked = take("lineOpen");
  EXPECT_TRUE(asked_.empty());
  // The vendor gets the version that it agreed to, whatever a desktop asked for.
  EXPECT_EQ(std::get<3>(wire::decode<calls::lineOpen::Inputs>(wire::span_of(asked.request()->arguments()))),
            0x00020002U);
  EXPECT_EQ(result_of(kAnna, first), 1);
  answer(asked, 0);
  EXPECT_EQ(result_of(kAnna, first), 0);
  EXPECT_EQ(result_of(kBert, second), 0);
  const auto closed = request<calls::lineClose>(kAnna, {kLine});
  EXPECT_EQ(vendor(), Names{});
  EXPECT_EQ(result_of(kAnna, closed), 0);
  const auto last = request<calls::lineClose>(kBert, {kLine});
  EXPECT_EQ(result_of(kBert, last), 1);
  EXPECT_EQ(vendor(), Names{"lineClose"});
  EXPECT_EQ(result_of(kBert, last), 0);
}

TEST_F(BrokerTest, RefusedOpenIsRefusedToAll) {
  const auto first = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}});
  const auto second = request<calls::lineOpen>(kBert, {kLine, {}, {}, 0x00020002, {}});
  answer(take("lineOpen"), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  EXPECT_EQ(result_of(kAnna, first), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  EXPECT_EQ(result_of(kBert, second), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  open(kAnna);
}

TEST_F(BrokerTest, OpenWhileClosingOpensAgain) {
  open(kAnna);
  request<calls::lineClose>(kAnna, {kLine});
  const auto again = request<calls::lineOpen>(kBert, {kLine, {}, {}, 0x00020002, {}});
  answer(take("lineClose"), 0);
  EXPECT_EQ(vendor(), Names{"lineOpen"});
  EXPECT_EQ(result_of(kBert, again), 0);
}

/// Whoever comes again first must not be given the line that is over.
TEST_F(BrokerTest, ALineThatTheVendorHasClosedIsOpenedAnew) {
  open(kAnna);
  open(kBert);
  event(Message::kLINE_CLOSE, 0, 0);
  EXPECT_EQ(hears(kBert), Names{"LINE_CLOSE 0"});
  request<calls::lineClose>(kAnna, {kLine});
  asked_.clear();
  const auto again = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}});
  EXPECT_EQ(result_of(kAnna, again), 1);
  EXPECT_EQ(vendor(), (Names{"lineClose", "lineOpen"}));
  EXPECT_EQ(result_of(kAnna, again), 0);
  request<calls::lineClose>(kBert, {kLine});  // late: what it had open is gone
  EXPECT_EQ(vendor(), Names{});
  const auto joins = request<calls::lineOpen>(kBert, {kLine, {}, {}, 0x00020002, {}});
  EXPECT_EQ(vendor(), Names{});
  EXPECT_EQ(result_of(kBert, joins), 0);
}

TEST_F(BrokerTest, ALineThatTheVendorClosesWhileItOpensIsClosedForAll) {
  const auto opened = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}});
  event(Message::kLINE_CLOSE, 0, 0);
  EXPECT_EQ(hears(kAnna), Names{});
  vendor();
  EXPECT_EQ(result_of(kAnna, opened), 0);
  EXPECT_EQ(hears(kAnna), Names{"LINE_CLOSE 0"});
}

TEST_F(BrokerTest, ForeignObjectsDoNotExist) {
  open(kAnna);
  new_call(0x77);
  EXPECT_EQ(result_of(kBert, request<calls::lineGetNumAddressIDs>(kBert, {kLine, {}})),
            static_cast<LONG>(LINEERR_INVALLINEHANDLE));
  EXPECT_EQ(result_of(kBert, request<calls::lineAnswer>(kBert, {{}, 0x77, {}, {}})),
            static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(result_of(kBert, request<calls::lineOpen>(kBert, {0x4711, {}, {}, 0x00020002, {}})),
            static_cast<LONG>(LINEERR_BADDEVICEID));
  EXPECT_EQ(result_of(kBert, request<calls::lineOpen>(kBert, {kPhone, {}, {}, 0x00020002, {}})),
            static_cast<LONG>(LINEERR_BADDEVICEID));
  EXPECT_EQ(result_of(kBert, request<calls::providerShutdown>(kBert, {})),
            static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  broker_.session_message(kBert, wire::make_request(1, 9999, 0, 0, {}));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(BrokerTest, AVanishedCallHasTheErrorOfItsParameter) {
  open(kAnna);
  new_call(0x77);
  const auto refused = [&](std::uint64_t id) { return result_of(kAnna, id); };
  EXPECT_EQ(refused(request<calls::lineAddToConference>(kAnna, {{}, 0x78, 0x77})),
            static_cast<LONG>(LINEERR_INVALCONFCALLHANDLE));
  EXPECT_EQ(refused(request<calls::lineAddToConference>(kAnna, {{}, 0x77, 0x78})),
            static_cast<LONG>(LINEERR_INVALCONSULTCALLHANDLE));
  EXPECT_EQ(refused(request<calls::linePrepareAddToConference>(kAnna, {{}, 0x78, {}, 1, std::nullopt})),
            static_cast<LONG>(LINEERR_INVALCONFCALLHANDLE));
  EXPECT_EQ(refused(request<calls::lineCompleteTransfer>(kAnna, {{}, 0x77, 0x78, {}, 0, LINETRANSFERMODE_TRANSFER})),
            static_cast<LONG>(LINEERR_INVALCONSULTCALLHANDLE));
  EXPECT_EQ(refused(request<calls::lineCompleteTransfer>(kAnna, {{}, 0x78, 0x77, {}, 0, LINETRANSFERMODE_TRANSFER})),
            static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(BrokerTest, EventsGoToAllThatHoldTheCallAsTheSameBytes) {
  open(kAnna);
  open(kBert);
  new_call(0x77);
  EXPECT_EQ(hears(kAnna), (Names{"LINE_NEWCALL 119", "LINE_CALLSTATE 2"}));
  EXPECT_EQ(hears(kBert), (Names{"LINE_NEWCALL 119", "LINE_CALLSTATE 2"}));
  const auto size = heard_.size();
  event(Message::kLINE_CALLINFO, 0x77, 1);
  ASSERT_EQ(heard_.size(), size + 2);
  EXPECT_EQ(heard_[size].second, heard_[size + 1].second);
  const auto closed = request<calls::lineCloseCall>(kAnna, {0x77});
  EXPECT_EQ(vendor(), Names{});
  EXPECT_EQ(result_of(kAnna, closed), 0);
  hears(kAnna);
  event(Message::kLINE_CALLINFO, 0x77, 2);
  EXPECT_EQ(hears(kAnna), Names{});
  request<calls::lineCloseCall>(kBert, {0x77});
  EXPECT_EQ(vendor(), Names{"lineCloseCall"});
}

TEST_F(BrokerTest, CallsAreAnnouncedAfterMediaDetectionOrTheDelay) {
  open(kAnna, false);
  new_call(0x77);
  EXPECT_EQ(hears(kAnna), Names{});
  request<calls::lineSetDefaultMediaDetection>(kAnna, {kLine, LINEMEDIAMODE_INTERACTIVEVOICE});
  EXPECT_EQ(hears(kAnna), Names{});
  vendor();
  EXPECT_EQ(hears(kAnna), (Names{"LINE_NEWCALL 119", "LINE_CALLSTATE 2"}));
  open(kBert, false);
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_CONNECTED);
  EXPECT_EQ(hears(kBert), Names{});
  run_timers();
  EXPECT_EQ(hears(kBert), (Names{"LINE_NEWCALL 119", "LINE_CALLSTATE 256"}));
  EXPECT_EQ(hears(kAnna), Names{"LINE_CALLSTATE 256"});
}

TEST_F(BrokerTest, MadeCallIsHeardByOthersAfterItsCompletion) {
  open(kAnna);
  open(kBert);
  const auto id = request<calls::lineMakeCall>(kAnna, {{}, kLine, {}, 1, u"100", 0, std::nullopt});
  const auto asked = take("lineMakeCall");
  EXPECT_EQ(hears(kBert), Names{});
  answer(asked, 0);
  EXPECT_EQ(result_of(kAnna, id), 0);
  EXPECT_EQ(hears(kAnna), Names{});
  EXPECT_EQ(hears(kBert), Names{"LINE_NEWCALL 119"});
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_DIALING);
  EXPECT_EQ(hears(kAnna), Names{"LINE_CALLSTATE 16"});
  EXPECT_EQ(hears(kBert), Names{"LINE_CALLSTATE 16"});
}

TEST_F(BrokerTest, MasksAreUnionsAndEachHearsItsOwn) {
  open(kAnna);
  open(kBert);
  const auto masks = [&] {
    return wire::decode<calls::lineSetStatusMessages::Inputs>(wire::span_of(last_.request()->arguments()));
  };
  request<calls::lineSetStatusMessages>(kAnna, {kLine, LINEDEVSTATE_RINGING, LINEADDRESSSTATE_INUSEONE});
  EXPECT_EQ(vendor(), Names{"lineSetStatusMessages"});
  request<calls::lineSetStatusMessages>(kBert, {kLine, LINEDEVSTATE_CONNECTED, 0});
  EXPECT_EQ(vendor(), Names{"lineSetStatusMessages"});
  EXPECT_EQ(std::get<1>(masks()), DWORD{LINEDEVSTATE_RINGING | LINEDEVSTATE_CONNECTED});
  event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_RINGING);
  event(Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_CONNECTED);
  event(Message::kLINE_ADDRESSSTATE, 0, 0, LINEADDRESSSTATE_INUSEONE);
  EXPECT_EQ(hears(kAnna), (Names{"LINE_LINEDEVSTATE 2", "LINE_ADDRESSSTATE 0"}));
  EXPECT_EQ(hears(kBert), Names{"LINE_LINEDEVSTATE 4"});
  const auto same =
      request<calls::lineSetStatusMessages>(kBert, {kLine, LINEDEVSTATE_RINGING | LINEDEVSTATE_CONNECTED, 0});
  EXPECT_EQ(vendor(), Names{});
  EXPECT_EQ(result_of(kBert, same), 0);
  request<calls::lineClose>(kBert, {kLine});
  EXPECT_EQ(vendor(), Names{"lineSetStatusMessages"});
  EXPECT_EQ(std::get<1>(masks()), DWORD{LINEDEVSTATE_RINGING});
}

TEST_F(BrokerTest, PhoneButtonsByModeAndState) {
  for (const auto session : {kAnna, kBert}) request<calls::phoneOpen>(session, {kPhone, {}, {}, 0x00020002, {}});
  EXPECT_EQ(vendor(), Names{"phoneOpen"});
  request<calls::phoneSetStatusMessages>(kAnna,
                                         {kPhone, PHONESTATE_LAMP, PHONEBUTTONMODE_KEYPAD, PHONEBUTTONSTATE_DOWN});
  vendor();
  event(Message::kPHONE_BUTTON, 0, 5, PHONEBUTTONMODE_KEYPAD, PHONEBUTTONSTATE_DOWN, kPhone);
  event(Message::kPHONE_BUTTON, 0, 6, PHONEBUTTONMODE_KEYPAD, PHONEBUTTONSTATE_UP, kPhone);
  EXPECT_EQ(hears(kAnna), Names{"PHONE_BUTTON 5"});
  EXPECT_EQ(hears(kBert), Names{});
}

class MspTest : public BrokerTest {
 protected:
  std::uint64_t instance(SessionId session, std::uint64_t id) {
    request<calls::lineCreateMSPInstance>(session, {kLine, 0, {}, 1});
    answer(take("lineCreateMSPInstance"), 0, wire::encode(calls::lineCreateMSPInstance::Outputs{{}, {}, {}, id}));
    return id;
  }
};

TEST_F(MspTest, InstancesAreBounded) {
  open(kAnna);
  for (std::uint64_t i = 0; i < 4095; ++i) instance(kAnna, 0x1000 + i);
  request<calls::lineCreateMSPInstance>(kAnna, {kLine, 0, {}, 1});
  const auto beside = request<calls::lineCreateMSPInstance>(kAnna, {kLine, 0, {}, 1});
  answer(take("lineCreateMSPInstance"), 0, wire::encode(calls::lineCreateMSPInstance::Outputs{{}, {}, {}, 0x5001}));
  answer(take("lineCreateMSPInstance"), 0, wire::encode(calls::lineCreateMSPInstance::Outputs{{}, {}, {}, 0x5002}));
  EXPECT_EQ(vendor(), Names{"lineCloseMSPInstance"});
  EXPECT_EQ(result_of(kAnna, beside), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  const auto refused = request<calls::lineCreateMSPInstance>(kAnna, {kLine, 0, {}, 1});
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(result_of(kAnna, refused), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  request<calls::lineCloseMSPInstance>(kAnna, {0x1000});
  EXPECT_EQ(vendor(), Names{"lineCloseMSPInstance"});
  instance(kAnna, 0x6000);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(MspTest, DataGoesWhereItBelongs) {
  open(kAnna);
  open(kBert);
  const auto anna = instance(kAnna, 0x501);
  instance(kBert, 0x502);
  new_call(0x77);
  hears(kAnna);
  hears(kBert);
  event(Message::kLINE_SENDMSPDATA, 0, anna);
  EXPECT_EQ(hears(kAnna), Names{"LINE_SENDMSPDATA 1281"});
  EXPECT_EQ(hears(kBert), Names{});
  event(Message::kLINE_SENDMSPDATA, 0, 0);
  EXPECT_EQ(hears(kAnna).size() + hears(kBert).size(), 2U);
  event(Message::kLINE_SENDMSPDATA, 0x77, 0);  // nobody controls the call yet
  EXPECT_EQ(hears(kAnna).size() + hears(kBert).size(), 2U);
  request<calls::lineAnswer>(kBert, {{}, 0x77, {}, {}});
  vendor();
  event(Message::kLINE_SENDMSPDATA, 0x77, 0);
  EXPECT_EQ(hears(kAnna), Names{});
  EXPECT_EQ(hears(kBert), Names{"LINE_SENDMSPDATA 0"});
  // Another desktop's instance cannot be named.
  EXPECT_NE(result_of(kBert, request<calls::lineReceiveMSPData>(kBert, {kLine, 0, anna, wire::Bytes{1}, {}})), 1);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(MspTest, LostDesktopLeavesNothingBehind) {
  open(kAnna);
  open(kBert);
  instance(kAnna, 0x501);
  new_call(0x77);
  broker_.session_down(kAnna, "cut");
  EXPECT_EQ(vendor(), Names{"lineCloseMSPInstance"});
  broker_.session_down(kBert, "cut");
  EXPECT_EQ(vendor(), (Names{"lineCloseCall", "lineClose"}));  // kept at the exchange: not dropped
}

TEST_F(BrokerTest, CloseDropsWhereTheLineSaysSo) {
  inventory(LINEDEVCAPFLAGS_CLOSEDROP);
  open(kAnna);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  broker_.session_down(kAnna, "cut");
  EXPECT_EQ(vendor(), (Names{"lineDrop", "lineCloseCall", "lineClose"}));
}

TEST_F(BrokerTest, LostWhileItsCallIsMade) {
  open(kAnna);
  open(kBert);
  request<calls::lineMakeCall>(kAnna, {{}, kLine, {}, 1, u"100", 0, std::nullopt});
  const auto asked = take("lineMakeCall");
  broker_.session_down(kAnna, "cut");
  const auto before = heard_.size();
  answer(asked, 0);
  ASSERT_EQ(heard_.size(), before + 1);  // the other desktop hears of the call
  EXPECT_EQ(hears(kBert), Names{"LINE_NEWCALL 119"});
}

TEST_F(BrokerTest, CloseCompletesWhatIsOutstanding) {
  open(kAnna);
  open(kBert);
  const auto id = request<calls::lineMakeCall>(kAnna, {{}, kLine, {}, 1, u"100", 0, std::nullopt});
  const auto asked = take("lineMakeCall");
  const auto closed = request<calls::lineClose>(kAnna, {kLine});
  EXPECT_EQ(result_of(kAnna, id), static_cast<LONG>(LINEERR_OPERATIONFAILED));
  EXPECT_EQ(result_of(kAnna, closed), 0);
  answer(asked, 0);
  EXPECT_EQ(result_of(kAnna, id), static_cast<LONG>(LINEERR_OPERATIONFAILED));  // once
}

TEST_F(BrokerTest, DropOfACallThatIsNotOnesOwnEndsTheViewOnly) {
  open(kAnna);
  open(kBert, false);
  run_timers();  // a monitor: no media detection
  new_call(0x77, LINECALLSTATE_CONNECTED);
  hears(kBert);
  const auto dropped = request<calls::lineDrop>(kBert, {{}, 0x77, {}, {}});
  EXPECT_EQ(result_of(kBert, dropped), 0);
  EXPECT_EQ(hears(kBert), Names{"LINE_CALLSTATE 1"});
  EXPECT_EQ(vendor(), Names{});
  request<calls::lineDrop>(kAnna, {{}, 0x77, {}, {}});
  EXPECT_EQ(vendor(), Names{"lineDrop"});
}

TEST_F(BrokerTest, RequestsInFlightAreBounded) {
  open(kAnna);
  for (int i = 0; i < 256; ++i) request<calls::lineGetNumAddressIDs>(kAnna, {kLine, {}});
  EXPECT_EQ(asked_.size(), 256U);
  EXPECT_EQ(result_of(kAnna, request<calls::lineGetNumAddressIDs>(kAnna, {kLine, {}})),
            static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  vendor();
  request<calls::lineGetNumAddressIDs>(kAnna, {kLine, {}});
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(BrokerTest, ALineThatHangsCostsOthersNothing) {
  wire::InventoryValues values;
  values.complete = false;
  std::vector<std::uint64_t> lines;
  for (std::uint32_t i = 0; i < 5; ++i) {
    wire::DeviceValues line;
    line.id = lines.emplace_back(0x10000 + i);
    line.permanent = 100 + i;
    line.version = 0x00020002;
    line.arrived = true;
    values.lines.push_back(line);
  }
  broker_.worker_message(worker_, wire::make_inventory(values));
  const auto ask = [this](std::uint64_t line) { return request<calls::lineGetNumAddressIDs>(kAnna, {line, {}}); };
  for (const auto line : lines) request<calls::lineOpen>(kAnna, {line, {}, {}, 0x00020002, {}});
  vendor();
  for (std::size_t i = 0; i < 4; ++i) {
    for (int n = 0; n < 256; ++n) ask(lines[i]);
    EXPECT_EQ(asked_.size(), (i + 1) * 256);
  }
  EXPECT_EQ(result_of(kAnna, ask(lines[4])), static_cast<LONG>(LINEERR_RESOURCEUNAVAIL)) << "there is a bound to it";
  vendor();
  ask(lines[4]);
  EXPECT_EQ(asked_.size(), 1U);
}

/// A driver that hangs must not keep a line for a desktop that has closed it.
TEST_F(BrokerTest, HoweverManyAreUnderWayADesktopLetsGo) {
  open(kAnna);
  for (int i = 0; i < 256; ++i) request<calls::lineGetNumAddressIDs>(kAnna, {kLine, {}});
  const auto stuck = std::exchange(asked_, {});
  const auto closed = request<calls::lineClose>(kAnna, {kLine});
  EXPECT_EQ(vendor(), Names{"lineClose"});
  EXPECT_EQ(result_of(kAnna, closed), 0);
  for (const auto& each : stuck) answer(each, 0);
  const auto reopened = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}});
  vendor();
  EXPECT_EQ(result_of(kAnna, reopened), 0);
}

TEST_F(BrokerTest, LettingGoIsBoundedToo) {
  open(kAnna);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  for (int i = 0; i < 512; ++i) request<calls::lineDrop>(kAnna, {{}, 0x77, {}, {}});
  EXPECT_EQ(asked_.size(), 512U);
  EXPECT_EQ(result_of(kAnna, request<calls::lineDrop>(kAnna, {{}, 0x77, {}, {}})),
            static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
}

TEST_F(BrokerTest, ManyLinesReachADesktopInFramesThatItTakes) {
  wire::InventoryValues values;
  values.complete = false;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    wire::DeviceValues line;
    line.id = 0x10000 + i;
    line.permanent = 1000 + i;
    line.arrived = true;
    line.caps.resize(sizeof(LINEDEVCAPS) + 800);
    values.lines.push_back(line);
  }
  broker_.worker_message(worker_, wire::make_inventory(values));
  const auto lines_of = [&](SessionId session) {
    std::size_t lines = 0;
    for (const auto& [to, buffer] : heard_) {
      if (to != session) continue;
      EXPECT_LT(buffer->size(), 512U * 1024);
      const auto* inventory = wire::verified_envelope(*buffer)->body_as_Inventory();
      if (inventory && inventory->lines()) lines += inventory->lines()->size();
    }
    return lines;
  };
  EXPECT_EQ(lines_of(kAnna), 3000U) << "to who is there";
  constexpr SessionId kDora = 4;
  broker_.session_up(kDora, {"dora", {"CN=dora", {}}, "127.0.0.1"});
  EXPECT_EQ(lines_of(kDora), 3002U) << "and to who comes";
}

TEST_F(BrokerTest, AnInventoryOverTheBoundEndsNothing) {
  wire::InventoryValues values;
  for (std::uint32_t i = 0; i < 33; ++i) values.lines.emplace_back().caps.resize(1024 * 1024);
  EXPECT_NO_THROW(broker_.worker_message(worker_, wire::make_inventory(values)));
  open(kAnna);
}

TEST_F(BrokerTest, WhatAWorkerHoldsIsBoundedForSessionsThatAreGoneToo) {
  open(kAnna);
  open(kBert);
  const calls::lineSetDevConfig::Inputs large{kLine, wire::Bytes(200U << 10U), {}, std::u16string(u"tapi/line")};
  for (int i = 0; i < 200; ++i) request<calls::lineSetDevConfig>(kAnna, large);
  broker_.session_down(kAnna, "test");
  for (int i = 0; i < 200; ++i) request<calls::lineSetDevConfig>(kBert, large);
  EXPECT_EQ(asked_.size(), (64U << 20U) / (200U << 10U));
  const auto refused = request<calls::lineSetDevConfig>(kBert, large);
  EXPECT_NE(result_of(kBert, refused), 1);
  vendor();
  request<calls::lineSetDevConfig>(kBert, large);
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(BrokerTest, ADesktopSendsNothingButRequests) {
  open(kAnna);
  broker_.session_message(kAnna, wire::make_completion(1, 0, {}));
  EXPECT_EQ(closed_, std::vector<SessionId>{kAnna});
}

TEST_F(BrokerTest, DeviceThatGoesTakesItsCallsAlong) {
  open(kAnna);
  new_call(0x77);
  wire::InventoryValues gone;
  gone.complete = false;
  gone.lines.emplace_back().id = kLine;
  heard_.clear();
  broker_.worker_message(worker_, wire::make_inventory(gone));
  EXPECT_EQ(heard_.size(), 3U);
  EXPECT_EQ(result_of(kAnna, request<calls::lineAnswer>(kAnna, {{}, 0x77, {}, {}})),
            static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(result_of(kAnna, request<calls::lineClose>(kAnna, {kLine})), static_cast<LONG>(LINEERR_INVALLINEHANDLE));
}

}  // namespace
}  // namespace tsplink::host::test
