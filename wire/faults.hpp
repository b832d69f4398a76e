// Faults on purpose, by which the conformance suite is proved: with the option TSPLINK_FAULTS the environment
// variable TSPLINK_FAULT names the one that a process has; without the option there is none, and nothing of this is
// compiled. Any thread.
#pragma once

namespace tsplink::wire {

enum class Fault {
#define FAULT(name, rule) name,
#include "wire/faults.def"
#undef FAULT
};

#ifdef TSPLINK_FAULTS
bool has(Fault fault);
#else
constexpr bool has(Fault) { return false; }
#endif

}  // namespace tsplink::wire
