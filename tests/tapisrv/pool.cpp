#include "pool.hpp"

namespace tsplink::tapisim {
namespace {
constexpr std::size_t kThreads = 4;
}

struct Pool::Worker {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> task;
  bool busy = false;
  bool ending = false;
  std::thread thread;

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return ending || task; });
      if (!task) return;
      auto running = std::move(task);
      task = nullptr;
      lock.unlock();
      running();
      lock.lock();
      busy = false;
      changed.notify_all();
    }
  }
};

Pool::~Pool() {
  for (auto& worker : workers_) {
    bool busy = false;
    {
      const std::lock_guard lock(worker->mutex);
      worker->ending = true;
      busy = worker->busy;
    }
    worker->changed.notify_all();
    if (busy) {
      worker->thread.detach();
    } else {
      worker->thread.join();
    }
  }
}

std::shared_ptr<Pool::Worker> Pool::next() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 1; i <= workers_.size() && workers_.size() >= kThreads; ++i) {
    auto& worker = workers_[(last_ + i) % workers_.size()];
    const std::lock_guard own(worker->mutex);
    if (worker->busy) continue;
    last_ = (last_ + i) % workers_.size();
    worker->busy = true;
    return worker;
  }
  auto worker = std::make_shared<Worker>();
  worker->busy = true;
  worker->thread = std::thread([worker] { worker->work(); });
  workers_.push_back(worker);
  last_ = workers_.size() - 1;
  return worker;
}

bool Pool::run(std::function<void()> task, std::chrono::milliseconds limit) {
  const auto worker = next();
  auto done = std::make_shared<bool>(false);
  std::unique_lock lock(worker->mutex);
  worker->task = [task = std::move(task), done, worker] {
    task();
    const std::lock_guard inner(worker->mutex);
    *done = true;
  };
  worker->changed.notify_all();
  return worker->changed.wait_for(lock, limit, [&] { return *done && !worker->busy; }) || *done;
}

}  // namespace tsplink::tapisim
