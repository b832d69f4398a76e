// Carries completions and events to TAPI: one callback at a time, in the order in which they were made, with no lock
// held. It also carries out asynchronous requests, later, on its own thread, and runs the PBX's timers.
// Owner: the Pbx. Threads: every function is called with the Pbx's mutex held, which deliveries and waits give up
// meanwhile; callbacks run on the courier's thread, or on the caller's with the habit complete_in_call.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "tests/simpbx/config.hpp"
#include "tests/simpbx/log.hpp"
#include "tests/simpbx/model.hpp"

namespace tsplink::simpbx {

/// What a request or callback is about; lineClose and lineCloseCall end everything about theirs.
struct Scope {
  LinePtr line;
  CallPtr call, other_call;
  PhonePtr phone;

  bool about(const Line* l) const { return line.get() == l; }
  bool about(const Call* c) const { return call.get() == c || other_call.get() == c; }
  bool about(const Phone* p) const { return phone.get() == p; }
};

struct Callback {
  enum class Kind { completion, line, phone, new_call, dialog };
  Kind kind = Kind::line;
  Scope scope;
  DWORD message = 0;  // or, of a completion, the request id
  DWORD_PTR p1 = 0, p2 = 0, p3 = 0;
  LONG result = 0;
  std::shared_ptr<Bytes> bytes;     // what a parameter points at, kept alive
  LINEEVENT direct_line = nullptr;  // events that are about no open device
  PHONEEVENT direct_phone = nullptr;
  std::optional<DWORD_PTR> device, call_handle;  // TAPI's handles: filled in when it is delivered, unless injected
};

struct Request {
  DRV_REQUESTID id = 0;
  Scope scope;
  std::function<LONG()> effect;  // runs with the mutex held; 0 or an error
};

class Courier {
 public:
  Courier(std::mutex& mutex, const Config& config, Log& log);
  ~Courier();

  void set_completion(ASYNC_COMPLETION proc) { completion_ = proc; }
  /// Called, with the mutex held, after a LINE_NEWCALL callback has returned and the handle was stored (maybe NULL).
  std::function<void(const CallPtr&)> new_call_answered;

  void emit(Callback callback);
  void submit(Request request);
  /// For the habit complete_on_close: nothing happens with the request until end() is called for its line or call.
  void submit_until_closed(Request request) { parked_.push_back(std::move(request)); }
  /// Runs `action`, with the mutex held, on the courier's thread when the time has come.
  void later(unsigned ms, Scope scope, std::function<void()> action);

  /// Ends everything about the object: pending requests complete with `error`, their completions are given before
  /// this returns, its events are dropped, its timers end.
  template <class Object>
  void end(const Object* object, LONG error) {
    end_if([object](const Scope& scope) { return scope.about(object); }, error);
  }

  void hold() { held_ = true; }
  /// Carries out `count` of the held requests; 0: all, and stops holding.
  void release(unsigned count);
  std::size_t pending() const { return requests_.size(); }
  std::optional<DRV_REQUESTID> newest() const {
    return requests_.empty() ? std::nullopt : std::optional(requests_.back().request.id);
  }
  /// The next `times` requests end with this error instead of being carried out.
  void fail_next(LONG error, unsigned times) { fail_error_ = error, fail_times_ = times; }
  std::uint64_t delivered() const { return delivered_; }
  bool stopping() const { return stopping_; }

  bool on_callback_thread() const { return delivering_ && deliverer_ == std::this_thread::get_id(); }
  /// True on a thread that calls back with the PBX's mutex held (habit locked_callback). May be asked without the
  /// mutex.
  bool lock_is_mine() const { return lock_holder_.load() == std::this_thread::get_id(); }
  /// Nothing is called back after this returned; the mutex must be held, and is given up meanwhile.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Timer {
    Scope scope;
    std::function<void()> action;
  };
  struct Waiting {
    Request request;
    Clock::time_point due;
  };

  void start();
  void run();
  bool step();
  std::deque<Callback> carry_out(Request& request);
  void carry_out_in_call(Request& request);
  void deliver(Callback callback);
  struct Answer {  // what TAPI wrote during a callback
    HTAPICALL call = nullptr;
    HTAPIDIALOGINSTANCE dialog = 0;
  };
  Answer call_back(const Callback& callback);
  HTAPICALL call_new_call(const Callback& callback);
  static HTAPIDIALOGINSTANCE call_create_dialog(const Callback& callback);
  bool prepare(Callback& callback);
  void end_if(const std::function<bool(const Scope&)>& about, LONG error);
  std::optional<Clock::time_point> next_due() const;

  std::mutex& mutex_;
  const Config& config_;
  Log& log_;
  ASYNC_COMPLETION completion_ = nullptr;
  std::condition_variable_any wake_, turn_;
  std::deque<Callback> callbacks_;
  std::deque<Callback>* sink_ = nullptr;  // where emit() puts events while a request is carried out
  std::deque<Waiting> requests_;
  std::deque<Request> parked_;
  std::multimap<Clock::time_point, Timer> timers_;
  bool held_ = false;
  unsigned released_ = 0;
  LONG fail_error_ = 0;
  unsigned fail_times_ = 0;
  std::uint64_t delivered_ = 0;
  HTAPIDIALOGINSTANCE dialog_ = 0;  // what TAPI answered to the last LINE_CREATEDIALOGINSTANCE; 0: it refused
  bool delivering_ = false, stopping_ = false;
  std::thread::id deliverer_;
  std::atomic<std::thread::id> lock_holder_{};
  std::optional<Callback> current_;
  std::thread thread_;
};

/// A TSPI function refuses: thrown with the mutex held, becomes the function's result or the completion's.
struct Refusal {
  LONG code;
};

/// TAPI's error numbers are unsigned in the headers and signed in the functions.
constexpr LONG error(DWORD code) { return static_cast<LONG>(code); }
[[noreturn]] inline void refuse(DWORD code) { throw Refusal{error(code)}; }

}  // namespace tsplink::simpbx
