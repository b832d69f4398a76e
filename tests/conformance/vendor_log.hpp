// What the vendor was asked, from simpbx's log, in a form that is the same directly and through proxy and host. Pure
// functions; any thread.
#pragma once

#include <string>

namespace tsplink::conformance {

/// For each device, in order, one line for each accepted call that an application brings about: with the PBX' own
/// names of what it is about, calls numbered by their first appearance there, without what each side numbers itself.
std::string asked_of_vendor(const std::string& log);

}  // namespace tsplink::conformance
