#include "security/context.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>

#include "security/certificate_reader.hpp"
#include "security/context_impl.hpp"
#include "security/identity_loader.hpp"
#include "security/issuing.hpp"
#include "security/memory_bio.hpp"
#include "security/verification.hpp"

namespace tsplink::security {
namespace {

using namespace std::chrono_literals;

constexpr auto kExpiryWarning = std::chrono::hours(24 * 30);
constexpr long kTicketSeconds = 2 * 3600;
constexpr long kMaxPeerChain = 32 * 1024;  // bytes of certificates that a peer may send
constexpr int kMaxChainDepth = 8;

[[noreturn]] void fail(const std::string& sentence) { throw Error(sentence + ErrorQueue::drain().suffix()); }

void judge_own_certificate(const Identity& identity, const IdentityFiles& files, Context::Impl& context) {
  X509* certificate = identity.certificate.get();
  const std::string name = "own certificate \"" + subject_of(certificate) + "\" in " + files.certificate.string();
  const std::string end = time_text(X509_get0_notAfter(certificate));
  if (is_expired(certificate)) throw Error(name + " expired on " + end + ": issue a new one");
  if (is_not_yet_valid(certificate)) {
    throw Error(name + " is not yet valid, only from " + time_text(X509_get0_notBefore(certificate)) +
                " on: set this machine's clock right");
  }
  const bool server = context.side == Side::Server;
  if (X509_check_purpose(certificate, server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT, 0) != 1) {
    throw Error(name + " is not meant for a TLS " + (server ? "server" : "client") +
                " (extended key usage): issue one with " + (server ? "serverAuth" : "clientAuth"));
  }
  if (context.own.not_after - std::chrono::system_clock::now() < kExpiryWarning) {
    context.warnings.push_back(name + " expires on " + end + ": issue a new one before");
  }
}

bool is_of(const X509_CRL* list, const X509* authority) {
  return X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(authority)) == 0 &&
         X509_CRL_verify(const_cast<X509_CRL*>(list), X509_get0_pubkey(authority)) == 1;
}

/// What is trusted by itself, and the own certificate, are not looked up in revocation lists during a handshake.
bool is_revoked(const X509* certificate, const std::vector<CrlPtr>& lists) {
  return std::any_of(lists.begin(), lists.end(), [&](const CrlPtr& list) {
    X509_REVOKED* entry = nullptr;
    return X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_issuer_name(certificate)) == 0 &&
           X509_CRL_get0_by_cert(list.get(), &entry, const_cast<X509*>(certificate)) == 1;
  });
}

void judge_list(const X509_CRL* list, Context::Impl& context) {
  const auto now = std::chrono::system_clock::now();
  const auto* next = X509_CRL_get0_nextUpdate(list);
  const auto ends = next != nullptr ? time_of(next) : std::chrono::system_clock::time_point::max();
  const auto begins = time_of(X509_CRL_get0_lastUpdate(list));
  const auto authority = name_text(X509_CRL_get_issuer(list));
  context.revocations.push_back({authority, number_of(list), ends});
  const auto name = "the revocation list of \"" + authority + "\" in " + context.revocations_file;
  if (ends <= now) {
    context.warnings.push_back(name + " expired on " + describe(ends) +
                               ": put a new one there, or no peer of that authority is admitted");
  } else if (ends - now < std::min<std::chrono::system_clock::duration>(kExpiryWarning, (ends - begins) / 4)) {
    context.warnings.push_back(name + " ends on " + describe(ends) + ": put a new one there before");
  }
}

/// A list of somebody else's would admit nobody, without a word.
void judge_lists(const Identity& identity, Context::Impl& context) {
  const auto& lists = identity.revocations;
  if (lists.empty()) return;
  for (const CrlPtr& list : lists) judge_list(list.get(), context);
  std::vector<std::string> without;
  for (const CertificatePtr& authority : identity.authorities) {
    const auto of_it = [&](const CrlPtr& list) { return is_of(list.get(), authority.get()); };
    if (std::none_of(lists.begin(), lists.end(), of_it)) without.push_back(subject_of(authority.get()));
  }
  ERR_clear_error();
  if (without.size() == identity.authorities.size()) {
    throw Error("the revocation lists in " + context.revocations_file + " are of no authority in " +
                context.authority_file + ", so that nobody would be admitted: put the list of \"" + without.front() +
                "\" there, or the authority that made the list into the other file");
  }
  for (const auto& name : without) {
    context.warnings.push_back("there is no revocation list of \"" + name + "\" in " + context.revocations_file +
                               ": put it there, or no peer of that authority is admitted");
  }
  if (is_revoked(identity.certificate.get(), lists)) {
    context.warnings.push_back("own certificate \"" + context.own.subject +
                               "\" was revoked by its authority: issue a new one");
  }
}

void judge_trust(const Identity& identity, Context::Impl& context) {
  for (const CertificatePtr& authority : identity.authorities) {
    if (X509_check_ca(authority.get()) == 0) {
      context.warnings.push_back("\"" + subject_of(authority.get()) + "\" in " + context.authority_file +
                                 " is no authority's certificate: it admits whoever has it, and nobody else");
    }
    const auto end = time_of(X509_get0_notAfter(authority.get()));
    if (end == std::chrono::system_clock::time_point::max()) continue;
    if (end - std::chrono::system_clock::now() >= kExpiryWarning) continue;
    context.warnings.push_back("authority \"" + subject_of(authority.get()) + "\" in " + context.authority_file +
                               (is_expired(authority.get()) ? " expired on " : " expires on ") + describe(end) +
                               ": replace it, or no peer of it is admitted");
  }
  judge_lists(identity, context);
}

void use_identity(SSL_CTX* ssl, const Identity& identity, const IdentityFiles& files) {
  const std::string name =
      "certificate \"" + subject_of(identity.certificate.get()) + "\" in " + files.certificate.string();
  if (SSL_CTX_use_certificate(ssl, identity.certificate.get()) != 1) {
    fail(name + " is too weak or of an unusable kind: issue one with P-256 or with RSA of 2048 bits or more");
  }
  if (SSL_CTX_use_PrivateKey(ssl, identity.key.get()) != 1) fail("the key of " + name + " cannot be used");
  for (const CertificatePtr& issuer : identity.chain) {
    if (SSL_CTX_add1_chain_cert(ssl, issuer.get()) != 1) {
      fail("the issuer \"" + subject_of(issuer.get()) + "\" sent along with " + name + " cannot be used");
    }
  }
}

void use_trust(SSL_CTX* ssl, const Identity& identity, Context::Impl& context) {
  X509_STORE* store = SSL_CTX_get_cert_store(ssl);
  for (const CertificatePtr& authority : identity.authorities) {
    if (is_revoked(authority.get(), identity.revocations)) {
      context.warnings.push_back("authority \"" + subject_of(authority.get()) + "\" in " + context.authority_file +
                                 " was revoked and is not trusted: remove it");
      continue;
    }
    // All engines share this object: what OpenSSL reads out of it at first use is read now, by one thread.
    X509_check_purpose(authority.get(), -1, 0);
    if (X509_STORE_add_cert(store, authority.get()) != 1) fail("out of memory while loading the authorities");
  }
  // An authority file may name an intermediate authority only: then that one is what is trusted.
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  for (const CrlPtr& list : identity.revocations) {
    if (X509_STORE_add_crl(store, list.get()) != 1) fail("out of memory while loading the revocation list");
  }
  if (!identity.revocations.empty()) flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  if (X509_STORE_set_flags(store, flags) != 1) fail("out of memory while preparing TLS");
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verification_step);
  SSL_CTX_set_verify_depth(ssl, kMaxChainDepth);
}

void use_protocol(SSL_CTX* ssl, Context::Impl& context) {
  static constexpr unsigned char kAlpn[] = "\x09tsplink/1";
  SSL_CTX_set_security_level(ssl, 2);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_max_cert_list(ssl, kMaxPeerChain);
  SSL_CTX_set_timeout(ssl, kTicketSeconds);
  SSL_CTX_set_read_ahead(ssl, 0);
  bool good = SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
              SSL_CTX_set_ciphersuites(
                  ssl, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1;
  if (context.side == Side::Client) {
    good = good && SSL_CTX_set_alpn_protos(ssl, kAlpn, sizeof(kAlpn) - 1) == 0;
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, keep_ticket);
  } else {
    // Tickets carry everything, the server keeps nothing.
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    good = good && SSL_CTX_set_session_id_context(ssl, kAlpn, sizeof(kAlpn) - 1) == 1 &&
           SSL_CTX_set_num_tickets(ssl, 2) == 1 &&
           SSL_CTX_set_session_ticket_cb(ssl, nullptr, judge_ticket, nullptr) == 1;
    SSL_CTX_set_alpn_select_cb(ssl, select_protocol, nullptr);
    SSL_CTX_set_client_hello_cb(ssl, require_protocol, nullptr);
  }
  if (!good) fail("this OpenSSL cannot be set up for TLS 1.3: install OpenSSL 3.0 or later");
}

}  // namespace

Context::Context(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Context::~Context() = default;

std::shared_ptr<const Context> Context::load(Side side, const IdentityFiles& files) {
  // No openssl.cnf: what protects a telephony service must not depend on a file that is not its own. No end of
  // OpenSSL's own: on Windows the process would call it, even when this code is a module that was unloaded, and
  // before the threads that use it have ended.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  const Identity identity = load_identity(files);
  auto impl = std::make_unique<Impl>();
  impl->side = side;
  impl->own = read_certificate(identity.certificate.get());
  impl->authority_file = (files.authority.empty() ? files.certificate : files.authority).string();
  impl->revocations_file = files.revocations.string();
  judge_own_certificate(identity, files, *impl);
  judge_trust(identity, *impl);
  impl->bio_method = make_memory_method();
  ERR_clear_error();
  impl->ssl.reset(SSL_CTX_new(side == Side::Client ? TLS_client_method() : TLS_server_method()));
  if (impl->ssl == nullptr) fail("TLS cannot be prepared");
  use_protocol(impl->ssl.get(), *impl);
  use_identity(impl->ssl.get(), identity, files);
  use_trust(impl->ssl.get(), identity, *impl);
  ERR_clear_error();
  return std::make_shared<const Context>(std::move(impl));
}

Side Context::side() const { return impl_->side; }
const PeerCertificate& Context::own() const { return impl_->own; }
const std::vector<RevocationList>& Context::revocations() const { return impl_->revocations; }
const std::vector<std::string>& Context::warnings() const { return impl_->warnings; }

}  // namespace tsplink::security
