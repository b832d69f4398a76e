#include "wire/link/server.hpp"

#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <future>
#include <random>

#include "wire/failure.hpp"
#include "wire/link/platform.hpp"
#include "wire/link/reactor_core.hpp"

namespace tsplink::link {

namespace {
constexpr std::size_t kFilesForOthers = 128;  // of the process's open files, not for connections
constexpr auto kLogPause = std::chrono::seconds(1);
constexpr std::size_t kLoggedReasons = 8;  // within that pause
constexpr int kBindTries = 10;             // a server that was just stopped gives its port back a little later
constexpr auto kBindPause = std::chrono::milliseconds(50);
}  // namespace

/// Everything runs on the reactor's thread, but what Server's functions below do themselves.
class Server::Impl final : public SocketEvents, public PeerOwner, public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(ReactorCore& core, Settings settings, ServerHandler& handler)
      : core_(core),
        settings_(std::make_shared<Settings>(std::move(settings))),
        handler_(handler),
        socket_(core.new_socket()) {
    core_.run([this] { core_.add_socket(*socket_, *this); });
  }
  ~Impl() override {
    core_.run([this] { core_.remove_socket(*socket_); });
  }

  ReactorCore& core() { return core_; }
  const Limits& limits() const { return limits_; }

  int bind(const std::string& endpoint) {
    endpoint_ = endpoint;
    const int error = socket_->bind(endpoint_);
    if (error != 0) return error;
    listening_ = true;
    port_ = static_cast<std::uint16_t>(std::stoul(endpoint_.substr(endpoint_.rfind(':') + 1)));
    const std::size_t files = open_file_bound();
    most_ = limits_.connections;
    if (files != SIZE_MAX && most_ + kFilesForOthers > files) {
      most_ = files > 2 * kFilesForOthers ? files - kFilesForOthers : files / 2;
      core_.log(Level::Warning, "at most " + std::to_string(most_) +
                                    " connections are accepted, since this process can have only " +
                                    std::to_string(files) + " files and sockets open: raise that limit if it can be");
    }
    return 0;
  }

  std::uint16_t port() const { return port_; }

  void end(std::shared_ptr<std::promise<void>> gone) {
    if (!listening_) return gone->set_value();
    stopping_ = true;
    gone_ = std::move(gone);
    for (const auto& [id, desk] : std::unordered_map(desks_)) desk->peer->close("the host is stopping", false);
    if (desks_.empty()) leave();
  }

  /// Cuts what end() has not finished in time.
  void cut() {
    for (const auto& [id, desk] : std::unordered_map(desks_)) {
      if (sessions_.erase(desk->session) != 0) handler_.on_down(desk->session, "the host is stopping");
      desk->peer->detach();
      socket_->drop(id);
    }
    desks_.clear();
    by_address_.clear();
    unauthenticated_ = 0;
    leave();
  }

  void send(SessionId session, wire::Buffer envelope) {
    if (const auto found = sessions_.find(session); found != sessions_.end()) {
      found->second->peer->post(std::move(envelope));
    }
  }

  void close(SessionId session, const std::string& reason, bool refused) {
    if (const auto found = sessions_.find(session); found != sessions_.end()) {
      found->second->peer->close(reason, refused);
    }
  }

  void set_context(std::shared_ptr<const security::Context> context) {
    auto changed = std::make_shared<Settings>(*settings_);
    changed->context = std::move(context);
    settings_ = std::move(changed);
    for (const auto& [id, desk] : std::unordered_map(desks_)) {
      if (!sessions_.contains(desk->session)) {
        desk->peer->close("the host has new certificates; connect again", false);  // it began with the old ones
      } else if (const auto why = desk->peer->connection().objection(*settings_->context); !why.empty()) {
        desk->peer->close("the host has new certificates, and by them " + why, true);
      }
    }
  }

 private:
  /// One desktop's connection; hands its events on with the session's name.
  struct Desk final : ConnectionEvents {
    Desk(Impl& server_, std::string address_, SessionId session_)
        : server(server_), address(std::move(address_)), session(session_) {}
    std::string on_hello(const PeerInfo& info) override { return server.handler_.on_hello(info); }
    void on_up(const PeerInfo& info) override { server.on_up(*this, info); }
    void on_message(wire::Buffer envelope) override { server.handler_.on_message(session, std::move(envelope)); }

    Impl& server;
    const std::string address;
    const SessionId session;
    bool authenticated = false;
    std::shared_ptr<Peer> peer;
  };

  void on_connect(const RoutingId& id, const std::string& address) override {
    const std::string refusal = over_bounds(address);
    if (!refusal.empty()) {
      socket_->drop(id);
      return log_refusal(address, refusal);
    }
    const auto desk = std::make_shared<Desk>(*this, address, new_session());
    desk->peer = std::make_shared<Peer>(core_, *socket_, id, *this, settings_, address, desk->session, *desk);
    desks_[id] = desk;
    ++unauthenticated_;
    ++by_address_[address];
    desk->peer->touch();
  }

  std::string over_bounds(const std::string& address) const {
    if (stopping_) return "the host is stopping";
    if (desks_.size() >= most_) return "there are " + std::to_string(most_) + " connections already";
    if (unauthenticated_ >= limits_.unauthenticated) {
      return "there are " + std::to_string(unauthenticated_) + " connections already that have not said who they are";
    }
    const auto same = by_address_.find(address);
    if (same != by_address_.end() && same->second >= limits_.unauthenticated_by_address) {
      return "it has " + std::to_string(same->second) + " connections already that have not said who they are";
    }
    return {};
  }

  void on_bytes(const RoutingId& id, std::span<const std::uint8_t> bytes) override {
    if (const auto found = desks_.find(id); found != desks_.end()) found->second->peer->on_bytes(bytes);
  }

  void on_disconnect(const RoutingId& id) override {
    if (const auto found = desks_.find(id); found != desks_.end()) found->second->peer->on_disconnect();
  }

  void on_up(Desk& desk, const PeerInfo& info) {
    forget_unauthenticated(desk);
    sessions_[desk.session] = &desk;
    handler_.on_up(desk.session, info);
  }

  void on_peer_ended(Peer& peer) override {
    const auto found = desks_.find(peer.id());
    if (found == desks_.end()) return;
    Desk& desk = *found->second;
    const Connection& connection = peer.connection();
    if (sessions_.erase(desk.session) != 0) {
      handler_.on_down(desk.session, connection.reason());
    } else {
      log_refusal(describe(desk, connection.peer()), connection.reason());
    }
  }

  void on_peer_gone(Peer& peer) override {
    const auto found = desks_.find(peer.id());
    if (found == desks_.end()) return;
    forget_unauthenticated(*found->second);
    socket_->drop(peer.id());
    desks_.erase(found);
    if (stopping_ && desks_.empty()) leave();
  }

  void forget_unauthenticated(Desk& desk) {
    if (desk.authenticated) return;
    desk.authenticated = true;
    --unauthenticated_;
    const auto same = by_address_.find(desk.address);
    if (same != by_address_.end() && --same->second == 0) by_address_.erase(same);
  }

  void leave() {
    // Only now: ZeroMQ ends accepted connections together with their listener.
    if (listening_) socket_->unbind(endpoint_);
    listening_ = stopping_ = false;
    if (gone_) gone_->set_value();
    gone_.reset();
  }

  /// The same reason at most once a second, and few reasons: a flood of connections must not become a flood of lines.
  void log_refusal(const std::string& who, const std::string& why) {
    const auto now = core_.now();
    std::erase_if(logged_, [&](const auto& one) { return now - one.second >= kLogPause; });
    if (logged_.size() == kLoggedReasons || !logged_.emplace(why, now).second) {
      ++unlogged_;
      return;
    }
    std::string more;
    if (unlogged_ != 0) more = " (and " + std::to_string(unlogged_) + " more since the last such line)";
    unlogged_ = 0;
    core_.log(Level::Warning, "refused " + who + ": " + why + more);
  }

  static std::string describe(const Desk& desk, const PeerInfo& info) {
    std::string text = desk.address;
    if (!info.machine.empty()) text += ", machine " + info.machine;
    if (!info.certificate.subject.empty()) text += ", certificate " + info.certificate.subject;
    return text;
  }

  SessionId new_session() {
    for (;;) {
      const SessionId session = std::uniform_int_distribution<SessionId>(1)(random_);
      if (!sessions_.contains(session)) return session;
    }
  }

  ReactorCore& core_;
  std::shared_ptr<const Settings> settings_;
  const Limits limits_ = settings_->limits;
  ServerHandler& handler_;
  std::unique_ptr<StreamSocket> socket_;
  std::string endpoint_;
  std::atomic<std::uint16_t> port_{0};
  std::size_t most_ = 0;
  bool listening_ = false;
  bool stopping_ = false;
  std::unordered_map<RoutingId, std::shared_ptr<Desk>> desks_;
  std::unordered_map<SessionId, Desk*> sessions_;
  std::unordered_map<std::string, std::size_t> by_address_;  // unauthenticated ones
  std::size_t unauthenticated_ = 0;
  std::shared_ptr<std::promise<void>> gone_;
  std::random_device random_;
  std::unordered_map<std::string, wire::TimePoint> logged_;  // why somebody was refused, and when that was said
  std::size_t unlogged_ = 0;
  friend class Server;
  std::string asked_address_;
  std::uint16_t asked_port_ = 0;
};

Server::Server(Reactor& reactor, std::string bind_address, std::uint16_t port,
               std::shared_ptr<const security::Context> context, LocalInfo local, Limits limits,
               ServerHandler& handler) {
  Settings settings{Role::Server, std::move(context), {}, std::move(local), limits};
  impl_ = std::make_shared<Impl>(reactor.core(), std::move(settings), handler);
  impl_->asked_address_ = bind_address.empty() ? "*" : std::move(bind_address);
  impl_->asked_port_ = port;
}

Server::~Server() { stop(); }

void Server::start() {
  const std::string where = impl_->asked_address_ == "*" ? "all addresses" : impl_->asked_address_;
  const std::string port = impl_->asked_port_ == 0 ? "*" : std::to_string(impl_->asked_port_);
  int error = 0;
  for (int attempt = 0; attempt < kBindTries; ++attempt) {
    if (attempt != 0) std::this_thread::sleep_for(kBindPause);
    impl_->core().run([&] { error = impl_->bind("tcp://" + impl_->asked_address_ + ":" + port); });
    if (error == 0) return;
    if (error != EADDRINUSE) break;
  }
  if (error == EADDRINUSE) {
    throw Failure(Kind::Configuration, "port " + port + " on " + where +
                                           " is in use: stop the other program, or choose "
                                           "another port in the host's configuration");
  }
  throw Failure(Kind::Configuration, "the host cannot listen on port " + port + " of " + where + " (" +
                                         zmq_strerror(error) + "): check address and port in its configuration");
}

std::uint16_t Server::port() const { return impl_->port(); }

void Server::stop() {
  ReactorCore& core = impl_->core();
  const auto gone = std::make_shared<std::promise<void>>();
  auto done = gone->get_future();
  core.run([&] { impl_->end(gone); });
  if (!core.on_thread() && core.running()) {
    // Real time: a clock that a test moves must not make this hang.
    done.wait_for(impl_->limits().closing + std::chrono::milliseconds(500));
  }
  core.run([&] { impl_->cut(); });
}

void Server::send(SessionId session, wire::Buffer envelope) {
  if (envelope->size() > impl_->limits().frame) {
    throw Failure(Kind::TooLarge, "a message of " + std::to_string(envelope->size()) +
                                      " bytes is over the frame limit of " + std::to_string(impl_->limits().frame) +
                                      " bytes");
  }
  impl_->core().post([weak = std::weak_ptr(impl_), session, envelope = std::move(envelope)] {
    if (const auto self = weak.lock()) self->send(session, envelope);
  });
}

void Server::close(SessionId session, std::string reason, bool refused) {
  impl_->core().post([weak = std::weak_ptr(impl_), session, reason = std::move(reason), refused] {
    if (const auto self = weak.lock()) self->close(session, reason, refused);
  });
}

void Server::set_context(std::shared_ptr<const security::Context> context) {
  impl_->core().run([&] { impl_->set_context(context); });
}

}  // namespace tsplink::link
