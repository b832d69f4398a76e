// Each control action leaves one line, whichever function it is and whatever becomes of it; other requests leave
// none.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "broker_desks.hpp"
#include "wire/errors.hpp"

namespace tsplink::host::test {
namespace {

constexpr std::uint64_t kCall = 0x77;
constexpr std::uint64_t kMade = 0x99;
constexpr std::uint64_t kInstance = 0x55;
constexpr std::uint64_t kDialog = 0x66;

/// The object of a role that a desktop of these tests has; 0: the role names none.
template <class Role>
constexpr std::uint64_t object() {
  constexpr auto one_of = []<class... R>() { return (std::is_same_v<Role, R> || ...); };
  if (one_of.template operator()<wire::Line, wire::LineOrNone, wire::LineDevice, wire::DialogObject>()) return kLine;
  if (one_of.template operator()<wire::Phone, wire::PhoneDevice>()) return kPhone;
  if (one_of.template operator()<wire::Call, wire::ConferenceCall, wire::ConsultCall, wire::CallOrNone>())
    return kCall;
  if (one_of.template operator()<wire::MspLine>()) return kInstance;
  return one_of.template operator()<wire::DialogInstance>() ? kDialog : 0;
}

template <class C>
wire::Bytes inputs_of() {
  typename C::Inputs inputs{};
  wire::for_each_parameter<C>([&](auto at) {
    if constexpr (constexpr auto id = object<typename C::template Role<at.value>>(); id != 0) {
      std::get<at.value>(inputs) = id;
    }
  });
  if constexpr (constexpr auto at = C::position("dwObjectType"); at < C::size)
    std::get<at>(inputs) = TUISPIDLL_OBJECT_LINEID;
  return wire::encode(inputs);
}

template <class C>
wire::Bytes outputs_of() {
  typename C::Outputs outputs{};
  wire::for_each_parameter<C>([&](auto at) {
    if constexpr (wire::kMakesCall<typename C::template Role<at.value>>) std::get<at.value>(outputs) = kMade;
  });
  return wire::encode(outputs);
}

struct Sample {
  const char* name;
  std::uint16_t number;
  wire::Right right;
  wire::Bytes (*inputs)();
  wire::Bytes (*outputs)();
  bool makes_call;
  friend void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }
};
const Sample kSamples[] = {
#define TSPI_CALL(function, ...) \
  {#function,                    \
   number_of<calls::function>,   \
   calls::function::right,       \
   &inputs_of<calls::function>,  \
   &outputs_of<calls::function>, \
   makes_calls(number_of<calls::function>)},
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};

/// Anna has a line, a phone, a call, an MSP instance and a dialog; Carl has opened nothing.
class AuditTest : public BrokerTest {
 protected:
  AuditTest() : BrokerTest({.desktops_configure = true}) {
    open(kAnna);
    request<calls::phoneOpen>(kAnna, {kPhone, {}, {}, 0x00020002, {}});
    vendor();
    new_call(kCall, LINECALLSTATE_CONNECTED);
    request<calls::lineCreateMSPInstance>(kAnna, {kLine, 0, {}, {}});
    answer(take("lineCreateMSPInstance"), 0,
           wire::encode(calls::lineCreateMSPInstance::Outputs{{}, {}, {}, kInstance}));
    request<calls::lineHold>(kAnna, {wire::Nothing{}, kCall});
    const auto asks = take("lineHold");
    wire::DialogValues dialog;
    dialog.id = kDialog;
    dialog.request = asks.id;
    broker_.worker_message(worker_, wire::make_event(wire::event_of(kLine, dialog)));
    answer(asks, 0);
    audited_.clear();
  }

  void ask_for(SessionId session, std::uint16_t function, const wire::Bytes& arguments) {
    broker_.session_message(session, wire::make_request(next_++, function, 5000, 0xABCD, arguments));
  }
  std::uint64_t dial(SessionId session, const char16_t* address) {
    return request<calls::lineMakeCall>(session, {{}, kLine, {}, {}, address, 0, {}});
  }
};

class AuditOfEach : public AuditTest, public ::testing::WithParamInterface<Sample> {
 protected:
  const Sample& sample_ = GetParam();
  const std::uint16_t function_ = sample_.number;
  const bool audited_ones_ = sample_.right == wire::Right::Control;

  void expect_one(SessionId session, const char* machine) {
    ASSERT_EQ(audited_.size(), audited_ones_ ? 1U : 0U);
    if (!audited_ones_) return;
    const auto& action = audited_[0];
    EXPECT_EQ(action.certificate, std::string("CN=") + machine);
    EXPECT_EQ(action.machine, machine);
    EXPECT_EQ(action.address, "127.0.0.1");
    EXPECT_EQ(action.session, session);
    EXPECT_EQ(action.trace, 0xABCDU);
    EXPECT_EQ(wire::function_info(action.function)->name, sample_.name);
  }
  void expect_device() {
    if (!audited_ones_) return;
    const auto& action = audited_[0];
    const bool phone = is_phone_function(sample_.name);
    EXPECT_EQ(action.provider, "fake");
    EXPECT_EQ(action.phone, phone);
    EXPECT_EQ(action.permanent_id, phone ? 3U : 1U);
  }
};

TEST_P(AuditOfEach, AllowedLeavesOneLine) {
  ask_for(kAnna, function_, sample_.inputs());
  while (!asked_.empty()) {
    const auto sent = asked_.front();
    asked_.pop_front();
    if (audited_ones_ && sent.function == function_) {
      EXPECT_TRUE(audited_.empty()) << "before its end is known";
    }
    answer(sent, 0, sent.function == function_ ? sample_.outputs() : wire::Bytes());
  }
  expect_one(kAnna, "anna");
  expect_device();
  if (!audited_ones_) return;
  EXPECT_EQ(audited_[0].result, 0);
  EXPECT_EQ(audited_[0].note, "");
  const auto& calls = audited_[0].calls;
  EXPECT_EQ(std::count(calls.begin(), calls.end(), kMade) != 0, sample_.makes_call);
}

TEST_P(AuditOfEach, WithoutTheRightItLeavesOneLine) {
  broker_.set_policy(std::make_shared<Policy>(Policy::everything(wire::Right::Monitor)));
  vendor();
  audited_.clear();
  ask_for(kAnna, function_, sample_.inputs());
  expect_one(kAnna, "anna");
  if (!audited_ones_) return;
  if (function_ == number_of<calls::lineDrop>) {  // nobody's call ends for that
    EXPECT_EQ(audited_[0].note, "its own view of the call only");
    EXPECT_EQ(vendor(), Names{});
  } else {
    EXPECT_LT(audited_[0].result.value(), 0);
  }
  if (function_ != number_of<calls::providerFreeDialogInstance>) expect_device();  // the dialog went with the right
}

TEST_P(AuditOfEach, WithoutTheObjectItLeavesOneLineThatNamesIt) {
  ask_for(kCarl, function_, sample_.inputs());
  const bool of_device = function_ == number_of<calls::lineSetDevConfig> ||
                         function_ == number_of<calls::providerGenericDialogData>;  // needs nothing open
  if (of_device) vendor();
  expect_one(kCarl, "carl");
  expect_device();
  if (audited_ones_ && !of_device) {
    EXPECT_LT(audited_[0].result.value(), 0);
  }
}

TEST_P(AuditOfEach, MalformedArgumentsLeaveOneLine) {
  ask_for(kAnna, function_, wire::Bytes(40, 0xFF));
  expect_one(kAnna, "anna");
  if (audited_ones_) {
    EXPECT_LT(audited_[0].result.value(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Sheet, AuditOfEach, ::testing::ValuesIn(kSamples),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_F(AuditTest, ALineTellsWhatWasDialledAndWhichCallCameOfIt) {
  dial(kAnna, u"+4930123456");
  answer(take("lineMakeCall"), 0, wire::encode(made(kMade)));
  ASSERT_EQ(audited_.size(), 1U);
  EXPECT_EQ(audited_[0].to, "+4930123456");
  EXPECT_EQ(audited_[0].calls, std::vector<std::uint64_t>{kMade});
}

/// A forward list with these destinations; its entries as long as a version has them.
wire::Bytes forward_list(const std::vector<std::u16string>& destinations, std::size_t entry) {
  constexpr auto begin = offsetof(LINEFORWARDLIST, ForwardList);
  wire::Bytes list(begin + destinations.size() * entry);
  const auto put = [&](std::size_t at, std::size_t value) {
    const auto word = static_cast<std::uint32_t>(value);
    std::memcpy(list.data() + at, &word, sizeof word);
  };
  put(offsetof(LINEFORWARDLIST, dwNumEntries), destinations.size());
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const auto& to = destinations[i];
    put(begin + i * entry + offsetof(LINEFORWARD, dwDestAddressSize), to.size() * sizeof(char16_t));
    put(begin + i * entry + offsetof(LINEFORWARD, dwDestAddressOffset), list.size());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(to.data());
    list.insert(list.end(), bytes, bytes + to.size() * sizeof(char16_t));
  }
  put(offsetof(LINEFORWARDLIST, dwTotalSize), list.size());
  return list;
}

TEST_F(AuditTest, ALineTellsWhereCallsAreForwardedTo) {
  using Forward = calls::lineForward;
  const auto to = [](const std::optional<wire::Bytes>& list, std::uint32_t version) {
    return dialled_address(number_of<Forward>, wire::encode(Forward::Inputs{{}, kLine, 1, 0, list, 0, {}, {}, {}}),
                           version);
  };
  const auto old = forward_list({u"0190", u"+4930"}, 24);
  EXPECT_EQ(to(old, 0x00020002), "0190, +4930");
  EXPECT_EQ(to(forward_list({u"0190", u"+4930"}, sizeof(LINEFORWARD)), 0x00030001), "0190, +4930");
  EXPECT_EQ(to({}, 0x00020002), "");
  for (std::size_t size = 0; size < old.size(); ++size)
    EXPECT_LE(to(wire::Bytes(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(size)), 0x00020002).size(), 11U);
  auto many = old;
  std::fill_n(many.begin() + offsetof(LINEFORWARDLIST, dwNumEntries), 4, std::uint8_t{0xFF});
  EXPECT_EQ(to(many, 0x00020002).substr(0, 11), "0190, +4930");

  request<Forward>(kAnna, {{}, kLine, 1, 0, old, 0, {}, {}, {}});
  answer(take("lineForward"), static_cast<LONG>(LINEERR_OPERATIONFAILED));
  ASSERT_EQ(audited_.size(), 1U);
  EXPECT_EQ(audited_[0].to, "0190, +4930");
}

TEST_F(AuditTest, DigitsWithinACallAreNotTold) {
  request<calls::lineGenerateDigits>(kAnna, {kCall, 1, LINEDIGITMODE_DTMF, u"4711", 0});
  vendor();
  ASSERT_EQ(audited_.size(), 1U);
  for (const auto& field : fields_of(audited_[0])) EXPECT_EQ(field.value.find("4711"), std::string::npos);
}

TEST_F(AuditTest, ADesktopThatLeavesLeavesALine) {
  dial(kAnna, u"100");
  const auto sent = take("lineMakeCall");
  broker_.session_down(kAnna, "the connection was cut");
  ASSERT_EQ(audited_.size(), 1U);
  EXPECT_FALSE(audited_[0].result);
  EXPECT_EQ(audited_[0].machine, "anna");
  answer(sent, 0, wire::encode(made(kMade)));
  EXPECT_EQ(audited_.size(), 1U) << "a second line for one action";
}

TEST_F(AuditTest, WhatEndsWithItsLineLeavesOneLine) {
  dial(kAnna, u"100");
  const auto sent = take("lineMakeCall");
  request<calls::lineClose>(kAnna, {kLine});
  ASSERT_EQ(audited_.size(), 1U);
  EXPECT_FALSE(audited_[0].result) << "the driver may still dial";
  EXPECT_EQ(audited_[0].note, "its line or call was let go of before the answer");
  answer(sent, 0, wire::encode(made(kMade)));
  EXPECT_EQ(audited_.size(), 1U);
}

TEST_F(AuditTest, ACallThatTheClosedLineDropsLeavesALine) {
  inventory(LINEDEVCAPFLAGS_CLOSEDROP);
  audited_.clear();
  request<calls::lineClose>(kAnna, {kLine});
  take("lineCloseMSPInstance");
  take("providerFreeDialogInstance");
  answer(take("lineDrop"), static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  ASSERT_EQ(audited_.size(), 1U);
  EXPECT_EQ(audited_[0].function, number_of<calls::lineDrop>);
  EXPECT_EQ(audited_[0].machine, "anna");
  EXPECT_EQ(audited_[0].permanent_id, 1U);
  EXPECT_EQ(audited_[0].calls, std::vector<std::uint64_t>{kCall});
  EXPECT_EQ(audited_[0].result, static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  EXPECT_EQ(audited_[0].note, "its line was closed");
}

TEST_F(AuditTest, ACallThatALostDesktopDropsLeavesALine) {
  inventory(LINEDEVCAPFLAGS_CLOSEDROP);
  audited_.clear();
  broker_.session_down(kAnna, "the connection was cut");
  take("lineCloseMSPInstance");
  take("providerFreeDialogInstance");
  answer(take("lineDrop"), static_cast<LONG>(LINEERR_OPERATIONFAILED));  // as the call is closed meanwhile
  ASSERT_EQ(audited_.size(), 1U);
  EXPECT_EQ(audited_[0].machine, "anna");
  EXPECT_FALSE(audited_[0].result);
  EXPECT_EQ(audited_[0].note, "its desktop is gone: the connection was cut");
}

TEST_F(AuditTest, ALineTellsTheTargetInTheCallParameters) {
  std::vector<std::uint8_t> params(sizeof(LINECALLPARAMS));
  const std::u16string to = u"+49308";
  const std::uint32_t part[] = {static_cast<std::uint32_t>(to.size() * 2), sizeof(LINECALLPARAMS)};
  std::memcpy(params.data() + offsetof(LINECALLPARAMS, dwTargetAddressSize), part, sizeof part);
  const auto* text = reinterpret_cast<const std::uint8_t*>(to.data());
  params.insert(params.end(), text, text + part[0]);
  const auto told = [&](auto inputs, std::uint16_t function) {
    return dialled_address(function, wire::encode(inputs), 0x00030001);
  };
  EXPECT_EQ(told(calls::lineMakeCall::Inputs{{}, kLine, {}, 1, u"100", 0, params}, number_of<calls::lineMakeCall>),
            "100, +49308");
  EXPECT_EQ(
      told(calls::lineMakeCall::Inputs{{}, kLine, {}, 1, std::nullopt, 0, params}, number_of<calls::lineMakeCall>),
      "+49308");
}

TEST_F(AuditTest, TooManyAtATimeLeaveALineEach) {
  const auto most = BrokerOptions().requests_in_flight;
  for (std::size_t i = 0; i < most; ++i) request<calls::lineHold>(kAnna, {wire::Nothing{}, kCall});
  EXPECT_EQ(asked_.size(), most);
  dial(kAnna, u"100");
  ASSERT_EQ(audited_.size(), 1U);
  EXPECT_EQ(audited_[0].result, static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
  EXPECT_EQ(audited_[0].to, "100");
  EXPECT_EQ(audited_[0].permanent_id, 1U);
}

TEST_F(AuditTest, OtherDesktopsErrorsHaveNames) {
  ControlAction action;
  action.function = number_of<calls::lineDrop>;
  action.result = static_cast<LONG>(LINEERR_INVALCALLHANDLE);
  const auto of = [&](const char* name) {
    for (const auto& field : fields_of(action)) {
      if (field.name == name) return field.value;
    }
    return std::string("none");
  };
  EXPECT_EQ(of("result"), "LINEERR_INVALCALLHANDLE");
  EXPECT_EQ(of("line"), "none");
  EXPECT_EQ(of("permanent_id"), "none");
  action.result = -77;  // of a vendor's own making
  EXPECT_EQ(of("result"), "0xffffffb3");
  action.result.reset();
  EXPECT_EQ(of("result"), "unknown");
  EXPECT_EQ(of("note"), "the desktop left before the answer");
}

}  // namespace
}  // namespace tsplink::host::test
