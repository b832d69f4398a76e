// Scenarios that nobody wrote. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace tsplink::conformance {

/// Calls come, are made, held, asked about and ended on two lines, with failures between, as the seed decides; the
/// same seed gives the same text.
std::string random_scenario(std::uint64_t seed);

}  // namespace tsplink::conformance
