#include "remote-host/policy_watch.hpp"

#include <fstream>

#include "remote-host/log.hpp"

namespace tsplink::host {

namespace {

std::optional<std::string> text_of(const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) return std::nullopt;  // a pipe would never end
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace

PolicyWatch::PolicyWatch(std::filesystem::path file, Take take)
    : file_(std::move(file)),
      take_(std::move(take)),
      in_force_(text_of(file_)),
      seen_(in_force_),
      first_(std::make_shared<const Policy>(Policy::read(file_))) {}

void PolicyWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void PolicyWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PolicyWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void PolicyWatch::look() {
  auto text = text_of(file_);
  const bool settled = text == seen_;
  seen_ = std::move(text);
  if (!settled || seen_ == in_force_) return;
  in_force_ = seen_;
  try {
    take_(std::make_shared<const Policy>(Policy::read(file_)));
    log::info("The changed policy " + file_.string() + " is in force.");
  } catch (const std::exception& failure) {
    log::error(std::string(failure.what()) + " The policy before it stays in force.");
  }
}

}  // namespace tsplink::host
