#include "remote-host/file_watch.hpp"

#include <fstream>
#include <iterator>

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

std::vector<std::optional<std::size_t>> prints_of(const FileWatch::Texts& texts) {
  std::vector<std::optional<std::size_t>> prints;
  for (const auto& text : texts)
    prints.push_back(text ? std::optional(std::hash<std::string>()(*text)) : std::nullopt);
  return prints;
}

}  // namespace

FileWatch::FileWatch(std::vector<std::filesystem::path> files, Take take)
    : files_(std::move(files)), take_(std::move(take)), tried_(prints_of(read())), seen_(tried_) {}

void FileWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void FileWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FileWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

FileWatch::Texts FileWatch::read() const {
  Texts texts;
  for (const auto& file : files_) texts.push_back(text_of(file));
  return texts;
}

void FileWatch::take_now() {
  const std::lock_guard lock(looking_);
  const auto texts = read();
  seen_ = prints_of(texts);
  take(texts);
}

std::chrono::system_clock::time_point FileWatch::taken() const {
  const std::lock_guard lock(looking_);
  return taken_;
}

std::string FileWatch::problem() const {
  const std::lock_guard lock(looking_);
  return problem_;
}

void FileWatch::take(const Texts& texts) {
  tried_ = prints_of(texts);
  try {
    take_(texts);
  } catch (const std::exception& failure) {
    problem_ = failure.what();
    throw;
  }
  problem_.clear();
  taken_ = std::chrono::system_clock::now();
}

void FileWatch::look() {
  const std::lock_guard lock(looking_);
  const auto texts = read();
  const auto prints = prints_of(texts);
  const bool settled = prints == seen_;
  seen_ = prints;
  if (!settled || prints == tried_) return;
  try {
    take(texts);
  } catch (const std::exception& failure) {
    log::error(std::string(failure.what()) + " What was in force before stays in force.");
  }
}

}  // namespace tsplink::host
