// A program that a test runs: started in a process group of its own, its output in two files, killed and reaped when
// the object goes; when the test itself dies, the kernel kills it. Waits are for its end or for a condition, bounded.
// Owner: the test. One thread, the one that started it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tsplink::e2e {

namespace fs = std::filesystem;
using Seconds = std::chrono::seconds;

/// Far more than a sanitizer on a loaded machine takes.
inline constexpr Seconds kBound{90};

std::string text_of(const fs::path& file);
void write(const fs::path& file, const std::string& text);

class Process {
 public:
  struct Start {
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;  // besides the test's own
    fs::path input = "/dev/null";
  };

  /// Output goes to BASE.out and BASE.err.
  Process(const Start& start, fs::path base);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Exit status once it has ended, 128 + N after signal N; none while it runs after `bound`.
  std::optional<int> wait(Seconds bound = kBound);
  /// True as soon as `condition` is; false after `bound`, or when the program ended without it.
  bool until(const std::function<bool()>& condition, Seconds bound = kBound);
  /// True once its output, or the given file, holds `text`.
  bool says(const std::string& text, const fs::path& file = {}, Seconds bound = kBound);
  /// To the program, and to what it was started by if that is still there and is a launcher (Wine's of 32-bit
  /// programs): SIGKILL goes to all, any other signal to the program alone.
  void send(int signal) const;

  std::string out() const { return text_of(out_file_); }
  std::string err() const { return text_of(err_file_); }
  /// After its end: whether a process that it started still runs.
  bool left_any() const { return left_any_; }
  /// For a failing test: what was run and what it said.
  std::string story() const;

 private:
  bool ended_within(std::chrono::milliseconds time);

  std::string name_;
  fs::path out_file_, err_file_;
  pid_t pid_ = -1;
  int watch_ = -1;  // pidfd
  std::optional<int> status_;
  bool left_any_ = false;
};

}  // namespace tsplink::e2e
