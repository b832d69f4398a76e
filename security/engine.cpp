#include "security/engine.hpp"

#include <openssl/err.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "security/certificate_reader.hpp"
#include "security/explain.hpp"
#include "security/memory_bio.hpp"
#include "security/verification.hpp"

namespace tsplink::security {
namespace {

constexpr std::size_t kMaxHandshakeInput = 64 * 1024;
// RFC 8446 5.5 allows 2^24.5 full records with one AES-GCM key.
constexpr std::uint64_t kRecordsOfOneKey = 1U << 22U;
// A new key costs some 20 us; nobody needs more of them than these, and one more for each so many bytes.
constexpr std::uint64_t kKeyUpdates = 32;
constexpr std::uint64_t kBytesOfKeyUpdate = 1U << 20U;

std::string canonical_host_name(std::string name) {
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  if (name.empty()) throw Error("no host name is configured: name the one that the host's certificate carries");
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
  // A leading dot would mean "any subdomain" to OpenSSL.
  if (name.front() == '.' || name.size() > 253 || name.find_first_not_of(kAllowed) != std::string::npos) {
    throw Error("\"" + name +
                "\" is not a host name or address: correct it (international names in their xn-- form)");
  }
  return name;
}

}  // namespace

struct Engine::Impl {
  // Destroyed from the end: ssl goes first, the context, whose method table its BIO needs, last.
  std::shared_ptr<const Context> context;
  MemoryChannel channel;
  Handshake handshake;
  SslPtr ssl;
  State state = State::Handshaking;
  std::string failure;
  std::optional<PeerCertificate> peer;
  std::vector<std::uint8_t> plaintext;
  std::array<std::uint8_t, 5> first_bytes{};  // as many as a record's header has
  std::size_t first_count = 0;
  std::uint64_t records = 0;
  bool peer_closed = false;

  Impl(std::shared_ptr<const Context> shared, std::string host_name);
  ~Impl();
  void expect_host(const std::string& name);
  void note_first_bytes(std::span<const std::uint8_t> bytes);
  bool is_not_tls() const;
  void fail(std::string sentence);
  void fail_by_openssl();
  void fail_as_not_tls(const ErrorQueue& errors);
  void advance();
  void finish_handshake();
  void read_records();
  void close_by_peer();
  static void on_message(int sent, int version, int type, const void* bytes, std::size_t size, SSL*, void* self);

  std::uint64_t received = 0;     // bytes of ciphertext
  std::uint64_t key_updates = 0;  // messages of the peer
};

Engine::Impl::Impl(std::shared_ptr<const Context> shared, std::string host_name) : context(std::move(shared)) {
  const Context::Impl& with = context->impl();
  handshake.context = &with;
  channel.allowance = kMaxHandshakeInput;
  ERR_clear_error();
  ssl.reset(SSL_new(with.ssl.get()));
  if (ssl == nullptr) throw Error("out of memory while preparing a TLS connection" + ErrorQueue::drain().suffix());
  BIO* bio = new_memory_bio(with.bio_method.get(), channel).release();
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_app_data(ssl.get(), &handshake);
  SSL_set_msg_callback(ssl.get(), on_message);
  SSL_set_msg_callback_arg(ssl.get(), this);
  if (with.side == Side::Server) {
    SSL_set_accept_state(ssl.get());
    return;
  }
  SSL_set_connect_state(ssl.get());
  handshake.host_name = canonical_host_name(std::move(host_name));
  expect_host(handshake.host_name);
  if (const SslSessionPtr ticket = with.tickets.take(handshake.host_name)) SSL_set_session(ssl.get(), ticket.get());
  ERR_clear_error();
}

Engine::Impl::~Impl() {
  // Without a shutdown state, freeing would declare the session bad and its tickets void.
  SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void Engine::Impl::expect_host(const std::string& name) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1) return;
  ERR_clear_error();
  if (X509_VERIFY_PARAM_set1_host(rules, name.c_str(), name.size()) != 1 ||
      SSL_set_tlsext_host_name(ssl.get(), name.c_str()) != 1) {
    throw Error("\"" + name + "\" is not a host name: correct it" + ErrorQueue::drain().suffix());
  }
}

void Engine::Impl::note_first_bytes(std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size() && first_count < first_bytes.size(); ++i) {
    first_bytes[first_count++] = bytes[i];
  }
}

/// TLS begins with a handshake record, or an alert in answer to ours, of version 3.x.
bool Engine::Impl::is_not_tls() const {
  if (first_count == 0) return false;
  const bool record = first_bytes[0] == SSL3_RT_HANDSHAKE || first_bytes[0] == SSL3_RT_ALERT;
  return !record || (first_count > 1 && first_bytes[1] != 3);
}

void Engine::Impl::fail(std::string sentence) {
  state = State::Failed;
  failure = std::move(sentence);
  channel.input = {};
}

void Engine::Impl::fail_as_not_tls(const ErrorQueue& errors) {
  const std::string_view begin(reinterpret_cast<const char*>(first_bytes.data()), first_count);
  bool http = false;
  for (const std::string_view word : {"HTTP/", "GET /", "POST ", "HEAD ", "PUT /", "OPTIO", "CONNE"})
    http |= begin == word;
  fail(std::string("what the peer sent is not TLS") + (http ? " but HTTP" : "") +
       ": is the port right on both sides?" + errors.suffix());
}

void Engine::Impl::fail_by_openssl() {
  const ErrorQueue errors = ErrorQueue::drain();
  const bool handshaking = state == State::Handshaking;
  if (handshaking && handshake.refusal.empty() && is_not_tls()) return fail_as_not_tls(errors);
  if (channel.allowance_exceeded) {
    fail("the peer sent more than 64 KiB without ending the TLS handshake: it is no tsplink program, or an attack");
  } else if (!handshake.refusal.empty()) {
    fail(handshake.refusal + errors.suffix());
  } else {
    fail(explain_errors(errors, *handshake.context, handshaking));
  }
}

void Engine::Impl::advance() {
  if (state == State::Handshaking) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl.get());
    if (result == 1) {
      finish_handshake();
    } else {
      const int error = SSL_get_error(ssl.get(), result);
      if (error == SSL_ERROR_WANT_READ) return;
      if (error == SSL_ERROR_ZERO_RETURN) {
        fail("the peer closed the connection during the TLS handshake: its log says why");
      } else {
        fail_by_openssl();
      }
    }
  }
  if (state == State::Open || (state == State::Closed && !peer_closed)) read_records();
}

void Engine::Impl::finish_handshake() {
  const std::unique_ptr<X509, Deleter<X509_free>> certificate(SSL_get1_peer_certificate(ssl.get()));
  // OpenSSL has checked all this; a mistake in setting it up must not go unnoticed.
  const long verified = SSL_get_verify_result(ssl.get());
  if (certificate == nullptr || verified != X509_V_OK || SSL_version(ssl.get()) != TLS1_3_VERSION) {
    return fail(std::string("the peer is not authenticated: ") + (certificate == nullptr
                                                                      ? "no certificate was sent by the peer"
                                                                      : X509_verify_cert_error_string(verified)));
  }
  if (!agreed_on_protocol(ssl.get())) {
    SSL_shutdown(ssl.get());
    return fail(std::string("the peer did not agree on the protocol ") + kProtocolName +
                ": is this the port of a tsplink host?");
  }
  peer = read_certificate(certificate.get());
  channel.allowance = SIZE_MAX;
  state = State::Open;
}

void Engine::Impl::read_records() {
  std::array<std::uint8_t, SSL3_RT_MAX_PLAIN_LENGTH>
      buffer;  // NOLINT: filled by OpenSSL, not worth zeroing each time
  while (!channel.input.empty() || SSL_has_pending(ssl.get()) == 1) {
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl.get(), buffer.data(), buffer.size(), &count);
    if (key_updates > kKeyUpdates + received / kBytesOfKeyUpdate) {
      return fail("the peer changes its keys without end, which costs this side more than it: it is an attack");
    }
    if (result == 1) {
      plaintext.insert(plaintext.end(), buffer.data(), buffer.data() + count);
      continue;
    }
    const int error = SSL_get_error(ssl.get(), result);
    if (error == SSL_ERROR_WANT_READ) return;
    return error == SSL_ERROR_ZERO_RETURN ? close_by_peer() : fail_by_openssl();
  }
}

void Engine::Impl::on_message(int sent, int, int type, const void* bytes, std::size_t size, SSL*, void* self) {
  if (sent == 0 && type == SSL3_RT_HANDSHAKE && size > 0 &&
      *static_cast<const std::uint8_t*>(bytes) == SSL3_MT_KEY_UPDATE) {
    ++static_cast<Impl*>(self)->key_updates;
  }
}

void Engine::Impl::close_by_peer() {
  peer_closed = true;
  channel.input = {};
  // Answered at once, so that the peer too sees an orderly end.
  if (state == State::Open) SSL_shutdown(ssl.get());
  state = State::Closed;
  ERR_clear_error();
}

Engine::Engine(std::shared_ptr<const Context> context, std::string host_name)
    : impl_(std::make_unique<Impl>(std::move(context), std::move(host_name))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&& other) noexcept = default;
Engine& Engine::operator=(Engine&& other) noexcept = default;

Engine::State Engine::start() {
  if (impl_->context->side() == Side::Client && impl_->state == State::Handshaking) impl_->advance();
  return impl_->state;
}

Engine::State Engine::receive(std::span<const std::uint8_t> ciphertext) {
  Impl& self = *impl_;
  if (self.state == State::Failed || self.peer_closed || ciphertext.empty()) return self.state;
  if (self.first_count < self.first_bytes.size()) self.note_first_bytes(ciphertext);
  self.received += ciphertext.size();
  self.channel.input = ciphertext;
  self.advance();
  self.channel.input = {};
  // Bytes that pass for the length of a huge old-style record would be waited for in vain.
  const bool header_complete = self.first_count == self.first_bytes.size();
  if (self.state == State::Handshaking && header_complete && self.is_not_tls()) self.fail_as_not_tls({});
  return self.state;
}

bool Engine::has_output() const { return !impl_->channel.output.empty(); }
std::vector<std::uint8_t> Engine::take_output() { return std::exchange(impl_->channel.output, {}); }
std::vector<std::uint8_t> Engine::take_plaintext() { return std::exchange(impl_->plaintext, {}); }

bool Engine::send(std::span<const std::uint8_t> bytes) {
  Impl& self = *impl_;
  if (self.state != State::Open) return false;
  if (bytes.empty()) return true;
  self.records += bytes.size() / SSL3_RT_MAX_PLAIN_LENGTH + 1;
  if (self.records > kRecordsOfOneKey) renew_keys();
  std::size_t written = 0;
  ERR_clear_error();
  // The output always takes everything, so that this writes all or fails.
  if (SSL_write_ex(self.ssl.get(), bytes.data(), bytes.size(), &written) == 1) return true;
  self.fail_by_openssl();
  return false;
}

void Engine::close() {
  Impl& self = *impl_;
  if (self.state == State::Open) {
    ERR_clear_error();
    SSL_shutdown(self.ssl.get());
    ERR_clear_error();
  }
  if (self.state == State::Handshaking) self.peer_closed = true;  // nothing that comes now matters
  if (self.state != State::Failed) self.state = State::Closed;
}

void Engine::end_of_stream() {
  Impl& self = *impl_;
  if (self.state == State::Handshaking && self.is_not_tls()) {
    self.fail_as_not_tls({});
  } else if (self.state == State::Handshaking) {
    self.fail(
        self.first_count == 0
            ? "the connection ended before the peer sent anything: is it a tsplink program, and did it refuse?"
            : "the connection was cut without close_notify during the TLS handshake: the peer's log may say why");
  } else if (self.state == State::Open) {
    self.fail("the connection was cut without close_notify: the network or the peer's program broke off");
  }
}

Engine::State Engine::state() const { return impl_->state; }
const std::string& Engine::failure() const { return impl_->failure; }
const PeerCertificate* Engine::peer() const { return impl_->peer ? &*impl_->peer : nullptr; }
std::string Engine::objection(const Context& now) const {
  if (impl_->peer == std::nullopt) return {};
  ERR_clear_error();
  auto sentence =
      judge_again(SSL_get0_peer_certificate(impl_->ssl.get()), SSL_get0_verified_chain(impl_->ssl.get()), now.impl());
  ERR_clear_error();
  return sentence;
}
bool Engine::resumed() const { return SSL_session_reused(impl_->ssl.get()) == 1; }

void Engine::renew_keys() {
  if (impl_->state != State::Open) return;
  SSL_key_update(impl_->ssl.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
  impl_->records = 0;
  ERR_clear_error();
}

}  // namespace tsplink::security
