#include "security/file_watch.hpp"

#include "security/errors.hpp"

namespace tsplink::security {

namespace {
constexpr std::chrono::seconds kPeriod{1};
}

FileWatch::FileWatch(const wire::Clock& clock, std::vector<File> files, Take take, Tell tell)
    : clock_(clock), files_(std::move(files)), take_(std::move(take)), tell_(std::move(tell)) {
  tried_ = seen_ = read().print;
}

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
  while (!wire::wait_until(clock_, stopped_, lock, clock_.now() + kPeriod, [this] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

FileWatch::Look FileWatch::read() const {
  Look look;
  const auto add = [&](const std::string& text) { look.print = look.print * 31 + std::hash<std::string>()(text); };
  for (const auto& file : files_) {
    if (file.path.empty()) continue;
    try {
      const std::shared_ptr<const FileText> text(new FileText(read_file(file.path, file.role)));
      add(text->text());
      look.texts.emplace(file.path, text);
    } catch (const Error& failure) {
      if (look.trouble.empty()) look.trouble = "The " + std::string(failure.what()) + ".";
      add(failure.what());
    }
  }
  return look;
}

void FileWatch::take_now() {
  const std::lock_guard lock(looking_);
  const auto look = read();
  seen_ = look.print;
  take(look);
}

std::chrono::system_clock::time_point FileWatch::taken() const {
  const std::lock_guard lock(telling_);
  return taken_;
}

std::string FileWatch::problem() const {
  const std::lock_guard lock(telling_);
  return problem_;
}

void FileWatch::take(const Look& look) {
  tried_ = look.print;
  try {
    if (!look.trouble.empty()) throw Error(look.trouble);
    take_(look.texts);
  } catch (const std::exception& failure) {
    const std::lock_guard lock(telling_);
    problem_ = failure.what();
    throw;
  }
  const std::lock_guard lock(telling_);
  problem_.clear();
  taken_ = std::chrono::system_clock::now();
}

void FileWatch::look() {
  const std::lock_guard lock(looking_);
  const auto said = problem_;
  try {
    const auto look = read();
    const bool settled = look.print == seen_;
    seen_ = look.print;
    if (settled && (look.print != tried_ || !problem_.empty())) take(look);
  } catch (const std::exception& failure) {
    if (failure.what() != said) tell_(std::string(failure.what()) + " What was in force before stays in force.");
  }
}

std::vector<FileWatch::File> watched(const IdentityFiles& files) {
  return {{files.certificate, "certificate file"},
          {files.key, "key file"},
          {files.authority, "authority file"},
          {files.revocations, "revocation list"}};
}

}  // namespace tsplink::security
