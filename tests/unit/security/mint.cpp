#include "mint.hpp"

#include <openssl/pem.h>

#include <atomic>
#include <fstream>
#include <stdexcept>

namespace tsplink::security {
namespace {

void need(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("test certificate: ") + what);
}

KeyPtr new_key(int rsa_bits) {
  KeyPtr key(rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(rsa_bits)) : EVP_EC_gen("P-256"));
  need(key != nullptr, "key");
  return key;
}

void set_name(X509_NAME* name, const std::string& common_name) {
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, static_cast<int>(common_name.size()), -1, 0) == 1,
       "name");
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  need(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

CertificatePtr new_certificate(const std::string& common_name, EVP_PKEY* key, long from, long to) {
  static std::atomic<long> serial{0x1000};
  CertificatePtr certificate(X509_new());
  need(X509_set_version(certificate.get(), 2) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to) != nullptr &&
           X509_set_pubkey(certificate.get(), key) == 1,
       "fields");
  set_name(X509_get_subject_name(certificate.get()), common_name);
  return certificate;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

std::string Issued::certificate_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  need(PEM_write_bio_X509(bio.get(), certificate.get()) == 1, "PEM");
  return text_of(bio.get());
}

std::string Issued::key_pem(const std::string& passphrase) const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const auto* text = reinterpret_cast<const unsigned char*>(passphrase.data());
  need(PEM_write_bio_PrivateKey(bio.get(), key.get(), passphrase.empty() ? nullptr : EVP_aes_256_cbc(),
                                passphrase.empty() ? nullptr : text, static_cast<int>(passphrase.size()), nullptr,
                                nullptr) == 1,
       "PEM");
  return text_of(bio.get());
}

std::string Issued::pkcs12(const std::string& passphrase, X509* authority) const {
  STACK_OF(X509)* others = sk_X509_new_null();
  if (authority != nullptr) sk_X509_push(others, authority);
  const Pkcs12Ptr file(
      PKCS12_create(passphrase.c_str(), "test", key.get(), certificate.get(), others, 0, 0, 0, 0, 0));
  sk_X509_free(others);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  need(file != nullptr && i2d_PKCS12_bio(bio.get(), file.get()) == 1, "PKCS#12");
  return text_of(bio.get());
}

Authority::Authority(const std::string& name, long to, const Authority* parent) {
  own_.key = new_key(0);
  own_.certificate = new_certificate(name, own_.key.get(), -2 * kDay, to);
  X509* certificate = own_.certificate.get();
  X509* issuer = parent != nullptr ? parent->own_.certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  EVP_PKEY* signer = parent != nullptr ? parent->own_.key.get() : own_.key.get();
  need(X509_sign(certificate, signer, EVP_sha256()) > 0, "signature");
}

Issued Authority::issue(const Plan& plan) const {
  Issued issued;
  issued.key = new_key(plan.rsa_bits);
  issued.certificate = new_certificate(plan.common_name, issued.key.get(), plan.from, plan.to);
  X509* certificate = issued.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(own_.certificate.get()));
  add_extension(certificate, own_.certificate.get(), NID_authority_key_identifier, "keyid:always");
  if (!plan.names.empty()) add_extension(certificate, own_.certificate.get(), NID_subject_alt_name, plan.names);
  if (!plan.usage.empty()) add_extension(certificate, own_.certificate.get(), NID_ext_key_usage, plan.usage);
  need(X509_sign(certificate, own_.key.get(), EVP_get_digestbyname(plan.digest)) > 0, "signature");
  return issued;
}

std::string Authority::revocation_list(const std::vector<const X509*>& revoked, long to) const {
  const CrlPtr list(X509_CRL_new());
  const std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>> last(X509_gmtime_adj(nullptr, -2 * kDay));
  const std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>> next(X509_gmtime_adj(nullptr, to == kEndless ? 0 : to));
  need(X509_CRL_set_version(list.get(), 1) == 1 &&
           X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(own_.certificate.get())) == 1 &&
           X509_CRL_set1_lastUpdate(list.get(), last.get()) == 1 &&
           (to == kEndless || X509_CRL_set1_nextUpdate(list.get(), next.get()) == 1),
       "revocation list");
  for (const X509* certificate : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, const_cast<ASN1_INTEGER*>(X509_get0_serialNumber(certificate)));
    X509_REVOKED_set_revocationDate(entry, last.get());
    need(X509_CRL_add0_revoked(list.get(), entry) == 1, "revocation");
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, own_.certificate.get(), nullptr, nullptr, list.get(), 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> key_id(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  need(key_id != nullptr && X509_CRL_add_ext(list.get(), key_id.get(), -1) == 1, "key identifier");
  X509_CRL_sort(list.get());
  need(X509_CRL_sign(list.get(), own_.key.get(), EVP_sha256()) > 0, "signature");
  const BioPtr bio(BIO_new(BIO_s_mem()));
  need(PEM_write_bio_X509_CRL(bio.get(), list.get()) == 1, "PEM");
  return text_of(bio.get());
}

std::filesystem::path Folder::write(const std::string& name, const std::string& text, bool readable_by_all) const {
  const auto file = path() / name;
  std::ofstream(file, std::ios::binary) << text;
  tests::let_read(file, readable_by_all);
  return file;
}

World::World()
    : host(authority.issue({"host", "DNS:host.test,DNS:*.hosts.test,IP:127.0.0.1,IP:::1"})),
      desktop(authority.issue({"desk-1", "DNS:desk-1.test", "clientAuth"})) {}

World& World::get() {
  static World world;
  return world;
}

IdentityFiles World::files(const Issued& issued, const std::string& authority_pem, const std::string& crl) const {
  const std::string name = std::to_string(++count);
  IdentityFiles result;
  result.certificate = folder.write(name + ".crt", issued.certificate_pem());
  result.key = folder.write(name + ".key", issued.key_pem());
  result.authority =
      folder.write(name + ".ca", authority_pem.empty() ? authority.own().certificate_pem() : authority_pem);
  if (!crl.empty()) result.revocations = folder.write(name + ".crl", crl);
  return result;
}

}  // namespace tsplink::security
