#include "wire/link/peer.hpp"

#include <algorithm>

#include "wire/link/reactor_core.hpp"

namespace tsplink::link {

namespace {
// ZMQ_POLLOUT says nothing about one peer: a full one is tried again by time.
constexpr auto kRetryFirst = std::chrono::milliseconds(1);
constexpr auto kRetryMost = std::chrono::milliseconds(50);
}  // namespace

Peer::Peer(ReactorCore& core, StreamSocket& socket, RoutingId id, PeerOwner& owner,
           std::shared_ptr<const Settings> settings, std::string address, SessionId session, ConnectionEvents& events)
    : core_(core),
      socket_(socket),
      id_(std::move(id)),
      owner_(&owner),
      connection_(std::move(settings), std::move(address), session, events, core.now()) {}

void Peer::on_bytes(std::span<const std::uint8_t> bytes) {
  connection_.receive(bytes, core_.now());
  touch();
}

void Peer::on_disconnect() {
  connection_.socket_ended();
  touch();
}

void Peer::post(wire::Buffer envelope) {
  connection_.post(std::move(envelope), core_.now());
  touch();
}

void Peer::close(const std::string& reason, bool refused) {
  connection_.close(reason, refused, core_.now());
  touch();
}

void Peer::detach() {
  connection_.detach();
  owner_ = nullptr;
  stage_ = Stage::Gone;
}

void Peer::touch() {
  if (touched_ || stage_ == Stage::Gone) return;
  touched_ = true;
  core_.flush_later(shared_from_this());
}

void Peer::flush() {
  touched_ = false;
  if (stage_ == Stage::Gone) return;
  const auto now = core_.now();
  connection_.tick(now);
  send_ready(now);
  settle(now);
}

void Peer::send_ready(wire::TimePoint now) {
  if (now < retry_at_ && retry_at_ != wire::TimePoint::max()) return;
  for (;;) {
    // Nothing more is encrypted while the socket is full: what waits stays bounded by the session.
    if (unsent_.empty()) unsent_ = connection_.take_output(now);
    if (unsent_.empty()) return;
    switch (socket_.send(id_, unsent_)) {
      case StreamSocket::Sent::Done:
        unsent_.clear();
        retry_at_ = wire::TimePoint::max();
        retry_after_ = {};
        connection_.set_blocked(false, now);
        break;
      case StreamSocket::Sent::Full:
        retry_after_ = std::clamp<wire::Duration>(retry_after_ * 2, kRetryFirst, kRetryMost);
        retry_at_ = now + retry_after_;
        connection_.set_blocked(true, now);
        return;
      case StreamSocket::Sent::Gone:
        unsent_.clear();
        connection_.socket_ended();
        return;
    }
  }
}

void Peer::settle(wire::TimePoint now) {
  if (connection_.ended() && stage_ == Stage::Alive) {
    stage_ = Stage::Ended;
    owner_->on_peer_ended(*this);
  }
  if (stage_ == Stage::Gone) return;
  if (connection_.finished()) {
    stage_ = Stage::Gone;
    owner_->on_peer_gone(*this);
    return;
  }
  // What a handler posted meanwhile goes out in the next round.
  if (unsent_.empty() && connection_.has_output()) touch();
  set_timer(std::max(now, std::min(connection_.deadline(), retry_at_)));
}

void Peer::set_timer(wire::TimePoint at) {
  if (at >= timer_at_) return;
  timer_at_ = at;
  // An earlier one replaces a later one, which then finds that it was replaced: it must not set another in its turn.
  core_.at(at, [weak = weak_from_this(), timer = ++timer_] {
    const auto self = weak.lock();
    if (!self || self->timer_ != timer) return;
    self->timer_at_ = wire::TimePoint::max();
    self->touch();
  });
}

}  // namespace tsplink::link
