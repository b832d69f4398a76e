// An authority of one's own: a folder that keeps its key, the certificates that it issued and whom it revoked.
// Owner: the control program, one object for each command; it holds the folder's lock. Threads: one.
//
//   authority.crt, authority.key     host.crt, host.key     desktop-NAME.crt, desktop-NAME.key     revocations.crl
//   issued/NAME.SERIAL.crt           each certificate ever issued; once this is written, it counts
//   issued/NAME.SERIAL.key           a new key on its way to NAME.key; left by a crash, it goes the rest of the way
//                                    next time, or is removed when its certificate was never issued
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "security/certificate.hpp"
#include "wire/clock.hpp"

namespace tsplink::security {

enum class Usage { Authority, Host, Desktop };
/// Replaced: still admitted until it ends, but there is a newer one of the same name.
enum class Standing { Good, Replaced, Expired, Revoked };

/// "authority", "host", "desktop"; "good", "replaced", "expired", "revoked".
const char* word(Usage usage);
const char* word(Standing standing);

struct Subject {
  std::string common_name;   // UTF-8, 1 to 64 characters
  std::string organization;  // the same; empty: none
};

/// A certificate to be issued, with a new key.
struct Request {
  Usage usage = Usage::Desktop;
  std::string
      name;  // of the files after "desktop-" or "host-": letters, digits, dots, - and _; a host's may be empty
  Subject subject = {};
  std::vector<std::string> names = {};  // DNS names and IP addresses
  std::chrono::days validity{365};
  std::string passphrase = {};  // of the new key; empty: it is not encrypted
};

/// A certificate that was issued.
struct Record {
  std::string name;  // of its files: "authority", "host", "host-standby", "desktop-desk1"
  Usage usage = Usage::Desktop;
  PeerCertificate certificate;
  std::chrono::system_clock::time_point not_before;
  Standing standing = Standing::Good;
};

/// The list of those that are no longer admitted though they have not expired.
struct Revocations {
  std::string number = "0";  // decimal, higher in each list; 0: there is none yet
  std::chrono::system_clock::time_point not_after;
};

struct Inventory {
  std::vector<Record> records;  // by name, the oldest first
  Revocations revocations;
};

struct AuthorityOptions {
  std::string passphrase = {};                                                   // of authority.key
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();  // tests take another
  std::chrono::milliseconds patience = std::chrono::seconds(10);                 // for others to leave the folder
  const wire::Clock* clock = &wire::Clock::steady();                             // of that patience
  std::chrono::days list_validity = std::chrono::days(365);                      // of revocation lists
};

/// Functions throw Error; then nothing was issued or revoked. Nothing ends later than the authority: what is asked
/// for longer is shortened.
class AuthorityFolder {
 public:
  /// Makes the authority; the folder may be there, but no authority in it.
  static Record create(const std::filesystem::path& folder, const Subject& subject, std::chrono::days validity,
                       const AuthorityOptions& options);
  /// All that was ever issued. Needs neither key nor lock.
  static Inventory inventory(const std::filesystem::path& folder, std::chrono::system_clock::time_point now);
  /// Whether its key is encrypted.
  static bool needs_passphrase(const std::filesystem::path& folder);

  /// Waits for the folder's lock, then mends what a crash left. The key is read and must be right.
  AuthorityFolder(std::filesystem::path folder, const AuthorityOptions& options);
  ~AuthorityFolder();
  AuthorityFolder(const AuthorityFolder&) = delete;
  AuthorityFolder& operator=(const AuthorityFolder&) = delete;

  /// Refused while another certificate of that name is admitted, or its files are there.
  Record issue(const Request& request);
  /// A new certificate with subject and names of the present one of that name (see Record, or without "desktop-" or
  /// "host-"), and with its key, or a new one with that passphrase. What it replaces stays admitted until it ends. A
  /// revoked one needs a new key.
  Record renew(const std::string& name, std::chrono::days validity, bool new_key, const std::string& passphrase);
  /// Revokes, for each name, all certificates of that name, and, for each serial number, that one. Writes the list.
  std::vector<Record> revoke(const std::vector<std::string>& names_or_serials);
  /// Writes the list again, with a new end.
  Revocations renew_revocations();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Asks on the terminal, without showing what is typed; twice if it is a new one. Throws Error.
std::string ask_passphrase(const std::string& what, bool is_new);
/// The first line of a file that nobody else can read. Throws Error.
std::string read_passphrase(const std::filesystem::path& file);

}  // namespace tsplink::security
