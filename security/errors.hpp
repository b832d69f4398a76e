// The one exception of security/, and the draining of OpenSSL's error queue into words.
// Owner: thrown by value. Threads: any; OpenSSL's queue belongs to the calling thread.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace tsplink::security {

/// What went wrong, in one sentence for an administrator: names the file or the certificate's subject, and what to
/// do.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The calling thread's OpenSSL errors, oldest first.
struct ErrorQueue {
  std::vector<unsigned long> codes;
  std::string text;  // the reasons, joined by "; "; empty when there was none

  /// Takes everything out of the queue, so that nothing is left to be blamed on a later call.
  static ErrorQueue drain();
  /// Whether some entry has this library and reason (ERR_LIB_SSL, SSL_R_...).
  bool has(int library, int reason) const;
  /// " (OpenSSL: ...)", or nothing: the end of a sentence.
  std::string suffix() const;
};

}  // namespace tsplink::security
