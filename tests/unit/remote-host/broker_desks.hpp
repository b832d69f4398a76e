// A broker with three desktops and a vendor of two lines and a phone: sessions, workers and timers are lists in
// memory.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "remote-host/broker/broker.hpp"
#include "wire/failure.hpp"

namespace tsplink::host::test {

namespace calls = wire::calls;
using wire::Message;

constexpr std::uint64_t kLine = 0x1111;
constexpr std::uint64_t kOther = 0x2222;
constexpr std::uint64_t kPhone = 0x3333;
constexpr SessionId kAnna = 1;
constexpr SessionId kBert = 2;
constexpr SessionId kCarl = 3;

struct Sent {
  std::uint64_t id;
  std::uint16_t function;
  wire::Buffer buffer;
  wire::fb::Request const* request() const { return wire::verified_envelope(*buffer)->body_as_Request(); }
};

class BrokerTest : public ::testing::Test, private Sessions, private Timers, private wire::Channel, private Audit {
 protected:
  explicit BrokerTest(ProviderRules rules = {}) : broker_(*this, *this, everything(), timed(clock_), this) {
    worker_ = broker_.add_worker("fake", *this, rules);
    inventory(0);
    broker_.session_up(kAnna, {"anna", {"CN=anna", {}}, "127.0.0.1"});
    broker_.session_up(kBert, {"bert", {"CN=bert", {}}, "127.0.0.1"});
    broker_.session_up(kCarl, {"carl", {"CN=carl", {}}, "127.0.0.1"});
    heard_.clear();
  }

  static std::shared_ptr<const Policy> everything() {
    return std::make_shared<Policy>(Policy::everything(wire::Right::Control));
  }

  static BrokerOptions timed(const wire::Clock& clock) {
    BrokerOptions options;
    options.clock = &clock;
    return options;
  }

  void inventory(DWORD flags) {
    wire::InventoryValues values;
    for (const auto id : {kLine, kOther}) {
      wire::DeviceValues line;
      line.id = id;
      line.permanent = id == kLine ? 1 : 2;
      line.version = 0x00020002;
      line.caps.resize(sizeof(LINEDEVCAPS));
      std::memcpy(line.caps.data() + offsetof(LINEDEVCAPS, dwDevCapFlags), &flags, sizeof flags);
      values.lines.push_back(line);
    }
    wire::DeviceValues phone;
    phone.id = kPhone;
    phone.permanent = 3;
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
  /// The masks or numbers that the vendor was given last: the request's parameters behind its first.
  template <class C, std::size_t N = 1>
  std::uint32_t given() const {
    return std::get<N>(wire::decode<typename C::Inputs>(wire::span_of(last_.request()->arguments())));
  }
  /// The reply table of an answer.
  template <class C>
  typename C::Outputs outputs_of(SessionId session, std::uint64_t id) {
    for (const auto& [to, buffer] : heard_) {
      const auto* reply = wire::verified_envelope(*buffer)->body_as_Reply();
      if (to == session && reply && reply->id() == id) {
        return wire::decode<typename C::Outputs>(wire::span_of(reply->outputs()));
      }
    }
    throw std::runtime_error("no answer");
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
  std::vector<ControlAction> audited_;
  wire::ManualClock clock_;
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
  void write(const ControlAction& action) override { audited_.push_back(action); }
};

using Names = std::vector<std::string>;

}  // namespace tsplink::host::test
