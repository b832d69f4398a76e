// Where this side's certificate, key and trust come from.
// Owner: configuration; read once by Context::load. Threads: any (values).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace tsplink::security {

class FileText;

struct IdentityFiles {
  std::filesystem::path
      certificate;            // PEM: own certificate first, then its issuers; or .pfx/.p12: PKCS#12 with the key
  std::filesystem::path key;  // PEM; empty: the key is in the certificate file
  std::filesystem::path authority;  // PEM: the authorities that peers must come from; empty with PKCS#12: those in it
  std::filesystem::path revocations;  // optional CRL, PEM
  std::string passphrase;             // of the key or the PKCS#12 file; empty: none
  /// What files held when somebody looked at them; it is taken instead of reading them again.
  std::map<std::filesystem::path, std::shared_ptr<const FileText>> texts = {};
};

}  // namespace tsplink::security
