#include "tests/simpbx/log.hpp"

#include <chrono>
#include <ctime>

#include "tests/simpbx/config.hpp"

namespace tsplink::simpbx {
namespace {

std::string local_time() {
  const auto now = std::chrono::system_clock::now();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() % 1000000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
#ifdef _WIN32
  localtime_s(&parts, &seconds);
#else
  localtime_r(&seconds, &parts);
#endif
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%06d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(micros));
  return text;
}

}  // namespace

Log::Log(std::string mark) : mark_(std::move(mark)) {
  const std::string path = environment("SIMPBX_LOG");
  if (!path.empty()) file_ = std::fopen(path.c_str(), "a");
}

Log::~Log() {
  if (file_) std::fclose(file_);
}

void Log::write(const std::string& text) {
  if (!file_) return;
  const std::scoped_lock lock(mutex_);
  // One fwrite and one flush for each line: two processes appending to one file do not mix within a line.
  const std::string line = local_time() + " " + mark_ + " | " + text + "\n";
  std::fwrite(line.data(), 1, line.size(), file_);
  std::fflush(file_);
}

}  // namespace tsplink::simpbx
