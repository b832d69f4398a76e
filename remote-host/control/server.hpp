// The host's end of the control socket: one request and one answer a connection, a line of text each. Owner: the
// host. Threads: its own, which call `answer`, several at once; a client that is silent or slow holds one of them,
// for a bounded time.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "remote-host/control/local_socket.hpp"

namespace tsplink::host::control {

struct Bounds {
  std::size_t clients = 8;  // at once; the next ones wait
  std::size_t request_bytes = 16 * 1024;
  std::chrono::milliseconds request{2000};  // from connecting until the request is there
  std::chrono::milliseconds answer{5000};   // until the client has taken it
};

class Server {
 public:
  /// A request without its end of line to an answer without one; must not throw.
  using Answer = std::function<std::string(const std::string&)>;

  /// Makes the socket, which clients can connect to from now on. Throws as LocalListener does.
  Server(const std::string& socket, const std::string& group, Answer answer, const wire::Clock& clock,
         Bounds bounds = {});
  /// Ends all connections, and waits for `answer` to return.
  ~Server();

 private:
  void serve();
  void serve(LocalStream& client) const;

  const wire::Clock& clock_;
  const Bounds bounds_;
  const Answer answer_;
  LocalListener listener_;
  std::vector<std::thread> threads_;
};

/// A client's whole exchange: connects, asks, and gives the answer. Throws Failure(LinkDown) with a sentence.
std::string ask(const std::string& socket, const std::string& request, std::chrono::milliseconds bound,
                const wire::Clock& clock = wire::Clock::steady());

}  // namespace tsplink::host::control
