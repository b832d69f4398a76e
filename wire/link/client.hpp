// A desktop's end of a link: connects, and connects again by itself with back-off, until it is stopped.
// Owner: the proxy; the Reactor outlives it. Threads: each function says; the handler runs on the reactor's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "security/context.hpp"
#include "wire/channel.hpp"
#include "wire/link/limits.hpp"
#include "wire/link/reactor.hpp"

namespace tsplink::link {

struct Endpoint {
  std::string host;  // a name, or an IPv4 or IPv6 address; the host's certificate must carry it
  std::uint16_t port = 8643;
};

/// All on the reactor's thread; must not block and must not throw.
class ClientHandler {
 public:
  virtual ~ClientHandler() = default;
  /// The host accepted Hello: send() works from here to on_down().
  virtual void on_up(const PeerInfo& host) = 0;
  virtual void on_message(wire::Buffer envelope) = 0;
  /// The link ended, or an attempt failed (then without on_up before). `refused`: the host does not want this desktop
  /// before something was changed; it is asked again at the longest back-off only.
  virtual void on_down(const std::string& reason, bool refused) = 0;
};

class Client {
 public:
  Client(Reactor& reactor, Endpoint endpoint, std::shared_ptr<const security::Context> context, LocalInfo local,
         Limits limits, ClientHandler& handler);
  /// stop()
  ~Client();

  /// Any thread. Returns at once; the handler hears how it went.
  void start();
  /// Any thread: says Bye and waits until the host has it, at most Limits::closing. The handler is not called after
  /// this returned, and not for this. From the reactor's own thread it does not wait.
  void stop();
  /// Any thread: queues one envelope. False: the link is down and it was dropped. One that was queued can still be
  /// dropped when the link goes down. Throws Failure(TooLarge) over Limits::frame.
  bool send(wire::Buffer envelope);
  /// Any thread: the certificates for connections from now on; without one, the next is tried at once.
  void set_context(std::shared_ptr<const security::Context> context);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tsplink::link
