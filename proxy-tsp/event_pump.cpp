#include "proxy-tsp/event_pump.hpp"

#include <algorithm>
#include <future>

namespace tsplink::proxy {

void EventPump::start() {
  std::lock_guard lock(mutex_);
  if (thread_.joinable()) return;
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

void EventPump::stop() {
  std::thread ended;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
    timers_.clear();
    ended.swap(thread_);
  }
  changed_.notify_all();
  if (!ended.joinable()) return;
  if (ended.get_id() == std::this_thread::get_id()) {
    ended.detach();  // TAPI shut us down from inside a callback; run() returns when that callback does
  } else {
    ended.join();
  }
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
  auto reached = std::make_shared<std::promise<void>>();
  auto waiting = reached->get_future();
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || !thread_.joinable()) return true;
    queue_.emplace_back([reached] { reached->set_value(); });
  }
  changed_.notify_one();
  // A stop drops the queue and with it the promise, which wakes this wait too.
  reached.reset();
  return waiting.wait_for(bound) == std::future_status::ready;
}

bool EventPump::on_pump_thread() const {
  std::lock_guard lock(mutex_);
  return thread_.get_id() == std::this_thread::get_id();
}

void EventPump::poke() { changed_.notify_one(); }

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
      changed_.wait_for(lock, due->when - now);
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
}

}  // namespace tsplink::proxy
