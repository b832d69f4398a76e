// The permanent ids that desktops see: a hash of the provider's name and the vendor's own id, the same on
// every host of the same configuration; ids that collide move on by one. Owner: the host; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace tsplink::host {

class PermanentIds {
 public:
  /// `nth`: for vendors that give several devices one id, which of them this is.
  std::uint32_t of(const std::string& provider, bool phone, std::uint32_t vendor_id, std::uint32_t nth) {
    std::lock_guard lock(mutex_);
    const Name name{provider, phone, vendor_id, nth};
    if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
    std::uint32_t id = hash(name);
    while (id == 0 || taken_.count(id) != 0) ++id;
    taken_.emplace(id, name);
    ids_.emplace(name, id);
    return id;
  }

 private:
  using Name = std::tuple<std::string, bool, std::uint32_t, std::uint32_t>;

  /// FNV-1a: fixed for ever, since desktops and applications store the result.
  static std::uint32_t hash(const Name& name) {
    const auto& [provider, phone, vendor_id, nth] = name;
    const std::string text =
        provider + (phone ? "/phone/" : "/line/") + std::to_string(vendor_id) + "/" + std::to_string(nth);
    std::uint32_t value = 2166136261U;
    for (const char letter : text) value = (value ^ static_cast<std::uint8_t>(letter)) * 16777619U;
    return value;
  }

  std::mutex mutex_;
  std::map<Name, std::uint32_t> ids_;
  std::map<std::uint32_t, Name> taken_;
};

}  // namespace tsplink::host
