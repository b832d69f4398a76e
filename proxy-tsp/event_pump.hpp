// The one thread that calls TAPI: completions and events in the order in which they were posted, no lock held, never
// two at once. Owner: Core. post() and drain() from any thread; TAPI may enter the provider from inside a
// callback, on this thread too, so whatever a TSPI function does must not wait for this thread when it runs on it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "wire/clock.hpp"

namespace tsplink::proxy {

class EventPump {
 public:
  explicit EventPump(const wire::Clock& clock) : clock_(clock) {}
  ~EventPump() { stop(); }
  EventPump(const EventPump&) = delete;
  EventPump& operator=(const EventPump&) = delete;

  /// `owner` lives at least as long as the pump's thread, which may be in a callback that shuts the owner down.
  void start(std::shared_ptr<void> owner);
  /// Returns when the callback that runs now has returned, or, with an owner, after 2 s; whatever is still queued is
  /// dropped. Not to be started again then.
  void stop();
  void post(std::function<void()> work);
  /// Runs `work` on the pump's thread once the clock has reached `when`.
  void post_at(wire::TimePoint when, std::function<void()> work);
  /// Waits until all that was posted before has run; at once on the pump's own thread. False: not within `bound`.
  bool drain(std::chrono::milliseconds bound);
  bool on_pump_thread() const;

 private:
  struct Timer {
    wire::TimePoint when;
    std::function<void()> work;
  };
  void run();
  std::function<void()> next(std::unique_lock<std::mutex>& lock);

  const wire::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::vector<Timer> timers_;
  std::condition_variable drained_;
  std::uint64_t markers_ = 0;  // set and passed by drain()
  std::uint64_t reached_ = 0;
  bool stopping_ = false;
  bool ended_ = false;  // the thread is about to go
  bool owned_ = false;
  std::thread thread_;
};

}  // namespace tsplink::proxy
