// Files that the host takes anew while it runs, without a restart: a change of them is taken, and one with a mistake
// is named and leaves in force what was there before. Owner: the host. Threads: its own, which calls `take`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tsplink::host {

class FileWatch {
 public:
  /// What the files hold, in their order; none: there is no such file.
  using Texts = std::vector<std::optional<std::string>>;
  /// Puts them in force; what it throws says what is wrong with them, and what was in force before stays.
  using Take = std::function<void(const Texts&)>;
  /// Nothing is taken yet: who reads the files after this misses no change of them.
  FileWatch(std::vector<std::filesystem::path> files, Take take);
  ~FileWatch() { stop(); }

  /// Looks each second from now on.
  void start();
  void stop();
  /// Takes the files as they are now. Throws what `take` throws. Any thread.
  void take_now();
  /// When what is in force was taken. Any thread.
  std::chrono::system_clock::time_point taken() const;
  /// What is wrong with the files as they are now, so that what was there before is in force; empty: nothing. Any
  /// thread.
  std::string problem() const;
  /// One look. What is new is taken when two looks have found the same: whoever writes the files has then finished.
  void look();

 private:
  using Prints = std::vector<std::optional<std::size_t>>;  // of the texts: a key's is not kept
  Texts read() const;
  void run();
  void take(const Texts& texts);

  const std::vector<std::filesystem::path> files_;
  const Take take_;
  mutable std::mutex looking_;  // of the next four
  std::string problem_;
  std::chrono::system_clock::time_point taken_ = std::chrono::system_clock::now();
  Prints tried_;  // the last that were taken, good or not
  Prints seen_;   // by the last look
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tsplink::host
