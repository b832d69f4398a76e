// One ZMQ_STREAM socket and all its peers, with what that socket type does to the unwary kept inside (README.md).
// Owner: the reactor's core or a Server. Threads: made by any, then used by the reactor's thread alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "wire/channel.hpp"

namespace tsplink::link {

using RoutingId = std::string;

class SocketEvents {
 public:
  virtual ~SocketEvents() = default;
  virtual void on_connect(const RoutingId& id, const std::string& address) = 0;
  virtual void on_bytes(const RoutingId& id, std::span<const std::uint8_t> bytes) = 0;
  virtual void on_disconnect(const RoutingId& id) = 0;
};

/// A ZeroMQ socket, for zmq_close(). Throws Failure(Internal) when there is none to be had.
void* new_socket(void* context, int type);

class StreamSocket {
 public:
  enum class Sent { Done, Full, Gone };

  /// Throws as new_socket().
  explicit StreamSocket(void* context);
  ~StreamSocket();
  StreamSocket(const StreamSocket&) = delete;
  StreamSocket& operator=(const StreamSocket&) = delete;

  void* handle() const { return handle_; }

  /// 0, or errno. `endpoint` becomes the one that was really bound.
  int bind(std::string& endpoint);
  void unbind(const std::string& endpoint);
  /// Starts to connect; ZeroMQ tries again by itself until disconnect(). `endpoint` is unique among this socket's
  /// own, since disconnect() ends all that are spelt alike; `id` was never used before (ZeroMQ aborts otherwise).
  int connect(const RoutingId& id, const std::string& endpoint);
  void disconnect(const std::string& endpoint);

  /// Gives `bytes` to ZeroMQ and leaves it empty, unless the answer is Full (so much waits for this peer already that
  /// it must be tried again later) or Gone. Never waits.
  Sent send(const RoutingId& id, wire::Bytes& bytes);
  /// Closes the peer's connection, also a full one; what is queued for it is lost. No event of it comes after this.
  void drop(const RoutingId& id);

  /// Reads up to `most` messages, each at most 8 KiB. True when there may be more.
  bool read(SocketEvents& events, std::size_t most);

 private:
  /// Bytes that ZeroMQ has for a peer and has not written yet; its I/O thread counts down. ZeroMQ's own mark is off:
  /// a peer that has reached it takes no empty frame either, and could not be closed.
  using Waiting = std::shared_ptr<std::atomic<std::size_t>>;
  struct Outgoing;
  struct Known {
    Waiting waiting = std::make_shared<std::atomic<std::size_t>>(0);
#ifndef _WIN32
    int descriptor = -1;
    std::string remote{};  // address and port behind it
#endif
  };
  static void written(void*, void* outgoing);
  void dispatch(SocketEvents& events, const RoutingId& id, std::span<const std::uint8_t> bytes, void* message);
  void introduce(SocketEvents& events, const RoutingId& id, void* message);
  void end_going();

  void* handle_;
  std::unordered_map<RoutingId, Known> known_;
  // Dropped while its end is still to be read: until then ZeroMQ takes no frame for it.
  std::unordered_set<RoutingId> going_;
  // One message of a peer that was dropped may have been prefetched; its empty one must not pass for a newcomer.
  std::unordered_set<RoutingId> dropped_;
};

}  // namespace tsplink::link
