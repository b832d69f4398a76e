// The stored inventory: what this desktop learned of its lines and phones, so that TAPI's start never waits for a
// network. One file, an Inventory envelope as it came over the wire. Owner: Core; one thread at a time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "wire/envelopes.hpp"

namespace tsplink::proxy {

class InventoryStore {
 public:
  /// `folder` empty: nothing is stored.
  explicit InventoryStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// What was stored; empty with a sentence in `problem` if there is a file that cannot be used.
  std::optional<wire::InventoryValues> load(std::string& problem) const;
  /// Replaces the file in one step; a sentence if that failed.
  std::string save(const wire::InventoryValues& inventory) const;

 private:
  std::string damaged() const {
    return file().string() + ": the stored inventory is damaged and was ignored; it is written again on connect";
  }
  std::filesystem::path file() const { return folder_ / "inventory.bin"; }
  std::filesystem::path folder_;
};

}  // namespace tsplink::proxy
