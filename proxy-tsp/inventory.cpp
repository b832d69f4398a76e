#include "proxy-tsp/inventory.hpp"

#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "wire/failure.hpp"

namespace tsplink::proxy {

std::optional<wire::InventoryValues> InventoryStore::load(std::string& problem) const {
  std::error_code error;
  if (folder_.empty() || !std::filesystem::is_regular_file(file(), error)) return std::nullopt;
  std::ifstream stream(file(), std::ios::binary);
  if (!stream) return std::nullopt;
  const wire::Bytes bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const auto* envelope = wire::verified_envelope(bytes);
  if (!envelope || envelope->body_type() != wire::fb::Body::Inventory) {
    problem = damaged();
    return std::nullopt;
  }
  try {
    return wire::read_inventory(*envelope->body_as_Inventory());
  } catch (const Failure&) {
    problem = damaged();
    return std::nullopt;
  }
}

void InventoryStore::save(wire::InventoryValues inventory) {
  if (folder_.empty()) return;
  const std::lock_guard lock(mutex_);
  next_ = std::move(inventory);
  try {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& failure) {
    failed_(std::string("The inventory is not stored: no thread for it: ") + failure.what());
  }
  changed_.notify_one();
}

void InventoryStore::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  finishing_ = false;
}

void InventoryStore::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return next_ || finishing_; });
    if (!next_) return;
    const auto inventory = *std::exchange(next_, std::nullopt);
    lock.unlock();
    std::string problem;
    try {
      problem = write(inventory);
    } catch (const std::exception& failure) {  // of no memory, or of a path that is no text
      problem = std::string("The inventory is not stored: ") + failure.what();
    }
    if (!problem.empty()) failed_(problem);
    lock.lock();
  }
}

std::string InventoryStore::write(const wire::InventoryValues& inventory) const {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  const auto bytes = wire::make_inventory(inventory);
  auto temporary = file();
  temporary += ".new";
  {
    std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
    stream.flush();
    if (!stream) return temporary.string() + ": the inventory could not be written; check the folder's permissions";
  }
  std::filesystem::rename(temporary, file(), error);
  if (error) return file().string() + ": the inventory could not be replaced: " + error.message();
  return {};
}

}  // namespace tsplink::proxy
