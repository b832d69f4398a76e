// What OpenSSL asks back during a handshake. Inside security/ only.
// Owner: set by Context, they find the Engine's part by SSL_get_app_data. Threads: the engine's.
#pragma once

#include <string>

#include "security/context_impl.hpp"

namespace tsplink::security {

/// What the callbacks know of an engine and tell it.
struct Handshake {
  const Context::Impl* context = nullptr;
  std::string host_name;  // client: as configured, without brackets or a final dot
  std::string refusal;    // why the peer was refused, the first reason
};

int verification_step(int good, X509_STORE_CTX* store);
/// Why this certificate is not admitted; empty: it is. `chain`: what was sent or found with it, or nullptr.
std::string judge_again(X509* certificate, STACK_OF(X509) * chain, const Context::Impl& context);
int keep_ticket(SSL* ssl, SSL_SESSION* session);
SSL_TICKET_RETURN judge_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char* key_name,
                               std::size_t key_name_size, SSL_TICKET_STATUS status, void* context);
int select_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void* context);
int require_protocol(SSL* ssl, int* alert, void* context);

/// Whether ALPN ended in tsplink/1.
bool agreed_on_protocol(const SSL* ssl);

}  // namespace tsplink::security
