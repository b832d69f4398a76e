// Serial queues over a small pool of threads: tasks of one key run one after the other in order, tasks of different
// keys beside each other, so that a slow vendor function delays only its own line. The pool grows while all its
// threads are held up, to a bound. Owner: one Worker. post() from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace tsplink::host {

class Strands {
 public:
  using Task = std::function<void()>;
  explicit Strands(std::size_t most_threads = 64);
  /// Threads that are idle are joined; one that never came back from a vendor is left behind.
  ~Strands();
  Strands(const Strands&) = delete;
  Strands& operator=(const Strands&) = delete;

  void post(std::uint64_t key, Task task);
  /// Waits until nothing is queued or running. False: still something after `limit`.
  bool wait_idle(std::chrono::milliseconds limit);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tsplink::host
