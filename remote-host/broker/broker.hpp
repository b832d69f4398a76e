// The broker: which desktop is attached to which vendor line or phone, what it may do, who hears what. One vendor
// line is opened once, whatever the number of desktops. Owner: the host. Threads: all of it on one, the reactor's;
// workers' envelopes are posted to it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "remote-host/functions.hpp"
#include "remote-host/named_ids.hpp"
#include "wire/calls.hpp"
#include "wire/clock.hpp"
#include "wire/codec.hpp"
#include "wire/envelopes.hpp"
#include "wire/events.hpp"

namespace tsplink::host {

using SessionId = std::uint64_t;

/// Where the broker's envelopes for desktops go; the link in the program, a list in tests.
class Sessions {
 public:
  virtual ~Sessions() = default;
  virtual void send(SessionId session, wire::Buffer envelope) = 0;
  virtual void close(SessionId session, const std::string& reason) = 0;
};

/// Runs a task later on the broker's thread.
class Timers {
 public:
  virtual ~Timers() = default;
  virtual void after(wire::Duration delay, std::function<void()> task) = 0;
};

struct SessionInfo {
  std::string machine;
  std::string certificate;  // subject
  std::string address;
};

struct BrokerOptions {
  std::size_t requests_in_flight = 256;   // of one session
  std::size_t worker_bytes = 64U << 20U;  // arguments that one worker has not answered, of sessions that are gone too
  wire::Duration monitor_delay =
      std::chrono::milliseconds(250);                // until calls are announced without a media detection
  wire::Right default_right = wire::Right::Control;  // of every desktop; Local: none
};

class Broker {
 public:
  Broker(Sessions& sessions, Timers& timers, BrokerOptions options = {})
      : sessions_(sessions), timers_(timers), options_(options) {}

  /// A worker's number, by which its envelopes are given; `to_worker` outlives the broker.
  std::size_t add_worker(std::string name, wire::Channel& to_worker);
  void worker_message(std::size_t worker, const wire::Buffer& envelope);

  void session_up(SessionId id, SessionInfo info);
  void session_message(SessionId id, const wire::Buffer& envelope);
  void session_down(SessionId id, const std::string& reason);

  /// What a desktop may do with a line or phone; Local: nothing, it does not exist for that desktop.
  wire::Right right_of(SessionId session, std::uint64_t device) const;

 private:
  using Span = std::span<const std::uint8_t>;
  struct Session {
    SessionInfo info;
    std::size_t in_flight = 0;
  };
  /// One session's use of one line or phone. masks: of lineSetStatusMessages (two) or phoneSetStatusMessages (three).
  struct Attachment {
    SessionId session = 0;
    std::array<std::uint32_t, 3> masks{};
    std::uint32_t media = 0;
    bool hearing = false;  // new calls are announced to it
    std::uint64_t number = 0;
  };
  enum class Life { Closed, Opening, Open, Closing };
  struct Request {
    SessionId session = 0;
    std::uint64_t id = 0;  // the session's
    std::uint16_t function = 0;
    std::uint32_t deadline_ms = 0;
    std::uint64_t trace = 0;
    Span arguments;
    std::uint64_t device = 0;  // the first line or phone that it is about
    std::uint64_t call = 0;
    std::uint64_t msp = 0;
    std::uint64_t dialog = 0;
  };
  struct Station {  // a line or a phone
    wire::DeviceValues values;
    std::uint64_t order = 0;  // of its coming: desktops list devices as the vendor does
    std::size_t worker = 0;
    bool phone = false;
    bool close_drops = false;
    Life life = Life::Closed;
    std::vector<Attachment> attachments;
    std::vector<Request> opening;  // answered when the vendor's line is open (their arguments are not used any more)
    std::array<std::uint32_t, 3> given_masks{};  // what the vendor was told
    std::uint32_t given_media = 0;
    std::vector<std::uint64_t> calls;  // in the order of their coming

    Attachment* attachment(SessionId session);
  };
  struct CallState {
    std::uint64_t id = 0;
    std::uint64_t line = 0;
    std::set<SessionId> holders;
    std::set<SessionId> controllers;         // made or answered it, or acted on it
    std::optional<wire::EventValues> state;  // the last LINE_CALLSTATE
    bool closing = false;
    bool idle() const { return state && state->params[0] == LINECALLSTATE_IDLE; }
  };
  struct Instance {  // an MSP instance, or a dialog
    std::uint64_t device = 0;
    SessionId session = 0;
  };
  /// A request at a worker. `session` 0: the broker's own.
  struct Pending {
    Request from;
    bool answered = false;  // its desktop has an answer already
    std::size_t worker = 0;
    std::size_t bytes = 0;  // of its arguments
    std::function<void(Pending&, LONG, Span)> done;
  };
  using Done = std::function<void(Pending&, LONG, Span)>;
  using Override = void (Broker::*)(const Request&);

  // requests.cpp
  static Override override_of(std::uint16_t function);
  void check(Request& request) const;
  void forward(const Request& request, Done done = {});
  void forward(const Request& request, Span arguments, Done done);
  template <class C>
  void ask(std::size_t worker, const typename C::Inputs& inputs, Done done = {});
  void send_request(std::size_t worker, const Request& from, Span arguments, Done done);
  void respond(Pending& pending, LONG result, Span outputs = {});
  void respond(const Request& request, LONG result, Span outputs = {});
  void answered(std::uint64_t id, LONG result, Span outputs);
  void accepted(const Pending& pending, LONG result, Span outputs);
  void done_plainly(Pending& pending, LONG result, Span outputs);
  void withdraw(SessionId session, std::uint64_t device, std::uint64_t call);

  // devices.cpp
  void inventory(std::size_t worker, const wire::InventoryValues& values);
  void remove_station(std::uint64_t id);
  void open(const Request& request);
  void open_at_vendor(Station& station);
  void opened(std::uint64_t device, LONG result);
  void attach(Station& station, const Request& request);
  void close(const Request& request);
  /// Ends a session's use of a device; `done` when the vendor's device is closed or stays open for others.
  void detach(std::uint64_t device, SessionId session, const std::function<void(LONG)>& done);
  void close_at_vendor(Station& station, const std::function<void(LONG)>& done);
  void set_line_masks(const Request& request);
  void set_phone_masks(const Request& request);
  void set_masks(const Request& request, const std::array<std::uint32_t, 3>& masks);
  void set_media(const Request& request);
  void tell_unions(Station& station);

  // calls.cpp
  void start_hearing(std::uint64_t device, std::uint64_t attachment);
  void announce(CallState& call, SessionId session);
  void announce_to_others(CallState& call);
  void close_call(const Request& request);
  void release_call(std::uint64_t id, SessionId session, bool line_closes, const std::function<void(LONG)>& done);
  void forget_call(std::uint64_t id);
  void drop_call(const Request& request);
  void create_instance(const Request& request);
  void close_instance(const Request& request);
  void free_dialog(const Request& request);
  void tell_dialog_to_close(std::uint64_t dialog, const Instance& instance);
  /// Ends the MSP instances and dialogs that a session has on a device.
  void close_instances(const Station& station, SessionId session);

  // fan_out.cpp
  void event(const wire::Buffer& envelope, const wire::fb::Event& event);
  void call_event(const wire::Buffer& envelope, const wire::fb::Event& event);
  void msp_event(const wire::Buffer& envelope, const wire::fb::Event& event);
  void new_dialog(const wire::fb::Event& event);
  static bool asked_for(const Attachment& attachment, const wire::fb::Event& event);

  Station& station(std::uint64_t device);
  CallState* find_call(std::uint64_t id);

  Sessions& sessions_;
  Timers& timers_;
  const BrokerOptions options_;
  struct WorkerSlot {
    std::string name;
    wire::Channel* channel;
    std::size_t bytes = 0;  // of arguments not yet answered
  };
  std::vector<WorkerSlot> workers_;
  std::unordered_map<SessionId, Session> open_sessions_;
  std::map<std::uint64_t, Station> stations_;
  std::unordered_map<std::uint64_t, CallState> calls_;
  std::unordered_map<std::uint64_t, Instance> instances_;
  std::unordered_map<std::uint64_t, Instance> dialogs_;
  std::unordered_map<std::uint64_t, Pending> pending_;
  std::uint64_t next_request_ = 1;
  std::uint64_t next_attachment_ = 1;
  std::uint64_t revision_ = 0;
  std::uint64_t arrivals_ = 0;  // devices that ever came
};

template <class C>
// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved on, which the check does not see in a template
void Broker::ask(std::size_t worker, const typename C::Inputs& inputs, Done done) {
  Request own;
  own.function = static_cast<std::uint16_t>(number_of<C>);
  send_request(worker, own, wire::encode(inputs), std::move(done));
}

}  // namespace tsplink::host
