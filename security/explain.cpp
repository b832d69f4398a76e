#include "security/explain.hpp"

#include <openssl/err.h>

#include "security/certificate_reader.hpp"

namespace tsplink::security {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "no name at all" : text;
}

std::string revocation_trouble(X509_STORE_CTX* store, const Context::Impl& context, const X509* certificate) {
  const std::string issuer = "\"" + name_text(X509_get_issuer_name(certificate)) + "\"";
  const X509_CRL* list = X509_STORE_CTX_get0_current_crl(store);
  const std::string file = " into " + context.revocations_file;
  switch (X509_STORE_CTX_get_error(store)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return "cannot be checked: there is no revocation list of its authority " + issuer + "; put that list" + file;
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return "cannot be checked: the revocation list of its authority " + issuer + " expired on " +
             (list != nullptr ? time_text(X509_CRL_get0_nextUpdate(list)) : "an unknown date") + "; put a new one" +
             file;
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return "cannot be checked: the revocation list of its authority " + issuer +
             " is not valid yet; set this machine's clock right or put the right list" + file;
    default: return {};
  }
}

/// The part of the sentence after the certificate's name.
std::string verdict(X509_STORE_CTX* store, const Context::Impl& context, const X509* certificate,
                    const std::string& wanted_name) {
  const int error = X509_STORE_CTX_get_error(store);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired on " + time_text(X509_get0_notAfter(certificate)) + ": issue a new one";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "is not yet valid, only from " + time_text(X509_get0_notBefore(certificate)) +
             " on: set the clocks of both machines right";
    case X509_V_ERR_CERT_REVOKED: return "was revoked by its authority: issue a new one if the peer is to be trusted";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "comes from an unknown authority, \"" + name_text(X509_get_issuer_name(certificate)) +
             "\": if it is to be trusted, add that authority to " + context.authority_file;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "bears a signature that its authority never made: issue it again";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "is for another machine: it has " + joined(read_certificate(certificate).alternative_names) +
             ", wanted is " + wanted_name +
             ": correct the configured host name or issue a certificate with that name";
    case X509_V_ERR_INVALID_PURPOSE:
      return std::string("is not meant for a TLS ") + (context.side == Side::Client ? "server" : "client") +
             " (extended key usage): issue one with " + (context.side == Side::Client ? "serverAuth" : "clientAuth");
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
      return "has too weak a key: issue one with P-256 or with RSA of 2048 bits or more";
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return "is signed with too weak a digest: issue one that is signed with SHA-256 or better";
    case X509_V_ERR_APPLICATION_VERIFICATION:
      return std::string("was not looked at, since the peer did not agree on the protocol ") + kProtocolName +
             ": is this the port of a tsplink host?";
    default: return std::string("was refused: ") + X509_verify_cert_error_string(error);
  }
}

struct AlertMeaning {
  int alert;
  const char* meaning;
};

constexpr AlertMeaning kAlerts[] = {
    {SSL_AD_UNEXPECTED_MESSAGE, "it got a message that does not belong there"},
    {SSL_AD_BAD_RECORD_MAC, "what it received was changed on the way"},
    {SSL_AD_RECORD_OVERFLOW, "it got an oversized record"},
    {SSL_AD_HANDSHAKE_FAILURE, "nothing that both sides accept was found"},
    {SSL_AD_BAD_CERTIFICATE, "it refuses this side's certificate, for example because of the name in it"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, "this side's certificate is not meant for this purpose (extended key usage)"},
    {SSL_AD_CERTIFICATE_REVOKED, "this side's certificate was revoked: issue a new one"},
    {SSL_AD_CERTIFICATE_EXPIRED,
     "this side's certificate is expired or not yet valid by the peer's clock, or the peer's revocation list is out "
     "of "
     "date"},
    {SSL_AD_CERTIFICATE_UNKNOWN, "it could not check this side's certificate: its log says why"},
    {SSL_AD_UNKNOWN_CA,
     "it does not know the authority of this side's certificate: add it to the peer's authority file"},
    {SSL_AD_ACCESS_DENIED, "it does not admit this side"},
    {SSL_AD_DECRYPT_ERROR, "a signature did not match: what was sent was changed on the way"},
    {SSL_AD_PROTOCOL_VERSION, "its TLS version is not TLS 1.3: update the peer, or whatever ends TLS between"},
    {SSL_AD_CERTIFICATE_REQUIRED, "it wants a certificate from this side and got none"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, "it does not speak tsplink/1: is this the right host and port?"},
};

/// Errors that are not about certificates, in the order in which they explain most.
struct ReasonMeaning {
  int reason;
  const char* meaning;
};

constexpr ReasonMeaning kReasons[] = {
    {SSL_R_HTTP_REQUEST, "the peer sent an HTTP request, not TLS: it has the wrong port"},
    {SSL_R_HTTPS_PROXY_REQUEST, "the peer sent a request for an HTTP proxy, not TLS: it has the wrong port"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "no certificate was sent by the peer: configure one there"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the peer's TLS version is too old, TLS 1.3 is needed: update the peer"},
    {SSL_R_WRONG_SSL_VERSION, "the peer's TLS version is too old, TLS 1.3 is needed: update the peer"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "the peer does not offer the protocol tsplink/1: it is no tsplink program"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "a TLS record was changed on the way, lost or repeated"},
    {SSL_R_DIGEST_CHECK_FAILED, "the TLS handshake was changed on the way"},
    {SSL_R_BAD_SIGNATURE, "the peer did not prove that the key of its certificate is its own"},
};

}  // namespace

std::string explain_verification(X509_STORE_CTX* store, const Context::Impl& context,
                                 const std::string& wanted_name) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  const int depth = X509_STORE_CTX_get_error_depth(store);
  if (certificate == nullptr) {
    return std::string("the peer's certificate was refused: ") +
           X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  }
  std::string text = depth == 0 ? "the peer's certificate \"" : "the peer's authority certificate \"";
  text += subject_of(certificate) + "\" ";
  const std::string revocation = revocation_trouble(store, context, certificate);
  return text + (revocation.empty() ? verdict(store, context, certificate, wanted_name) : revocation);
}

std::string explain_alert(int alert, const Context::Impl& context) {
  std::string text =
      std::string("the peer ended the connection with the TLS alert \"") + SSL_alert_desc_string_long(alert) + "\"";
  // SSL_alert_desc_string_long of 3.0 lacks the alerts that TLS 1.3 brought.
  if (alert == SSL_AD_CERTIFICATE_REQUIRED)
    text = "the peer ended the connection with the TLS alert \"certificate required\"";
  for (const AlertMeaning& entry : kAlerts) {
    if (entry.alert == alert) text += std::string(": ") + entry.meaning;
  }
  return text + " (this side's certificate is \"" + context.own.subject + "\")";
}

std::string explain_errors(const ErrorQueue& errors, const Context::Impl& context, bool handshaking) {
  for (const unsigned long code : errors.codes) {
    const int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
      return explain_alert(reason - SSL_AD_REASON_OFFSET, context) + errors.suffix();
    }
  }
  for (const ReasonMeaning& entry : kReasons) {
    if (errors.has(ERR_LIB_SSL, entry.reason)) return entry.meaning + errors.suffix();
  }
  return (handshaking ? "the TLS handshake with the peer failed" : "the TLS stream from the peer is broken") +
         errors.suffix();
}

}  // namespace tsplink::security
