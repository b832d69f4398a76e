// One side's identity and trust, ready for any number of connections: certificate, key, authorities, revocations,
// TLS 1.3 only, mutual authentication, ALPN, session tickets.
// Owner: shared by the engines made from it; immutable after load, so changed files mean a new Context (connections
// of the old one go on; tickets of the old one are worth nothing to a server's new one). Threads: any.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "security/certificate.hpp"
#include "security/errors.hpp"
#include "security/identity.hpp"

namespace tsplink::security {

enum class Side { Client, Server };

/// One that a context goes by.
struct RevocationList {
  std::string authority;  // subject
  std::string number;     // decimal, "0" when it has none
  std::chrono::system_clock::time_point ends;
};

inline constexpr char kProtocolName[] = "tsplink/1";  // ALPN

class Context {
 public:
  /// Reads and checks the files. Throws Error, whose sentence names the file and what to do.
  static std::shared_ptr<const Context> load(Side side, const IdentityFiles& files);

  struct Impl;  // OpenSSL's part, seen only inside security/
  explicit Context(std::unique_ptr<Impl> impl);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Side side() const;
  /// This side's own certificate.
  const PeerCertificate& own() const;
  const std::vector<RevocationList>& revocations() const;
  /// One sentence each: own certificate revoked or about to expire, an authority about to expire (30 days) or without
  /// a revocation list, a list out of date or about to end (30 days, or a quarter of its time).
  const std::vector<std::string>& warnings() const;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tsplink::security
