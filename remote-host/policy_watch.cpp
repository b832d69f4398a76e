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

/// Of the text that was looked at, whatever is in the file by now.
std::shared_ptr<const Policy> policy_of(const std::optional<std::string>& text, const std::filesystem::path& file) {
  return std::make_shared<const Policy>(text ? Policy::parse(*text, file) : Policy::read(file));
}

}  // namespace

PolicyWatch::PolicyWatch(std::filesystem::path file, Take take)
    : file_(std::move(file)),
      take_(std::move(take)),
      in_force_(text_of(file_)),
      seen_(in_force_),
      first_(policy_of(in_force_, file_)) {}

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

std::size_t PolicyWatch::take_now() {
  const std::lock_guard lock(looking_);
  in_force_ = seen_ = text_of(file_);
  return take();
}

std::chrono::system_clock::time_point PolicyWatch::taken() const {
  const std::lock_guard lock(looking_);
  return taken_;
}

std::string PolicyWatch::problem() const {
  const std::lock_guard lock(looking_);
  return problem_;
}

std::size_t PolicyWatch::take() {
  std::shared_ptr<const Policy> policy;
  try {
    policy = policy_of(in_force_, file_);
  } catch (const std::exception& failure) {
    problem_ = failure.what();
    throw;
  }
  problem_.clear();
  take_(policy);
  taken_ = std::chrono::system_clock::now();
  log::info("The policy " + file_.string() + " is in force.");
  return policy->size();
}

void PolicyWatch::look() {
  const std::lock_guard lock(looking_);
  auto text = text_of(file_);
  const bool settled = text == seen_;
  seen_ = std::move(text);
  if (!settled || seen_ == in_force_) return;
  in_force_ = seen_;
  try {
    take();
  } catch (const std::exception& failure) {
    log::error(std::string(failure.what()) + " The policy before it stays in force.");
  }
}

}  // namespace tsplink::host
