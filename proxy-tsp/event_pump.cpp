#include "proxy-tsp/event_pump.hpp"

#include <algorithm>

namespace tsplink::proxy {

namespace {
constexpr std::chrono::seconds kLastCallback{2};
}  // namespace

void EventPump::start(std::shared_ptr<void> owner) {
  std::lock_guard lock(mutex_);
  if (thread_.joinable()) return;
  stopping_ = ended_ = false;
  owned_ = owner != nullptr;
  thread_ = std::thread([this, owner = std::move(owner)] { run(); });
}

void EventPump::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  queue_.clear();
  timers_.clear();
  std::thread thread;
  thread.swap(thread_);
  changed_.notify_all();
  drained_.notify_all();
  if (!thread.joinable()) return;
  // TAPI may have shut us down from inside a callback, or from a thread that one waits for: run() returns when that
  // callback does.
  const bool own = thread.get_id() == std::this_thread::get_id();
  if (own ||
      (owned_ && !wire::wait_until(clock_, drained_, lock, clock_.now() + kLastCallback, [&] { return ended_; }))) {
    thread.detach();
    return;
  }
  lock.unlock();
  thread.join();
}

void EventPump::post(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void EventPump::post_at(wire::TimePoint when, std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    timers_.push_back({when, std::move(work)});
  }
  changed_.notify_one();
}

bool EventPump::drain(std::chrono::milliseconds bound) {
  if (on_pump_thread()) return true;
  const auto until = clock_.now() + bound;
  std::unique_lock lock(mutex_);
  if (stopping_ || !thread_.joinable()) return true;
  const auto marker = ++markers_;
  queue_.emplace_back([this, marker] {
    std::lock_guard reached(mutex_);
    reached_ = marker;
    drained_.notify_all();
  });
  changed_.notify_one();
  return wire::wait_until(clock_, drained_, lock, until, [&] { return reached_ >= marker || stopping_; });
}

bool EventPump::on_pump_thread() const {
  std::lock_guard lock(mutex_);
  return thread_.get_id() == std::this_thread::get_id();
}

std::function<void()> EventPump::next(std::unique_lock<std::mutex>& lock) {
  while (!stopping_) {
    const auto now = clock_.now();
    const auto due = std::min_element(timers_.begin(), timers_.end(),
                                      [](const Timer& a, const Timer& b) { return a.when < b.when; });
    if (due != timers_.end() && due->when <= now) {
      auto work = std::move(due->work);
      timers_.erase(due);
      return work;
    }
    if (!queue_.empty()) {
      auto work = std::move(queue_.front());
      queue_.pop_front();
      return work;
    }
    if (due != timers_.end()) {
      changed_.wait_for(lock, clock_.nap(due->when - now));
    } else {
      changed_.wait(lock);
    }
  }
  return {};
}

void EventPump::run() {
  std::unique_lock lock(mutex_);
  while (auto work = next(lock)) {
    lock.unlock();
    work();
    work = nullptr;  // what it holds goes before the lock is taken again
    lock.lock();
  }
  ended_ = true;
  drained_.notify_all();
}

}  // namespace tsplink::proxy
