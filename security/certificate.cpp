#include "security/certificate.hpp"

#include <array>
#include <cstdio>
#include <ctime>

#include "security/certificate_reader.hpp"

namespace tsplink::security {
namespace {

std::string escaped(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned char c = bytes[i];
    if (c < 0x20 || c == 0x7F) {
      std::array<char, 5> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02X", static_cast<unsigned>(c));
      text += hex.data();
    } else if (c == '\\') {
      text += "\\\\";
    } else {
      text += static_cast<char>(c);
    }
  }
  return text;
}

std::string utf8(const ASN1_STRING* string) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, string);
  if (size < 0) return {};
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owner(bytes);
  return escaped(bytes, static_cast<std::size_t>(size));
}

std::string common_name_of(const X509_NAME* name) {
  // A name may hold several: the last one is the most specific.
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  return utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  const int size = ASN1_STRING_length(address);
  std::string text;
  std::array<char, 8> part{};
  if (size == 4) {
    for (int i = 0; i < 4; ++i) text += (i != 0 ? "." : "") + std::to_string(bytes[i]);
  } else if (size == 16) {
    for (int i = 0; i < 16; i += 2) {
      std::snprintf(part.data(), part.size(), "%x", (bytes[i] << 8U) | bytes[i + 1]);
      text += (i != 0 ? ":" : "") + std::string(part.data());
    }
  }
  return text;
}

std::vector<std::string> alternative_names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> result;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    std::string text;
    if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
      const auto* string = static_cast<const ASN1_STRING*>(value);
      text = escaped(ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string)));
    } else if (type == GEN_IPADD) {
      text = address_text(static_cast<const ASN1_OCTET_STRING*>(value));
    }
    if (!text.empty()) result.push_back(std::move(text));
  }
  return result;
}

std::string serial_of(const X509* certificate) {
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const std::unique_ptr<char, decltype([](char* p) { OPENSSL_free(p); })> hex(
      number != nullptr ? BN_bn2hex(number.get()) : nullptr);
  return hex != nullptr ? std::string(hex.get()) : std::string();
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string text;
  std::array<char, 4> part{};
  for (unsigned i = 0; i < size; ++i) {
    std::snprintf(part.data(), part.size(), i != 0 ? ":%02X" : "%02X", static_cast<unsigned>(digest[i]));
    text += part.data();
  }
  return text;
}

}  // namespace

std::string name_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr) return {};
  // UTF-8 stays readable (no ESC_MSB); control characters are escaped.
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string("(no name)");
}

std::string subject_of(const X509* certificate) { return name_text(X509_get_subject_name(certificate)); }

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  using namespace std::chrono;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  if (parts.tm_year + 1900 > 2261) return system_clock::time_point::max();
  const sys_days day = year(parts.tm_year + 1900) / month(static_cast<unsigned>(parts.tm_mon + 1)) /
                       std::chrono::day(static_cast<unsigned>(parts.tm_mday));
  return day + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

std::string time_text(const ASN1_TIME* time) { return describe(time_of(time)); }

bool is_expired(const X509* certificate) { return X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0; }

bool is_not_yet_valid(const X509* certificate) { return X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0; }

PeerCertificate read_certificate(const X509* certificate) {
  PeerCertificate result;
  result.subject = subject_of(certificate);
  result.common_name = common_name_of(X509_get_subject_name(certificate));
  result.alternative_names = alternative_names_of(certificate);
  result.serial = serial_of(certificate);
  result.fingerprint_sha256 = fingerprint_of(certificate);
  result.not_after = time_of(X509_get0_notAfter(certificate));
  return result;
}

std::string describe(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  if (time == system_clock::time_point::max()) return "no end";
  const auto second = floor<seconds>(time);
  const auto days_part = floor<days>(second);
  const year_month_day date(days_part);
  const hh_mm_ss<seconds> clock(second - days_part);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  std::string text = describe(time);
  if (text.size() < 19) return text;  // no end
  text[10] = 'T';
  return text.substr(0, 19) + "Z";
}

std::string describe(const PeerCertificate& certificate) {
  std::string text = "\"" + certificate.subject + "\"";
  for (std::size_t i = 0; i < certificate.alternative_names.size(); ++i) {
    text += (i == 0 ? ", names " : " ") + certificate.alternative_names[i];
  }
  return text + ", serial " + certificate.serial + ", sha256 " + certificate.fingerprint_sha256 + ", valid until " +
         describe(certificate.not_after);
}

}  // namespace tsplink::security
