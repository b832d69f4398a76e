// What the policy does not grant does not exist for a desktop: by every function, event, id and count.
#include <array>
#include <fstream>

#include "broker_desks.hpp"
#include "tests/platform/files.hpp"
#include "wire/device_ids.hpp"
#include "wire/errors.hpp"

namespace tsplink::host::test {
namespace {

constexpr std::uint64_t kNowhere = 0x9999;  // no device has this id

/// Anna controls, Bert monitors, Carl has nothing of kLine and kPhone; all control kOther.
class RightsTest : public BrokerTest {
 protected:
  RightsTest() {
    grant(R"(
      [[grant]]
      to = "CN=anna"
      right = "control"
      [[grant]]
      to = "CN=bert"
      right = "monitor"
      permanent_id = [1, 3]
      [[grant]]
      to = "*"
      right = "control"
      permanent_id = 2)");
  }

  void grant(const std::string& text) {
    const tests::TemporaryFolder folder;
    const auto file = folder.path() / "policy.toml";
    std::ofstream(file) << text;
    broker_.set_policy(std::make_shared<Policy>(Policy::read(file)));
  }
  /// Lines and phones of each inventory since the last look: "+id" and "-id".
  std::vector<std::string> told(SessionId session) {
    std::vector<std::string> all;
    for (auto& [to, buffer] : heard_) {
      const auto* inventory = wire::verified_envelope(*buffer)->body_as_Inventory();
      if (to != session || !inventory) continue;
      const auto values = wire::read_inventory(*inventory);
      for (const auto* list : {&values.lines, &values.phones}) {
        for (const auto& device : *list) {
          all.push_back((values.complete || device.arrived ? "+" : "-") + std::to_string(device.permanent));
        }
      }
      to = 0;
    }
    return all;
  }
};

using Told = std::vector<std::string>;

TEST_F(RightsTest, AnInventoryHoldsWhatIsGranted) {
  heard_.clear();
  broker_.session_up(11, {"bert", {"CN=bert", {}}, "127.0.0.1"});
  broker_.session_up(12, {"dora", {"CN=dora", {}}, "127.0.0.1"});
  EXPECT_EQ(told(11), (Told{"+1", "+2", "+3"}));
  EXPECT_EQ(told(12), Told{"+2"});
}

TEST_F(RightsTest, AChangedPolicyReachesDesktopsAsDevicesThatComeAndGo) {
  told(kAnna);
  open(kAnna);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  heard_.clear();
  grant("[[grant]]\nto = [\"CN=bert\", \"CN=carl\"]\nright = \"control\"\npermanent_id = 1\n");
  EXPECT_EQ(hears(kAnna), (Names{"LINE_CALLSTATE 1", "LINE_CLOSE 0"}));
  EXPECT_EQ(told(kAnna), (Told{"-1", "-2", "-3"}));
  EXPECT_EQ(told(kBert), (Told{"-2", "-3"}));
  EXPECT_EQ(told(kCarl), (Told{"+1", "-2"}));
  EXPECT_EQ(vendor(), (Names{"lineCloseCall", "lineClose"}));  // its last user has it no more
  EXPECT_EQ(result_of(kAnna, request<calls::lineGetNumAddressIDs>(kAnna, {kLine, {}})),
            static_cast<LONG>(LINEERR_INVALLINEHANDLE));
  EXPECT_EQ(result_of(kAnna, request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}})),
            static_cast<LONG>(LINEERR_BADDEVICEID));
  heard_.clear();
  grant("[[grant]]\nto = [\"CN=bert\", \"CN=carl\"]\nright = \"control\"\npermanent_id = 1\n");
  EXPECT_TRUE(heard_.empty());  // nothing has changed
}

TEST_F(RightsTest, ALineThatSaysSomethingElseOfItselfIsJudgedAnew) {
  grant(
      "[[grant]]\nto = \"CN=bert\"\nright = \"control\"\nname = \"Reception\"\n"
      "[[grant]]\nto = \"CN=anna\"\nright = \"control\"\npermanent_id = 1\n");
  open(kAnna);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  heard_.clear();
  const auto rename = [&](std::u16string name) {
    wire::InventoryValues change;
    change.complete = false;
    wire::DeviceValues line;
    line.id = kLine;
    line.permanent = 1;
    line.version = 0x00020002;
    line.arrived = true;
    struct {
      LINEDEVCAPS fixed{};
      std::array<char16_t, 16> name{};
    } caps;
    caps.fixed.dwLineNameSize = static_cast<DWORD>(name.size() * 2);
    caps.fixed.dwLineNameOffset = sizeof caps.fixed;
    name.copy(caps.name.data(), caps.name.size());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&caps);
    line.caps.assign(bytes, bytes + sizeof caps);
    change.lines.push_back(line);
    broker_.worker_message(worker_, wire::make_inventory(change));
  };
  rename(u"Reception");
  EXPECT_EQ(told(kAnna), Told{"+1"});  // with its new name
  EXPECT_EQ(told(kBert), Told{"+1"});
  EXPECT_EQ(told(kCarl), Told{});
  EXPECT_EQ(hears(kAnna), Names{});                                                          // the call goes on
  EXPECT_EQ(result_of(kAnna, request<calls::lineGetNumAddressIDs>(kAnna, {kLine, {}})), 1);  // and the line is open
  rename(u"Store");
  EXPECT_EQ(told(kBert), Told{"-1"});
}

TEST_F(RightsTest, WhatWaitsForALineThatIsTakenIsAnswered) {
  const auto opening = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}});
  const auto asked = take("lineOpen");
  grant("# nothing\n");
  EXPECT_EQ(result_of(kAnna, opening), static_cast<LONG>(LINEERR_NODEVICE));
  answer(asked, 0);
  EXPECT_EQ(vendor(), Names{"lineClose"});  // nobody wants it any more
}

TEST_F(RightsTest, OthersChangesAreNotCounted) {
  const auto revision = [&] {
    std::uint64_t last = 0;
    for (const auto& [to, buffer] : heard_) {
      const auto* inventory = wire::verified_envelope(*buffer)->body_as_Inventory();
      if (to == kCarl && inventory) last = inventory->revision();
    }
    return last;
  };
  heard_.clear();
  for (int i = 0; i < 5; ++i) {  // lines that Carl has not come and go
    wire::InventoryValues change;
    change.complete = false;
    change.lines.emplace_back().id = 0x5000;
    change.lines.back().arrived = i % 2 == 0;
    broker_.worker_message(worker_, wire::make_inventory(change));
  }
  EXPECT_EQ(revision(), 0U);
  grant("[[grant]]\nto = \"CN=carl\"\nright = \"monitor\"\npermanent_id = [1, 2]\n");
  const auto first = revision();
  grant("[[grant]]\nto = \"CN=carl\"\nright = \"monitor\"\npermanent_id = 2\n");
  EXPECT_EQ(revision(), first + 1);
}

TEST_F(RightsTest, EventsOfAnUngrantedLineReachNobodyElse) {
  open(kAnna);
  open(kBert);
  heard_.clear();
  new_call(0x77, LINECALLSTATE_CONNECTED);
  for (std::uint16_t message = 0; message < wire::kEventCount; ++message) {
    for (const std::uint64_t call : {std::uint64_t{0}, std::uint64_t{0x77}}) {
      if (message == static_cast<std::uint16_t>(Message::kLINE_NEWCALL) ||
          message == static_cast<std::uint16_t>(Message::kLINE_CREATEDIALOGINSTANCE)) {
        continue;  // with an object of their own
      }
      event(static_cast<Message>(message), call, LINEDEVSTATE_REINIT, 0xFFFF, 0xFFFF);
    }
  }
  EXPECT_FALSE(heard_.empty());
  for (const auto& [to, buffer] : heard_) EXPECT_NE(to, kCarl);
}

TEST_F(RightsTest, ACallsConferenceOnAnUngrantedLineHasNoName) {
  request<calls::lineOpen>(kCarl, {kOther, {}, {}, 0x00020002, {}});
  vendor();
  run_timers();
  request<calls::lineOpen>(kAnna, {kOther, {}, {}, 0x00020002, {}});
  vendor();
  open(kAnna);
  run_timers();
  event(Message::kLINE_NEWCALL, 0, 0x88);  // the conference, on kLine
  event(Message::kLINE_NEWCALL, 0, 0x99, 0, 0, kOther);
  heard_.clear();
  event(Message::kLINE_CALLSTATE, 0x99, LINECALLSTATE_CONFERENCED, 0x88, 0, kOther);
  const auto detail = [&](SessionId session) {
    for (const auto& [to, buffer] : heard_) {
      if (to == session) return wire::verified_envelope(*buffer)->body_as_Event()->param2();
    }
    return std::uint64_t{4711};
  };
  EXPECT_EQ(detail(kAnna), 0x88U);
  EXPECT_EQ(detail(kCarl), 0U);
  heard_.clear();  // a late comer hears the same
  request<calls::lineOpen>(kBert, {kOther, {}, {}, 0x00020002, {}});
  vendor();
  run_timers();
  bool told_state = false;
  for (const auto& [to, buffer] : heard_) {
    const auto* said = wire::verified_envelope(*buffer)->body_as_Event();
    if (to != kBert || !said || said->message() != static_cast<std::uint16_t>(Message::kLINE_CALLSTATE)) continue;
    told_state = true;
    EXPECT_EQ(said->param2(), 0U);
  }
  EXPECT_TRUE(told_state);
}

TEST_F(RightsTest, IdsOfUngrantedDevicesAreNotAmongAnswers) {
  request<calls::lineOpen>(kCarl, {kOther, {}, {}, 0x00020002, {}});
  vendor();
  const auto ask = [&](const char16_t* name, const std::vector<std::uint32_t>& answered) {
    const auto id = request<calls::lineGetID>(kCarl, {kOther, 0, 0, LINECALLSELECT_LINE, 400, name, {}});
    const auto sent = take("lineGetID");
    calls::lineGetID::Outputs outputs;
    constexpr auto at = calls::lineGetID::position("lpDeviceID");
    std::get<at>(outputs) = wire::varstring_of(answered);
    answer(sent, 0, wire::encode(outputs));
    const auto block = std::get<at>(outputs_of<calls::lineGetID>(kCarl, id)).value_or(wire::Bytes());
    std::vector<std::uint32_t> ids((block.size() - sizeof(VARSTRING)) / 4);
    if (!ids.empty()) std::memcpy(ids.data(), block.data() + sizeof(VARSTRING), ids.size() * 4);
    return ids;
  };
  using Ids = std::vector<std::uint32_t>;
  EXPECT_EQ(ask(u"tapi/line", {1, 2}), Ids{2});
  EXPECT_EQ(ask(u"tapi/phone", {3}), Ids{});
  EXPECT_EQ(ask(u"tapi/terminal", {wire::kNoDevice, 3}), (Ids{wire::kNoDevice, wire::kNoDevice}));
  EXPECT_EQ(ask(u"vendor/own", {1, 2}), (Ids{1, 2}));  // numbers of the vendor's own
}

/// TAPI groups calls by these numbers, and a vendor relates calls of different lines.
TEST_F(RightsTest, ACallOnAnUngrantedLineIsNotNamedAsRelated) {
  constexpr std::uint64_t kForeign = 0x21, kOwn = 0x22, kFirst = 0x23;
  constexpr std::uint32_t kForeignNumber = 0x1021, kFirstNumber = 0x1023;
  open(kAnna);
  request<calls::lineOpen>(kCarl, {kOther, {}, {}, 0x00020002, {}});
  vendor();
  request<calls::lineSetDefaultMediaDetection>(kCarl, {kOther, LINEMEDIAMODE_INTERACTIVEVOICE});
  vendor();
  new_call(kForeign);
  for (const auto call : {kOwn, kFirst}) {
    event(Message::kLINE_NEWCALL, 0, call, 0, 0, kOther);
    event(Message::kLINE_CALLSTATE, call, LINECALLSTATE_CONNECTED, 0, LINEMEDIAMODE_INTERACTIVEVOICE, kOther);
  }
  const auto info = [](std::uint32_t own, std::uint32_t related) {
    LINECALLINFO values{};
    values.dwTotalSize = values.dwUsedSize = values.dwNeededSize = sizeof values;
    values.dwCallID = own;
    values.dwRelatedCallID = related;
    wire::Bytes bytes(sizeof values);
    std::memcpy(bytes.data(), &values, sizeof values);
    return wire::encode(calls::lineGetCallInfo::Outputs{wire::Nothing{}, bytes});
  };
  /// What a desktop reads of a call that the vendor says comes from `related`.
  const auto read = [&](SessionId session, std::uint64_t call, std::uint32_t related, LONG result = 0) {
    const auto id = request<calls::lineGetCallInfo>(session, {call, 1000});
    answer(take("lineGetCallInfo"), result, info(0x1000 + static_cast<std::uint32_t>(call), related));
    const auto block = std::get<1>(outputs_of<calls::lineGetCallInfo>(session, id)).value_or(wire::Bytes());
    LINECALLINFO values{};
    std::memcpy(&values, block.data(), std::min(block.size(), sizeof values));
    EXPECT_EQ(values.dwCallID, 0x1000 + call);
    return values.dwRelatedCallID;
  };
  EXPECT_EQ(read(kCarl, kOwn, kForeignNumber), 0U);
  EXPECT_EQ(read(kAnna, kForeign, kFirstNumber), kFirstNumber);  // has both lines
  EXPECT_EQ(read(kCarl, kOwn, kForeignNumber), 0U);              // although the number is known by now
  EXPECT_EQ(read(kCarl, kOwn, kForeignNumber, static_cast<LONG>(LINEERR_STRUCTURETOOSMALL)), 0U);
  EXPECT_EQ(read(kCarl, kFirst, 0), 0U);
  EXPECT_EQ(read(kCarl, kOwn, kFirstNumber), kFirstNumber);

  const auto ids = request<calls::lineGetCallIDs>(kCarl, {kOwn, {}, {}, {}});
  answer(take("lineGetCallIDs"), 0,
         wire::encode(calls::lineGetCallIDs::Outputs{wire::Nothing{}, 1, 0x1022, kForeignNumber}));
  const auto answered = outputs_of<calls::lineGetCallIDs>(kCarl, ids);
  EXPECT_EQ(std::get<2>(answered), 0x1022U);
  EXPECT_EQ(std::get<3>(answered), 0U);
}

TEST_F(RightsTest, MspDataIsForMonitorsWhoMayHaveIt) {
  open(kAnna);
  open(kBert);
  const auto instance = [&](SessionId session, std::uint64_t id) {
    request<calls::lineCreateMSPInstance>(session, {kLine, 0, {}, 1});
    answer(take("lineCreateMSPInstance"), 0, wire::encode(calls::lineCreateMSPInstance::Outputs{{}, {}, {}, id}));
  };
  instance(kAnna, 0x501);
  instance(kBert, 0x502);
  const auto send = [&] { return request<calls::lineReceiveMSPData>(kBert, {kLine, 0, 0x502, wire::Bytes{1}, {}}); };
  event(Message::kLINE_SENDMSPDATA, 0, 0);
  event(Message::kLINE_SENDMSPDATA, 0, 0x502);
  EXPECT_EQ(hears(kAnna).size(), 1U);
  EXPECT_EQ(hears(kBert), Names{});
  EXPECT_EQ(result_of(kBert, send()), static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  grant("[[grant]]\nto = \"*\"\nright = \"monitor\"\nmsp_data = true\n");
  vendor();
  event(Message::kLINE_SENDMSPDATA, 0, 0x502);
  EXPECT_EQ(hears(kBert).size(), 1U);
  send();
  EXPECT_EQ(vendor(), Names{"lineReceiveMSPData"});
}

TEST_F(RightsTest, AMonitorAddsNothingToWhatTheVendorShallDetect) {
  open(kBert);  // says what media it would own
  EXPECT_EQ(vendor(), Names{});
  const auto id = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}});
  EXPECT_EQ(result_of(kAnna, id), 0);
  request<calls::lineSetDefaultMediaDetection>(kAnna, {kLine, LINEMEDIAMODE_G3FAX});
  EXPECT_EQ(vendor(), Names{"lineSetDefaultMediaDetection"});
  EXPECT_EQ(given<calls::lineSetDefaultMediaDetection>(), DWORD{LINEMEDIAMODE_G3FAX});
}

TEST_F(RightsTest, AMonitorDoesNotKeepACallAliveOnALineThatDropsAtClose) {
  inventory(LINEDEVCAPFLAGS_CLOSEDROP);
  open(kAnna);
  open(kBert);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  request<calls::lineClose>(kAnna, {kLine});
  const auto asked = vendor();
  EXPECT_NE(std::find(asked.begin(), asked.end(), "lineDrop"), asked.end());
}

TEST_F(RightsTest, ACallThatTapiClosesBeforeItsLineIsDroppedWithTheLineToo) {
  grant(
      "[[grant]]\nto = [\"CN=anna\", \"CN=carl\"]\nright = \"control\"\n"
      "[[grant]]\nto = \"CN=bert\"\nright = \"monitor\"\n");
  inventory(LINEDEVCAPFLAGS_CLOSEDROP);
  for (const auto session : {kAnna, kBert, kCarl}) open(session);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  vendor();
  request<calls::lineCloseCall>(kAnna, {0x77});
  request<calls::lineClose>(kAnna, {kLine});
  EXPECT_EQ(vendor(), Names{}) << "Carl has control and holds it";
  request<calls::lineCloseCall>(kCarl, {0x77});
  EXPECT_EQ(vendor(), Names{}) << "Carl may have done with the call, and not with the line";
  request<calls::lineClose>(kCarl, {kLine});
  EXPECT_EQ(vendor(), (Names{"lineDrop", "lineSetDefaultMediaDetection"}));  // and nothing more to detect
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_IDLE);
  EXPECT_EQ(vendor(), Names{});
  request<calls::lineCloseCall>(kBert, {0x77});
  EXPECT_EQ(vendor(), Names{"lineCloseCall"});
}

// --- every function
// -------------------------------------------------------------------------------------------------

/// A request of function C about `line`, `phone`, `call` and so on, with nothing else in it.
template <class C>
typename C::Inputs about(std::uint64_t line, std::uint64_t phone, std::uint64_t call, std::uint64_t msp,
                         std::uint64_t dialog) {
  typename C::Inputs inputs;
  wire::for_each_parameter<C>([&](auto at) {
    using Role = typename C::template Role<at.value>;
    [[maybe_unused]] auto& value = std::get<at.value>(inputs);
    if constexpr (std::is_same_v<Role, wire::Line> || std::is_same_v<Role, wire::LineOrNone> ||
                  std::is_same_v<Role, wire::LineDevice>) {
      value = line;
    } else if constexpr (std::is_same_v<Role, wire::Phone> || std::is_same_v<Role, wire::PhoneDevice>) {
      value = phone;
    } else if constexpr (std::is_same_v<Role, wire::Call> || std::is_same_v<Role, wire::CallOrNone> ||
                         std::is_same_v<Role, wire::ConferenceCall> || std::is_same_v<Role, wire::ConsultCall>) {
      value = call;
    } else if constexpr (std::is_same_v<Role, wire::MspLine>) {
      value = msp;
    } else if constexpr (std::is_same_v<Role, wire::DialogInstance> || std::is_same_v<Role, wire::DialogObject>) {
      value = dialog;
    } else if constexpr (C::parameters[at.value] == "dwObjectType") {
      value = TUISPIDLL_OBJECT_LINEID;
    }
  });
  return inputs;
}

/// Calls visit.operator()<C>() for every function that crosses.
template <class F>
void for_each_function(F&& visit) {
#define TSPI_CALL(function, ...) \
  if constexpr (calls::function::right != wire::Right::Local) visit.template operator()<calls::function>();
#include "wire/tspi_calls.def"
#undef TSPI_CALL
}

TEST_F(RightsTest, EveryFunctionSaysTheSameOfAnUngrantedDeviceAsOfNone) {
  open(kAnna);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  request<calls::phoneOpen>(kAnna, {kPhone, {}, {}, 0x00020002, {}});
  request<calls::lineCreateMSPInstance>(kAnna, {kLine, 0, {}, 1});
  vendor();
  std::size_t functions = 0;
  for_each_function([&]<class C>() {
    SCOPED_TRACE(C::name);
    heard_.clear();
    const auto real = request<C>(kCarl, about<C>(kLine, kPhone, 0x77, 0x501, kLine));
    const auto none = request<C>(kCarl, about<C>(kNowhere, kNowhere, 0x78, 0x599, kNowhere));
    EXPECT_LT(result_of(kCarl, none), 0);
    EXPECT_EQ(result_of(kCarl, real), result_of(kCarl, none));
    // At once and in the order of the asking, and to nobody else.
    ASSERT_EQ(heard_.size(), 2U);
    EXPECT_TRUE(asked_.empty());
    ++functions;
  });
  EXPECT_GT(functions, 90U);
}

TEST_F(RightsTest, EveryFunctionAsksForItsRight) {
  open(kAnna);
  open(kBert);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  for (const auto session : {kAnna, kBert}) request<calls::phoneOpen>(session, {kPhone, {}, {}, 0x00020002, {}});
  vendor();
  std::size_t allowed = 0;
  std::size_t refused = 0;
  for_each_function([&]<class C>() {
    SCOPED_TRACE(C::name);
    const auto unavailable =
        wire::to_error(Kind::Unavailable, C::name.substr(0, 5) == "phone" ? wire::Family::Phone : wire::Family::Line);
    if (C::right == wire::Right::Monitor) {
      if (C::name.find("Close") != std::string_view::npos) return;  // the functions behind it need what is open
      EXPECT_NE(result_of(kBert, request<C>(kBert, about<C>(kLine, kPhone, 0x77, 0, kLine))), unavailable);
      vendor();
      ++allowed;
      return;
    }
    constexpr bool msp = std::is_same_v<C, calls::lineReceiveMSPData>;
    constexpr bool of_dialog = std::is_same_v<C, calls::providerFreeDialogInstance>;
    constexpr bool lets_go = std::is_same_v<C, calls::lineDrop>;  // ends in the monitor's own view only
    if constexpr (msp || of_dialog || lets_go) return;            // a monitor has no instance that it could name
    const auto id = request<C>(kBert, about<C>(kLine, kPhone, 0x77, 0, kLine));
    EXPECT_EQ(result_of(kBert, id), unavailable);
    EXPECT_TRUE(asked_.empty());
    ++refused;
  });
  EXPECT_GT(allowed, 30U);
  EXPECT_GT(refused, 45U);
}

}  // namespace
}  // namespace tsplink::host::test
