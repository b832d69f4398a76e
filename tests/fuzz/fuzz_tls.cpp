// Bytes from anybody at an engine of either side, in pieces, before and after the peer is authenticated.
#include "../unit/security/pair.hpp"
#include "input.hpp"

using namespace tsplink;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto client = security::World::get().client();
  static const auto server = security::World::get().server();
  fuzz::Input input(data, size);
  security::Pair pair(client, server);
  const auto steps = input.number<std::uint8_t>() % 4;  // flights that arrive as they were sent
  for (int i = 0; i < steps; ++i) {
    security::Pair::pass(pair.client, pair.server);
    security::Pair::pass(pair.server, pair.client);
  }
  auto& victim = input.number<std::uint8_t>() % 2 ? pair.server : pair.client;
  auto& sender = &victim == &pair.server ? pair.client : pair.server;
  const bool was_open = victim.state() == security::Engine::State::Open;
  while (!input.empty()) {
    auto bytes = sender.take_output();
    const auto flips = input.number<std::uint8_t>() % 4;
    for (int i = 0; i < flips && !bytes.empty(); ++i) {
      bytes[input.below(bytes.size())] ^= input.number<std::uint8_t>();
    }
    victim.receive(bytes);
    victim.receive(input.take(1 + input.below(300)));
    victim.take_output();
  }
  victim.end_of_stream();
  if (!victim.take_plaintext().empty()) __builtin_trap();  // nobody sent any
  if (!was_open && sender.state() == security::Engine::State::Open &&
      victim.state() == security::Engine::State::Failed && victim.failure().empty()) {
    __builtin_trap();
  }
  return 0;
}
