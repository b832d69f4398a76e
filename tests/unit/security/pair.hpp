// Two engines back to back, with every byte between them at the test's mercy.
// Owner: the test. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mint.hpp"
#include "security/engine.hpp"

namespace tsplink::security {

using Bytes = std::vector<std::uint8_t>;

inline Bytes bytes(std::string_view text) { return Bytes(text.begin(), text.end()); }
inline std::string text(const Bytes& data) { return std::string(data.begin(), data.end()); }

struct Pair {
  Pair(std::shared_ptr<const Context> client_context, std::shared_ptr<const Context> server_context,
       const std::string& host_name = "host.test")
      : client(std::move(client_context), host_name), server(std::move(server_context)) {
    client.start();
  }

  /// Passes bytes both ways, at most `piece` at a time, until both are silent.
  void run(std::size_t piece = SIZE_MAX) {
    while (client.has_output() || server.has_output()) {
      pass(client, server, piece);
      pass(server, client, piece);
    }
  }

  static void pass(Engine& from, Engine& to, std::size_t piece = SIZE_MAX) {
    const Bytes data = from.take_output();
    for (std::size_t at = 0; at < data.size(); at += std::min(piece, data.size() - at)) {
      to.receive(std::span(data).subspan(at, std::min(piece, data.size() - at)));
    }
  }

  bool open() const { return client.state() == Engine::State::Open && server.state() == Engine::State::Open; }

  Engine client, server;
};

/// A pair of good certificates, open.
inline Pair open_pair() {
  Pair pair(World::get().client(), World::get().server());
  pair.run();
  return pair;
}

}  // namespace tsplink::security
