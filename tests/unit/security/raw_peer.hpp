// A peer made of plain OpenSSL, to do what an engine never does: TLS 1.2, no certificate, no ALPN.
// Owner: the test. Threads: one.
#pragma once

#include <string>

#include "pair.hpp"
#include "security/openssl.hpp"

namespace tsplink::security {

struct RawPeer {
  struct Options {
    int newest = TLS1_3_VERSION;
    const Issued* identity = nullptr;
    std::string alpn = "\x09tsplink/1";  // wire form; empty: none
  };
  RawPeer(Side side, const Options& options);

  /// Handshakes with the engine until both are silent, and reads what comes after.
  void run(Engine& engine);

  SslContextPtr context;
  SslPtr ssl;
  int alert = -1;      // the last alert received
  std::string errors;  // OpenSSL's
};

}  // namespace tsplink::security
