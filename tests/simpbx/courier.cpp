#include "tests/simpbx/courier.hpp"

#include <algorithm>

#include "tests/simpbx/names.hpp"

namespace tsplink::simpbx {
namespace {

/// How long lineClose waits for TAPI to return from a callback; past it the provider goes on and says so.
constexpr auto kDrainBound = std::chrono::seconds(10);

/// As drivers that keep TAPI's handles in 32 bits do.
void narrow(Callback& callback) {
  if (callback.device) *callback.device &= 0xFFFFFFFFu;
  if (callback.call_handle) *callback.call_handle &= 0xFFFFFFFFu;
}

Callback failed(const Request& request, LONG error) {
  Callback completion;
  completion.kind = Callback::Kind::completion;
  completion.scope = request.scope;
  completion.message = request.id;
  completion.result = error;
  return completion;
}

}  // namespace

Courier::Courier(std::mutex& mutex, const Config& config, Log& log) : mutex_(mutex), config_(config), log_(log) {}

Courier::~Courier() = default;

void Courier::start() {
  if (!thread_.joinable() && !stopping_) thread_ = std::thread([this] { run(); });
}

void Courier::emit(Callback callback) {
  if (stopping_) return;
  if (sink_) {
    sink_->push_back(std::move(callback));
    return;
  }
  callbacks_.push_back(std::move(callback));
  start();
  wake_.notify_all();
}

void Courier::submit(Request request) {
  const Habits& habits = config_.habits;
  const bool in_call = habits.has(Habit::complete_in_call) || habits.has(Habit::completion_before_output);
  if (in_call && !held_ && !on_callback_thread()) {
    carry_out_in_call(request);
    return;
  }
  requests_.push_back({std::move(request), Clock::now() + std::chrono::milliseconds(config_.completion_delay_ms)});
  start();
  wake_.notify_all();
}

void Courier::later(unsigned ms, Scope scope, std::function<void()> action) {
  timers_.emplace(Clock::now() + std::chrono::milliseconds(ms), Timer{std::move(scope), std::move(action)});
  start();
  wake_.notify_all();
}

void Courier::release(unsigned count) {
  if (count == 0) {
    held_ = false;
    released_ = 0;
  } else {
    released_ += count;
  }
  wake_.notify_all();
}

std::optional<Courier::Clock::time_point> Courier::next_due() const {
  std::optional<Clock::time_point> due;
  if (!timers_.empty()) due = timers_.begin()->first;
  if (!requests_.empty() && (!held_ || released_ > 0)) {
    due = due ? std::min(*due, requests_.front().due) : requests_.front().due;
  }
  return due;
}

void Courier::run() {
  const std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!delivering_ && step()) continue;
    const auto due = next_due();
    // Somebody else calls back just now (complete_in_call): wait for its end, whatever is due.
    if (due && !delivering_) {
      wake_.wait_until(mutex_, *due);
    } else {
      wake_.wait(mutex_);
    }
  }
}

/// One callback, one request or one timer; false when there is nothing to do now.
bool Courier::step() {
  if (!callbacks_.empty()) {
    Callback next = std::move(callbacks_.front());
    callbacks_.pop_front();
    deliver(std::move(next));
    return true;
  }
  const auto now = Clock::now();
  if (!requests_.empty() && (!held_ || released_ > 0) && requests_.front().due <= now) {
    Request request = std::move(requests_.front().request);
    requests_.pop_front();
    if (released_ > 0) --released_;
    for (Callback& callback : carry_out(request)) callbacks_.push_back(std::move(callback));
    return true;
  }
  if (!timers_.empty() && timers_.begin()->first <= now) {
    Timer timer = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    timer.action();
    return true;
  }
  return false;
}

/// The request's effect, its completion and the events that the effect made, in the order in which TAPI gets them.
std::deque<Callback> Courier::carry_out(Request& request) {
  std::deque<Callback> made;
  Callback completion = failed(request, 0);
  std::deque<Callback>* const outer = sink_;
  sink_ = &made;
  try {
    if (fail_times_ > 0) {
      --fail_times_;
      throw Refusal{fail_error_};
    }
    completion.result = request.effect();
  } catch (const Refusal& refusal) {
    completion.result = refusal.code;
  }
  sink_ = outer;
  if (request.id != 0) {
    const bool events_first = config_.habits.has(Habit::events_before_completion);
    made.insert(events_first ? made.end() : made.begin(), std::move(completion));
  }
  return made;
}

/// The habit of rule 1.2: TAPI hears of the end before the function has returned.
void Courier::carry_out_in_call(Request& request) {
  std::deque<Callback> made = carry_out(request);
  const bool all = config_.habits.has(Habit::events_in_call);
  while (!made.empty()) {
    Callback next = std::move(made.front());
    made.pop_front();
    if (all || next.kind == Callback::Kind::completion) {
      turn_.wait(mutex_, [this] { return !delivering_; });
      deliver(std::move(next));
    } else {
      emit(std::move(next));
    }
  }
}

/// Fills in what must be current when TAPI is called; false: TAPI shall not hear of it (any more).
bool Courier::prepare(Callback& callback) {
  if (callback.kind == Callback::Kind::completion) return completion_ != nullptr;
  const Scope& scope = callback.scope;
  if (callback.kind == Callback::Kind::phone) {
    if (callback.direct_phone) return true;
    callback.direct_phone = scope.phone->event;
    if (!callback.device) callback.device = reinterpret_cast<DWORD_PTR>(scope.phone->htPhone);
    return scope.phone->open && callback.direct_phone;
  }
  if (callback.message == static_cast<DWORD>(LINE_SENDDIALOGINSTANCEDATA)) callback.device = dialog_;
  if (callback.direct_line) return true;
  callback.direct_line = scope.line->event;
  if (!scope.line->open || !callback.direct_line) return false;
  if (!callback.device) callback.device = reinterpret_cast<DWORD_PTR>(scope.line->htLine);
  if (!scope.call) return true;
  if (callback.kind == Callback::Kind::new_call) {
    callback.p1 = scope.call->handle;
    return scope.call->handle != 0;
  }
  if (!callback.call_handle) callback.call_handle = reinterpret_cast<DWORD_PTR>(scope.call->htCall);
  return scope.call->announced && scope.call->handle != 0;
}

void Courier::deliver(Callback callback) {
  const bool wanted = prepare(callback);
  if (wanted && config_.habits.has(Habit::narrow_handles)) narrow(callback);
  if (!wanted) {
    turn_.notify_all();
    return;
  }
  delivering_ = true;
  deliverer_ = std::this_thread::get_id();
  current_ = callback;
  if (log_.enabled()) log_.write("-> " + describe(callback));
  Answer answered;
  if (config_.habits.has(Habit::locked_callback)) {
    lock_holder_ = deliverer_;
    answered = call_back(callback);
    lock_holder_ = std::thread::id();
  } else {
    mutex_.unlock();
    answered = call_back(callback);
    mutex_.lock();
  }
  ++delivered_;
  delivering_ = false;
  deliverer_ = {};
  current_.reset();
  if (callback.kind == Callback::Kind::new_call) {
    callback.scope.call->htCall = answered.call;
    new_call_answered(callback.scope.call);
  }
  if (callback.kind == Callback::Kind::dialog) dialog_ = answered.dialog;
  turn_.notify_all();
  wake_.notify_all();
}

Courier::Answer Courier::call_back(const Callback& callback) {
  Answer answer;
  switch (callback.kind) {
    case Callback::Kind::completion: completion_(callback.message, callback.result); break;
    case Callback::Kind::new_call: answer.call = call_new_call(callback); break;
    case Callback::Kind::phone:
      callback.direct_phone(reinterpret_cast<HTAPIPHONE>(callback.device.value_or(0)), callback.message, callback.p1,
                            callback.p2, callback.p3);
      break;
    case Callback::Kind::dialog: answer.dialog = call_create_dialog(callback); break;
    case Callback::Kind::line:
      callback.direct_line(reinterpret_cast<HTAPILINE>(callback.device.value_or(0)),
                           reinterpret_cast<HTAPICALL>(callback.call_handle.value_or(0)), callback.message,
                           callback.p1, callback.p2, callback.p3);
      break;
  }
  return answer;
}

/// The structure is on the vendor's stack, and what TAPI wrote into it is read on return.
HTAPIDIALOGINSTANCE Courier::call_create_dialog(const Callback& callback) {
  Text dll = wide("simpbx.tsp");
  TUISPICREATEDIALOGINSTANCEPARAMS params{};
  params.dwRequestID = static_cast<DRV_REQUESTID>(callback.p1);
  params.hdDlgInst = reinterpret_cast<HDRVDIALOGINSTANCE>(callback.call_handle.value_or(0));
  params.lpszUIDLLName = dll.c_str();
  params.lpParams = callback.bytes->empty() ? nullptr : callback.bytes->data();
  params.dwSize = static_cast<DWORD>(callback.bytes->size());
  callback.direct_line(reinterpret_cast<HTAPILINE>(callback.device.value_or(0)), nullptr, callback.message,
                       reinterpret_cast<DWORD_PTR>(&params), 0, 0);
  return params.htDlgInst;
}

HTAPICALL Courier::call_new_call(const Callback& callback) {
  const auto htLine = reinterpret_cast<HTAPILINE>(callback.device.value_or(0));
  HTAPICALL slot = nullptr;
  if (!config_.habits.has(Habit::narrow_handles)) {
    callback.direct_line(htLine, nullptr, LINE_NEWCALL, callback.p1, reinterpret_cast<DWORD_PTR>(&slot), 0);
    return slot;
  }
  // TAPI's slot has 4 bytes here; the canary behind it shows who writes 8.
  constexpr DWORD kCanary = 0xC0FFEE00;
  DWORD narrow_slot[2] = {0, kCanary};
  callback.direct_line(htLine, nullptr, LINE_NEWCALL, callback.p1, reinterpret_cast<DWORD_PTR>(&narrow_slot), 0);
  if (narrow_slot[1] != kCanary) log_.write("!! LINE_NEWCALL: more than 4 bytes were written into the slot");
  return reinterpret_cast<HTAPICALL>(static_cast<std::uintptr_t>(narrow_slot[0]));
}

void Courier::end_if(const std::function<bool(const Scope&)>& about, LONG error) {
  std::deque<Callback> kept;
  for (Callback& callback : callbacks_) {
    if (callback.kind == Callback::Kind::completion || !about(callback.scope)) kept.push_back(std::move(callback));
  }
  callbacks_ = std::move(kept);
  for (auto at = requests_.begin(); at != requests_.end();) {
    if (about(at->request.scope)) {
      callbacks_.push_back(failed(at->request, error));
      at = requests_.erase(at);
    } else {
      ++at;
    }
  }
  for (auto at = parked_.begin(); at != parked_.end();) {
    if (!about(at->scope)) {
      ++at;
      continue;
    }
    callbacks_.push_back(failed(*at, error));
    at = parked_.erase(at);
  }
  std::erase_if(timers_, [&about](const auto& timer) { return about(timer.second.scope); });
  wake_.notify_all();
  // On a callback's own thread nothing can be waited for: its completions follow when the callback has returned.
  if (on_callback_thread()) return;
  const auto busy = [&] {
    if (current_ && about(current_->scope)) return true;
    return std::any_of(callbacks_.begin(), callbacks_.end(), [&](const Callback& c) { return about(c.scope); });
  };
  if (!turn_.wait_for(mutex_, kDrainBound, [&] { return !busy() || stopping_; })) {
    log_.write("!! TAPI did not return from a callback within 10 s; closing goes on without it");
  }
}

void Courier::stop() {
  stopping_ = true;
  wake_.notify_all();
  turn_.notify_all();
  if (!thread_.joinable()) return;
  mutex_.unlock();
  thread_.join();
  mutex_.lock();
}

}  // namespace tsplink::simpbx
