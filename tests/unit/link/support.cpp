#include "support.hpp"

#include "mint.hpp"
#include "wire/envelopes.hpp"

namespace tsplink::link {

namespace {

/// World's own host is "host.test"; sockets need one that is found.
struct Certificates {
  security::Issued host = security::World::get().authority.issue({"host", "DNS:localhost,IP:127.0.0.1"});
  security::Authority other{"Other Authority"};
  security::Issued stranger = other.issue({"stranger", "", "clientAuth"});
  static Certificates& get() {
    static Certificates certificates;
    return certificates;
  }
};

}  // namespace

std::shared_ptr<const security::Context> host_context() {
  static const auto context = security::World::get().server(Certificates::get().host);
  return context;
}

std::shared_ptr<const security::Context> host_context_without_desktop() {
  const auto& world = security::World::get();
  const auto list = world.authority.revocation_list({world.desktop.certificate.get()});
  return security::Context::load(security::Side::Server, world.files(Certificates::get().host, {}, list));
}

std::shared_ptr<const security::Context> desktop_context() {
  static const auto context = security::World::get().client();
  return context;
}

std::shared_ptr<const security::Context> other_desktop_context() {
  static const auto other = security::World::get().authority.issue({"desk-2", "", "clientAuth"});
  return security::World::get().client(other);
}

std::shared_ptr<const security::Context> stranger_context() {
  static const auto context = security::World::get().client(Certificates::get().stranger);
  return context;
}

LocalInfo local(const std::string& machine, const std::string& product, std::uint64_t sheet) {
  LocalInfo info;
  info.product = product;
  info.machine = machine;
  info.machine_id = {1, 2, 3};
  info.sheet = sheet;
  return info;
}

Limits patient() {
  Limits limits;
  limits.connect = limits.handshake = limits.hello = limits.dead_after = kPatience;
  limits.closing = std::chrono::seconds(5);
  return limits;
}

wire::Buffer event(std::uint64_t number, std::size_t size) {
  return wire::make_event({.params = {number}, .data = wire::Bytes(size, 0x5a), .has_data = true});
}

std::uint64_t number_of(const wire::Buffer& buffer) {
  const auto* made = wire::fb::GetEnvelope(buffer->data())->body_as_Event();
  return made != nullptr ? made->param1() : 0;
}

wire::fb::Body kind_of(const wire::Buffer& envelope) { return wire::fb::GetEnvelope(envelope->data())->body_type(); }

RawDesktop::RawDesktop(std::uint16_t port, std::shared_ptr<const security::Context> context, int receive_buffer)
    : socket(port, {kPatience, receive_buffer}), engine(std::move(context), "localhost") {
  engine.start();
}

void RawDesktop::flush() { socket.write(engine.take_output()); }

bool RawDesktop::step() {
  flush();
  const auto bytes = socket.read();
  if (bytes.empty()) {
    engine.end_of_stream();
    return false;
  }
  engine.receive(bytes);
  flush();
  splitter.feed(engine.take_plaintext());
  return true;
}

bool RawDesktop::handshake() {
  while (engine.state() == security::Engine::State::Handshaking && step()) {
  }
  return engine.state() == security::Engine::State::Open;
}

bool RawDesktop::greet(const LocalInfo& info) {
  if (!handshake()) return false;
  send(make_hello(info));
  const auto frame = next();
  return frame && kind_of(frame->envelope) == wire::fb::Body::Welcome;
}

void RawDesktop::send(const wire::Buffer& envelope, std::uint64_t sequence, std::uint64_t acknowledgement) {
  wire::Bytes frame;
  wire::append_frame(frame, *envelope, sequence, acknowledgement);
  send_raw(frame);
}

void RawDesktop::send_raw(std::span<const std::uint8_t> plaintext) {
  engine.send(plaintext);
  flush();
}

std::optional<wire::Frame> RawDesktop::next() {
  for (;;) {
    if (auto frame = splitter.next()) return frame;
    if (!step()) return std::nullopt;
  }
}

std::string RawDesktop::farewell() {
  while (const auto frame = next()) {
    if (kind_of(frame->envelope) != wire::fb::Body::Bye) continue;
    return wire::fb::GetEnvelope(frame->envelope->data())->body_as_Bye()->reason()->str();
  }
  return engine.failure();
}

}  // namespace tsplink::link
