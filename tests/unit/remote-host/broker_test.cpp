// Several desktops on one vendor line: who hears what, and what the vendor is told. Sessions, workers and
// timers are lists in memory.
#include "remote-host/broker/broker.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "wire/failure.hpp"

namespace tsplink::host::test {
namespace {

namespace calls = wire::calls;
using wire::Message;

constexpr std::uint64_t kLine = 0x1111;
constexpr std::uint64_t kOther = 0x2222;
constexpr std::uint64_t kPhone = 0x3333;
constexpr SessionId kAnna = 1;
constexpr SessionId kBert = 2;

struct Sent {
  std::uint64_t id;
  std::uint16_t function;
  wire::Buffer buffer;
  wire::fb::Request const* request() const { return wire::verified_envelope(*buffer)->body_as_Request(); }
};

class BrokerTest : public ::testing::Test, private Sessions, private Timers, private wire::Channel {
 protected:
  BrokerTest() : broker_(*this, *this) {
    worker_ = broker_.add_worker("fake", *this);
    inventory(0);
    broker_.session_up(kAnna, {"anna", "CN=anna", "127.0.0.1"});
    broker_.session_up(kBert, {"bert", "CN=bert", "127.0.0.1"});
    heard_.clear();
  }

  void inventory(DWORD flags) {
    wire::InventoryValues values;
    for (const auto id : {kLine, kOther}) {
      wire::DeviceValues line;
      line.id = id;
      line.version = 0x00020002;
      line.caps.resize(sizeof(LINEDEVCAPS));
      std::memcpy(line.caps.data() + offsetof(LINEDEVCAPS, dwDevCapFlags), &flags, sizeof flags);
      values.lines.push_back(line);
    }
    wire::DeviceValues phone;
    phone.id = kPhone;
    phone.version = 0x00020002;
    values.phones.push_back(phone);
    broker_.worker_message(worker_, wire::make_inventory(values));
  }

  /// A desktop's request; its number for result_of().
  template <class C>
  std::uint64_t request(SessionId session, const typename C::Inputs& inputs) {
    const auto id = next_++;
    broker_.session_message(session, wire::make_request(id, number_of<C>, 5000, 1, wire::encode(inputs)));
    return id;
  }
  /// The vendor's requests since the last look, by name; all are answered with success.
  std::vector<std::string> vendor() {
    std::vector<std::string> names;
    while (!asked_.empty()) {
      const auto sent = asked_.front();
      asked_.pop_front();
      names.emplace_back(wire::function_info(sent.function)->name);
      last_ = sent;
      answer(sent, 0);
    }
    return names;
  }
  void answer(const Sent& sent, LONG result, const wire::Bytes& outputs = {}) {
    const auto bytes = outputs.empty() && makes_calls(sent.function) ? wire::encode(made(0x77)) : outputs;
    broker_.worker_message(worker_, wire::function_info(sent.function)->asynchronous
                                        ? wire::make_completion(sent.id, result, bytes)
                                        : wire::make_reply(sent.id, result, bytes));
  }
  static calls::lineMakeCall::Outputs made(std::uint64_t call) { return {{}, {}, {}, call, {}, {}, {}}; }
  Sent take(const char* name) {
    if (asked_.empty()) {
      ADD_FAILURE() << "nothing was asked of the vendor instead of " << name;
      return {};
    }
    const auto sent = asked_.front();
    asked_.pop_front();
    EXPECT_EQ(wire::function_info(sent.function)->name, name);
    return sent;
  }
  /// 1: no answer yet.
  LONG result_of(SessionId session, std::uint64_t id) {
    LONG result = 1;
    for (const auto& [to, buffer] : heard_) {
      const auto* envelope = wire::verified_envelope(*buffer);
      const auto* reply = envelope->body_as_Reply();
      const auto* completion = envelope->body_as_Completion();
      if (to != session || !((reply && reply->id() == id) || (completion && completion->id() == id))) continue;
      EXPECT_EQ(result, 1) << "answered twice";
      result = reply ? reply->result() : completion->result();
    }
    return result;
  }
  void event(Message message, std::uint64_t call, std::uint64_t p1, std::uint64_t p2 = 0, std::uint64_t p3 = 0,
             std::uint64_t device = kLine) {
    wire::EventValues values;
    values.message = static_cast<std::uint16_t>(message);
    values.device = device;
    values.call = call;
    values.params[0] = p1;
    values.params[1] = p2;
    values.params[2] = p3;
    broker_.worker_message(worker_, wire::make_event(values));
  }
  /// What a desktop heard since the last look: messages' names with their first parameter.
  std::vector<std::string> hears(SessionId session) {
    std::vector<std::string> found;
    for (auto& [to, buffer] : heard_) {
      if (to != session || !buffer) continue;
      if (const auto* event = wire::verified_envelope(*buffer)->body_as_Event()) {
        found.push_back(std::string(wire::event_description(event->message())->name) + " " +
                        std::to_string(event->param1()));
        to = 0;
      }
    }
    return found;
  }
  void open(SessionId session, bool hearing = true) {
    const auto id = request<calls::lineOpen>(session, {kLine, {}, {}, 0x00020002, {}});
    vendor();
    ASSERT_EQ(result_of(session, id), 0);
    if (hearing) {
      request<calls::lineSetDefaultMediaDetection>(session, {kLine, LINEMEDIAMODE_INTERACTIVEVOICE});
      vendor();
    }
  }
  void new_call(std::uint64_t id, DWORD state = LINECALLSTATE_OFFERING) {
    event(Message::kLINE_NEWCALL, 0, id);
    event(Message::kLINE_CALLSTATE, id, state, 0, LINEMEDIAMODE_INTERACTIVEVOICE);
  }
  void run_timers() {
    const auto due = std::move(timers_);
    timers_.clear();
    for (const auto& task : due) task();
  }

  std::vector<std::pair<SessionId, wire::Buffer>> heard_;
  std::deque<Sent> asked_;
  Sent last_{};
  std::vector<std::function<void()>> timers_;
  std::vector<SessionId> closed_;
  Broker broker_;
  std::size_t worker_ = 0;
  std::uint64_t next_ = 100;

 private:
  void send(SessionId session, wire::Buffer envelope) override { heard_.emplace_back(session, std::move(envelope)); }
  void close(SessionId session, const std::string&) override { closed_.push_back(session); }
  void after(wire::Duration delay, std::function<void()> task) override {
    EXPECT_EQ(delay, std::chrono::milliseconds(250));
    timers_.push_back(std::move(task));
  }
  void send(wire::Buffer envelope) override {
    const auto* request = wire::verified_envelope(*envelope)->body_as_Request();
    asked_.push_back({request->id(), request->function(), envelope});
  }
  void close(const std::string&) override {}
};

using Names = std::vector<std::string>;

TEST_F(BrokerTest, InventoryComesFirst) {
  broker_.session_up(3, {"carl", "CN=carl", "127.0.0.1"});
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

TEST_F(BrokerTest, ADialogIsTheDesktopsThatAskedForIt) {
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
  EXPECT_EQ(heard_.size(), 2U);
  EXPECT_EQ(result_of(kAnna, request<calls::lineAnswer>(kAnna, {{}, 0x77, {}, {}})),
            static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(result_of(kAnna, request<calls::lineClose>(kAnna, {kLine})), static_cast<LONG>(LINEERR_INVALLINEHANDLE));
}

}  // namespace
}  // namespace tsplink::host::test
