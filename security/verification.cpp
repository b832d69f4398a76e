#include "security/verification.hpp"

#include <cstring>

#include "security/certificate_reader.hpp"
#include "security/explain.hpp"

namespace tsplink::security {
namespace {

Handshake& handshake_of(const SSL* ssl) { return *static_cast<Handshake*>(SSL_get_app_data(ssl)); }

bool is_our_protocol(const unsigned char* name, std::size_t size) {
  return size == sizeof(kProtocolName) - 1 && std::memcmp(name, kProtocolName, size) == 0;
}

/// Keeps the first refusal, and lets no exception into OpenSSL's C code.
template <class Explain>
void refuse(Handshake& handshake, Explain explain) noexcept {
  try {
    if (handshake.refusal.empty()) handshake.refusal = explain();
  } catch (const std::exception&) {
    // out of memory: the connection fails all the same, with OpenSSL's own words
  }
}

}  // namespace

bool agreed_on_protocol(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return is_our_protocol(name, size);
}

namespace {

/// Trouble with revocation lists that is none: an authority needs no list about itself, else every root would have to
/// publish one; and a list about an intermediate authority that is trusted by itself cannot be checked, and need not.
bool is_tolerable(X509_STORE_CTX* store) {
  const int depth = X509_STORE_CTX_get_error_depth(store);
  const int error = X509_STORE_CTX_get_error(store);
  if (depth == 0) return false;
  if (error == X509_V_ERR_UNABLE_TO_GET_CRL) return true;
  const bool anchor = depth == sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1;
  return anchor && (error == X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER || error == X509_V_ERR_CRL_SIGNATURE_FAILURE);
}

}  // namespace

int verification_step(int good, X509_STORE_CTX* store) {
  const SSL* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Handshake& handshake = handshake_of(ssl);
  const bool leaf = X509_STORE_CTX_get_error_depth(store) == 0;
  if (good == 0 && is_tolerable(store)) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  // A client learns of missing ALPN before the certificate; only here can it answer with an alert.
  if (good == 1 && leaf && handshake.context->side == Side::Client && !agreed_on_protocol(ssl)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    good = 0;
  }
  if (good == 0) {
    refuse(handshake, [&] { return explain_verification(store, *handshake.context, handshake.host_name); });
  }
  return good;
}

std::string judge_again(X509* certificate, STACK_OF(X509) * chain, const Context::Impl& context) {
  const std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>> check(X509_STORE_CTX_new());
  const bool ready =
      check != nullptr &&
      X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context.ssl.get()), certificate, chain) == 1 &&
      X509_STORE_CTX_set_default(check.get(), context.side == Side::Server ? "ssl_client" : "ssl_server") == 1;
  if (!ready) return "the peer's certificate could not be checked again: this machine has too little memory";
  auto* rules = X509_STORE_CTX_get0_param(check.get());
  X509_VERIFY_PARAM_set_auth_level(rules, SSL_CTX_get_security_level(context.ssl.get()));
  X509_VERIFY_PARAM_set_depth(rules, SSL_CTX_get_verify_depth(context.ssl.get()));
  X509_STORE_CTX_set_verify_cb(check.get(), [](int good, X509_STORE_CTX* store) {
    if (good == 1 || !is_tolerable(store)) return good;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  });
  if (X509_verify_cert(check.get()) == 1) return {};
  return explain_verification(check.get(), context, {});
}

int keep_ticket(SSL* ssl, SSL_SESSION* session) {
  const Handshake& handshake = handshake_of(ssl);
  try {
    handshake.context->tickets.keep(handshake.host_name, session);
  } catch (const std::exception&) {
    // out of memory: the next connection makes a full handshake
  }
  return 0;  // the store copied it
}

SSL_TICKET_RETURN judge_ticket(SSL* /*ssl*/, SSL_SESSION* session, const unsigned char* /*key_name*/,
                               std::size_t /*key_name_size*/, SSL_TICKET_STATUS status, void* /*context*/) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  // A resumed handshake does not verify the certificate again: one that expired since needs a full handshake, which
  // then says so.
  const X509* peer = SSL_SESSION_get0_peer(session);
  if (peer == nullptr || is_expired(peer)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return SSL_TICKET_RETURN_USE_RENEW;
}

int select_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void* /*context*/) {
  for (unsigned at = 0; at < in_size; at += 1U + in[at]) {
    if (at + 1U + in[at] > in_size) break;
    if (!is_our_protocol(in + at + 1, in[at])) continue;
    *out = in + at + 1;
    *out_size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  refuse(handshake_of(ssl), [] {
    return std::string("the peer does not offer the protocol ") + kProtocolName + ": it is no tsplink program";
  });
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int require_protocol(SSL* ssl, int* alert, void* /*context*/) {
  const unsigned char* extension = nullptr;
  std::size_t size = 0;
  // OpenSSL does not ask select_protocol when the client offers nothing.
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension, &size) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  // A client of TLS 1.2 or older is told about its version instead.
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &extension, &size) != 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  refuse(handshake_of(ssl), [] {
    return std::string("the peer offers no protocol (ALPN), ") + kProtocolName +
           " is needed: it is no tsplink program";
  });
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

}  // namespace tsplink::security
