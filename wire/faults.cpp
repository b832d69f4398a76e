#include "wire/faults.hpp"

#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace tsplink::wire {

namespace {

constexpr std::string_view kNames[] = {
#define FAULT(name, rule) #name,
#include "wire/faults.def"
#undef FAULT
};

std::string_view selected() {
  const char* name = std::getenv("TSPLINK_FAULT");
  return name ? name : "";
}

}  // namespace

bool has(Fault fault) {
  static const auto kSelected = selected();
  return kNames[static_cast<std::size_t>(fault)] == kSelected;
}

}  // namespace tsplink::wire
