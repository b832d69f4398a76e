// The link's own envelopes, and which kinds are numbered.
// Owner: nothing is kept. Threads: any.
#pragma once

#include <string>

#include "wire/channel.hpp"
#include "wire/link/limits.hpp"

namespace tsplink::link {

wire::Buffer make_hello(const LocalInfo& local);
wire::Buffer make_welcome(const LocalInfo& local, std::uint16_t protocol, SessionId session, const Limits& limits);
wire::Buffer make_ping(std::uint64_t stamp);
wire::Buffer make_pong(std::uint64_t stamp);
wire::Buffer make_ack();
wire::Buffer make_bye(const std::string& reason, bool refused);

/// Whether a verified envelope takes a number in its session (Request, Reply, Completion, Event, Inventory).
bool is_numbered(const wire::Bytes& envelope);

/// Negative, zero or positive, as version `left` ("0.10.2") is older than, the same as or newer than `right`.
int compare_versions(const std::string& left, const std::string& right);

/// What a host answers to a desktop whose protocol range or sheet differs: empty when they fit, else one sentence
/// that says which side to update. `chosen` becomes the protocol to speak.
struct Offer {
  std::uint16_t protocol_low = 0, protocol_high = 0;
  std::uint64_t sheet = 0;
  std::string product;
};
std::string judge_hello(const LocalInfo& host, const Offer& desktop, std::uint16_t& chosen);

/// Text of the peer as it may stand in a log: at most `most` bytes, control characters replaced.
std::string printable(const std::string& text, std::size_t most = 128);

}  // namespace tsplink::link
