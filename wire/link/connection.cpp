#include "wire/link/connection.hpp"

#include <wire/envelope_generated.h>

#include <algorithm>

#include "wire/failure.hpp"
#include "wire/link/envelopes.hpp"

namespace tsplink::link {

namespace fb = wire::fb;

namespace {
constexpr std::size_t kMostControlFrames = 256;  // Pongs that wait for a peer that sends Pings and does not read

std::string seconds(wire::Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}
}  // namespace

Connection::Connection(std::shared_ptr<const Settings> settings, std::string address, SessionId session,
                       ConnectionEvents& events, wire::TimePoint now)
    : settings_(std::move(settings)),
      events_(&events),
      splitter_(settings_->limits.frame_before_hello),
      peer_frame_(settings_->limits.frame),
      phase_deadline_(now + settings_->limits.handshake),
      heard_at_(now),
      spoke_at_(now),
      pinged_at_(now) {
  peer_.address = std::move(address);
  peer_.session = session;
  if (is_client()) {
    make_engine();
    if (engine_) engine_->start();
  }
}

void Connection::make_engine() {
  try {
    engine_.emplace(settings_->context, settings_->host_name);
  } catch (const std::exception& error) {
    end_here(error.what(), false);
  }
}

void Connection::receive(std::span<const std::uint8_t> bytes, wire::TimePoint now) {
  if (finished()) return;
  heard_at_ = now;
  if (!engine_) make_engine();
  if (!engine_) return;
  engine_->receive(bytes);
  if (phase_ == Phase::Handshake && engine_->peer() != nullptr) on_tls_up(now);
  const auto plaintext = engine_->take_plaintext();
  // Once Bye is on its way nothing more is delivered: the sender keeps what is not acknowledged.
  if (phase_ == Phase::Closing) return;
  splitter_.feed(plaintext);
  handle_frames(now);
  if (!ended()) judge_engine(now);
}

void Connection::handle_frames(wire::TimePoint now) {
  try {
    while (!ended()) {
      const auto frame = splitter_.next();
      if (!frame) return;
      handle(*frame, now);
    }
  } catch (const std::exception& error) {
    begin_close(error.what(), false, Farewell::AtOnce, now);
  }
}

void Connection::judge_engine(wire::TimePoint now) {
  switch (engine_->state()) {
    case security::Engine::State::Failed: begin_close(engine_->failure(), false, Farewell::No, now); break;
    case security::Engine::State::Closed:
      end_here(std::string("the ") + other() + " closed the connection", false);
      break;
    default: break;
  }
}

void Connection::socket_ended() {
  if (!ended()) {
    std::string reason = std::string("the connection to the ") + other() + " was lost";
    if (engine_) {
      engine_->end_of_stream();
      if (!engine_->failure().empty()) reason = engine_->failure();
    }
    end_here(reason, false);
  }
  phase_ = Phase::Closed;
}

void Connection::on_tls_up(wire::TimePoint now) {
  phase_ = Phase::Hello;
  phase_deadline_ = now + limits().hello;
  peer_.certificate = *engine_->peer();
  if (is_client()) queue(make_hello(settings_->local));
}

void Connection::handle(const wire::Frame& frame, wire::TimePoint now) {
  const auto* envelope = fb::GetEnvelope(frame.envelope->data());
  if (is_numbered(*frame.envelope) != (frame.header.sequence != 0)) {
    throw Failure(Kind::Malformed, std::string("the ") + other() + " sent a " +
                                       fb::EnumNameBody(envelope->body_type()) +
                                       (frame.header.sequence == 0 ? " without" : " with") + " a sequence number");
  }
  if (envelope->body_type() == fb::Body::Bye) {
    const auto* bye = envelope->body_as_Bye();
    const std::string reason = bye->reason() != nullptr ? printable(bye->reason()->str(), 1024) : std::string();
    end_here(reason.empty() ? std::string("the ") + other() + " said goodbye" : reason, bye->refused());
  } else if (phase_ == Phase::Hello) {
    handle_first(frame, now);
  } else {
    handle_open(frame, now);
  }
}

void Connection::handle_first(const wire::Frame& frame, wire::TimePoint now) {
  const auto kind = fb::GetEnvelope(frame.envelope->data())->body_type();
  const auto expected = is_client() ? fb::Body::Welcome : fb::Body::Hello;
  if (kind != expected || frame.header.acknowledgement != 0) {
    throw Failure(Kind::Malformed, std::string("the ") + other() + "'s first frame must be " +
                                       fb::EnumNameBody(expected) + " and was " + fb::EnumNameBody(kind));
  }
  is_client() ? handle_welcome(*frame.envelope, now) : handle_hello(*frame.envelope, now);
}

void Connection::handle_hello(const wire::Bytes& envelope, wire::TimePoint now) {
  const auto* hello = fb::GetEnvelope(envelope.data())->body_as_Hello();
  const auto text = [](const flatbuffers::String* from) { return from != nullptr ? printable(from->str()) : ""; };
  peer_.product = text(hello->product());
  peer_.machine = text(hello->machine());
  peer_.pointer_bits = hello->pointer_bits();
  if (hello->machine_id() != nullptr) {
    if (hello->machine_id()->size() > 64) throw Failure(Kind::TooLarge, "the desktop's machine id is over 64 bytes");
    peer_.machine_id.assign(hello->machine_id()->begin(), hello->machine_id()->end());
  }
  std::uint16_t protocol = 0;
  const Offer offer{hello->protocol_low(), hello->protocol_high(), hello->sheet(), peer_.product};
  std::string refusal = judge_hello(settings_->local, offer, protocol);
  if (refusal.empty() && events_ != nullptr) refusal = events_->on_hello(peer_);
  if (!refusal.empty()) return begin_close(refusal, true, Farewell::AtOnce, now);
  queue(make_welcome(settings_->local, protocol, peer_.session, limits()));
  open(now);
}

void Connection::handle_welcome(const wire::Bytes& envelope, wire::TimePoint now) {
  const auto* welcome = fb::GetEnvelope(envelope.data())->body_as_Welcome();
  peer_.product = welcome->product() != nullptr ? printable(welcome->product()->str()) : std::string();
  const LocalInfo& local = settings_->local;
  if (welcome->protocol() < local.protocol_low || welcome->protocol() > local.protocol_high ||
      welcome->sheet() != local.sheet) {
    const std::string reason = "the host (tsplink " + peer_.product +
                               ") chose a protocol or table of functions that this desktop (tsplink " +
                               local.product + ") does not have: install the same release on both";
    return begin_close(reason, true, Farewell::AtOnce, now);
  }
  peer_.session = welcome->session();
  if (welcome->max_frame() != 0) peer_frame_ = std::min(peer_frame_, welcome->max_frame());
  open(now);
}

void Connection::open(wire::TimePoint now) {
  phase_ = Phase::Open;
  was_up_ = true;
  session_ = std::make_unique<Session>(limits());
  splitter_.set_limit(limits().frame);
  heard_at_ = spoke_at_ = pinged_at_ = now;
  if (events_ != nullptr) events_->on_up(peer_);
}

void Connection::handle_open(const wire::Frame& frame, wire::TimePoint now) {
  const auto* envelope = fb::GetEnvelope(frame.envelope->data());
  const bool fresh = session_->receive(frame.header, now);
  switch (envelope->body_type()) {
    case fb::Body::Hello:
    case fb::Body::Welcome:
      throw Failure(Kind::Malformed,
                    std::string("the ") + other() + " sent a second " + fb::EnumNameBody(envelope->body_type()));
    case fb::Body::Ping:
      if (control_.size() >= kMostControlFrames) {
        throw Failure(Kind::TooLarge, std::string("the ") + other() + " sends Pings and does not read the answers");
      }
      return queue(make_pong(envelope->body_as_Ping()->stamp()));
    case fb::Body::Pong:
    case fb::Body::Ack: return;
    default:
      if (fresh && events_ != nullptr) events_->on_message(frame.envelope);
  }
}

void Connection::tick(wire::TimePoint now) {
  switch (phase_) {
    case Phase::Handshake:
      if (now >= phase_deadline_) {
        const std::string what = engine_ && !is_client() ? "did not finish the TLS handshake"
                                 : is_client()           ? "did not answer the TLS handshake"
                                                         : "sent nothing";
        begin_close(std::string("the ") + other() + " " + what + " within " + seconds(limits().handshake), false,
                    Farewell::No, now);
      }
      break;
    case Phase::Hello:
      if (now >= phase_deadline_) {
        begin_close(std::string("the ") + other() + " did not send " + (is_client() ? "Welcome" : "Hello") +
                        " within " + seconds(limits().hello),
                    false, Farewell::AtOnce, now);
      }
      break;
    case Phase::Open: tick_open(now); break;
    case Phase::Closing:
      if (now >= phase_deadline_) phase_ = Phase::Closed;
      break;
    case Phase::Closed: break;
  }
}

void Connection::tick_open(wire::TimePoint now) {
  const auto& limit = limits();
  if (now - heard_at_ >= limit.dead_after) {
    return begin_close(std::string("nothing was heard from the ") + other() + " for " + seconds(limit.dead_after),
                       false, Farewell::AtOnce, now);
  }
  if (blocked_at_ != wire::TimePoint::max() && now - blocked_at_ >= limit.dead_after) {
    return begin_close(std::string("the ") + other() + " has read nothing for " + seconds(limit.dead_after), false,
                       Farewell::AtOnce, now);
  }
  if (now >= next_ping()) {
    pinged_at_ = now;
    queue(make_ping(static_cast<std::uint64_t>(now.time_since_epoch().count())));
  }
  if (now >= session_->acknowledge_at() && control_.empty() && !session_->has_unsent()) queue(make_ack());
}

/// Also who hears much must speak: a frame that takes long to come is acknowledged only when it is whole.
wire::TimePoint Connection::next_ping() const {
  return std::max(std::min(heard_at_, spoke_at_), pinged_at_) + limits().heartbeat;
}

wire::TimePoint Connection::deadline() const {
  switch (phase_) {
    case Phase::Handshake:
    case Phase::Hello:
    case Phase::Closing: return phase_deadline_;
    case Phase::Open: {
      const auto& limit = limits();
      auto next = std::min(heard_at_ + limit.dead_after, next_ping());
      if (blocked_at_ != wire::TimePoint::max()) return std::min(next, blocked_at_ + limit.dead_after);
      return std::min(next, session_->acknowledge_at());
    }
    default: return wire::TimePoint::max();
  }
}

void Connection::post(wire::Buffer envelope, wire::TimePoint now) {
  if (phase_ != Phase::Open) return;
  try {
    if (envelope->size() > peer_frame_) {
      throw Failure(Kind::TooLarge, "a message of " + std::to_string(envelope->size()) +
                                        " bytes is over the frame limit of " + std::to_string(peer_frame_) +
                                        " bytes");
    }
    session_->post(std::move(envelope));
  } catch (const Failure& failure) {
    begin_close(failure.what(), false, Farewell::AtOnce, now);
  }
}

void Connection::close(const std::string& reason, bool refused, wire::TimePoint now) {
  if (!ended()) begin_close(reason, refused, Farewell::AfterPosted, now);
}

void Connection::queue(wire::Buffer control) { control_.push_back(std::move(control)); }

bool Connection::has_output() const {
  if (finished() || !engine_) return false;
  if (engine_->has_output()) return true;
  if (engine_->state() != security::Engine::State::Open) return false;
  return !control_.empty() || bye_ || (session_ && !drop_posted_ && session_->has_unsent());
}

void Connection::append(wire::Bytes& out, const wire::Bytes& envelope, std::uint64_t sequence) const {
  wire::append_frame(out, envelope, sequence, session_ ? session_->received() : 0);
}

wire::Bytes Connection::ready_frames(std::size_t budget, wire::TimePoint now) {
  wire::Bytes frames;
  while (!control_.empty()) {
    append(frames, *control_.front(), 0);
    control_.pop_front();
  }
  while (session_ && !drop_posted_ && frames.size() < budget) {
    const auto next = session_->next_to_send();
    if (!next) break;
    append(frames, *next->envelope, next->sequence);
  }
  if (session_ && !bye_ && frames.empty() && now >= session_->acknowledge_at()) append(frames, *make_ack(), 0);
  if (session_ && !frames.empty()) session_->acknowledgement_sent();
  return frames;
}

wire::Bytes Connection::take_output(wire::TimePoint now, std::size_t budget) {
  if (finished() || !engine_) return {};
  if (engine_->state() == security::Engine::State::Open) {
    wire::Bytes frames = ready_frames(budget, now);
    const bool last = bye_ && (!session_ || drop_posted_ || !session_->has_unsent());
    if (last) append(frames, *bye_, 0);
    if (!frames.empty()) {
      engine_->send(frames);
      spoke_at_ = now;
    }
    if (last) {
      bye_.reset();
      engine_->close();
    }
  }
  return engine_->take_output();
}

void Connection::set_blocked(bool blocked, wire::TimePoint now) {
  if (!blocked) {
    blocked_at_ = wire::TimePoint::max();
  } else if (blocked_at_ == wire::TimePoint::max()) {
    blocked_at_ = now;
  }
}

void Connection::begin_close(const std::string& reason, bool refused, Farewell farewell, wire::TimePoint now) {
  end_here(reason, refused);
  // With nothing to say (no TLS yet, or TLS failed without an alert) there is nothing to wait for.
  const bool open = engine_ && engine_->state() == security::Engine::State::Open;
  if (!engine_ || (!open && !engine_->has_output())) return;
  phase_ = Phase::Closing;
  phase_deadline_ = now + limits().closing;
  drop_posted_ = farewell == Farewell::AtOnce;
  if (open && farewell != Farewell::No) {
    if (drop_posted_) control_.clear();
    bye_ = make_bye(reason, refused);
  }
}

void Connection::end_here(const std::string& reason, bool refused) {
  phase_ = Phase::Closed;
  reason_ = reason;
  refused_ = refused;
}

}  // namespace tsplink::link
