// Frames: a fixed header of 24 bytes, little endian (length, zero, sequence number, acknowledgement), then one
// envelope (wire/envelope.fbs). What differs from session to session is in the header; the envelope is encoded once.
// Owner: the connection keeps one Splitter. Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/channel.hpp"

namespace tsplink::wire {

inline constexpr std::size_t kHeaderSize = 24;
/// Tables within tables, and vectors of them, in an envelope.
inline constexpr std::uint32_t kEnvelopeDepth = 16;

struct FrameHeader {
  std::uint32_t length = 0;           // of the envelope that follows, in bytes
  std::uint64_t sequence = 0;         // 0: unnumbered
  std::uint64_t acknowledgement = 0;  // the sender has seen everything up to here
};

std::array<std::uint8_t, kHeaderSize> encode_header(const FrameHeader& header);

/// Appends header and envelope to `out`. Throws Failure(TooLarge) over 4 GiB.
void append_frame(Bytes& out, const Bytes& envelope, std::uint64_t sequence, std::uint64_t acknowledgement);

struct Frame {
  FrameHeader header;
  Buffer envelope;  // its own allocation, aligned for FlatBuffers, passed verify_envelope
};

/// Throws Failure(Malformed) with a sentence, unless the bytes are one well-formed envelope with a body. The number
/// of tables is bounded by the size, so that references to the same table again and again cost no time.
void verify_envelope(std::span<const std::uint8_t> envelope);

/// Cuts a stream of bytes, arriving in any pieces, into verified frames. The memory it takes follows what has
/// arrived, never what a header promises.
class Splitter {
 public:
  explicit Splitter(std::uint32_t limit) : limit_(limit) {}

  /// The largest envelope from the next header on.
  void set_limit(std::uint32_t limit) { limit_ = limit; }
  void feed(std::span<const std::uint8_t> bytes);
  /// The next whole frame, if there is one. Throws Failure(Malformed or TooLarge); the stream is unusable then.
  std::optional<Frame> next();

 private:
  void drop_consumed();

  std::uint32_t limit_;
  Bytes input_;
  std::size_t position_ = 0;           // in input_: what is before it was handed out
  std::optional<FrameHeader> header_;  // of the frame being collected
};

}  // namespace tsplink::wire
