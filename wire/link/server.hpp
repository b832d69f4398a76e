// A host's end of all its links: listens, refuses what is over a bound, names sessions.
// Owner: the host; the Reactor outlives it. Threads: each function says; the handler runs on the reactor's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "security/context.hpp"
#include "wire/channel.hpp"
#include "wire/link/limits.hpp"
#include "wire/link/reactor.hpp"

namespace tsplink::link {

/// All on the reactor's thread; must not block and must not throw.
class ServerHandler {
 public:
  virtual ~ServerHandler() = default;
  /// Empty: accept; else the sentence that the desktop gets for an answer.
  virtual std::string on_hello(const PeerInfo& desktop) = 0;
  virtual void on_up(SessionId session, const PeerInfo& desktop) = 0;
  virtual void on_message(SessionId session, wire::Buffer envelope) = 0;
  /// Once for each on_up().
  virtual void on_down(SessionId session, const std::string& reason) = 0;
};

class Server {
 public:
  /// Makes the socket. `bind_address`: numeric; empty or "*" for all. `port` 0: any free one.
  Server(Reactor& reactor, std::string bind_address, std::uint16_t port,
         std::shared_ptr<const security::Context> context, LocalInfo local, Limits limits, ServerHandler& handler);
  /// stop()
  ~Server();

  /// Any thread but the reactor's. Throws Failure(Configuration) when the port cannot be had.
  void start();
  /// The port that start() got.
  std::uint16_t port() const;
  /// Any thread but the reactor's: says Bye to all and waits for them, at most Limits::closing. The handler gets
  /// on_down() for each session, and nothing after this returned.
  void stop();
  /// Any thread: queues one envelope; dropped when the session is down. Throws Failure(TooLarge) over Limits::frame.
  void send(SessionId session, wire::Buffer envelope);
  /// Any thread: ends one session after what was sent before. `refused`: the desktop shall not come back soon.
  void close(SessionId session, std::string reason, bool refused = false);
  /// Any thread: the certificates for connections from now on. Ends those whose peer is not admitted by them.
  void set_context(std::shared_ptr<const security::Context> context);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tsplink::link
