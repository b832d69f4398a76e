#include "wire/link/resolver.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "wire/link/platform.hpp"

namespace tsplink::link {

struct Resolver::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<std::string, Answer>> queue;
  bool started = false;
  bool busy = false;  // in getaddrinfo, nothing locked
  bool stopping = false;
  std::thread thread;
};

Resolver::Resolver() : shared_(std::make_shared<Shared>()) {}
Resolver::~Resolver() { stop(); }

void Resolver::resolve(const std::string& host, Answer answer) {
  std::string problem;
  auto literal = addresses_of(host, true, problem);
  if (!literal.empty()) return answer(std::move(literal), {});
  const std::lock_guard lock(shared_->mutex);
  shared_->queue.emplace_back(host, std::move(answer));
  if (!shared_->started) {
    shared_->started = true;
    shared_->stopping = false;
    shared_->thread = std::thread([shared = shared_] { work(shared); });
  }
  shared_->changed.notify_one();
}

void Resolver::work(const std::shared_ptr<Shared>& shared) {
  prepare_thread("tsplink-resolve");
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->stopping || !shared->queue.empty(); });
    if (shared->stopping) return;
    auto [host, answer] = std::move(shared->queue.front());
    shared->queue.pop_front();
    shared->busy = true;
    lock.unlock();
    std::string problem;
    auto addresses = addresses_of(host, false, problem);
    lock.lock();
    shared->busy = false;
    // Under the lock, so that stop() can promise silence; an answer only posts to the reactor.
    if (!shared->stopping) answer(std::move(addresses), std::move(problem));
  }
}

void Resolver::stop() {
  std::thread thread;
  bool stuck = false;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->queue.clear();
    stuck = shared_->busy;
    thread = std::move(shared_->thread);
  }
  shared_->changed.notify_one();
  if (thread.joinable()) stuck ? thread.detach() : thread.join();
  shared_ = std::make_shared<Shared>();
}

}  // namespace tsplink::link
