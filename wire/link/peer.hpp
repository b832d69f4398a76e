// One peer of a StreamSocket: its Connection, what the socket has not taken yet, its timer.
// Owner: Client or Server, by shared_ptr; the reactor holds one while the peer waits to be flushed.
// Threads: the reactor's.
#pragma once

#include <memory>

#include "wire/link/connection.hpp"
#include "wire/link/stream_socket.hpp"

namespace tsplink::link {

class Peer;
class ReactorCore;

class PeerOwner {
 public:
  virtual ~PeerOwner() = default;
  /// Once: the connection is over for its user. Called from the reactor's loop, never from inside another call of
  /// Peer.
  virtual void on_peer_ended(Peer& peer) = 0;
  /// Once, and last: nothing is left to send. The owner closes the socket's side and drops its reference.
  virtual void on_peer_gone(Peer& peer) = 0;
};

class Peer : public std::enable_shared_from_this<Peer> {
 public:
  Peer(ReactorCore& core, StreamSocket& socket, RoutingId id, PeerOwner& owner,
       std::shared_ptr<const Settings> settings, std::string address, SessionId session, ConnectionEvents& events);

  const RoutingId& id() const { return id_; }
  const Connection& connection() const { return connection_; }

  void on_bytes(std::span<const std::uint8_t> bytes);
  void on_disconnect();
  void post(wire::Buffer envelope);
  void close(const std::string& reason, bool refused);
  /// No event and no call of the owner after this.
  void detach();

  /// Asks the reactor to flush this peer at the end of its round.
  void touch();
  /// By the reactor: sends what is ready, tells the owner what has changed, sets the timer.
  void flush();

 private:
  enum class Stage { Alive, Ended, Gone };

  void send_ready(wire::TimePoint now);
  void settle(wire::TimePoint now);
  void set_timer(wire::TimePoint at);

  ReactorCore& core_;
  StreamSocket& socket_;
  const RoutingId id_;
  PeerOwner* owner_;
  Connection connection_;
  wire::Bytes unsent_;  // encrypted, refused by the socket
  wire::TimePoint retry_at_ = wire::TimePoint::max();
  wire::Duration retry_after_{};
  wire::TimePoint timer_at_ = wire::TimePoint::max();
  std::uint64_t timer_ = 0;  // the one that counts
  Stage stage_ = Stage::Alive;
  bool touched_ = false;
};

}  // namespace tsplink::link
