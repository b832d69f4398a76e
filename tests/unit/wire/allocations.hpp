// Counts what a scope asks operator new for: what hostile sizes make the code take. The whole executable counts.
#pragma once

#include <cstddef>

namespace tsplink::wire::testing {

/// How much a scope asked operator new for.
class Allocations {
 public:
  Allocations();
  std::size_t bytes() const;

 private:
  std::size_t before_;
};

}  // namespace tsplink::wire::testing
