// Reads the files of an identity and refuses, with a sentence, whatever could not work later. Inside security/ only.
// Owner: the caller gets the objects. Threads: any.
#pragma once

#include <vector>

#include "security/identity.hpp"
#include "security/openssl.hpp"

namespace tsplink::security {

struct Identity {
  CertificatePtr certificate;
  KeyPtr key;
  std::vector<CertificatePtr> chain;        // the issuers that are sent along
  std::vector<CertificatePtr> authorities;  // never empty
  std::vector<CrlPtr> revocations;
};

/// Throws Error. Dates and purposes are not judged here.
Identity load_identity(const IdentityFiles& files);

/// What load_identity reads, one by one: at least one block each. Throw Error. `role` names the file in the sentence.
/// `texts`: those of IdentityFiles.
using Texts = decltype(IdentityFiles::texts);
std::vector<CertificatePtr> read_certificates(const std::filesystem::path& path, const char* role,
                                              const Texts& texts = {});
std::vector<CrlPtr> read_revocations(const std::filesystem::path& path, const Texts& texts = {});
/// Refuses a file that others can read. An empty passphrase: none.
KeyPtr read_key(const std::filesystem::path& path, const std::string& passphrase, const Texts& texts = {});

}  // namespace tsplink::security
