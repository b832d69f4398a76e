// One side's half of a session, without input or output: numbers what is sent, keeps it until acknowledged, refuses
// gaps, drops what was seen before. It outlives a connection, so that after a reconnect resend_from() sends again
// what the other side has not seen. Owner: Connection. Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "wire/clock.hpp"
#include "wire/frame.hpp"
#include "wire/link/limits.hpp"

namespace tsplink::link {

class Session {
 public:
  explicit Session(const Limits& limits) : limits_(limits) {}

  struct Outgoing {
    std::uint64_t sequence;
    wire::Buffer envelope;
  };

  /// Numbers one envelope and queues it. Throws Failure(TooLarge) when more than Limits::kept would be kept: the
  /// other side does not acknowledge, and the session must end.
  void post(wire::Buffer envelope);
  /// The next envelope that was not sent yet, for as long as there is one.
  std::optional<Outgoing> next_to_send();
  bool has_unsent() const { return next_ < kept_.size(); }
  std::size_t unsent() const { return kept_.size() - next_; }

  /// A header came. True: its envelope is new and is to be delivered; false: seen before. Throws Failure(Malformed)
  /// for a gap or an acknowledgement of what was never sent.
  bool receive(const wire::FrameHeader& header, wire::TimePoint now);

  /// What goes into the next header; noting that it was sent settles what acknowledge_at() waits for.
  std::uint64_t received() const { return received_; }
  void acknowledgement_sent();
  /// When an acknowledgement must go out even alone; TimePoint::max() when none is owed.
  wire::TimePoint acknowledge_at() const { return acknowledge_at_; }

  /// After a reconnect: the other side has seen everything up to `seen`; the rest is sent again.
  /// Throws Failure(Malformed) when that is not possible.
  void resend_from(std::uint64_t seen);

  std::uint64_t posted() const { return first_kept_ + kept_.size() - 1; }
  std::size_t kept_bytes() const { return kept_bytes_; }

 private:
  void acknowledge_up_to(std::uint64_t sequence);

  const Limits limits_;
  std::deque<wire::Buffer> kept_;  // numbers first_kept_, first_kept_ + 1, ...
  std::uint64_t first_kept_ = 1;
  std::size_t next_ = 0;  // in kept_: the first that was not sent on this connection
  std::size_t kept_bytes_ = 0;

  std::uint64_t received_ = 0;  // everything up to here was delivered
  std::size_t owed_frames_ = 0;
  std::size_t owed_bytes_ = 0;
  wire::TimePoint acknowledge_at_ = wire::TimePoint::max();
};

}  // namespace tsplink::link
