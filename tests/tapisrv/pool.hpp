// The threads on which TSPI functions are called: consecutive calls go to different ones, as TAPISRV does it.
// Owner: the Caller. Any thread may call run(); a thread that a provider blocks for good is left behind at the end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tsplink::tapisim {

class Pool {
 public:
  Pool() = default;
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs the task on the next thread that is free; false when it has not finished within the limit.
  bool run(std::function<void()> task, std::chrono::milliseconds limit);

 private:
  struct Worker;
  std::shared_ptr<Worker> next();

  std::mutex mutex_;
  std::vector<std::shared_ptr<Worker>> workers_;
  std::size_t last_ = 0;
};

}  // namespace tsplink::tapisim
