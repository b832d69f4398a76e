// Scenarios made from the description of TSPI: every function with every failure that it can have. Pure functions.
#pragma once

#include <string>

namespace tsplink::conformance {

/// An unknown handle or device, a structure without room; nothing of it reaches the vendor's own rules.
std::string bad_arguments();
/// The vendor refuses each function once: at once, or (asynchronous ones) by completion. shared: but for those that a
/// host does not ask the vendor while another desktop uses the device.
std::string refusals(bool by_completion, bool shared = false);
/// Each function that a provider of few functions lacks; for simpbx_bare.tsp.
std::string unavailable();

/// Each function that fills a structure, with what it needs to succeed.
std::string questions();

}  // namespace tsplink::conformance
