// The PBX's view of what happens, one line each, in the file that SIMPBX_LOG names: `HH:MM:SS.uuuuuu pbx | ...`.
// Owner: the Pbx has one (mark "pbx"), each MSP address has one (mark "msp"); both may append to the same file.
// Threads: any; a line is written at once as a whole.
#pragma once

#include <cstdio>
#include <mutex>
#include <string>

namespace tsplink::simpbx {

class Log {
 public:
  explicit Log(std::string mark);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool enabled() const { return file_ != nullptr; }
  void write(const std::string& text);

 private:
  const std::string mark_;
  std::FILE* file_ = nullptr;
  std::mutex mutex_;
};

}  // namespace tsplink::simpbx
