// Makes the authority's certificate, those that it issues and its revocation list, as OpenSSL's objects and as PEM
// text. Inside security/ only; files and accounts are authority.cpp's.
// Owner: the caller gets the objects. Threads: any. All throw Error.
#pragma once

#include <vector>

#include "security/authority.hpp"
#include "security/files.hpp"
#include "security/openssl.hpp"

namespace tsplink::security {

using Time = std::chrono::system_clock::time_point;
using NamePtr = std::unique_ptr<X509_NAME, Deleter<X509_NAME_free>>;
using AlternativeNamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

struct Validity {
  Time from, until;
};

/// What signs: the authority's certificate and its key.
struct Signer {
  const X509* certificate;
  EVP_PKEY* key;
};

/// P-256.
KeyPtr new_key();

/// Refuses texts that are no UTF-8, too long, or have characters that nobody sees.
NamePtr name_of(const Subject& subject);
/// DNS names, one with a leading "*." perhaps, and IP addresses; nullptr for none at all.
AlternativeNamesPtr alternative_names_of(const std::vector<std::string>& names);

/// Path length 0: it issues no further authorities.
CertificatePtr make_authority(const X509_NAME* subject, EVP_PKEY* key, const Validity& validity);
CertificatePtr make_certificate(const Signer& signer, Usage usage, const X509_NAME* subject,
                                const GENERAL_NAMES* names, EVP_PKEY* public_key, const Validity& validity);
/// What the certificate was made for, by its extensions.
Usage usage_of(X509* certificate);

/// All that `before` revokes, unless it is nullptr, and `more` as of now; its number is one above that of `before`.
CrlPtr make_revocations(const Signer& signer, const X509_CRL* before, const std::vector<const X509*>& more, Time now,
                        const Validity& validity);
/// In decimal; "0" if the list has none.
std::string number_of(const X509_CRL* list);

std::string pem(const X509* certificate);
std::string pem(const X509_CRL* list);
/// PKCS#8; with a passphrase AES-256 under a key that takes its time to be guessed.
FileText pem(const EVP_PKEY* key, const std::string& passphrase);

}  // namespace tsplink::security
