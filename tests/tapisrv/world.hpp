// What TAPISRV knows: lines, phones, calls, MSP instances, requests, and for each device a section that collects what
// happened on it, in order, for `expect` and for the canonical trace. Also the place where a broken rule is reported.
// Owner: one World for one loaded provider. Any thread may call the functions; members marked (lock) need `mutex`.
#pragma once

#include <tspi.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "coverage.hpp"
#include "events.hpp"
#include "functions.hpp"
#include "rules.hpp"
#include "structures.hpp"
#include "trace.hpp"

namespace tsplink::tapisim {

enum class ObjectKind { line, call, phone, msp, dialog };
enum class Phase { loaded, running, down };

struct Section;
struct Request;
struct Frame;  // the buffers of one call, frame.hpp

/// A thing with a handle. Lives as long as the World, so that late messages about it can be recognised.
struct Object {
  std::size_t index = 0;  // in World::objects
  ObjectKind kind = ObjectKind::line;
  int number = 0;             // among its kind, for the trace
  std::uintptr_t tapi = 0;    // TAPI's handle
  std::uintptr_t driver = 0;  // the provider's
  Object* line = nullptr;     // of a call or MSP instance; of a line itself
  Section* section = nullptr;
  Request* maker = nullptr;  // the request whose completion makes it usable
  bool usable = false;
  bool closed = false;
  bool failed = false;  // its request failed
  int registering = 0;  // lines: inside lineOpen or lineSetDefaultMediaDetection
  DWORD state = 0;      // calls: last LINECALLSTATE_
  DWORD media = 0;
  DWORD address = 0;
  std::vector<std::shared_ptr<Frame>>
      gathers;  // calls: the buffers of lineGatherDigits that still wait for a message
};

enum class Progress { inside, accepted, refused, completed };

struct Request {
  DWORD id = 0;
  int number = 0;
  const Function* function = nullptr;
  Progress progress = Progress::inside;
  LONG result = 0;
  int line = 0;  // of the scenario
  bool completed_inside = false;
  Section* section = nullptr;
  std::vector<Object*> about;
  std::vector<Object*> makes;
  std::shared_ptr<Frame> frame;
};

/// One callback, or the refusal of a request, which counts as its completion.
struct Happening {
  const Event* event = nullptr;  // null: a completion
  std::array<std::uintptr_t, 3> p{};
  Object* object = nullptr;  // the line or phone
  Object* call = nullptr;    // the call it is about or announces
  Request* request = nullptr;
  Bytes data;        // LINE_SENDMSPDATA and dialog data
  std::string text;  // with marks, see World::mark
  bool claimed = false;
  bool held = false;  // a call from inside the callback is not done yet
};

/// What TAPI does from inside a callback, before it returns.
struct Hook {
  std::function<bool(const Happening&)> wanted;
  std::function<void(Happening&)> act;  // not under the lock
  std::string what;
};

struct Section {
  std::string name;  // "line 1"
  int number = 0;
  DWORD device = 0;
  DWORD version = kNewestVersion;  // of TSPI, as it was agreed on
  bool used = false;
  std::deque<Happening> happenings;
  std::size_t emitted = 0;
  std::vector<std::string> canonical;
  std::map<std::string, std::vector<std::string>> beside;  // streams of their own: MSP instances
  std::map<const void*, std::string> names;
  std::map<std::string, int> counters;
};

struct PendingCreate {
  bool phone = false;
  std::uintptr_t temporary = 0;
};

/// Told about events while they are delivered; must only put them into a queue.
class Listener {
 public:
  virtual void happened(const Happening& happening) = 0;

 protected:
  ~Listener() = default;
};

class World {
 public:
  World(Trace& trace_to, bool keep_going_on);

  Trace& trace;
  const bool keep_going;
  std::mutex mutex;
  std::condition_variable changed;

  // State (lock).
  Phase phase = Phase::loaded;
  bool initialised = false;
  std::vector<std::unique_ptr<Object>> objects;
  std::vector<std::unique_ptr<Request>> requests;
  std::vector<std::unique_ptr<Section>> sections;
  std::map<std::uintptr_t, Object*> by_tapi;
  std::map<DWORD, Request*> by_id;
  std::vector<PendingCreate> creates;
  std::vector<DWORD> line_devices, phone_devices;
  std::set<std::pair<bool, DWORD>> gone;                         // phone, device: removed by the provider
  std::map<std::pair<std::string, DWORD>, Bytes> permanent_ids;  // by field and device
  int overload = 0;                                              // LINE_NEWCALLs still to be answered by NULL
  Listener* listener = nullptr;
  std::list<Hook> hooks;                         // not come yet
  std::vector<std::pair<Hook, Happening*>> due;  // of the callback that runs
  std::string hook_problem;
  Section* provider = nullptr;
  Coverage coverage;

  bool comparing = false;  // somebody wants the canonical trace
  unsigned callback_delay_us = 0;
  std::uintptr_t provider_handle = 0;
  std::atomic<int> inside_callback{0};
  std::atomic<std::thread::id> callback_thread{};  // while a callback runs
  Happening* current = nullptr;                    // that the callback's thread acts for; that thread only
  std::atomic<bool> broken{false};
  std::atomic<int> statement{0};          // the line of the scenario that runs (one of them, with parallel ones)
  std::atomic<bool> nonreentrant{false};  // the provider takes one function at a time
  For comparison = For::comparison;       // of the canonical trace; set before the start
  std::vector<std::string> allowed;       // names of rules that only make a note; set before the start

  /// Waits for a callback that breaks a rule; at most `time`. Not under the lock.
  void linger(std::chrono::milliseconds time);

  Object* make(ObjectKind kind, Section* section, Object* line);  // (lock)
  Request* make_request(const Function& function);                // (lock)
  Section* section_of(bool phone, DWORD device);                  // (lock) makes it when new
  Object* find_driver(ObjectKind kind, std::uintptr_t driver);    // (lock) alive ones only
  void push(Section* section, Happening happening);               // (lock)

  /// A name inside a text, resolved late: each reader numbers the objects for itself.
  static std::string name(const Object* object);  // for the trace, needs no lock
  static std::string mark(const Object* object);
  static std::string mark(const Request* request);
  std::string for_trace(const std::string& text) const;  // (lock)

  /// Canonical trace (lock). emit_until puts all happenings up to and including `index` there,
  /// without failed requests, which stand where the scenario expects them; emit_beside writes to
  /// a stream of its own, whose names are given at the end, since its order against the section's is nobody's
  /// promise.
  void emit(Section* section, const std::string& text);
  void emit_beside(Section* section, const std::string& stream, const std::string& text);
  void emit_until(Section* section, std::size_t index);
  void emit_rest(Section* section);  // and notes what came behind the last that the scenario expected
  std::string canonical();           // takes the lock itself

  void breach(Rule rule, const std::string& detail);
  void note(const std::string& text) { trace.line("note: " + text); }
  std::vector<std::string> breaches() const;

 private:
  std::string for_comparison(Section* section, const std::string& text);

  mutable std::mutex breach_mutex_;
  std::vector<std::string> breaches_;
  std::map<ObjectKind, int> numbers_;
  std::uintptr_t next_handle_ = 0x10010;
  DWORD next_request_ = 0x101;
};

std::string_view kind_name(ObjectKind kind);

}  // namespace tsplink::tapisim
