// What OpenSSL reads from and writes to instead of a socket: the span being received and a growing output.
// Nothing is copied on the way in, and no buffer stays allocated between two calls. Inside security/ only.
// Owner: Engine. Threads: the engine's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "security/openssl.hpp"

namespace tsplink::security {

struct MemoryChannel {
  std::span<const std::uint8_t> input;  // what OpenSSL has not read yet; valid during one call of Engine::receive
  std::vector<std::uint8_t> output;
  std::size_t allowance = SIZE_MAX;  // how many more bytes may be read
  bool allowance_exceeded = false;
};

/// The method table that new_memory_bio needs; it must outlive the BIOs. Throws Error.
BioMethodPtr make_memory_method();

/// A BIO on `channel`, which must outlive it. Throws Error.
BioPtr new_memory_bio(const BIO_METHOD* method, MemoryChannel& channel);

}  // namespace tsplink::security
