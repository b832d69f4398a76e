// One TLS connection as a state machine over memory: ciphertext in and out, plaintext in and out, no sockets.
// Owner: the link of one connection. Threads: one at a time; engines of one Context may run in different threads.
// After every call: send what take_output() gives, also when Failed (an alert tells the peer why) or Closed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "security/context.hpp"

namespace tsplink::security {

class Engine {
 public:
  enum class State {
    Handshaking,
    Open,    // the peer is authenticated (on the server: its certificate is verified)
    Closed,  // close_notify seen or sent
    Failed   // failure() says why; final
  };

  /// Client: `host_name` is the name or IP address that the peer's certificate must carry, also in brackets; it must
  /// not be empty. Server: leave it empty. Throws Error.
  explicit Engine(std::shared_ptr<const Context> context, std::string host_name = {});
  ~Engine();
  Engine(Engine&& other) noexcept;
  Engine& operator=(Engine&& other) noexcept;

  /// Client: produces the ClientHello. Server: nothing.
  State start();
  /// Bytes from the network, as many as there are. Never throws for bad bytes: the state becomes Failed.
  State receive(std::span<const std::uint8_t> ciphertext);

  bool has_output() const;
  /// Ciphertext to send: handshake, records, alerts.
  std::vector<std::uint8_t> take_output();
  /// What was decrypted so far, in order; all of it is authentic, also when the state is Failed by now.
  std::vector<std::uint8_t> take_plaintext();

  /// Puts one or more TLS records into the output. Only when Open: else nothing happens and the answer is false.
  bool send(std::span<const std::uint8_t> plaintext);
  /// Queues close_notify. Before Open the connection just ends.
  void close();
  /// The transport ended. Without close_notify from either side: Failed, "cut without close_notify".
  void end_of_stream();

  State state() const;
  /// One sentence for an administrator; empty unless Failed.
  const std::string& failure() const;
  /// The peer's certificate; null before Open.
  const PeerCertificate* peer() const;
  /// Why the peer would not be admitted by this context, which is newer than the engine's own; empty: it would be, or
  /// there is no peer yet. Of a resumed connection only the peer's own certificate is known, not those of
  /// intermediate authorities that it once sent.
  std::string objection(const Context& now) const;
  /// Whether a session ticket spared the certificates; valid once Open.
  bool resumed() const;
  /// New keys for what this side sends from now on. send() does it by itself long before AES-GCM's limit.
  void renew_keys();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tsplink::security
