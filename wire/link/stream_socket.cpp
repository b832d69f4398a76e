#include "wire/link/stream_socket.hpp"

#include <zmq.h>

#include <cerrno>

#include "wire/failure.hpp"
#include "wire/link/platform.hpp"

namespace tsplink::link {

namespace {

// In frames of up to 64 KiB and 8 KiB: what ZeroMQ holds for one peer beside its own buffers.
constexpr int kSendMark = 32;
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

void free_bytes(void*, void* bytes) { delete static_cast<wire::Bytes*>(bytes); }

/// The identity frame. Unless it was taken nothing else may be sent: the next frame would be read as an identity.
StreamSocket::Sent send_identity(void* socket, const RoutingId& id) {
  for (;;) {
    if (zmq_send(socket, id.data(), id.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) return StreamSocket::Sent::Done;
    if (zmq_errno() == EINTR) continue;
    return zmq_errno() == EAGAIN ? StreamSocket::Sent::Full : StreamSocket::Sent::Gone;
  }
}

}  // namespace

StreamSocket::StreamSocket(void* context) : handle_(zmq_socket(context, ZMQ_STREAM)) {
  if (handle_ == nullptr) {
    throw Failure(Kind::Internal, std::string("no ZeroMQ socket could be made: ") + zmq_strerror(zmq_errno()));
  }
  try {
    set(handle_, ZMQ_LINGER, 0);
    set(handle_, ZMQ_SNDHWM, kSendMark);
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

StreamSocket::Sent StreamSocket::send(const RoutingId& id, wire::Bytes& bytes) {
  // An empty frame would close the peer.
  if (bytes.empty()) return Sent::Done;
  const Sent identity = send_identity(handle_, id);
  if (identity != Sent::Done) return identity;
  auto* owned = new wire::Bytes(std::move(bytes));
  bytes.clear();
  zmq_msg_t message;
  zmq_msg_init_data(&message, owned->data(), owned->size(), free_bytes, owned);
  int rc = 0;
  do rc = zmq_msg_send(&message, handle_, ZMQ_DONTWAIT);
  while (rc < 0 && zmq_errno() == EINTR);
  if (rc >= 0) return Sent::Done;
  zmq_msg_close(&message);
  return Sent::Gone;
}

void StreamSocket::drop(const RoutingId& id) {
  const auto found = known_.find(id);
  const Sent identity = send_identity(handle_, id);
  if (identity == Sent::Done) {
    int rc = 0;
    do rc = zmq_send(handle_, "", 0, ZMQ_DONTWAIT);
    while (rc < 0 && zmq_errno() == EINTR);
  } else if (identity == Sent::Full) {
    condemned_.insert(id);
    if (found != known_.end()) shut_down(found->second.descriptor, found->second.remote);
  }
  if (found == known_.end()) return;
  if (identity != Sent::Full) dropped_.insert(id);
  known_.erase(found);
}

bool StreamSocket::read(SocketEvents& events, std::size_t most) {
  for (std::size_t count = 0; count < most; ++count) {
    Message identity, payload;
    if (!identity.receive(handle_)) {
      dropped_.clear();
      end_condemned();
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
  if (!condemned_.empty() && condemned_.contains(id)) {
    if (bytes.empty()) condemned_.erase(id);
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
  const int descriptor = zmq_msg_get(received, ZMQ_SRCFD);
  known_[id] = {descriptor, remote_of(descriptor)};
  const char* address = zmq_msg_gets(received, "Peer-Address");
  std::string text = address != nullptr ? address : "an unknown address";
  if (text.starts_with("::ffff:")) text = text.substr(7);
  events.on_connect(id, text);
}

void StreamSocket::end_condemned() {
  for (auto id = condemned_.begin(); id != condemned_.end();) {
    const Sent identity = send_identity(handle_, *id);
    if (identity == Sent::Done) zmq_send(handle_, "", 0, ZMQ_DONTWAIT);
    id = identity == Sent::Full ? std::next(id) : condemned_.erase(id);
  }
}

}  // namespace tsplink::link
