// The reactor: one thread that owns the sockets of any number of Clients and Servers, runs their timers and calls
// their handlers. Nothing else of tsplink touches a socket.
// Owner: the program; it outlives its Clients and Servers. Threads: each function says.
#pragma once

#include <functional>
#include <memory>

#include "wire/clock.hpp"
#include "wire/link/limits.hpp"

namespace tsplink::link {

class ReactorCore;

class Reactor {
 public:
  /// Makes ZeroMQ's context and the sockets of all Clients. Throws Failure(Internal).
  explicit Reactor(const wire::Clock& clock = wire::Clock::steady(), Log log = {});
  /// stop()
  ~Reactor();

  /// Starts the thread. What was posted before runs now.
  void start();
  /// Ends the thread and drops what is still posted; connections that are still there are cut. Stop Clients and
  /// Servers first, so that they say Bye. Not from the reactor's own thread.
  void stop();

  /// Any thread: runs the function on the reactor's thread, in the order of posting. It must not throw.
  void post(std::function<void()> task);
  /// Any thread: the same, not before `delay` has passed.
  void after(wire::Duration delay, std::function<void()> task);

  ReactorCore& core() { return *core_; }

 private:
  std::unique_ptr<ReactorCore> core_;
};

}  // namespace tsplink::link
