// Reads OpenSSL's certificates into plain values and words. Inside security/ only.
// Owner: nothing is kept. Threads: any.
#pragma once

#include <chrono>
#include <string>

#include "security/certificate.hpp"
#include "security/openssl.hpp"

namespace tsplink::security {

PeerCertificate read_certificate(const X509* certificate);

/// RFC 2253 text of a name; "(no name)" when it is empty.
std::string name_text(const X509_NAME* name);
std::string subject_of(const X509* certificate);

/// Times past the clock's range (9999-12-31 means "no end") become time_point::max().
std::chrono::system_clock::time_point time_of(const ASN1_TIME* time);
std::string time_text(const ASN1_TIME* time);

bool is_expired(const X509* certificate);
bool is_not_yet_valid(const X509* certificate);

}  // namespace tsplink::security
