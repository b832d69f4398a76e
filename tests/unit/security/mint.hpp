// Makes authorities, certificates and revocation lists for tests, good and bad, and a folder to put them into.
// Owner: the test. Threads: one.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "security/context.hpp"
#include "security/openssl.hpp"
#include "tests/platform/files.hpp"

namespace tsplink::security {

constexpr long kDay = 86400;
constexpr long kEndless = 1'000'000'000;  // of a revocation list: it does not say when it ends

struct Plan {
  std::string common_name;
  std::string names;  // as in openssl.cnf: "DNS:host.test,IP:127.0.0.1"; empty: none
  std::string usage = "serverAuth";
  long from = -kDay;  // seconds from now
  long to = 300 * kDay;
  int rsa_bits = 0;  // 0: P-256
  const char* digest = "SHA256";
};

struct Issued {
  CertificatePtr certificate;
  KeyPtr key;
  std::string certificate_pem() const;
  std::string key_pem(const std::string& passphrase = {}) const;
  std::string pkcs12(const std::string& passphrase, X509* authority) const;
};

class Authority {
 public:
  explicit Authority(const std::string& name, long to = 3650 * kDay, const Authority* parent = nullptr);
  Issued issue(const Plan& plan) const;
  std::string revocation_list(const std::vector<const X509*>& revoked, long to = 300 * kDay) const;
  const Issued& own() const { return own_; }

 private:
  Issued own_;
};

class Folder : public tests::TemporaryFolder {
 public:
  /// Writes a file; only the owner can read it unless told otherwise.
  std::filesystem::path write(const std::string& name, const std::string& text, bool readable_by_all = false) const;
};

/// A good authority, a good host "host.test" and a good desktop, made once; and contexts of any other certificate.
struct World {
  World();
  static World& get();
  IdentityFiles files(const Issued& issued, const std::string& authority_pem = {}, const std::string& crl = {}) const;
  std::shared_ptr<const Context> server(const Issued& issued) const {
    return Context::load(Side::Server, files(issued));
  }
  std::shared_ptr<const Context> client(const Issued& issued) const {
    return Context::load(Side::Client, files(issued));
  }
  std::shared_ptr<const Context> server() const { return server(host); }
  std::shared_ptr<const Context> client() const { return client(desktop); }

  Folder folder;
  Authority authority{"Good Authority"};
  Issued host, desktop;
  mutable int count = 0;
};

}  // namespace tsplink::security
