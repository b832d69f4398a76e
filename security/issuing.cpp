#include "security/issuing.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "security/certificate_reader.hpp"
#include "security/errors.hpp"

namespace tsplink::security {
namespace {

constexpr int kSerialBits = 127;  // a 128th would make the number negative or a byte longer
constexpr int kPassphraseRounds = 600'000;
constexpr std::size_t kMaxDnsName = 253, kMaxDnsLabel = 63;

/// OpenSSL failed where only memory or randomness can be short.
void need(bool good, const char* what) {
  if (!good) throw Error(std::string(what) + " cannot be made" + ErrorQueue::drain().suffix());
}

template <class Read>
auto read_number(const ASN1_INTEGER* number, Read read) {
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> value(ASN1_INTEGER_to_BN(number, nullptr));
  need(value != nullptr, "a number");
  return read(value.get());
}

using NumberPtr = std::unique_ptr<ASN1_INTEGER, Deleter<ASN1_INTEGER_free>>;

void set_time(ASN1_TIME* to, Time time) {
  // By text: time_t has 32 bits in 32-bit Windows programs. "2026-11-22 21:10:37 UTC" without what is no digit.
  std::string text = describe(time);
  std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
  need(ASN1_TIME_set_string_X509(to, (text + "Z").c_str()) == 1, "a date");
}

void set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(BN_new());
  do {
    need(number != nullptr && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1,
         "a serial number");
  } while (BN_is_zero(number.get()));
  need(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "a serial number");
}

/// `value` as openssl.cnf has it: constants only, as names from outside could say more than a name.
void add_extension(X509* certificate, const X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  need(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

CertificatePtr new_certificate(const X509_NAME* subject, const X509_NAME* issuer, EVP_PKEY* public_key,
                               const Validity& validity) {
  CertificatePtr certificate(X509_new());
  need(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
           X509_set_subject_name(certificate.get(), const_cast<X509_NAME*>(subject)) == 1 &&
           X509_set_issuer_name(certificate.get(), const_cast<X509_NAME*>(issuer)) == 1 &&
           X509_set_pubkey(certificate.get(), public_key) == 1,
       "a certificate");
  set_serial(certificate.get());
  set_time(X509_getm_notBefore(certificate.get()), validity.from);
  set_time(X509_getm_notAfter(certificate.get()), validity.until);
  return certificate;
}

/// Whether the UTF-8 text has control characters, or those that change how the text around them looks.
bool hides_something(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](std::size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0; };
    if (at(0) < 0x20 || at(0) == 0x7F) return true;
    if (at(0) == 0xC2 && at(1) >= 0x80 && at(1) <= 0x9F) return true;  // U+0080 to 9F: the other control characters
    // U+200B to 200F, 2028 to 202E, 2060 to 206F, FEFF: no width, line ends, directions
    if (at(0) == 0xE2 && at(1) == 0x80 && ((at(2) >= 0x8B && at(2) <= 0x8F) || (at(2) >= 0xA8 && at(2) <= 0xAE))) {
      return true;
    }
    if (at(0) == 0xE2 && at(1) == 0x81 && at(2) >= 0xA0 && at(2) <= 0xAF) return true;
    if (at(0) == 0xEF && at(1) == 0xBB && at(2) == 0xBF) return true;
  }
  return false;
}

void add_name_part(X509_NAME* name, int kind, const std::string& text, const char* what) {
  if (text.empty()) return;
  if (hides_something(text)) {
    throw Error(std::string("the ") + what +
                " has characters that nobody sees, as control characters: leave them out");
  }
  ERR_clear_error();
  // MBSTRING_UTF8 is how it comes; what it becomes is UTF8String.
  if (X509_NAME_add_entry_by_NID(name, kind, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                 static_cast<int>(text.size()), -1, 0) != 1) {
    throw Error(std::string("the ") + what + " \"" + text.substr(0, 100) +
                "\" cannot stand in a certificate: it must be UTF-8 and have 64 characters at most" +
                ErrorQueue::drain().suffix());
  }
}

bool is_one_of(char c, std::string_view more) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         more.find(c) != std::string_view::npos;
}

bool is_dns_name(std::string_view name) {
  if (name.size() > kMaxDnsName) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.' ? label == 0 : !is_one_of(c, "-_")) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > kMaxDnsLabel) return false;
  }
  return label != 0;
}

/// An address is what has a colon, or four numbers; so says deploy/certificates.sh too.
bool is_meant_as_address(std::string_view name) {
  return name.find(':') != std::string_view::npos ||
         (std::count(name.begin(), name.end(), '.') == 3 &&
          name.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

template <class Object, class Write>
std::string pem_of(const Object* object, Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  need(bio != nullptr && write(bio.get(), object) == 1, "PEM text");
  return text_of(bio.get());
}

}  // namespace

KeyPtr new_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  need(key != nullptr, "a key");
  return key;
}

NamePtr name_of(const Subject& subject) {
  if (subject.common_name.empty()) throw Error("the common name is empty: give one");
  NamePtr name(X509_NAME_new());
  need(name != nullptr, "a name");
  // The most specific part comes last here and first in RFC 2253's text.
  add_name_part(name.get(), NID_organizationName, subject.organization, "organization");
  add_name_part(name.get(), NID_commonName, subject.common_name, "common name");
  return name;
}

AlternativeNamesPtr alternative_names_of(const std::vector<std::string>& names) {
  if (names.empty()) return nullptr;
  AlternativeNamesPtr result(GENERAL_NAMES_new());
  for (const std::string& name : names) {
    const bool address = is_meant_as_address(name);
    std::unique_ptr<ASN1_STRING, Deleter<ASN1_STRING_free>> value;
    if (address) {
      value.reset(a2i_IPADDRESS(name.c_str()));
    } else if (is_dns_name(name)) {
      value.reset(ASN1_STRING_type_new(V_ASN1_IA5STRING));
      need(value != nullptr && ASN1_STRING_set(value.get(), name.data(), static_cast<int>(name.size())) == 1,
           "a name");
    }
    ERR_clear_error();
    if (value == nullptr) {
      throw Error((std::all_of(name.begin(), name.end(), [](char c) { return is_one_of(c, ".:-_*"); })
                       ? "\"" + name.substr(0, 100) + "\""
                       : std::string("a name with characters other than letters, digits, dots, colons, - and _")) +
                  " is neither a host name nor an address: give one as host.example, *.example or 192.0.2.1");
    }
    GENERAL_NAME* entry = GENERAL_NAME_new();
    need(entry != nullptr, "a name");
    GENERAL_NAME_set0_value(entry, address ? GEN_IPADD : GEN_DNS, value.release());
    if (sk_GENERAL_NAME_push(result.get(), entry) == 0) {
      GENERAL_NAME_free(entry);
      need(false, "a name");
    }
  }
  return result;
}

CertificatePtr make_authority(const X509_NAME* subject, EVP_PKEY* key, const Validity& validity) {
  CertificatePtr made = new_certificate(subject, subject, key, validity);
  add_extension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(made.get(), made.get(), NID_subject_key_identifier, "hash");
  need(X509_sign(made.get(), key, EVP_sha256()) > 0, "the authority's signature");
  return made;
}

CertificatePtr make_certificate(const Signer& signer, Usage usage, const X509_NAME* subject,
                                const GENERAL_NAMES* names, EVP_PKEY* public_key, const Validity& validity) {
  CertificatePtr made = new_certificate(subject, X509_get_subject_name(signer.certificate), public_key, validity);
  add_extension(made.get(), signer.certificate, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(made.get(), signer.certificate, NID_key_usage, "critical,digitalSignature");
  add_extension(made.get(), signer.certificate, NID_ext_key_usage,
                usage == Usage::Host ? "serverAuth" : "clientAuth");
  add_extension(made.get(), signer.certificate, NID_subject_key_identifier, "hash");
  add_extension(made.get(), signer.certificate, NID_authority_key_identifier, "keyid:always");
  need(names == nullptr || X509_add1_ext_i2d(made.get(), NID_subject_alt_name, const_cast<GENERAL_NAMES*>(names), 0,
                                             X509V3_ADD_DEFAULT) == 1,
       "a list of names");
  need(X509_sign(made.get(), signer.key, EVP_sha256()) > 0, "a signature");
  return made;
}

Usage usage_of(X509* certificate) {
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  if ((flags & EXFLAG_CA) != 0) return Usage::Authority;
  return (X509_get_extended_key_usage(certificate) & XKU_SSL_SERVER) != 0 ? Usage::Host : Usage::Desktop;
}

CrlPtr make_revocations(const Signer& signer, const X509_CRL* before, const std::vector<const X509*>& more, Time now,
                        const Validity& validity) {
  CrlPtr list(X509_CRL_new());
  const std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>> from(ASN1_TIME_new()), until(ASN1_TIME_new()),
      when(ASN1_TIME_new());
  need(list != nullptr && from != nullptr && until != nullptr && when != nullptr, "a revocation list");
  set_time(from.get(), validity.from);
  set_time(until.get(), validity.until);
  set_time(when.get(), now);
  need(X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1 &&
           X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(signer.certificate)) == 1 &&
           X509_CRL_set1_lastUpdate(list.get(), from.get()) == 1 &&
           X509_CRL_set1_nextUpdate(list.get(), until.get()) == 1,
       "a revocation list");
  const auto add = [&](X509_REVOKED* entry) {
    if (entry == nullptr || X509_CRL_add0_revoked(list.get(), entry) != 1) {
      X509_REVOKED_free(entry);
      need(false, "a revocation");
    }
  };
  auto* old = before != nullptr ? X509_CRL_get_REVOKED(const_cast<X509_CRL*>(before)) : nullptr;
  for (int i = 0; old != nullptr && i < sk_X509_REVOKED_num(old); ++i)
    add(X509_REVOKED_dup(sk_X509_REVOKED_value(old, i)));
  for (const X509* certificate : more) {
    X509_REVOKED* entry = X509_REVOKED_new();
    need(entry != nullptr, "a revocation");
    X509_REVOKED_set_serialNumber(entry, const_cast<ASN1_INTEGER*>(X509_get0_serialNumber(certificate)));
    X509_REVOKED_set_revocationDate(entry, when.get());
    add(entry);
  }
  const NumberPtr last(
      before != nullptr ? static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(before, NID_crl_number, nullptr, nullptr))
                        : nullptr);
  const NumberPtr number(last == nullptr ? ASN1_INTEGER_new() : read_number(last.get(), [](BIGNUM* value) {
    BN_add_word(value, 1);
    return BN_to_ASN1_INTEGER(value, nullptr);
  }));
  need(number != nullptr && (last != nullptr || ASN1_INTEGER_set(number.get(), 1) == 1) &&
           X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, number.get(), 0, X509V3_ADD_DEFAULT) == 1,
       "the number of a revocation list");
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(signer.certificate), nullptr, nullptr, list.get(), 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> key_id(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  need(key_id != nullptr && X509_CRL_add_ext(list.get(), key_id.get(), -1) == 1, "a revocation list");
  X509_CRL_sort(list.get());
  need(X509_CRL_sign(list.get(), signer.key, EVP_sha256()) > 0, "the signature of a revocation list");
  return list;
}

std::string number_of(const X509_CRL* list) {
  const NumberPtr number(static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr)));
  if (number == nullptr) return "0";
  return read_number(number.get(), [](const BIGNUM* value) {
    const std::unique_ptr<char, decltype([](char* p) { OPENSSL_free(p); })> text(BN_bn2dec(value));
    return text != nullptr ? std::string(text.get()) : std::string("0");
  });
}

std::string pem(const X509* certificate) { return pem_of(certificate, PEM_write_bio_X509); }
std::string pem(const X509_CRL* list) { return pem_of(list, PEM_write_bio_X509_CRL); }

FileText pem(const EVP_PKEY* key, const std::string& passphrase) {
  using PlainPtr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
  const PlainPtr plain(EVP_PKEY2PKCS8(key));
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  need(plain != nullptr && bio != nullptr, "a key's text");
  if (passphrase.empty()) {
    need(PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), plain.get()) == 1, "a key's text");
  } else {
    const std::unique_ptr<X509_SIG, Deleter<X509_SIG_free>> sealed(
        PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase.data(), static_cast<int>(passphrase.size()), nullptr, 0,
                      kPassphraseRounds, plain.get()));
    need(sealed != nullptr && PEM_write_bio_PKCS8(bio.get(), sealed.get()) == 1, "an encrypted key");
  }
  return FileText(text_of(bio.get()));
}

}  // namespace tsplink::security
