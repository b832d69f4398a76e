// One frame of each kind of envelope, for golden bytes, trace lines, truncation and corruption. Made anew each time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "wire/envelopes.hpp"

namespace tsplink::wire::testing {

/// Kind ("request", "event" ...) and its bytes, always the same ones.
std::vector<std::pair<std::string, Buffer>> one_frame_of_each_kind();

/// Bytes 1, 2, 3 ...
Bytes counting_bytes(std::size_t size);

}  // namespace tsplink::wire::testing
