// One connection without its socket: TLS engine, frame splitter, Hello and Welcome, session, heartbeats, orderly
// close. Bytes and times go in, bytes and the next deadline come out, so that every rule is tested in memory. Owner:
// Peer (wire/link/peer.hpp), or a test. Threads: one at a time; events are called from receive() and tick().
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "security/engine.hpp"
#include "wire/frame.hpp"
#include "wire/link/limits.hpp"
#include "wire/link/session.hpp"

namespace tsplink::link {

enum class Role { Client, Server };

/// What all connections of one Client or Server share.
struct Settings {
  Role role = Role::Server;
  std::shared_ptr<const security::Context> context;
  std::string host_name;  // client: what the host's certificate must carry
  LocalInfo local;
  Limits limits;
};

class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  /// Server: empty to accept, else the sentence for Bye. Never called for a client.
  virtual std::string on_hello(const PeerInfo& peer) = 0;
  virtual void on_up(const PeerInfo& peer) = 0;
  virtual void on_message(wire::Buffer envelope) = 0;
};

class Connection {
 public:
  /// `session`: the server's name for it; a client learns it from Welcome. `events` outlives the connection or its
  /// detach().
  Connection(std::shared_ptr<const Settings> settings, std::string address, SessionId session,
             ConnectionEvents& events, wire::TimePoint now);

  void receive(std::span<const std::uint8_t> bytes, wire::TimePoint now);
  /// The socket is gone; nothing can be sent any more.
  void socket_ended();
  void tick(wire::TimePoint now);
  /// When tick() has something to do; TimePoint::max() when finished.
  wire::TimePoint deadline() const;

  /// Queues one envelope, once up. A breach of a bound ends the connection instead of throwing.
  void post(wire::Buffer envelope, wire::TimePoint now);
  /// Ends it in order: what was posted goes first, then Bye and close_notify.
  void close(const std::string& reason, bool refused, wire::TimePoint now);
  /// No event is called after this.
  void detach() { events_ = nullptr; }

  bool has_output() const;
  /// Bytes for the socket: every frame that is ready, up to about `budget` bytes, in as few TLS records as possible.
  wire::Bytes take_output(wire::TimePoint now, std::size_t budget = 64 * 1024);
  /// The socket refuses output, or takes it again.
  void set_blocked(bool blocked, wire::TimePoint now);

  bool up() const { return phase_ == Phase::Open; }
  /// Whether the other side was ever accepted.
  bool was_up() const { return was_up_; }
  /// Over for its user; reason() says why. The socket may be needed a little longer, until finished().
  bool ended() const { return phase_ >= Phase::Closing; }
  bool finished() const { return phase_ == Phase::Closed; }
  const std::string& reason() const { return reason_; }
  /// The other side does not want us back before something was changed.
  bool refused() const { return refused_; }
  const PeerInfo& peer() const { return peer_; }
  /// Why its peer's certificate is not admitted by newer certificates of this side; empty: it is.
  std::string objection(const security::Context& now) const { return engine_ ? engine_->objection(now) : ""; }
  const Session* session() const { return session_.get(); }

 private:
  enum class Phase { Handshake, Hello, Open, Closing, Closed };
  enum class Farewell { No, AfterPosted, AtOnce };  // whether a Bye goes out, and whether what was posted goes first

  bool is_client() const { return settings_->role == Role::Client; }
  const Limits& limits() const { return settings_->limits; }
  const char* other() const { return is_client() ? "host" : "desktop"; }
  void make_engine();
  void on_tls_up(wire::TimePoint now);
  void open(wire::TimePoint now);
  void handle_frames(wire::TimePoint now);
  void handle(const wire::Frame& frame, wire::TimePoint now);
  void handle_first(const wire::Frame& frame, wire::TimePoint now);
  void handle_hello(const wire::Bytes& envelope, wire::TimePoint now);
  void handle_welcome(const wire::Bytes& envelope, wire::TimePoint now);
  void handle_open(const wire::Frame& frame, wire::TimePoint now);
  void judge_engine(wire::TimePoint now);
  void tick_open(wire::TimePoint now);
  wire::TimePoint next_ping() const;
  void queue(wire::Buffer control);
  void append(wire::Bytes& out, const wire::Bytes& envelope, std::uint64_t sequence) const;
  wire::Bytes ready_frames(std::size_t budget, wire::TimePoint now);
  void begin_close(const std::string& reason, bool refused, Farewell farewell, wire::TimePoint now);
  void end_here(const std::string& reason, bool refused);

  const std::shared_ptr<const Settings> settings_;
  ConnectionEvents* events_;
  std::optional<security::Engine> engine_;  // a server's is made on the first bytes
  wire::Splitter splitter_;
  std::unique_ptr<Session> session_;  // once open
  std::deque<wire::Buffer> control_;  // unnumbered, sent before what the session has
  wire::Buffer bye_;

  Phase phase_ = Phase::Handshake;
  bool drop_posted_ = false;
  bool was_up_ = false;
  bool refused_ = false;
  std::string reason_;
  PeerInfo peer_;
  std::uint32_t peer_frame_;

  wire::TimePoint phase_deadline_;
  wire::TimePoint heard_at_;
  wire::TimePoint spoke_at_;  // when the last frame was put out
  wire::TimePoint pinged_at_;
  wire::TimePoint blocked_at_ = wire::TimePoint::max();
};

}  // namespace tsplink::link
