// The stored inventory: what this desktop learned of its lines and phones, so that TAPI's start never waits for a
// network. One file, an Inventory envelope as it came over the wire. Owner: Core; one thread at a time. The file is
// written by a thread of the store's own: the link's waits for no disk.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "wire/envelopes.hpp"

namespace tsplink::proxy {

class InventoryStore {
 public:
  /// `folder` empty: nothing is stored. `failed` gets a sentence, on the store's thread.
  InventoryStore(std::filesystem::path folder, std::function<void(const std::string&)> failed)
      : folder_(std::move(folder)), failed_(std::move(failed)) {}
  ~InventoryStore() { finish(); }

  /// What was stored; empty with a sentence in `problem` if there is a file that cannot be used.
  std::optional<wire::InventoryValues> load(std::string& problem) const;
  /// Soon replaces the file in one step; of several, by the last.
  void save(wire::InventoryValues inventory);
  /// What was saved is written.
  void finish();

 private:
  void run();
  std::string write(const wire::InventoryValues& inventory) const;
  std::string damaged() const {
    return file().string() + ": the stored inventory is damaged and was ignored; it is written again on connect";
  }
  std::filesystem::path file() const { return folder_ / "inventory.bin"; }

  const std::filesystem::path folder_;
  const std::function<void(const std::string&)> failed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<wire::InventoryValues> next_;
  bool finishing_ = false;
  std::thread thread_;
};

}  // namespace tsplink::proxy
