#include "wire/link/session.hpp"

#include <algorithm>
#include <string>

#include "wire/failure.hpp"

namespace tsplink::link {

void Session::post(wire::Buffer envelope) {
  const std::size_t size = envelope->size() + wire::kHeaderSize;
  if (kept_bytes_ + size > limits_.kept) {
    throw Failure(Kind::TooLarge, "the peer reads too slowly: " + std::to_string(kept_.size() + 1) +
                                      " messages it has not acknowledged pass the bound of " +
                                      std::to_string(limits_.kept) + " bytes");
  }
  kept_bytes_ += size;
  kept_.push_back(std::move(envelope));
}

std::optional<Session::Outgoing> Session::next_to_send() {
  if (!has_unsent()) return std::nullopt;
  const std::size_t at = next_++;
  return Outgoing{first_kept_ + at, kept_[at]};
}

bool Session::receive(const wire::FrameHeader& header, wire::TimePoint now) {
  acknowledge_up_to(header.acknowledgement);
  if (header.sequence == 0) return true;
  if (header.sequence > received_ + 1) {
    throw Failure(Kind::Malformed, "the peer sent message " + std::to_string(header.sequence) + " after message " +
                                       std::to_string(received_) + ": some between are missing");
  }
  // What was seen before is acknowledged again: the first acknowledgement may have been lost with a connection.
  ++owed_frames_;
  owed_bytes_ += header.length;
  const bool now_due = owed_frames_ >= limits_.acknowledge_frames || owed_bytes_ >= limits_.kept / 8;
  acknowledge_at_ = std::min(acknowledge_at_, now_due ? now : now + limits_.acknowledge);
  if (header.sequence <= received_) return false;
  received_ = header.sequence;
  return true;
}

void Session::acknowledgement_sent() {
  owed_frames_ = 0;
  owed_bytes_ = 0;
  acknowledge_at_ = wire::TimePoint::max();
}

void Session::acknowledge_up_to(std::uint64_t sequence) {
  if (sequence >= first_kept_ + next_) {
    throw Failure(Kind::Malformed,
                  "the peer acknowledged message " + std::to_string(sequence) + ", which was never sent");
  }
  while (first_kept_ <= sequence) {
    kept_bytes_ -= kept_.front()->size() + wire::kHeaderSize;
    kept_.pop_front();
    ++first_kept_;
    --next_;
  }
}

void Session::resend_from(std::uint64_t seen) {
  if (seen + 1 < first_kept_ || seen >= first_kept_ + next_) {
    throw Failure(Kind::Malformed, "the peer wants to go on after message " + std::to_string(seen) +
                                       ", but only those from " + std::to_string(first_kept_) + " to " +
                                       std::to_string(first_kept_ + next_ - 1) + " can be sent again");
  }
  acknowledge_up_to(seen);
  next_ = 0;
}

}  // namespace tsplink::link
