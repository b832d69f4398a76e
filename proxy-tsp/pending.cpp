#include "proxy-tsp/pending.hpp"

#include "wire/faults.hpp"

namespace tsplink::proxy {

void Ledger::add_async(std::uint64_t id, std::unique_ptr<AsyncRequest> request) {
  std::lock_guard lock(mutex_);
  async_.emplace(id, std::move(request));
}

std::unique_ptr<AsyncRequest> Ledger::withdraw_async(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  const auto entry = async_.find(id);
  if (entry == async_.end()) return nullptr;
  auto request = std::move(entry->second);
  async_.erase(entry);
  return request;
}

bool Ledger::while_pending(std::uint64_t id, const std::function<void(const AsyncRequest&)>& use) {
  std::lock_guard lock(mutex_);
  const auto entry = async_.find(id);
  if (entry == async_.end()) return false;
  use(*entry->second);
  return true;
}

void Ledger::add_wait(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  waits_.emplace(id, std::make_shared<Wait>());
}

bool Ledger::wait_answer(std::unique_lock<std::mutex>& lock, std::uint64_t id, wire::TimePoint until,
                         Answer& answer) {
  const auto entry = waits_.find(id);
  if (entry == waits_.end()) return false;
  const auto wait = entry->second;
  const bool done = wire::wait_until(clock_, wait->changed, lock, until, [&] { return wait->done; });
  waits_.erase(id);
  if (done) answer = std::move(wait->answer);
  return done;
}

bool Ledger::wait(std::uint64_t id, wire::TimePoint until, Answer& answer, Undo undo) {
  std::unique_lock lock(mutex_);
  const bool done = wait_answer(lock, id, until, answer);
  if (!done && undo) late_.emplace(id, std::move(undo));
  return done;
}

bool Ledger::wait_accepted(std::uint64_t id, wire::TimePoint until, Answer& answer, Undo undo) {
  std::unique_lock lock(mutex_);
  if (wait_answer(lock, id, until, answer)) return true;
  async_.erase(id);
  late_completions_.emplace(id, std::move(undo));
  return false;
}

void Ledger::reply(std::uint64_t id, Answer answer) {
  Undo undo;
  {
    std::lock_guard lock(mutex_);
    if (const auto entry = waits_.find(id); entry != waits_.end()) {
      entry->second->answer = std::move(answer);
      entry->second->done = true;
      entry->second->changed.notify_all();
      return;
    }
    if (const auto late = late_.find(id); late != late_.end()) {
      undo = std::move(late->second);
      late_.erase(late);
    }
  }
  if (undo && answer.result == 0) undo(answer);
}

void Ledger::finish(std::map<std::uint64_t, std::unique_ptr<AsyncRequest>>::iterator entry, LONG result,
                    std::span<const std::uint8_t> outputs) {
  const auto id = entry->first;
  auto request = std::move(entry->second);
  async_.erase(entry);
  const LONG final_result = request->finish(result, outputs);
  if (const auto waiting = waits_.find(id); waiting != waits_.end() && !waiting->second->done) {
    waiting->second->answer = {final_result, wire::Bytes(outputs.begin(), outputs.end())};
    waiting->second->done = true;
    waiting->second->changed.notify_all();
  }
  complete_(*request, final_result);
  if (wire::has(wire::Fault::completion_twice)) complete_(*request, final_result);
}

void Ledger::completion(std::uint64_t id, LONG result, std::span<const std::uint8_t> outputs) {
  Undo undo;
  {
    std::lock_guard lock(mutex_);
    if (const auto entry = async_.find(id); entry != async_.end()) return finish(entry, result, outputs);
    if (const auto late = late_completions_.find(id); late != late_completions_.end()) {
      undo = std::move(late->second);
      late_completions_.erase(late);
    }
  }
  if (undo && result == 0) undo({result, wire::Bytes(outputs.begin(), outputs.end())});
}

void Ledger::fail(const std::function<bool(const AsyncRequest&)>& belongs, LONG line_result, LONG phone_result) {
  std::lock_guard lock(mutex_);
  for (auto entry = async_.begin(); entry != async_.end();) {
    const auto current = entry++;
    if (!belongs(*current->second)) continue;
    finish(current, current->second->phones.empty() ? line_result : phone_result, {});
  }
}

void Ledger::fail_all(LONG line_result, LONG phone_result) {
  fail([](const AsyncRequest&) { return true; }, line_result, phone_result);
  std::lock_guard lock(mutex_);
  late_.clear();
  late_completions_.clear();
  for (auto& [id, wait] : waits_) {
    wait->answer.result = line_result;
    wait->done = true;
    wait->changed.notify_all();
  }
}

}  // namespace tsplink::proxy
