#include "remote-host/worker/call_ids.hpp"

#include <string>
#include <utility>

#include "remote-host/worker/text_hash.hpp"

namespace tsplink::host {

CallIds::CallIds(std::string_view site, std::string_view provider)
    : key_(text_hash(std::string(site) + "/" + std::string(provider))) {}

/// A Feistel network over two halves: a permutation whatever the rounds compute.
std::uint32_t CallIds::permuted(std::uint32_t id) const {
  std::uint32_t left = id >> 16U;
  std::uint32_t right = id & 0xFFFFU;
  for (std::uint32_t round = 1; round <= 4; ++round) {
    std::uint32_t mixed = (right + key_ * round) * 0x9E3779B1U;
    mixed = (mixed ^ (mixed >> 15U)) * 0x85EBCA77U;
    left = std::exchange(right, left ^ (mixed >> 16U));
  }
  return left << 16U | right;
}

std::uint32_t CallIds::of(std::uint32_t vendors) const {
  if (vendors == 0) return 0;
  const auto id = permuted(vendors);
  return id != 0 ? id : permuted(0);  // the one that meets 0 takes the place that 0 does not need
}

}  // namespace tsplink::host
