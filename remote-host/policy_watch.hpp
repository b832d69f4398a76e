// The policy file while the host runs: a change of it is taken without a restart, and a broken one is named and
// leaves the policy before it in force. Owner: the host. Threads: its own, which calls `take`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "remote-host/policy.hpp"
#include "wire/clock.hpp"

namespace tsplink::host {

class PolicyWatch {
 public:
  using Take = std::function<void(std::shared_ptr<const Policy>)>;
  /// Reads the file. Throws Failure(Configuration).
  PolicyWatch(std::filesystem::path file, Take take);
  ~PolicyWatch() { stop(); }

  std::shared_ptr<const Policy> first() const { return first_; }
  /// Looks each second from now on.
  void start();
  void stop();
  /// Takes the file as it is now; the grants in it. Throws Failure(Configuration), and the policy before it stays in
  /// force. Any thread.
  std::size_t take_now();
  /// When the policy in force was taken. Any thread.
  std::chrono::system_clock::time_point taken() const;
  /// What is wrong with the file as it is now, so that the policy before it is in force; empty: nothing. Any thread.
  std::string problem() const;
  /// One look. What is new is taken when two looks have found the same: whoever writes the file has then finished.
  void look();

 private:
  void run();
  std::size_t take();

  const std::filesystem::path file_;
  const Take take_;
  mutable std::mutex looking_;  // of the next four
  std::string problem_;
  std::chrono::system_clock::time_point taken_ = std::chrono::system_clock::now();
  std::optional<std::string> in_force_;  // as text, good or not; empty: there was no file
  std::optional<std::string> seen_;      // by the last look
  const std::shared_ptr<const Policy> first_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tsplink::host
