// The one exception of tsplink's inside, with a kind; none crosses the C interface. wire/errors.hpp maps kinds to
// LINEERR_ and PHONEERR_ values at the border, unless the place that failed knew the value itself (`code`).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace tsplink {

enum class Kind {
  Malformed,       // bytes from the network or a vendor that break a rule
  TooLarge,        // over a configured bound
  NoSuchObject,    // an unknown or foreign handle or id
  LinkDown,        // no connection to the host
  DeadlinePassed,  // the other side did not answer in time
  Unavailable,     // the other side does not offer the function
  Configuration,   // a file or option that an administrator must mend
  Internal,        // a broken promise of our own
};

class Failure : public std::runtime_error {
 public:
  /// `code`: the LINEERR_ or PHONEERR_ value to answer; 0: by kind.
  Failure(Kind kind, const std::string& sentence, std::int32_t code = 0)
      : std::runtime_error(sentence), kind_(kind), code_(code) {}
  Kind kind() const { return kind_; }
  std::int32_t code() const { return code_; }

 private:
  Kind kind_;
  std::int32_t code_;
};

}  // namespace tsplink
