// What a certificate says, as plain values for policies, audits and logs: no OpenSSL types.
// Owner: values, copied freely; Engine and Context keep one each. Threads: any.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace tsplink::security {

/// Text from a certificate is UTF-8; control characters and backslashes are escaped (\x0A), so that no certificate
/// can write lines into a log or pass for another name by a hidden byte.
struct PeerCertificate {
  std::string subject;                         // RFC 2253, most specific part first: "CN=desk-17,O=Example"
  std::string common_name;                     // the most specific CN; empty when there is none
  std::vector<std::string> alternative_names;  // DNS names, IP addresses, e-mail addresses and URIs, bare
  std::string serial;                          // upper-case hexadecimal, as `openssl x509 -serial` prints
  std::string fingerprint_sha256;              // "AB:CD:...", as `openssl x509 -fingerprint -sha256` prints
  std::chrono::system_clock::time_point not_after;
};

/// The first certificate of a PEM file. Throws Error, whose sentence names the file.
PeerCertificate certificate_in(const std::filesystem::path& file);

/// One line for a log: subject, names, serial, fingerprint, end of validity.
std::string describe(const PeerCertificate& certificate);

/// "2026-11-22 21:10:37 UTC"
std::string describe(std::chrono::system_clock::time_point time);
/// "2026-11-22T21:10:37Z", for tables and programs
std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace tsplink::security
