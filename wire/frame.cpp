#include "wire/frame.hpp"

#include <wire/envelope_generated.h>

#include <string>

#include "wire/failure.hpp"

namespace tsplink::wire {

namespace {

template <class T>
void put(std::uint8_t* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <class T>
T get(const std::uint8_t* from) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | (static_cast<T>(from[i]) << (8 * i)));
  return value;
}

FrameHeader decode_header(const std::uint8_t* bytes, std::uint32_t limit) {
  FrameHeader header{get<std::uint32_t>(bytes), get<std::uint64_t>(bytes + 8), get<std::uint64_t>(bytes + 16)};
  if (get<std::uint32_t>(bytes + 4) != 0) {
    throw Failure(Kind::Malformed,
                  "the peer sent a frame header whose reserved field is not zero: it does not speak "
                  "tsplink's protocol");
  }
  if (header.length > limit) {
    throw Failure(Kind::TooLarge, "the peer announced a frame of " + std::to_string(header.length) +
                                      " bytes, over the limit of " + std::to_string(limit) + " bytes");
  }
  if (header.length == 0) throw Failure(Kind::Malformed, "the peer sent an empty frame");
  return header;
}

}  // namespace

std::array<std::uint8_t, kHeaderSize> encode_header(const FrameHeader& header) {
  std::array<std::uint8_t, kHeaderSize> bytes{};
  put(bytes.data(), header.length);
  put(bytes.data() + 8, header.sequence);
  put(bytes.data() + 16, header.acknowledgement);
  return bytes;
}

void append_frame(Bytes& out, const Bytes& envelope, std::uint64_t sequence, std::uint64_t acknowledgement) {
  if (envelope.size() > UINT32_MAX) throw Failure(Kind::TooLarge, "an envelope over 4 GiB cannot be sent");
  const auto header = encode_header({static_cast<std::uint32_t>(envelope.size()), sequence, acknowledgement});
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), envelope.begin(), envelope.end());
}

void verify_envelope(std::span<const std::uint8_t> envelope) {
  // The smallest table that is referred to only once takes 8 bytes: 4 of its own and 4 of the reference.
  flatbuffers::Verifier::Options options;
  options.max_depth = kEnvelopeDepth;
  options.max_tables = static_cast<flatbuffers::uoffset_t>(envelope.size() / 8 + 8);
  flatbuffers::Verifier verifier(envelope.data(), envelope.size(), options);
  // The identifier is read before the verifier looks at the size.
  if (envelope.size() < 8 || !fb::VerifyEnvelopeBuffer(verifier)) {
    throw Failure(Kind::Malformed, "the peer sent a frame that is not a well-formed envelope");
  }
  const fb::Body body = fb::GetEnvelope(envelope.data())->body_type();
  if (body == fb::Body::NONE || body > fb::Body::MAX) {
    throw Failure(Kind::Malformed,
                  "the peer sent an envelope of unknown kind " + std::to_string(static_cast<unsigned>(body)));
  }
  // An unset union member has its type and no table: everybody after this point relies on the table.
  if (fb::GetEnvelope(envelope.data())->body() == nullptr) {
    throw Failure(Kind::Malformed, "the peer sent an envelope without a body");
  }
}

void Splitter::feed(std::span<const std::uint8_t> bytes) {
  drop_consumed();
  input_.insert(input_.end(), bytes.begin(), bytes.end());
}

std::optional<Frame> Splitter::next() {
  if (!header_) {
    if (input_.size() - position_ < kHeaderSize) return std::nullopt;
    header_ = decode_header(input_.data() + position_, limit_);
    position_ += kHeaderSize;
  }
  if (input_.size() - position_ < header_->length) return std::nullopt;
  const auto begin = input_.begin() + static_cast<Bytes::difference_type>(position_);
  auto envelope = std::make_shared<const Bytes>(begin, begin + static_cast<Bytes::difference_type>(header_->length));
  position_ += header_->length;
  verify_envelope(*envelope);
  Frame frame{*header_, std::move(envelope)};
  header_.reset();
  if (position_ == input_.size()) drop_consumed();
  return frame;
}

void Splitter::drop_consumed() {
  if (position_ == input_.size()) {
    // An idle connection keeps no buffer: there are thousands of them.
    Bytes().swap(input_);
  } else {
    input_.erase(input_.begin(), input_.begin() + static_cast<Bytes::difference_type>(position_));
  }
  position_ = 0;
}

}  // namespace tsplink::wire
