#include "wire/link/client.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <random>

#include "wire/failure.hpp"
#include "wire/link/reactor_core.hpp"

namespace tsplink::link {

/// Everything but send() and the waiting part of stop() runs on the reactor's thread.
class Client::Impl final : public SocketEvents,
                           public ConnectionEvents,
                           public PeerOwner,
                           public std::enable_shared_from_this<Client::Impl> {
 public:
  Impl(ReactorCore& core, Endpoint endpoint, Settings settings, ClientHandler& handler)
      : core_(core),
        endpoint_(std::move(endpoint)),
        settings_(std::make_shared<Settings>(std::move(settings))),
        handler_(&handler),
        back_off_(settings_->limits.back_off_first) {}

  ReactorCore& core() { return core_; }
  const Limits& limits() const { return limits_; }

  void begin() {
    if (started_) return;
    cut();
    started_ = true;
    resolve();
  }

  /// `gone` is set when the last bytes are out.
  void end(std::shared_ptr<std::promise<void>> gone) {
    started_ = false;
    ++attempt_;
    generation_ = 0;
    gone_ = std::move(gone);
    if (peer_) {
      peer_->close("the desktop is stopping", false);
    } else {
      leave();
    }
  }

  /// Cuts what end() has not finished in time.
  void cut() {
    if (peer_) peer_->detach();
    generation_ = 0;
    leave();
  }

  bool send(wire::Buffer envelope) {
    const auto generation = generation_.load();
    if (generation == 0) return false;
    core_.post([self = shared_from_this(), generation, envelope = std::move(envelope)]() mutable {
      // What was meant for an earlier link is not for this one.
      if (self->generation_ == generation && self->peer_) self->peer_->post(std::move(envelope));
    });
    return true;
  }

  void set_context(std::shared_ptr<const security::Context> context) {
    auto changed = std::make_shared<Settings>(*settings_);
    changed->context = std::move(context);
    settings_ = std::move(changed);
    // Perhaps what was there before is why there is no connection.
    back_off_ = settings_->limits.back_off_first;
    if (started_ && !connecting_ && !peer_) resolve();
  }

 private:
  // A chain of attempts; whatever belongs to an older one than attempt_ is ignored.
  void resolve() {
    const auto attempt = ++attempt_;
    core_.resolver().resolve(
        endpoint_.host, [weak = weak_from_this(), attempt, &core = core_](auto addresses, auto problem) {
          core.post([weak, attempt, addresses = std::move(addresses), problem = std::move(problem)]() mutable {
            const auto self = weak.lock();
            if (!self || self->attempt_ != attempt) return;
            if (addresses.empty()) {
              self->fail("the host name " + self->endpoint_.host + " cannot be resolved: " + problem, false);
            } else {
              self->connect(addresses[self->address_turn_++ % addresses.size()]);
            }
          });
        });
  }

  void connect(const std::string& address) {
    try {
      connecting_ = core_.connect(address, endpoint_.port, *this);
    } catch (const Failure& failure) {
      return fail(failure.what(), false);
    }
    core_.at(core_.now() + settings_->limits.connect, [weak = weak_from_this(), attempt = attempt_, address] {
      const auto self = weak.lock();
      if (!self || self->attempt_ != attempt || self->peer_) return;
      self->leave();
      self->fail("nothing answers at " + address + ": is the host's service running, and does a firewall let port " +
                     std::to_string(self->endpoint_.port) + " through?",
                 false);
    });
  }

  void on_connect(const RoutingId& id, const std::string&) override {
    if (peer_ || !started_) return;
    peer_ = std::make_shared<Peer>(core_, core_.client_socket(), id, *this, settings_, name(), 0, *this);
    peer_->touch();
  }

  void on_bytes(const RoutingId&, std::span<const std::uint8_t> bytes) override {
    if (peer_) peer_->on_bytes(bytes);
  }

  void on_disconnect(const RoutingId&) override {
    if (peer_) peer_->on_disconnect();
  }

  std::string on_hello(const PeerInfo&) override { return {}; }

  void on_up(const PeerInfo& host) override {
    if (!started_) return;
    up_since_ = core_.now();
    generation_ = attempt_;
    handler_->on_up(host);
  }

  void on_message(wire::Buffer envelope) override {
    if (started_) handler_->on_message(std::move(envelope));
  }

  void on_peer_ended(Peer& peer) override {
    generation_ = 0;
    if (!started_) return;
    const Connection& connection = peer.connection();
    if (connection.was_up() && core_.now() - up_since_ >= settings_->limits.dead_after) {
      back_off_ = settings_->limits.back_off_first;
    }
    fail_from_peer_ = true;
    ++attempt_;
    report(connection.reason(), connection.refused());
  }

  void on_peer_gone(Peer&) override {
    leave();
    if (started_ && fail_from_peer_) retry();
  }

  /// Gives the socket's side back.
  void leave() {
    if (connecting_) core_.disconnect(*connecting_);
    connecting_.reset();
    peer_.reset();
    if (gone_) gone_->set_value();
    gone_.reset();
  }

  void fail(const std::string& reason, bool refused) {
    ++attempt_;
    report(reason, refused);
    if (started_) retry();
  }

  void report(const std::string& reason, bool refused) {
    if (refused) back_off_ = settings_->limits.back_off_most;
    handler_->on_down(reason, refused);
  }

  void retry() {
    fail_from_peer_ = false;
    // Between half and all of it, so that a thousand desktops do not come back in the same moment.
    const double part = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
    const auto delay = std::chrono::duration_cast<wire::Duration>(back_off_ * part);
    back_off_ = std::min(back_off_ * 2, settings_->limits.back_off_most);
    core_.at(core_.now() + delay, [weak = weak_from_this(), attempt = attempt_] {
      const auto self = weak.lock();
      if (self && self->attempt_ == attempt && self->started_) self->resolve();
    });
  }

  std::string name() const { return endpoint_.host + ":" + std::to_string(endpoint_.port); }

  ReactorCore& core_;
  const Endpoint endpoint_;
  std::shared_ptr<const Settings> settings_;
  const Limits limits_ = settings_->limits;
  ClientHandler* const handler_;
  bool started_ = false;
  bool fail_from_peer_ = false;
  std::uint64_t attempt_ = 0;
  std::size_t address_turn_ = 0;
  std::optional<ReactorCore::Connecting> connecting_;
  std::shared_ptr<Peer> peer_;
  std::shared_ptr<std::promise<void>> gone_;
  wire::Duration back_off_;
  wire::TimePoint up_since_;
  std::mt19937 random_{std::random_device{}()};
  std::atomic<std::uint64_t> generation_{0};  // of the link that is up; 0: none
};

Client::Client(Reactor& reactor, Endpoint endpoint, std::shared_ptr<const security::Context> context, LocalInfo local,
               Limits limits, ClientHandler& handler) {
  Settings settings{Role::Client, std::move(context), endpoint.host, std::move(local), limits};
  impl_ = std::make_shared<Impl>(reactor.core(), std::move(endpoint), std::move(settings), handler);
}

Client::~Client() {
  stop();
  impl_->core().run([&] { impl_->cut(); });
}

void Client::start() {
  impl_->core().post([impl = impl_] { impl->begin(); });
}

void Client::stop() {
  ReactorCore& core = impl_->core();
  const auto gone = std::make_shared<std::promise<void>>();
  auto done = gone->get_future();
  core.run([&] { impl_->end(gone); });
  if (!core.on_thread() && core.running()) {
    // Real time: a clock that a test moves must not make this hang.
    done.wait_for(impl_->limits().closing + std::chrono::milliseconds(500));
  }
  if (!core.on_thread()) core.run([&] { impl_->cut(); });
}

bool Client::send(wire::Buffer envelope) {
  if (envelope->size() > impl_->limits().frame) {
    throw Failure(Kind::TooLarge, "a message of " + std::to_string(envelope->size()) +
                                      " bytes is over the frame limit of " + std::to_string(impl_->limits().frame) +
                                      " bytes");
  }
  return impl_->send(std::move(envelope));
}

void Client::set_context(std::shared_ptr<const security::Context> context) {
  impl_->core().run([&] { impl_->set_context(context); });
}

}  // namespace tsplink::link
