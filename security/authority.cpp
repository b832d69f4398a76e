#include "security/authority.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <map>

#include "security/certificate_reader.hpp"
#include "security/errors.hpp"
#include "security/identity_loader.hpp"
#include "security/issuing.hpp"

namespace tsplink::security {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kClockTolerance = 5min;  // how far behind a clock that checks may be
constexpr std::chrono::days kMaxValidity{36500};
constexpr std::size_t kMaxName = 64;
constexpr char kAuthority[] = "authority";
constexpr const char* kUsages[] = {kAuthority, "host", "desktop"};
constexpr const char* kStandings[] = {"good", "replaced", "expired", "revoked"};

struct Entry {
  Record record;
  CertificatePtr certificate;
};

fs::path issued_in(const fs::path& folder) { return folder / "issued"; }
fs::path list_in(const fs::path& folder) { return folder / "revocations.crl"; }
fs::path file_in(const fs::path& folder, const std::string& name, const char* extension) {
  return folder / (name + extension);
}

/// "desktop-desk1.4F02" is NAME.SERIAL; names may have dots, serial numbers have none.
std::string name_in(const fs::path& staged) {
  const std::string stem = staged.stem().string();
  return stem.substr(0, stem.rfind('.'));
}

std::string file_name_of(Usage usage, const std::string& name) {
  if (usage == Usage::Host && name.empty()) return word(usage);
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  const bool good = !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), allowed) &&
                    name[0] != '.' && name[0] != '-';
  if (!good) {
    throw Error(std::string("the name of a ") + word(usage) +
                " becomes a file's: it may have letters, digits, dots, - and _ only, 64 at most, and begins with a "
                "letter, a digit or _");
  }
  return std::string(word(usage)) + "-" + name;
}

Validity validity_of(Time now, std::chrono::days length, const X509* authority) {
  if (length < std::chrono::days(1) || length > kMaxValidity) {
    throw Error("a validity must be from 1 to " + std::to_string(kMaxValidity.count()) + " days");
  }
  const Time until = now + length;
  return {now - kClockTolerance,
          authority != nullptr ? std::min(until, time_of(X509_get0_notAfter(authority))) : until};
}

void check_passphrase(const std::string& passphrase) {
  // OpenSSL's own bound when it asks for one to read a key.
  if (passphrase.size() > 1000) throw Error("a passphrase may have 1000 bytes at most: take a shorter one");
}

/// The rest of the way of a certificate that was issued, from issued/BASE to its files.
void install(const fs::path& folder, const fs::path& base) {
  auto certificate = base, key = base;
  certificate += ".crt";
  key += ".key";
  const std::string name = name_in(certificate);
  write_file(file_in(folder, name, ".crt"), read_file(certificate, "certificate file").text(), Readers::Everybody);
  if (fs::exists(key)) move_file(key, file_in(folder, name, ".key"));
}

void commit(const fs::path& folder, const std::string& name, const X509* certificate, const FileText* key) {
  const auto base = issued_in(folder) / (name + "." + read_certificate(certificate).serial);
  auto certificate_file = base, key_file = base;
  certificate_file += ".crt";
  key_file += ".key";
  if (key != nullptr) write_file(key_file, key->text(), Readers::Owner);
  write_file(certificate_file, pem(certificate), Readers::Everybody);
  install(folder, base);
}

void mend(const fs::path& folder) {
  std::vector<fs::path> left;
  for (const auto& file : fs::directory_iterator(issued_in(folder))) left.push_back(file.path());
  for (const fs::path& file : left) {
    std::error_code ignored;
    if (file.extension() == ".part") fs::remove(file, ignored);
    if (file.extension() != ".key") continue;
    auto base = file;
    base.replace_extension();  // only ".key": the rest is taken as a whole from here on
    auto certificate = base;
    certificate += ".crt";
    fs::exists(certificate) ? install(folder, base) : static_cast<void>(fs::remove(file, ignored));
  }
}

CertificatePtr read_authority(const fs::path& folder) {
  if (!fs::exists(file_in(folder, kAuthority, ".crt"))) {
    throw Error("there is no authority in " + folder.string() + ": make one first, or name its folder");
  }
  return std::move(read_certificates(file_in(folder, kAuthority, ".crt"), "authority file").front());
}

void require_records(const fs::path& folder) {
  if (!fs::is_directory(issued_in(folder))) {
    throw Error(folder.string() +
                " keeps no record of what was issued (a folder \"issued\"): name the folder of an authority that has "
                "one, or make one in a new folder");
  }
}

bool nothing_issued(const fs::path& folder) {
  return std::all_of(fs::directory_iterator(issued_in(folder)), fs::directory_iterator(),
                     [](const auto& file) { return name_in(file.path()) == kAuthority; });
}

/// nullptr when nothing was issued yet: a crash came before the first list.
CrlPtr read_list(const fs::path& folder) {
  if (!fs::exists(list_in(folder))) {
    if (nothing_issued(folder)) return nullptr;
    throw Error(list_in(folder).string() +
                " is missing: bring it back from a backup or a host, or who is revoked would be forgotten");
  }
  return std::move(read_revocations(list_in(folder)).front());
}

bool is_revoked(X509_CRL* list, X509* certificate) {
  X509_REVOKED* entry = nullptr;
  return list != nullptr && X509_CRL_get0_by_cert(list, &entry, certificate) == 1;
}

std::string present_serial(const fs::path& folder, const std::string& name) {
  const auto file = file_in(folder, name, ".crt");
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {};
  return read_certificate(read_certificates(file, "certificate file").front().get()).serial;
}

/// By name, the oldest first. The present one of each name is that in its file; where that was moved away, the
/// newest.
std::vector<Entry> read_entries(const fs::path& folder, X509_CRL* list, Time now) {
  std::vector<Entry> entries;
  for (const auto& file : fs::directory_iterator(issued_in(folder))) {
    if (file.path().extension() != ".crt") continue;
    Entry entry;
    entry.certificate = std::move(read_certificates(file.path(), "certificate file").front());
    entry.record = {name_in(file.path()), usage_of(entry.certificate.get()),
                    read_certificate(entry.certificate.get()), time_of(X509_get0_notBefore(entry.certificate.get())),
                    Standing::Replaced};
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.record.name, a.record.not_before) < std::pair(b.record.name, b.record.not_before);
  });
  for (auto first = entries.begin(); first != entries.end();) {
    const auto end =
        std::find_if(first, entries.end(), [&](const Entry& e) { return e.record.name != first->record.name; });
    const std::string serial = present_serial(folder, first->record.name);
    auto present = std::find_if(first, end, [&](const Entry& e) { return e.record.certificate.serial == serial; });
    if (present == end) --present;
    present->record.standing = Standing::Good;
    first = end;
  }
  for (Entry& entry : entries) {
    if (entry.record.certificate.not_after < now) entry.record.standing = Standing::Expired;
    if (is_revoked(list, entry.certificate.get())) entry.record.standing = Standing::Revoked;
  }
  return entries;
}

bool is_admitted(const Record& record) {
  return record.standing == Standing::Good || record.standing == Standing::Replaced;
}

/// "desk1" may stand for "desktop-desk1".
bool is_called(const Record& record, const std::string& name) {
  return record.name == name || record.name == std::string(word(record.usage)) + "-" + name;
}

}  // namespace

const char* word(Usage usage) { return kUsages[static_cast<int>(usage)]; }
const char* word(Standing standing) { return kStandings[static_cast<int>(standing)]; }

struct AuthorityFolder::Impl {
  fs::path folder;
  AuthorityOptions options;
  FileLock lock;
  CertificatePtr certificate;
  KeyPtr key;

  Impl(fs::path in, const AuthorityOptions& with)
      : folder(std::move(in)), options(with), lock(folder / "lock", with.patience, *with.clock) {
    mend(folder);
  }

  Signer signer() const { return {certificate.get(), key.get()}; }

  void load() {
    certificate = read_authority(folder);
    const Time end = time_of(X509_get0_notAfter(certificate.get()));
    if (end < options.now) {
      throw Error("the authority \"" + subject_of(certificate.get()) + "\" expired on " + describe(end) +
                  ": make a new one in a new folder, and give its authority.crt to hosts and desktops");
    }
    key = read_key(file_in(folder, kAuthority, ".key"), options.passphrase);
    const bool fits = X509_check_private_key(certificate.get(), key.get()) == 1;
    ERR_clear_error();
    if (!fits) {
      throw Error("authority.key and authority.crt in " + folder.string() +
                  " do not belong together: bring them back from a backup");
    }
    if (read_list(folder) == nullptr) write_list(nullptr, {});
  }

  CrlPtr list() const {
    CrlPtr found = read_list(folder);
    const bool ours = X509_CRL_verify(found.get(), key.get()) == 1;
    ERR_clear_error();
    if (!ours) throw Error(list_in(folder).string() + " is not of this authority: bring back its own from a backup");
    return found;
  }

  Revocations write_list(const X509_CRL* before, const std::vector<const X509*>& more) const {
    const Validity validity = validity_of(options.now, options.list_validity, certificate.get());
    const CrlPtr made = make_revocations(signer(), before, more, options.now, validity);
    write_file(list_in(folder), pem(made.get()), Readers::Everybody);
    return {number_of(made.get()), validity.until};
  }

  std::vector<Entry> entries() const { return read_entries(folder, list().get(), options.now); }

  /// The folder's own account of a certificate that was issued just now.
  Record record_of(const std::string& name, Usage usage, X509* made) const {
    return {name, usage, read_certificate(made), time_of(X509_get0_notBefore(made)), Standing::Good};
  }

  /// Of what the name says; it must be one name only.
  const Entry& present(const std::vector<Entry>& all, const std::string& name) const {
    const Entry* found = nullptr;
    for (const Entry& entry : all) {
      if (!is_called(entry.record, name)) continue;
      if (found != nullptr && found->record.name != entry.record.name) ambiguous(name);
      // The newest, unless another is the good one.
      if (found == nullptr || found->record.standing != Standing::Good) found = &entry;
    }
    if (found == nullptr) throw Error(unknown(name));
    return *found;
  }

  [[noreturn]] static void ambiguous(const std::string& name) {
    throw Error("\"" + name + "\" may be a host's or a desktop's name: say host-" + name + " or desktop-" + name);
  }
  std::string unknown(const std::string& name) const {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    return (plain && name.size() <= 100 ? "\"" + name + "\"" : std::string("that name")) +
           " was never issued by the authority in " + folder.string() + ": look it up in its list";
  }
};

AuthorityFolder::AuthorityFolder(std::filesystem::path folder, const AuthorityOptions& options) {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  if (!fs::is_directory(issued_in(folder))) {
    read_authority(folder);  // where there is none at all, that is what is said
    require_records(folder);
  }
  impl_ = std::make_unique<Impl>(std::move(folder), options);
  impl_->load();
}

AuthorityFolder::~AuthorityFolder() = default;

Record AuthorityFolder::create(const std::filesystem::path& folder, const Subject& subject,
                               std::chrono::days validity, const AuthorityOptions& options) {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  const auto refuse_another = [&] {
    for (const auto& file :
         {file_in(folder, kAuthority, ".crt"), file_in(folder, kAuthority, ".key"), list_in(folder)}) {
      if (fs::exists(file)) throw Error(file.string() + " is there already: take a new folder for a new authority");
    }
  };
  refuse_another();
  const NamePtr name = name_of(subject);
  const Validity dates = validity_of(options.now, validity, nullptr);
  check_passphrase(options.passphrase);
  std::error_code error;
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
  if (!error) fs::create_directory(issued_in(folder), error);
  if (error) throw Error("the folder " + issued_in(folder).string() + " cannot be made: " + error.message());
  Impl impl(folder, options);
  refuse_another();
  impl.key = new_key();
  impl.certificate = make_authority(name.get(), impl.key.get(), dates);
  const FileText key = pem(impl.key.get(), options.passphrase);
  commit(folder, kAuthority, impl.certificate.get(), &key);
  impl.write_list(nullptr, {});
  return impl.record_of(kAuthority, Usage::Authority, impl.certificate.get());
}

Inventory AuthorityFolder::inventory(const std::filesystem::path& folder, std::chrono::system_clock::time_point now) {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  const CertificatePtr authority = read_authority(folder);
  require_records(folder);
  const CrlPtr list = read_list(folder);
  Inventory found;
  for (Entry& entry : read_entries(folder, list.get(), now)) found.records.push_back(std::move(entry.record));
  if (list != nullptr) found.revocations = {number_of(list.get()), time_of(X509_CRL_get0_nextUpdate(list.get()))};
  return found;
}

bool AuthorityFolder::needs_passphrase(const std::filesystem::path& folder) {
  const auto file = file_in(folder, kAuthority, ".key");
  return fs::exists(file) && read_file(file, "key file").text().find("ENCRYPTED") != std::string::npos;
}

Record AuthorityFolder::issue(const Request& request) {
  const std::string name = file_name_of(request.usage, request.name);
  const NamePtr subject = name_of(request.subject);
  const AlternativeNamesPtr names = alternative_names_of(request.names);
  if (request.usage == Usage::Authority) throw Error("an authority issues no other: make that one in a new folder");
  if (request.usage == Usage::Host && names == nullptr) {
    throw Error("a host needs the names or addresses by which desktops reach it: give one at least");
  }
  check_passphrase(request.passphrase);
  for (const Entry& entry : impl_->entries()) {
    if (entry.record.name == name && is_admitted(entry.record)) {
      throw Error(name + " has a certificate, valid until " + describe(entry.record.certificate.not_after) +
                  ": renew it, or revoke it and renew it with --new-key");
    }
  }
  for (const char* extension : {".crt", ".key"}) {
    const auto file = file_in(impl_->folder, name, extension);
    if (fs::exists(file)) {
      throw Error(file.string() + " is there already: renew " + name + " with --new-key, or move the file away");
    }
  }
  const KeyPtr key = new_key();
  const auto validity = validity_of(impl_->options.now, request.validity, impl_->certificate.get());
  const CertificatePtr made =
      make_certificate(impl_->signer(), request.usage, subject.get(), names.get(), key.get(), validity);
  const FileText text = pem(key.get(), request.passphrase);
  commit(impl_->folder, name, made.get(), &text);
  return impl_->record_of(name, request.usage, made.get());
}

Record AuthorityFolder::renew(const std::string& name, std::chrono::days validity, bool with_new_key,
                              const std::string& passphrase) {
  const std::vector<Entry> all = impl_->entries();
  const Entry& old = impl_->present(all, name);
  const Record& record = old.record;
  if (record.usage == Usage::Authority) {
    throw Error(
        "an authority is not renewed: make a new one in a new folder, and give its authority.crt to hosts and "
        "desktops before this one ends");
  }
  if (record.standing == Standing::Revoked && !with_new_key) {
    throw Error(record.name + " was revoked, so its key may be in other hands: renew it with a new key");
  }
  // Whoever can write into the folder cannot have a certificate of their own making renewed.
  const bool ours = X509_verify(old.certificate.get(), X509_get0_pubkey(impl_->certificate.get())) == 1;
  ERR_clear_error();
  if (!ours)
    throw Error("the certificate of " + record.name + " is not of this authority: remove it from \"issued\"");
  check_passphrase(passphrase);
  const AlternativeNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(old.certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  const KeyPtr fresh = with_new_key ? new_key() : nullptr;
  Validity dates = validity_of(impl_->options.now, validity, impl_->certificate.get());
  // So that dates alone tell which is newer.
  dates.from = std::max<Time>(dates.from, std::min<Time>(record.not_before + 1s, impl_->options.now));
  const CertificatePtr made =
      make_certificate(impl_->signer(), record.usage, X509_get_subject_name(old.certificate.get()), names.get(),
                       fresh != nullptr ? fresh.get() : X509_get0_pubkey(old.certificate.get()), dates);
  if (fresh != nullptr) {
    const FileText text = pem(fresh.get(), passphrase);
    commit(impl_->folder, record.name, made.get(), &text);
  } else {
    commit(impl_->folder, record.name, made.get(), nullptr);
  }
  return impl_->record_of(record.name, record.usage, made.get());
}

std::vector<Record> AuthorityFolder::revoke(const std::vector<std::string>& names_or_serials) {
  const std::vector<Entry> all = impl_->entries();
  std::map<std::string, const Entry*> chosen;  // by serial number
  for (const std::string& word_given : names_or_serials) {
    std::string file_name, serial = word_given;
    std::transform(serial.begin(), serial.end(), serial.begin(),
                   [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
    bool known = false, one = false;
    for (const Entry& entry : all) {
      const bool named = is_called(entry.record, word_given);
      if (!named && entry.record.certificate.serial != serial) continue;
      if (entry.record.usage == Usage::Authority) {
        throw Error("an authority is not revoked by its own list: take its authority.crt from hosts and desktops");
      }
      if (named && !file_name.empty() && file_name != entry.record.name) Impl::ambiguous(word_given);
      if (named) file_name = entry.record.name;
      known = true;
      if (!is_admitted(entry.record)) continue;
      one = true;
      chosen.emplace(entry.record.certificate.serial, &entry);
    }
    if (!known) throw Error(impl_->unknown(word_given));
    if (!one) throw Error(word_given + " has no certificate left that is admitted: nothing was revoked");
  }
  std::vector<const X509*> certificates;
  std::vector<Record> revoked;
  for (const auto& [serial, entry] : chosen) {
    certificates.push_back(entry->certificate.get());
    revoked.push_back(entry->record);
    revoked.back().standing = Standing::Revoked;
  }
  impl_->write_list(impl_->list().get(), certificates);
  return revoked;
}

Revocations AuthorityFolder::renew_revocations() { return impl_->write_list(impl_->list().get(), {}); }

}  // namespace tsplink::security
