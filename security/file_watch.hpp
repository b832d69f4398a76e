// Files that are taken anew without a restart: a change of them is taken, and one with a mistake is named and leaves
// in force what was there before. Owner: host and proxy. Threads: its own, which calls `take` and `tell`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "security/files.hpp"
#include "security/identity.hpp"
#include "wire/clock.hpp"

namespace tsplink::security {

class FileWatch {
 public:
  struct File {
    std::filesystem::path path;
    const char* role;  // "policy file"
  };
  /// What the files hold.
  using Texts = std::map<std::filesystem::path, std::shared_ptr<const FileText>>;
  /// Puts them in force; what it throws says what is wrong with them, and what was in force before stays.
  using Take = std::function<void(const Texts&)>;
  /// Of a mistake, once.
  using Tell = std::function<void(const std::string& sentence)>;
  /// Nothing is taken yet: who reads the files after this misses no change of them. Those without a path are none.
  FileWatch(const wire::Clock& clock, std::vector<File> files, Take take, Tell tell);
  ~FileWatch() { stop(); }

  /// Looks each second from now on.
  void start();
  void stop();
  /// Takes the files as they are now. Throws what `take` throws, or Error. Any thread.
  void take_now();
  /// When what is in force was taken. Any thread.
  std::chrono::system_clock::time_point taken() const;
  /// What is wrong with the files as they are now, so that what was there before is in force; empty: nothing. Any
  /// thread.
  std::string problem() const;
  /// One look. What is new is taken when two looks have found the same: whoever writes the files has then finished.
  /// What was refused is tried again with each look: perhaps only the rights of a file were wrong, or the clock.
  void look();

 private:
  /// The files at one look. A trouble, of one that cannot be read, is a sentence; else it is empty.
  struct Look {
    Texts texts;
    std::string trouble;
    std::size_t print = 0;  // of all that: texts are not kept, since a key's is among them
  };
  Look read() const;
  void run();
  void take(const Look& look);

  const wire::Clock& clock_;
  const std::vector<File> files_;
  const Take take_;
  const Tell tell_;
  mutable std::mutex telling_;  // of the next two; who asks does not wait for a disk
  std::string problem_;         // changed by who looks alone
  std::chrono::system_clock::time_point taken_ = std::chrono::system_clock::now();
  std::mutex looking_;     // of the next two, and one at a time takes
  std::size_t tried_ = 0;  // the last that was taken, good or not
  std::size_t seen_ = 0;   // by the last look
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Those of an identity.
std::vector<FileWatch::File> watched(const IdentityFiles& files);

}  // namespace tsplink::security
