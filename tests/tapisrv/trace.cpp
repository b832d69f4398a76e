#include "trace.hpp"

#include <chrono>
#include <ctime>
#include <stdexcept>

namespace tsplink::tapisim {

Trace::Trace(std::string label, std::FILE* screen, const std::string& file)
    : label_(std::move(label)), screen_(screen) {
  if (file.empty()) return;
  file_ = std::fopen(file.c_str(), "w");
  if (file_ == nullptr) throw std::runtime_error("The trace file " + file + " cannot be written; check its folder.");
}

Trace::~Trace() {
  if (file_ != nullptr) std::fclose(file_);
}

void Trace::print(const std::string& text) {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const std::time_t seconds = system_clock::to_time_t(now);
  const auto fraction = duration_cast<microseconds>(now.time_since_epoch()).count() % 1000000;
  std::tm local{};
#ifdef _WIN32
  localtime_s(&local, &seconds);
#else
  localtime_r(&seconds, &local);
#endif
  char stamp[40];
  std::snprintf(stamp, sizeof stamp, "%02d:%02d:%02d.%06d", local.tm_hour, local.tm_min, local.tm_sec,
                static_cast<int>(fraction));
  for (std::FILE* out : {screen_, file_}) {
    if (out == nullptr) continue;
    std::fprintf(out, "%s %s | %s\n", stamp, label_.c_str(), text.c_str());
    std::fflush(out);
  }
}

void Trace::print_running() {
  for (auto& running : running_) {
    if (running.printed) continue;
    running.printed = true;
    print(running.text + " ...");
  }
}

void Trace::line(const std::string& text) {
  const std::lock_guard lock(mutex_);
  print_running();
  print(text);
}

Trace::Token Trace::begin(const std::string& call) {
  const std::lock_guard lock(mutex_);
  print_running();
  return running_.insert(running_.end(), {call, false});
}

void Trace::end(Token token, const std::string& name, const std::string& result) {
  const std::lock_guard lock(mutex_);
  const Running running = *token;
  running_.erase(token);
  print_running();
  print(running.printed ? name + " returned " + result : running.text + " = " + result);
}

}  // namespace tsplink::tapisim
