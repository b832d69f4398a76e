#include "raw_peer.hpp"

#include <stdexcept>

namespace tsplink::security {
namespace {

void note_alert(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
    static_cast<RawPeer*>(SSL_get_app_data(ssl))->alert = value & 0xFF;
}

int select_first(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                 unsigned /*in_size*/, void* /*context*/) {
  *out = in + 1;
  *out_size = in[0];
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

RawPeer::RawPeer(Side side, const Options& options)
    : context(SSL_CTX_new(side == Side::Client ? TLS_client_method() : TLS_server_method())) {
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), options.newest);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_info_callback(context.get(), note_alert);
  if (options.identity != nullptr) {
    SSL_CTX_use_certificate(context.get(), options.identity->certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), options.identity->key.get());
  }
  if (!options.alpn.empty()) {
    SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                            static_cast<unsigned>(options.alpn.size()));
    SSL_CTX_set_alpn_select_cb(context.get(), select_first, nullptr);
  }
  ssl.reset(SSL_new(context.get()));
  SSL_set_app_data(ssl.get(), this);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  side == Side::Client ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
}

void RawPeer::run(Engine& engine) {
  for (int round = 0; round < 20; ++round) {
    const Bytes in = engine.take_output();
    if (!in.empty()) BIO_write(SSL_get_rbio(ssl.get()), in.data(), static_cast<int>(in.size()));
    char buffer[4096];
    SSL_read(ssl.get(), buffer, sizeof(buffer));
    errors += ErrorQueue::drain().text;
    Bytes out(BIO_ctrl_pending(SSL_get_wbio(ssl.get())));
    if (in.empty() && out.empty() && round > 0) return;
    if (!out.empty()) BIO_read(SSL_get_wbio(ssl.get()), out.data(), static_cast<int>(out.size()));
    engine.receive(out);
  }
  throw std::runtime_error("the handshake does not come to an end");
}

}  // namespace tsplink::security
