// Bounds and times of a link, with their defaults (all configurable), and what one side says of itself.
// Owner: values, copied. Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "security/certificate.hpp"
#include "wire/clock.hpp"

namespace tsplink::link {

inline constexpr std::uint16_t kProtocol = 1;

struct Limits {
  std::uint32_t frame = 1024 * 1024;            // bytes of one envelope
  std::uint32_t frame_before_hello = 4 * 1024;  // before Hello or Welcome was accepted
  std::size_t kept = 4 * 1024 * 1024;           // bytes that one direction keeps until acknowledged
  std::size_t unauthenticated = 512;            // connections of a server without an accepted Hello
  std::size_t unauthenticated_by_address = 16;  // of those, from one address
#ifdef _WIN32
  std::size_t connections = 16000;  // of a server, all; libzmq waits for 16384 sockets there
#else
  std::size_t connections = 20000;  // of a server, all
#endif
  wire::Duration connect = std::chrono::seconds(5);     // client: until a host that does not answer is reported
  wire::Duration handshake = std::chrono::seconds(5);   // TLS
  wire::Duration hello = std::chrono::seconds(5);       // Hello or Welcome, once TLS is up
  wire::Duration heartbeat = std::chrono::seconds(1);   // silence before a Ping
  wire::Duration dead_after = std::chrono::seconds(3);  // silence, or refused output, before the peer counts as dead
  wire::Duration closing = std::chrono::seconds(1);     // for Bye and alerts to reach the peer
  wire::Duration acknowledge = std::chrono::milliseconds(200);  // how long an acknowledgement waits for company
  std::size_t acknowledge_frames = 64;                          // or this many frames
  wire::Duration back_off_first = std::chrono::milliseconds(200);
  wire::Duration back_off_most = std::chrono::seconds(30);
};

struct LocalInfo {
  std::string product;  // version, "0.1.0"
  std::string machine;
  std::vector<std::uint8_t> machine_id;
  std::uint64_t sheet = 0;
  std::uint16_t protocol_low = kProtocol;
  std::uint16_t protocol_high = kProtocol;
};

using SessionId = std::uint64_t;  // random

struct PeerInfo {
  security::PeerCertificate certificate;
  std::string machine, product;
  std::string address;  // server: the desktop's IP address; client: host and port
  std::uint64_t session = 0;
  unsigned pointer_bits = 0;
  std::vector<std::uint8_t> machine_id;  // server only
};

enum class Level { Info, Warning };
/// Called on the reactor's thread; must not block for long and must not throw.
using Log = std::function<void(Level, const std::string&)>;

}  // namespace tsplink::link
