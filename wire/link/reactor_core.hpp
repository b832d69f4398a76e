// The reactor's inside: ZeroMQ's context, the loop, timers, the wake-up, the one STREAM socket of all Clients.
// Owner: Reactor. Threads: post(), after(), run() from any; everything else on the reactor's thread, or on any while
// that thread does not run.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "wire/link/limits.hpp"
#include "wire/link/peer.hpp"
#include "wire/link/resolver.hpp"
#include "wire/link/stream_socket.hpp"

namespace tsplink::link {

struct ContextCloser {
  void operator()(void* context) const;
};
struct SocketCloser {
  void operator()(void* socket) const;
};

class ReactorCore {
 public:
  using Task = std::function<void()>;

  ReactorCore(const wire::Clock& clock, Log log);
  ~ReactorCore();

  void start();
  void stop();
  void post(Task task);
  void after(wire::Duration delay, Task task);
  /// Runs `task` on the reactor's thread and waits for it; at once when called there or while there is no thread.
  /// Throws what the task throws.
  void run(const Task& task);
  bool on_thread() const { return thread_id_.load() == std::this_thread::get_id(); }
  bool running() const;

  wire::TimePoint now() const { return clock_.now(); }
  void log(Level level, const std::string& line) const;
  void at(wire::TimePoint when, Task task);
  void flush_later(std::shared_ptr<Peer> peer) { to_flush_.push_back(std::move(peer)); }
  Resolver& resolver() { return resolver_; }

  /// A server's socket; `events` gets what it reads until remove_socket().
  std::unique_ptr<StreamSocket> new_socket() { return std::make_unique<StreamSocket>(context_.get()); }
  void add_socket(StreamSocket& socket, SocketEvents& events);
  void remove_socket(StreamSocket& socket);

  /// A Client's connection: `address` numeric, from the resolver. `handle` is for disconnect().
  struct Connecting {
    RoutingId id;
    std::string endpoint;
    unsigned slot = 0;
  };
  StreamSocket& client_socket() { return *client_socket_; }
  /// Throws Failure(LinkDown).
  Connecting connect(const std::string& address, std::uint16_t port, SocketEvents& events);
  void disconnect(const Connecting& connecting);

 private:
  struct Entry {
    StreamSocket* socket;
    SocketEvents* events;
  };
  struct Timer {
    wire::TimePoint when;
    std::uint64_t order;
    Task task;
    bool operator<(const Timer& other) const {  // a heap with the earliest on top
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  /// Hands what the shared client socket reads to the Client whose connection it is.
  class ClientEvents final : public SocketEvents {
   public:
    void on_connect(const RoutingId& id, const std::string& address) override;
    void on_bytes(const RoutingId& id, std::span<const std::uint8_t> bytes) override;
    void on_disconnect(const RoutingId& id) override;
    std::unordered_map<RoutingId, SocketEvents*> by_id;
    StreamSocket* socket = nullptr;
  };

  void loop();
  long poll_timeout() const;
  void run_posted();
  void run_timers();
  void flush_peers();
  void wake();

  const wire::Clock& clock_;
  const Log log_;
  std::unique_ptr<void, ContextCloser> context_;
  std::unique_ptr<void, SocketCloser> wake_in_, wake_out_;
  std::unique_ptr<StreamSocket> client_socket_;
  ClientEvents client_events_;
  std::uint64_t next_client_id_ = 1;
  std::set<unsigned> used_slots_;

  std::mutex mutex_;  // posted_, wake_in_, running_
  std::vector<Task> posted_;
  bool running_ = false;

  std::vector<Entry> sockets_;
  std::vector<Timer> timers_;
  std::uint64_t next_timer_ = 0;
  std::vector<std::shared_ptr<Peer>> to_flush_;
  bool stopping_ = false;
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;
  Resolver resolver_;
};

}  // namespace tsplink::link
