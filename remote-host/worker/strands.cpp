#include "remote-host/worker/strands.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tsplink::host {

struct Strands::State {
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable idle;
  std::unordered_map<std::uint64_t, std::deque<Task>> queues;  // a key that is here is in `ready` or runs
  std::deque<std::uint64_t> ready;
  std::vector<std::thread> threads;
  std::size_t most_threads = 1;
  std::size_t sleeping = 0;
  bool stopping = false;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++sleeping;
      work.wait(lock, [&] { return stopping || !ready.empty(); });
      --sleeping;
      if (ready.empty()) return;
      const auto key = ready.front();
      ready.pop_front();
      Task task = std::move(queues[key].front());
      lock.unlock();
      task();
      task = nullptr;  // what it holds goes before others see the queue empty
      lock.lock();
      auto& queue = queues[key];
      queue.pop_front();
      if (queue.empty()) {
        queues.erase(key);
        if (queues.empty()) idle.notify_all();
      } else {
        ready.push_back(key);  // behind the other keys
        work.notify_one();
      }
    }
  }
};

Strands::Strands(std::size_t most_threads) : state_(std::make_shared<State>()) {
  state_->most_threads = most_threads;
}

Strands::~Strands() {
  const bool idle = wait_idle(std::chrono::milliseconds(0));
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work.notify_all();
  for (auto& thread : state_->threads) {
    if (idle && thread.get_id() != std::this_thread::get_id()) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

void Strands::post(std::uint64_t key, Task task) {
  std::lock_guard lock(state_->mutex);
  if (state_->stopping) return;
  auto [at, fresh] = state_->queues.try_emplace(key);
  at->second.push_back(std::move(task));
  if (!fresh) return;
  state_->ready.push_back(key);
  if (state_->sleeping < state_->ready.size() && state_->threads.size() < state_->most_threads) {
    state_->threads.emplace_back([state = state_] { state->run(); });
  }
  state_->work.notify_one();
}

bool Strands::wait_idle(std::chrono::milliseconds limit) {
  std::unique_lock lock(state_->mutex);
  return state_->idle.wait_for(lock, limit, [&] { return state_->queues.empty(); });
}

}  // namespace tsplink::host
