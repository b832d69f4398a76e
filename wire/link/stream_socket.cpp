#include "wire/link/stream_socket.hpp"

#include <zmq.h>

#include <cerrno>

#include "wire/failure.hpp"
#include "wire/link/platform.hpp"

namespace tsplink::link {

namespace {

// What ZeroMQ holds for one peer beside its own buffers, in bytes and in frames of up to 8 KiB.
constexpr std::size_t kMostWaiting = 2 * 1024 * 1024;
constexpr int kReceiveMark = 64;
constexpr int kReconnectMs = 200;  // between two tries of one connect()
constexpr int kReconnectMostMs = 2000;
constexpr int kConnectTimeoutMs = 5000;

void set(void* socket, int option, int value) {
  if (zmq_setsockopt(socket, option, &value, sizeof value) != 0) {
    throw Failure(Kind::Internal,
                  "ZeroMQ refused socket option " + std::to_string(option) + ": " + zmq_strerror(zmq_errno()));
  }
}

class Message {
 public:
  Message() { zmq_msg_init(&message_); }
  ~Message() { zmq_msg_close(&message_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  zmq_msg_t* get() { return &message_; }
  std::span<const std::uint8_t> bytes() {
    return {static_cast<const std::uint8_t*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }
  bool receive(void* socket) {
    int rc = 0;
    do rc = zmq_msg_recv(&message_, socket, ZMQ_DONTWAIT);
    while (rc < 0 && zmq_errno() == EINTR);
    return rc >= 0;
  }

 private:
  zmq_msg_t message_;
};

/// The identity frame. Unless it was taken nothing else may be sent: the next frame would be read as an identity.
StreamSocket::Sent send_identity(void* socket, const RoutingId& id) {
  for (;;) {
    if (zmq_send(socket, id.data(), id.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) return StreamSocket::Sent::Done;
    if (zmq_errno() == EINTR) continue;
    return zmq_errno() == EAGAIN ? StreamSocket::Sent::Full : StreamSocket::Sent::Gone;
  }
}

/// Closes the peer whose identity was just taken.
void send_empty(void* socket) {
  while (zmq_send(socket, "", 0, ZMQ_DONTWAIT) < 0 && zmq_errno() == EINTR) {
  }
}

}  // namespace

void* new_socket(void* context, int type) {
  if (context != nullptr) {
    if (void* socket = zmq_socket(context, type); socket != nullptr) return socket;
  }
#ifdef _WIN32
  // ZeroMQ has no other name for it than that of too many files.
  throw Failure(
      Kind::Internal,
      "no ZeroMQ socket could be made: a program must be able to connect to itself on 127.0.0.1; see whether "
      "a firewall or another protection forbids that, or whether Windows has run out of ports or memory");
#else
  throw Failure(Kind::Internal, std::string("no ZeroMQ socket could be made: ") + zmq_strerror(zmq_errno()));
#endif
}

StreamSocket::StreamSocket(void* context) : handle_(new_socket(context, ZMQ_STREAM)) {
  try {
    set(handle_, ZMQ_LINGER, 0);
    set(handle_, ZMQ_SNDHWM, 0);
    set(handle_, ZMQ_RCVHWM, kReceiveMark);
    set(handle_, ZMQ_IPV6, 1);
    set(handle_, ZMQ_BACKLOG, 1024);
    set(handle_, ZMQ_RECONNECT_IVL, kReconnectMs);
    set(handle_, ZMQ_RECONNECT_IVL_MAX, kReconnectMostMs);
    set(handle_, ZMQ_CONNECT_TIMEOUT, kConnectTimeoutMs);
  } catch (...) {
    zmq_close(handle_);
    throw;
  }
}

StreamSocket::~StreamSocket() { zmq_close(handle_); }

int StreamSocket::bind(std::string& endpoint) {
  if (zmq_bind(handle_, endpoint.c_str()) != 0) return zmq_errno();
  char bound[256];
  std::size_t size = sizeof bound;
  if (zmq_getsockopt(handle_, ZMQ_LAST_ENDPOINT, bound, &size) == 0) endpoint = bound;
  return 0;
}

void StreamSocket::unbind(const std::string& endpoint) { zmq_unbind(handle_, endpoint.c_str()); }

int StreamSocket::connect(const RoutingId& id, const std::string& endpoint) {
  if (zmq_setsockopt(handle_, ZMQ_CONNECT_ROUTING_ID, id.data(), id.size()) != 0) return zmq_errno();
  return zmq_connect(handle_, endpoint.c_str()) == 0 ? 0 : zmq_errno();
}

void StreamSocket::disconnect(const std::string& endpoint) { zmq_disconnect(handle_, endpoint.c_str()); }

struct StreamSocket::Outgoing {
  wire::Bytes bytes;
  Waiting waiting;
};

void StreamSocket::written(void*, void* outgoing) {
  const std::unique_ptr<Outgoing> owner(static_cast<Outgoing*>(outgoing));
  *owner->waiting -= owner->bytes.size();
}

StreamSocket::Sent StreamSocket::send(const RoutingId& id, wire::Bytes& bytes) {
  // An empty frame would close the peer.
  if (bytes.empty()) return Sent::Done;
  const auto known = known_.find(id);
  if (known == known_.end()) return Sent::Gone;
  if (*known->second.waiting >= kMostWaiting) return Sent::Full;
  const Sent identity = send_identity(handle_, id);
  if (identity != Sent::Done) return identity;
  auto* outgoing = new Outgoing{std::move(bytes), known->second.waiting};
  bytes.clear();
  *outgoing->waiting += outgoing->bytes.size();
  zmq_msg_t message;
  zmq_msg_init_data(&message, outgoing->bytes.data(), outgoing->bytes.size(), &written, outgoing);
  int rc = 0;
  do rc = zmq_msg_send(&message, handle_, ZMQ_DONTWAIT);
  while (rc < 0 && zmq_errno() == EINTR);
  if (rc >= 0) return Sent::Done;
  zmq_msg_close(&message);
  return Sent::Gone;
}

void StreamSocket::drop(const RoutingId& id) {
  const auto known = known_.extract(id);
  switch (send_identity(handle_, id)) {
    case Sent::Done: send_empty(handle_); break;
    case Sent::Full: going_.insert(id); return;
    case Sent::Gone: break;
  }
  if (!known) return;
  dropped_.insert(id);
#ifndef _WIN32
  // What is queued would be written first, and a peer that reads nothing would never be closed.
  if (*known.mapped().waiting != 0) shut_down(known.mapped().descriptor, known.mapped().remote);
#endif
}

bool StreamSocket::read(SocketEvents& events, std::size_t most) {
  for (std::size_t count = 0; count < most; ++count) {
    Message identity, payload;
    if (!identity.receive(handle_)) {
      dropped_.clear();
      end_going();
      return false;
    }
    // Both parts are there together.
    if (!payload.receive(handle_)) return false;
    const auto id = identity.bytes();
    dispatch(events, RoutingId(id.begin(), id.end()), payload.bytes(), payload.get());
  }
  return true;
}

void StreamSocket::dispatch(SocketEvents& events, const RoutingId& id, std::span<const std::uint8_t> bytes,
                            void* message) {
  if (dropped_.contains(id)) return;
  if (!going_.empty() && going_.contains(id)) {
    if (bytes.empty()) going_.erase(id);
    return;
  }
  if (!bytes.empty()) {
    if (known_.contains(id)) events.on_bytes(id, bytes);
  } else if (known_.erase(id) != 0) {
    events.on_disconnect(id);
  } else {
    introduce(events, id, message);
  }
}

void StreamSocket::introduce(SocketEvents& events, const RoutingId& id, void* message) {
  auto* received = static_cast<zmq_msg_t*>(message);
  [[maybe_unused]] Known& known = known_[id];
#ifndef _WIN32
  known.descriptor = zmq_msg_get(received, ZMQ_SRCFD);
  known.remote = remote_of(known.descriptor);
#endif
  const char* address = zmq_msg_gets(received, "Peer-Address");
  std::string text = address != nullptr ? address : "an unknown address";
  if (text.starts_with("::ffff:")) text = text.substr(7);
  events.on_connect(id, text);
}

void StreamSocket::end_going() {
  for (auto id = going_.begin(); id != going_.end();) {
    const Sent identity = send_identity(handle_, *id);
    if (identity == Sent::Done) send_empty(handle_);
    id = identity == Sent::Full ? std::next(id) : going_.erase(id);
  }
}

}  // namespace tsplink::link
