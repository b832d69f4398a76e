#include "tests/simpbx/msp_protocol.hpp"

namespace tsplink::simpbx {
namespace {

constexpr std::uint32_t kMagic = 0x58425053;  // "SPBX"
constexpr std::size_t kHeader = 32;

void put(Bytes& out, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) out.push_back(static_cast<BYTE>(value >> (8 * i)));
}

std::uint32_t get(const BYTE* at) {
  return static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
         static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
}

/// FNV-1a over the payload.
std::uint32_t checksum(const BYTE* bytes, std::size_t size) {
  std::uint32_t value = 2166136261u;
  for (std::size_t i = 0; i < size; ++i) value = (value ^ bytes[i]) * 16777619u;
  return value;
}

}  // namespace

Bytes encode(const MspMessage& message) {
  Bytes out;
  out.reserve(kHeader + message.payload.size());
  put(out, kMagic);
  put(out, static_cast<std::uint32_t>(message.type) | static_cast<std::uint32_t>(message.flags) << 16);
  put(out, message.sequence);
  put(out, static_cast<std::uint32_t>(message.payload.size()));
  put(out, checksum(message.payload.data(), message.payload.size()));
  put(out, message.seed);
  put(out, message.offset);
  put(out, 0);
  out.insert(out.end(), message.payload.begin(), message.payload.end());
  return out;
}

std::optional<MspMessage> decode(const BYTE* bytes, std::size_t size, std::string* why) {
  const auto fail = [why](const char* text) {
    if (why) *why = text;
    return std::nullopt;
  };
  if (size < kHeader || get(bytes) != kMagic) return fail("not a message of this protocol");
  const std::uint32_t length = get(bytes + 12);
  if (length != size - kHeader) return fail("its length is wrong");
  if (checksum(bytes + kHeader, length) != get(bytes + 16)) return fail("its checksum is wrong");
  const std::uint32_t type = get(bytes + 4) & 0xFFFF;
  if (type < 1 || type > 4) return fail("its type is unknown");
  MspMessage message;
  message.type = static_cast<MspType>(type);
  message.flags = static_cast<std::uint16_t>(get(bytes + 4) >> 16);
  message.sequence = get(bytes + 8);
  message.seed = get(bytes + 20);
  message.offset = get(bytes + 24);
  message.payload.assign(bytes + kHeader, bytes + size);
  return message;
}

BYTE pattern_byte(std::uint32_t seed, std::uint32_t at) {
  // 31 is odd, so 256 consecutive bytes take every value; the seed and the run's number turn it around.
  return static_cast<BYTE>(at * 31 + seed * 17 + (at >> 8) * 7);
}

Bytes pattern(std::uint32_t seed, std::uint32_t offset, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = pattern_byte(seed, offset + static_cast<std::uint32_t>(i));
  return bytes;
}

bool matches_pattern(const MspMessage& message) {
  for (std::size_t i = 0; i < message.payload.size(); ++i) {
    if (message.payload[i] != pattern_byte(message.seed, message.offset + static_cast<std::uint32_t>(i)))
      return false;
  }
  return true;
}

bool account(MspTraffic& traffic, const MspMessage& message) {
  bool right = message.sequence == traffic.last_sequence + 1;
  traffic.last_sequence = message.sequence;
  if (message.type == MspType::block || message.type == MspType::echo) {
    right = matches_pattern(message) && right;
    auto& blocks = message.type == MspType::block ? traffic.blocks_received : traffic.blocks_echoed;
    auto& bytes = message.type == MspType::block ? traffic.bytes_received : traffic.bytes_echoed;
    ++blocks;
    bytes += message.payload.size();
  }
  if (!right) ++traffic.mismatches;
  return right;
}

std::string traffic_text(const MspTraffic& t) {
  const auto n = [](std::uint64_t value) { return std::to_string(value); };
  return "started=" + std::string(t.started ? "yes" : "no") + " sent_blocks=" + n(t.blocks_sent) +
         " sent_bytes=" + n(t.bytes_sent) + " received_blocks=" + n(t.blocks_received) +
         " received_bytes=" + n(t.bytes_received) + " echoed_blocks=" + n(t.blocks_echoed) +
         " echoed_bytes=" + n(t.bytes_echoed) + " mismatches=" + n(t.mismatches) + " foreign=" + n(t.foreign);
}

std::vector<Bytes> pattern_messages(MspTraffic& traffic, std::uint32_t seed, std::uint32_t size, std::uint32_t blocks,
                                    bool echo) {
  std::vector<Bytes> result;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    MspMessage message;
    message.type = MspType::block;
    message.flags = echo ? kWantEcho : std::uint16_t{0};
    message.sequence = traffic.next_sequence++;
    message.seed = seed;
    message.offset = i * size;
    message.payload = pattern(seed, message.offset, size);
    ++traffic.blocks_sent;
    traffic.bytes_sent += size;
    result.push_back(encode(message));
  }
  return result;
}

}  // namespace tsplink::simpbx
