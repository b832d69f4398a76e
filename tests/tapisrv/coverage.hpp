// What of TSPI a run has reached: for each function how it ended and which inputs had a value, for each message which
// parameters had one. Written as lines that a conformance run adds up. Owner: World, under its lock.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>

#include "events.hpp"
#include "functions.hpp"

namespace tsplink::tapisim {

struct Frame;

class Coverage {
 public:
  /// A call that has ended: "success", or one of failure_name().
  void ended(const Function& function, const Frame& frame, const std::string& how);
  void came(const Event& event, const std::array<std::uintptr_t, 3>& params);
  /// "function NAME HOW PARAMETER.." and "message NAME PARAMETER..", sorted.
  std::string text() const;

 private:
  std::map<std::string, std::set<std::string>> reached_;
};

/// "bad-handle", "bad-device", "too-small", "unavailable", else "refused" or, by completion, "failed".
std::string failure_name(LONG result, bool by_completion);

}  // namespace tsplink::tapisim
