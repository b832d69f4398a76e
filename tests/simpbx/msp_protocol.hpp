// The private protocol between simpbx's two halves: the TSP in TAPISRV and the MSP in the application. Nobody between
// them understands it. One message a block: a header of 32 bytes, little endian, then `length` bytes.
//   START -> STARTED   the TSP opens the exchange of a call; the MSP starts its streams and says so
//   BLOCK [-> ECHO]    pattern bytes, checked by whoever receives them; sent back whole when kWantEcho is set
// Either side may send blocks, for a call or for the address.
// Owner: included by both halves. Threads: any; nothing is kept.
#pragma once

#include <tspi.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tests/simpbx/model.hpp"

namespace tsplink::simpbx {

/// {5B0C7A11-52B1-4B7E-9C44-51AB0E57D0C7}: the MSP half, as lineMSPIdentify gives it.
constexpr GUID kMspClassId = {0x5B0C7A11, 0x52B1, 0x4B7E, {0x9C, 0x44, 0x51, 0xAB, 0x0E, 0x57, 0xD0, 0xC7}};

constexpr DWORD kMaxUserUser = 512, kMaxCallData = 4096;
constexpr DWORD kMspVersion = 0x00030000;  // the TSPI version from which lines have MSPs

enum class MspType : std::uint16_t { start = 1, started = 2, block = 3, echo = 4 };

constexpr std::uint16_t kWantEcho = 1;

struct MspMessage {
  MspType type = MspType::start;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;  // counts all messages of the sender about this call or address, from 1
  std::uint32_t seed = 0;      // of the pattern that a block holds
  std::uint32_t offset = 0;    // where in the pattern this block begins
  Bytes payload;
};

Bytes encode(const MspMessage& message);
/// Empty: these bytes are not of this protocol, or their checksum is wrong (then `why` says so).
std::optional<MspMessage> decode(const BYTE* bytes, std::size_t size, std::string* why = nullptr);

/// Byte `at` of the pattern `seed`: each run of 256 bytes holds every value once.
BYTE pattern_byte(std::uint32_t seed, std::uint32_t at);
Bytes pattern(std::uint32_t seed, std::uint32_t offset, std::size_t size);
bool matches_pattern(const MspMessage& message);

/// Counts a message that arrived; false when its content or its sequence number is wrong.
bool account(MspTraffic& traffic, const MspMessage& message);
std::string traffic_text(const MspTraffic& traffic);

/// Splits `size` pattern bytes into `blocks` messages with fresh sequence numbers, and counts them as sent.
std::vector<Bytes> pattern_messages(MspTraffic& traffic, std::uint32_t seed, std::uint32_t size, std::uint32_t blocks,
                                    bool echo);

}  // namespace tsplink::simpbx
