// The clock that every timer takes, so that promises about time are tested without waiting; bounds on starting and
// stopping alone are real. Owner: whoever makes what measures time; it outlives that. Any thread may call now().
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tsplink::wire {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  /// How long a thread that waits until now() reaches a point `remaining` away may sleep before it looks again.
  virtual Duration nap(Duration remaining) const { return remaining; }
  /// The machine's steady clock.
  static const Clock& steady();
};

/// Waits until `done` holds; false: `clock` reached `until` first.
template <class Predicate>
bool wait_until(const Clock& clock, std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                TimePoint until, Predicate done) {
  while (!done()) {
    const auto remaining = until - clock.now();
    if (remaining <= Duration::zero()) return false;
    changed.wait_for(lock, clock.nap(remaining));
  }
  return true;
}

/// A clock that stands still until it is told otherwise.
class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Duration(ticks_.load())); }
  Duration nap(Duration remaining) const override {
    return std::min<Duration>(remaining, std::chrono::milliseconds(1));
  }
  void advance(Duration by) { ticks_ += by.count(); }

 private:
  std::atomic<Duration::rep> ticks_{0};
};

}  // namespace tsplink::wire
