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

#include "remote-host/audit.hpp"
#include "remote-host/broker/inspect.hpp"
#include "remote-host/functions.hpp"
#include "remote-host/named_ids.hpp"
#include "remote-host/policy.hpp"
#include "wire/calls.hpp"
#include "wire/clock.hpp"
#include "wire/codec.hpp"
#include "wire/envelopes.hpp"
#include "wire/events.hpp"

namespace tsplink::host {

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
  Holder certificate;
  std::string address;
};

struct BrokerOptions {
  std::size_t requests_in_flight = 256;   // of one session at one device; at all of its devices 4 times as many
  std::size_t worker_bytes = 64U << 20U;  // arguments that one worker has not answered, of sessions that are gone too
  wire::Duration monitor_delay =
      std::chrono::milliseconds(250);                 // until calls are announced without a media detection
  const wire::Clock* clock = &wire::Clock::steady();  // says since when sessions and calls are there
};

/// What a provider's section of the configuration says about its desktops.
struct ProviderRules {
  /// Whether a dialog on a desktop may speak to the vendor about its devices and itself, as its control panel does,
  /// and not only within a request of its own.
  bool desktops_configure = false;
  /// LINEMEDIAMODE_: what the vendor shall detect on a line that only monitors have open. None: voice, where the line
  /// has it, since most drivers announce no call of which nobody wants the media.
  std::optional<std::uint32_t> monitor_media = {};
  /// How old an answer of the vendor may be that another desktop gets; 0: each asks for itself.
  wire::Duration shared_answers = std::chrono::seconds(2);
};

class Broker {
 public:
  /// `audit` gets each request that needs the right to control, once, when its desktop is answered; nullptr: nobody.
  Broker(Sessions& sessions, Timers& timers, std::shared_ptr<const Policy> policy, BrokerOptions options = {},
         Audit* audit = nullptr)
      : sessions_(sessions), timers_(timers), options_(options), policy_(std::move(policy)), audit_(audit) {}

  /// A worker's number, by which its envelopes are given; `to_worker` outlives the broker.
  std::size_t add_worker(std::string name, wire::Channel& to_worker, ProviderRules rules = {});
  void worker_message(std::size_t worker, const wire::Buffer& envelope);

  /// How many lines and phones are granted to it.
  std::size_t session_up(SessionId id, SessionInfo info);
  void session_message(SessionId id, const wire::Buffer& envelope);
  void session_down(SessionId id, const std::string& reason);

  /// From now on; desktops learn of devices that come and go for them.
  void set_policy(std::shared_ptr<const Policy> policy);

  /// What there is now; nobody is asked for it.
  Inspection inspect() const;

 private:
  using Span = std::span<const std::uint8_t>;
  struct Session {
    SessionInfo info;
    Policy::Rules rules;  // of the policy in force
    std::size_t in_flight = 0;
    std::unordered_map<std::uint64_t, std::size_t> in_flight_at{};  // of those, by device
    std::unordered_map<std::uint64_t, Grant> grants;  // by device; what is not there does not exist for it
    std::uint64_t revision = 0;                       // its own: others' changes are none of its business
    std::uint64_t number = 0;                         // for people, who cannot name it by its id
    wire::TimePoint since{};
  };
  /// One session's use of one line or phone.
  struct Attachment {
    SessionId session = 0;
    bool hearing = false;  // new calls are announced to it
    std::uint64_t number = 0;
  };
  using Masks = std::array<std::uint32_t, 3>;
  /// The extension version in force: the first who selects one decides for all.
  struct Extension {
    std::uint32_t version = 0;
    std::set<SessionId> users;
    bool in_force = false;  // the vendor has said so
    bool of_others(SessionId session) const { return users.size() > users.count(session); }
  };
  /// A request whose events come back by a number: the session that gave it, and the one that it gave.
  struct Tag {
    SessionId session = 0;
    std::uint16_t function = 0;
    std::uint32_t own = 0;
  };
  using Question = std::pair<std::uint16_t, wire::Bytes>;  // a function that only reads, and its arguments
  /// What the vendor says to one; serves those who ask the same soon after.
  struct Answer {
    std::set<SessionId> given;          // who has it
    wire::Block outputs{};              // not there: the vendor is still being asked
    std::vector<std::uint64_t> joined;  // requests that wait for it
    std::uint32_t deadline_ms = 0;      // of the one that is with the vendor
    wire::TimePoint asked{};
    std::uint64_t acts = 0;  // of its worker, when it was asked for
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
    /// For the audit: what it names, whether its desktop has that or not.
    struct {
      std::uint64_t device = 0;
      std::vector<std::uint64_t> calls;
      std::string to;
    } names;
  };
  /// What each session asked to be told of, and what the vendor was told for all of them: their union. One request is
  /// with the vendor at a time, or nobody would know what its refusal is of.
  struct Wishes {
    struct Waiting {
      Request request;
      Masks masks{};
    };
    std::map<SessionId, Masks> of{};
    Masks given{};
    bool of_controllers = false;  // those of monitors do not count
    bool asking = false;
    std::deque<Waiting> waiting{};
    std::uint32_t mask(SessionId session, std::size_t which) const;
  };
  struct Station {  // a line or a phone
    wire::DeviceValues values;
    DeviceFacts facts;
    std::uint64_t order = 0;  // of its coming: desktops list devices as the vendor does
    std::size_t worker = 0;
    bool phone = false;
    bool close_drops = false;
    std::uint32_t media_modes = 0;  // that it has
    Life life = Life::Closed;
    bool ended = false;  // the vendor has closed it by itself: LINE_CLOSE or PHONE_CLOSE
    std::vector<Attachment> attachments;
    std::vector<Request> opening;  // answered when the vendor's line is open (their arguments are not used any more)
    Wishes status;                 // of lineSetStatusMessages (two masks) or phoneSetStatusMessages (three)
    Wishes media{.of_controllers = true};  // of lineSetDefaultMediaDetection
    Extension extension;
    std::vector<std::uint64_t> calls;  // in the order of their coming
    std::map<Question, std::shared_ptr<Answer>> answers;
    std::deque<std::uint32_t> numbers;  // dwCallIDs that were read of calls here

    Attachment* attachment(SessionId session);
  };
  struct CallState {
    std::uint64_t id = 0;
    std::uint64_t line = 0;
    std::set<SessionId> holders;
    std::set<SessionId> controllers;         // made or answered it, or acted on it
    std::set<SessionId> left;                // let go of it before it ended, and have not closed the line since
    std::optional<wire::EventValues> state;  // the last LINE_CALLSTATE
    std::uint32_t media_mode = 0;            // the last that the vendor named
    Wishes digits;                           // of lineMonitorDigits
    Wishes media;                            // of lineMonitorMedia
    std::map<std::uint32_t, Tag> tags;       // by the number that the vendor has
    bool closing = false;
    Direction direction = Direction::Unknown;
    wire::TimePoint since{};
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

  // rights.cpp
  Grant grant_of(SessionId session, std::uint64_t device) const;
  bool controls(SessionId session, std::uint64_t device) const {
    return grant_of(session, device).allows(wire::Right::Control);
  }
  static DeviceFacts facts_of(const Station& station, const std::string& provider);
  void describe(Station& station, wire::DeviceValues values);
  /// Gives sessions what the policy says now of these devices, and takes what it says no more.
  void review(const std::vector<const Station*>& stations);
  /// One session's part of that; the devices that are to be taken.
  std::vector<std::uint64_t> review(SessionId id, Session& session, const std::vector<const Station*>& stations);
  void expel(SessionId session, std::uint64_t device);
  /// It may only watch a device from now on.
  void demote(SessionId id, const Session& session, const Station& station);
  void say_closed(const Station& station, SessionId session);
  template <class C>
  void get_id(const Request& request);
  wire::EventValues without_foreign_calls(wire::EventValues event, SessionId session) const;

  // requests.cpp
  static Override override_of(std::uint16_t function);
  /// Whether it leaves everything at the vendor as it is.
  static bool only_reads(std::uint16_t function);
  bool too_many(const Session& session, const Request& request) const;
  void note_names(Request& request, const std::vector<NamedId>& named) const;
  void check(Request& request, const std::vector<NamedId>& all) const;
  /// What the audit says of it, but how it ended; none: nothing.
  std::optional<ControlAction> action_of(const Request& request) const;
  void audit(const Request& request, std::optional<LONG> result, Span outputs = {}, std::string_view note = {});
  void forward(const Request& request, Done done = {});
  void forward(const Request& request, Span arguments, Done done);
  template <class C>
  void ask(std::size_t worker, const typename C::Inputs& inputs, Done done = {}, std::uint64_t trace = 0);
  void send_request(std::size_t worker, const Request& from, Span arguments, Done done);
  /// A request that is owed an answer; its number.
  std::uint64_t expect(std::size_t worker, const Request& from, Done done);
  void send_pending(std::uint64_t id, Span arguments);
  void respond(Pending& pending, LONG result, Span outputs = {});
  /// `note`: what the audit says besides the result. `known`: whether that is the driver's, or the host's own.
  void respond(const Request& request, LONG result, Span outputs = {}, std::string_view note = {}, bool known = true);
  void answered(std::uint64_t id, LONG result, Span outputs);
  void accepted(const Pending& pending, LONG result, Span outputs);
  void done_plainly(Pending& pending, LONG result, Span outputs);
  void acted(const Request& request);
  void withdraw(SessionId session, std::uint64_t device, std::uint64_t call);

  // answers.cpp
  void read(const Request& request);
  void tell(Pending& pending, LONG result, Span outputs);
  void drop_answer(const Question& question, Answer& answer);
  void drop_answers(Station& station);

  // devices.cpp
  void inventory(std::size_t worker, const wire::InventoryValues& values);
  void remove_station(std::uint64_t id);
  std::vector<const Station*> in_order() const;
  /// One line or phone of a session's inventory: there, perhaps with other capabilities than before, or gone.
  void tell_of(SessionId id, Session& session, wire::DeviceValues device, bool phone, bool there);
  void open(const Request& request);
  void open_at_vendor(Station& station);
  void opened(std::uint64_t device, LONG result);
  void attach(Station& station, const Request& request);
  void close(const Request& request);
  /// Ends a session's use of a device; `done` when the vendor's device is closed or stays open for others. `why`:
  /// what the audit says of calls that end with it.
  void detach(std::uint64_t device, SessionId session, const std::string& why, const std::function<void(LONG)>& done);
  void close_at_vendor(Station& station, const std::function<void(LONG)>& done);

  // sharing.cpp
  Masks union_of(const Station& station, const Wishes& wishes) const;
  Masks union_of(std::uint64_t device, const Wishes& wishes) const;
  Wishes* wishes(std::uint16_t function, std::uint64_t device, std::uint64_t call);
  template <class C>
  void wish(const Request& request);
  template <class C>
  void hear(std::uint64_t device, SessionId session);
  template <class C>
  void next_wish(std::uint64_t device, std::uint64_t call);
  void refuse_wishes(Wishes& wishes, LONG result);
  template <class C>
  void tell_union(const Station& station, std::uint64_t object, Wishes& wishes);
  void tell_unions(Station& station);
  void forget(Wishes& wishes, SessionId session);
  void forget_wishes(Station& station, SessionId session);
  void forget_wishes(CallState& call, SessionId session);
  template <class C>
  void select_extension(const Request& request);
  template <class C>
  void negotiate_extension(const Request& request);
  void leave_extension(Station& station, SessionId session);
  void forward_tagged(const Request& request);
  void tagged_event(CallState& call, const wire::fb::Event& event, std::size_t at);

  // calls.cpp
  void start_hearing(std::uint64_t device, std::uint64_t attachment);
  void announce(CallState& call, SessionId session);
  void say_state(const CallState& call, SessionId session);
  void announce_to_others(CallState& call);
  void close_call(const Request& request);
  /// `line_closes`: why; nullptr: it does not.
  void release_call(std::uint64_t id, SessionId session, const std::string* line_closes,
                    const std::function<void(LONG)>& done);
  /// The driver drops calls when its line is closed: the last who controls this one has closed it, or has gone.
  void drop_with_line(const Station& line, std::uint64_t call, SessionId session, const std::string& why);
  CallState& add_call(std::uint64_t id, std::uint64_t line, Direction direction);
  void forget_call(std::uint64_t id);
  /// Whether TAPI would have an owner of the call there.
  bool owns(const CallState& call, SessionId session) const;
  void drop_call(const Request& request);
  void create_instance(const Request& request);
  void close_instance(const Request& request);
  void free_dialog(const Request& request);
  void ask_for_dialog(const Request& request);
  void tell_dialog_to_close(std::uint64_t dialog, const Instance& instance);
  /// Ends the MSP instances and dialogs that a session has on a device.
  void close_instances(const Station& station, SessionId session);
  void close_dialogs(const Station& station, SessionId session);
  void leave_call(CallState& call, SessionId session);

  // fan_out.cpp
  void event(const wire::Buffer& envelope, const wire::fb::Event& event);
  void call_event(const wire::Buffer& envelope, const wire::fb::Event& event);
  void msp_event(const wire::Buffer& envelope, const wire::fb::Event& event);
  void new_dialog(const wire::fb::Event& event);
  static bool asked_for(const Station& station, SessionId session, const wire::fb::Event& event);
  static bool asked_for(const CallState& call, SessionId session, const wire::fb::Event& event);

  // inspect.cpp
  std::optional<InspectedUse> use(SessionId session, std::string_view right) const;
  InspectedDevice inspected(const Station& station) const;
  InspectedCall inspected(const CallState& call) const;

  Station& station(std::uint64_t device);
  CallState* find_call(std::uint64_t id);

  Sessions& sessions_;
  Timers& timers_;
  const BrokerOptions options_;
  std::shared_ptr<const Policy> policy_;
  Audit* const audit_;
  struct WorkerSlot {
    std::string name;
    wire::Channel* channel;
    ProviderRules rules;
    std::size_t bytes = 0;   // of arguments not yet answered
    std::uint64_t acts = 0;  // requests, and answers to them, that may have changed something
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
  std::uint32_t next_tag_ = 1;
  std::uint64_t arrivals_ = 0;  // devices that ever came
  std::uint64_t visits_ = 0;    // sessions that ever came
};

template <class C>
// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved on, which the check does not see in a template
void Broker::ask(std::size_t worker, const typename C::Inputs& inputs, Done done, std::uint64_t trace) {
  Request own;
  own.trace = trace;
  own.function = static_cast<std::uint16_t>(number_of<C>);
  send_request(worker, own, wire::encode(inputs), std::move(done));
}

}  // namespace tsplink::host
