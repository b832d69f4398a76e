#include "security/library.hpp"

#ifdef _WIN32
#include <windows.h>

#include <openssl/crypto.h>
#include <winternl.h>

#include <cstdlib>

extern "C" NTSYSAPI BOOLEAN NTAPI RtlDllShutdownInProgress();
#endif

namespace tsplink::security {

void prepare_library() {
#ifdef _WIN32
  // Linked into a DLL, OpenSSL would be cleaned up by the list of the process, which outlives the DLL: a fault at the
  // end of the process. std::atexit() is the list of the DLL itself. When the process ends there is nothing to give
  // back, and a thread may have died with one of OpenSSL's locks.
  static const int registered = [] {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
    return std::atexit([] {
      if (!RtlDllShutdownInProgress()) OPENSSL_cleanup();
    });
  }();
  static_cast<void>(registered);
#endif
}

}  // namespace tsplink::security
