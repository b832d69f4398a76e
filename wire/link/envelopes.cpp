#include "wire/link/envelopes.hpp"

#include <wire/envelope_generated.h>

#include <algorithm>

namespace tsplink::link {

namespace fb = wire::fb;

namespace {

template <class Make>
wire::Buffer envelope(fb::Body kind, Make make) {
  flatbuffers::FlatBufferBuilder builder(256);
  const auto body = make(builder).Union();
  fb::FinishEnvelopeBuffer(builder, fb::CreateEnvelope(builder, kind, body));
  return std::make_shared<const wire::Bytes>(builder.GetBufferPointer(),
                                             builder.GetBufferPointer() + builder.GetSize());
}

std::string range(std::uint16_t low, std::uint16_t high) {
  return low == high ? std::to_string(low) : std::to_string(low) + " to " + std::to_string(high);
}

}  // namespace

wire::Buffer make_hello(const LocalInfo& local) {
  return envelope(fb::Body::Hello, [&](auto& builder) {
    const auto product = builder.CreateString(local.product);
    const auto machine = builder.CreateString(local.machine);
    const auto machine_id = builder.CreateVector(local.machine_id);
    fb::HelloBuilder hello(builder);
    hello.add_protocol_low(local.protocol_low);
    hello.add_protocol_high(local.protocol_high);
    hello.add_sheet(local.sheet);
    hello.add_product(product);
    hello.add_machine(machine);
    hello.add_machine_id(machine_id);
    hello.add_pointer_bits(static_cast<std::uint8_t>(sizeof(void*) * 8));
    return hello.Finish();
  });
}

wire::Buffer make_welcome(const LocalInfo& local, std::uint16_t protocol, SessionId session, const Limits& limits) {
  return envelope(fb::Body::Welcome, [&](auto& builder) {
    const auto product = builder.CreateString(local.product);
    fb::WelcomeBuilder welcome(builder);
    welcome.add_protocol(protocol);
    welcome.add_sheet(local.sheet);
    welcome.add_product(product);
    welcome.add_session(session);
    welcome.add_heartbeat_ms(
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(limits.heartbeat).count()));
    welcome.add_max_frame(limits.frame);
    return welcome.Finish();
  });
}

wire::Buffer make_ping(std::uint64_t stamp) {
  return envelope(fb::Body::Ping, [&](auto& builder) { return fb::CreatePing(builder, stamp); });
}

wire::Buffer make_pong(std::uint64_t stamp) {
  return envelope(fb::Body::Pong, [&](auto& builder) { return fb::CreatePong(builder, stamp); });
}

wire::Buffer make_ack() {
  static const wire::Buffer ack = envelope(fb::Body::Ack, [](auto& builder) { return fb::CreateAck(builder); });
  return ack;
}

wire::Buffer make_bye(const std::string& reason, bool refused) {
  return envelope(fb::Body::Bye, [&](auto& builder) {
    // It must fit the frame limit before Hello.
    return fb::CreateBye(builder, builder.CreateString(reason.substr(0, 1024)), refused);
  });
}

bool is_numbered(const wire::Bytes& bytes) {
  switch (fb::GetEnvelope(bytes.data())->body_type()) {
    case fb::Body::Request:
    case fb::Body::Reply:
    case fb::Body::Completion:
    case fb::Body::Event:
    case fb::Body::Inventory: return true;
    default: return false;
  }
}

int compare_versions(const std::string& left, const std::string& right) {
  std::size_t l = 0, r = 0;
  const auto number = [](const std::string& text, std::size_t& at) {
    unsigned long value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = std::min(value * 10 + static_cast<unsigned long>(text[at++] - '0'), 1'000'000'000UL);
    }
    if (at < text.size()) ++at;
    return value;
  };
  while (l < left.size() || r < right.size()) {
    const auto a = number(left, l), b = number(right, r);
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

std::string judge_hello(const LocalInfo& host, const Offer& desktop, std::uint16_t& chosen) {
  const std::string versions =
      " (this host has tsplink " + host.product + ", this desktop " + printable(desktop.product) + ")";
  if (desktop.protocol_low > host.protocol_high || desktop.protocol_high < host.protocol_low) {
    const bool host_is_older = desktop.protocol_low > host.protocol_high;
    return "the desktop speaks protocol " + range(desktop.protocol_low, desktop.protocol_high) + " and the host " +
           range(host.protocol_low, host.protocol_high) + ": update tsplink on the " +
           (host_is_older ? "host" : "desktop") + versions;
  }
  chosen = std::min(desktop.protocol_high, host.protocol_high);
  if (desktop.sheet == host.sheet) return {};
  const int order = compare_versions(desktop.product, host.product);
  if (order == 0) {
    return "host and desktop both call themselves tsplink " + host.product +
           " but were built with different tables of functions: install the same build on both";
  }
  return std::string("the ") + (order < 0 ? "desktop" : "host") +
         "'s tsplink is older than the other side's: update it there" + versions;
}

std::string printable(const std::string& text, std::size_t most) {
  std::string result = text.substr(0, most);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return result;
}

}  // namespace tsplink::link
