// The clock that every timer of tsplink takes, so that promises about time are tested without waiting.
// Owner: whoever makes the object that measures time; it outlives that object. Any thread may call now().
#pragma once

#include <atomic>
#include <chrono>

namespace tsplink::wire {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  /// The machine's steady clock.
  static const Clock& steady();
};

/// A clock that stands still until it is told otherwise.
class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Duration(ticks_.load())); }
  void advance(Duration by) { ticks_ += by.count(); }

 private:
  std::atomic<Duration::rep> ticks_{0};
};

}  // namespace tsplink::wire
