// A scope of its own for one provider's dwCallIDs. TAPI groups calls by them within a provider, and to a desktop all
// vendors behind the proxy are one: two that count their calls from 1 would seem to share them. Owner: the worker;
// immutable, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace tsplink::host {

class CallIds {
 public:
  /// Hosts with the same site and provider give the same ids, so a standby goes on with them.
  CallIds(std::string_view site, std::string_view provider);

  /// One to one, and fixed for ever; 0, "none", stays 0. The ids of two scopes meet only by chance, 1 in 2^32.
  std::uint32_t of(std::uint32_t vendors) const;

 private:
  std::uint32_t permuted(std::uint32_t id) const;

  std::uint32_t key_;
};

}  // namespace tsplink::host
