// Turns what OpenSSL found into one sentence for an administrator. Inside security/ only.
// Owner: nothing is kept. Threads: any.
#pragma once

#include <string>

#include "security/context_impl.hpp"

namespace tsplink::security {

/// Why the peer's certificate was refused: which certificate, what is wrong, what to do.
std::string explain_verification(X509_STORE_CTX* store, const Context::Impl& context, const std::string& wanted_name);

/// What a fatal alert from the peer means here. `alert` is the number of RFC 8446 section 6.
std::string explain_alert(int alert, const Context::Impl& context);

/// What broke the handshake or the stream, from OpenSSL's errors; never empty.
std::string explain_errors(const ErrorQueue& errors, const Context::Impl& context, bool handshaking);

}  // namespace tsplink::security
