#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <climits>

#include "security/certificate_reader.hpp"
#include "security/errors.hpp"
#include "security/files.hpp"
#include "security/identity_loader.hpp"

namespace tsplink::security {
namespace {

std::shared_ptr<const FileText> text_of(const std::filesystem::path& path, const char* role, const Texts& texts) {
  const auto found = texts.find(path);
  return found != texts.end() ? found->second : std::shared_ptr<const FileText>(new FileText(read_file(path, role)));
}

BioPtr memory(const FileText& file) {
  return BioPtr(BIO_new_mem_buf(file.text().data(), static_cast<int>(file.text().size())));
}

/// What OpenSSL asks when a key is encrypted. Without such a callback it would prompt on the terminal.
struct Passphrase {
  const std::string& text;
  bool asked = false;

  static int give(char* buffer, int size, int /*writing*/, void* self) {
    auto& passphrase = *static_cast<Passphrase*>(self);
    passphrase.asked = true;
    const auto length = static_cast<int>(std::min(passphrase.text.size(), static_cast<std::size_t>(INT_MAX)));
    if (length == 0 || length > size) return -1;
    std::copy_n(passphrase.text.data(), length, buffer);
    return length;
  }
};

/// All PEM blocks of one kind. The end is "no start line"; any other error means that a block is damaged.
template <class Pointer, class Read>
std::vector<Pointer> read_blocks(const std::filesystem::path& path, const char* role, const char* block, Read read,
                                 const Texts& texts) {
  const auto file = text_of(path, role, texts);
  const BioPtr bio = memory(*file);
  std::vector<Pointer> result;
  ERR_clear_error();
  while (auto* object = read(bio.get(), nullptr, nullptr, nullptr)) result.emplace_back(object);
  const ErrorQueue errors = ErrorQueue::drain();
  const std::string name = std::string(role) + " " + path.string();
  if (!errors.has(ERR_LIB_PEM, PEM_R_NO_START_LINE)) {
    throw Error(name + " is damaged after " + std::to_string(result.size()) + " good " + block +
                " blocks: write it again in PEM form" + errors.suffix());
  }
  if (result.empty()) throw Error(name + " holds no " + block + " block: it must be PEM text");
  return result;
}

}  // namespace

std::vector<CertificatePtr> read_certificates(const std::filesystem::path& path, const char* role,
                                              const Texts& texts) {
  return read_blocks<CertificatePtr>(path, role, "CERTIFICATE", PEM_read_bio_X509, texts);
}

KeyPtr read_key(const std::filesystem::path& path, const std::string& passphrase_text, const Texts& texts) {
  const auto file = text_of(path, "key file", texts);
  require_private(path);
  const BioPtr bio = memory(*file);
  Passphrase passphrase{passphrase_text};
  ERR_clear_error();
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, Passphrase::give, &passphrase));
  if (key != nullptr) return key;
  const ErrorQueue errors = ErrorQueue::drain();
  const std::string name = "key file " + path.string();
  if (passphrase.asked && passphrase_text.empty()) {
    throw Error(name + " is encrypted: configure its passphrase");
  }
  if (passphrase.asked) throw Error("the passphrase for " + name + " is wrong: correct it" + errors.suffix());
  throw Error(name + " holds no readable private key: it must be PEM text" + errors.suffix());
}

std::vector<CrlPtr> read_revocations(const std::filesystem::path& path, const Texts& texts) {
  return read_blocks<CrlPtr>(path, "revocation list", "X509 CRL", PEM_read_bio_X509_CRL, texts);
}

namespace {

bool is_pkcs12(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".pfx" || extension == ".p12";
}

void read_pkcs12(const IdentityFiles& files, Identity& identity) {
  const auto file = text_of(files.certificate, "certificate file", files.texts);
  require_private(files.certificate);
  const std::string name = "certificate file " + files.certificate.string();
  const BioPtr bio = memory(*file);
  ERR_clear_error();
  const Pkcs12Ptr pkcs12(d2i_PKCS12_bio(bio.get(), nullptr));
  if (pkcs12 == nullptr) {
    throw Error(name + " is not a PKCS#12 file: export it again" + ErrorQueue::drain().suffix());
  }
  if (PKCS12_verify_mac(pkcs12.get(), files.passphrase.c_str(), static_cast<int>(files.passphrase.size())) != 1) {
    throw Error(files.passphrase.empty()
                    ? name + " is encrypted: configure its passphrase"
                    : "the passphrase for " + name + " is wrong: correct it" + ErrorQueue::drain().suffix());
  }
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  const int parsed = PKCS12_parse(pkcs12.get(), files.passphrase.c_str(), &key, &certificate, &others);
  identity.key.reset(key);
  identity.certificate.reset(certificate);
  while (others != nullptr && sk_X509_num(others) > 0) identity.chain.emplace_back(sk_X509_shift(others));
  sk_X509_free(others);
  if (parsed != 1) {
    throw Error(name +
                " cannot be decrypted, most likely because of an outdated cipher: export it again with AES-256" +
                ErrorQueue::drain().suffix());
  }
  if (certificate == nullptr || key == nullptr) {
    throw Error(name + " lacks the certificate or its private key: export it with the private key");
  }
}

void read_pem(const IdentityFiles& files, Identity& identity) {
  auto certificates = read_certificates(files.certificate, "certificate file", files.texts);
  identity.certificate = std::move(certificates.front());
  identity.chain.assign(std::make_move_iterator(certificates.begin() + 1),
                        std::make_move_iterator(certificates.end()));
  if (files.key.empty()) {
    // Before its mode is looked at: a certificate alone may be read by all.
    const auto file = text_of(files.certificate, "certificate file", files.texts);
    if (file->text().find("PRIVATE KEY-----") == std::string::npos) {
      throw Error("no key file is configured, and certificate file " + files.certificate.string() +
                  " holds no private key: configure the key file");
    }
  }
  identity.key = read_key(files.key.empty() ? files.certificate : files.key, files.passphrase, files.texts);
}

/// With PKCS#12 and no authority file, the self-signed certificates inside are the authorities.
std::vector<CertificatePtr> authorities_of(const IdentityFiles& files, const Identity& identity) {
  if (!files.authority.empty() || !is_pkcs12(files.certificate)) {
    return read_certificates(files.authority, "authority file", files.texts);
  }
  std::vector<CertificatePtr> result;
  for (const CertificatePtr& certificate : identity.chain) {
    if (X509_self_signed(certificate.get(), 0) != 1) continue;
    X509_up_ref(certificate.get());
    result.emplace_back(certificate.get());
  }
  if (result.empty()) {
    throw Error("certificate file " + files.certificate.string() +
                " holds no authority: configure an authority file, or export it with all certificates of the path");
  }
  return result;
}

}  // namespace

PeerCertificate certificate_in(const std::filesystem::path& file) {
  const auto certificates = read_certificates(file, "certificate file");
  ERR_clear_error();
  return read_certificate(certificates.front().get());
}

Identity load_identity(const IdentityFiles& files) {
  Identity identity;
  const bool pkcs12 = is_pkcs12(files.certificate);
  pkcs12 ? read_pkcs12(files, identity) : read_pem(files, identity);
  ERR_clear_error();
  if (X509_check_private_key(identity.certificate.get(), identity.key.get()) != 1) {
    ERR_clear_error();
    throw Error("key file " + (files.key.empty() ? files.certificate : files.key).string() +
                " does not belong to the certificate \"" + subject_of(identity.certificate.get()) + "\" in " +
                files.certificate.string() + ": name the key that it was issued for");
  }
  identity.authorities = authorities_of(files, identity);
  if (!files.revocations.empty()) identity.revocations = read_revocations(files.revocations, files.texts);
  ERR_clear_error();
  return identity;
}

}  // namespace tsplink::security
