// Resolves host names beside the reactor: getaddrinfo may take half a minute, and there is no portable way to stop
// it. So its thread shares nothing but its queue, is started for the first name that is no literal address, and a
// stop leaves a stuck one behind, which then only frees its queue. Owner: the reactor's core. Threads: resolve() and
// stop() on the reactor's thread; answers come on the resolver's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tsplink::link {

class Resolver {
 public:
  /// Numeric addresses as ZeroMQ writes them, or none and the problem.
  using Answer = std::function<void(std::vector<std::string> addresses, std::string problem)>;

  Resolver();
  ~Resolver();
  void resolve(const std::string& host, Answer answer);
  /// No answer is called after this returned.
  void stop();

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);
  std::shared_ptr<Shared> shared_;
};

}  // namespace tsplink::link
