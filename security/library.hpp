// OpenSSL's life in this process.
// Any thread.
#pragma once

namespace tsplink::security {

/// To be called before anything else of OpenSSL.
void prepare_library();

}  // namespace tsplink::security
