#include "tests/platform/socket.hpp"

#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#ifdef _WIN32
#include <winsock2.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace tsplink::tests {

namespace {

#ifdef _WIN32
using Native = SOCKET;
using Size = int;
using AddressSize = int;
constexpr int kSendFlags = 0;
constexpr int kWriting = SD_SEND;
void prepare() {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
}
DWORD time_out(std::chrono::seconds time) { return static_cast<DWORD>(std::chrono::milliseconds(time).count()); }
int last_error() { return WSAGetLastError(); }
bool was_reset() { return last_error() == WSAECONNRESET || last_error() == WSAECONNABORTED; }
void close_native(Native socket) { closesocket(socket); }
#else
using Native = int;
using Size = std::size_t;
using AddressSize = socklen_t;
constexpr int kSendFlags = MSG_NOSIGNAL;
constexpr int kWriting = SHUT_WR;
void prepare() {}
timeval time_out(std::chrono::seconds time) { return {time.count(), 0}; }
int last_error() { return errno; }
bool was_reset() { return last_error() == ECONNRESET; }
void close_native(Native socket) { ::close(socket); }
#endif

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

template <class Value>
void set(Native socket, int option, const Value& value) {
  setsockopt(socket, SOL_SOCKET, option, reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

LoopbackSocket::LoopbackSocket(std::uint16_t port, const Options& options) {
  prepare();
  const auto address = loopback(port);
  // Wine has been seen to refuse the first try on a port that was open.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  for (;;) {
    const Native made = ::socket(AF_INET, SOCK_STREAM, 0);
    if (options.receive_buffer != 0) set(made, SO_RCVBUF, options.receive_buffer);
    set(made, SO_RCVTIMEO, time_out(options.patience));
    if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      native_ = static_cast<std::uintptr_t>(made);
      return;
    }
    const auto why = std::system_category().message(last_error());
    close_native(made);
    if (std::chrono::steady_clock::now() > until) {
      throw std::runtime_error("127.0.0.1 port " + std::to_string(port) + " takes no connection: " + why);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

LoopbackSocket::~LoopbackSocket() {
  if (native_ != kNone) close_native(static_cast<Native>(native_));
}

bool LoopbackSocket::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(static_cast<Native>(native_), reinterpret_cast<const char*>(bytes.data()),
                              static_cast<Size>(bytes.size()), kSendFlags);
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

long LoopbackSocket::receive(std::span<std::uint8_t> into) {
  return static_cast<long>(
      ::recv(static_cast<Native>(native_), reinterpret_cast<char*>(into.data()), static_cast<Size>(into.size()), 0));
}

std::vector<std::uint8_t> LoopbackSocket::read(std::size_t most) {
  std::vector<std::uint8_t> bytes(most);
  const long count = receive(bytes);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

bool LoopbackSocket::wait_end() {
  std::vector<std::uint8_t> bytes(16384);
  long count = 0;
  do count = receive(bytes);
  while (count > 0);
  return count == 0 || was_reset();
}

void end_writing(std::uintptr_t socket) { ::shutdown(static_cast<Native>(socket), kWriting); }

LoopbackListener::LoopbackListener() {
  prepare();
  const Native made = ::socket(AF_INET, SOCK_STREAM, 0);
  listening_.native_ = static_cast<std::uintptr_t>(made);
  auto address = loopback(0);
  AddressSize size = sizeof address;
  if (::bind(made, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(made, 8) != 0 ||
      ::getsockname(made, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("127.0.0.1 cannot be listened on: " + std::system_category().message(last_error()));
  }
  port_ = ntohs(address.sin_port);
}

LoopbackSocket LoopbackListener::accept(std::chrono::seconds patience) {
  const Native listening = static_cast<Native>(listening_.native_);
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(listening, &readable);
  timeval most{};
  most.tv_sec = static_cast<decltype(most.tv_sec)>(patience.count());
  if (::select(static_cast<int>(listening) + 1, &readable, nullptr, nullptr, &most) != 1) {
    throw std::runtime_error("nobody connected to 127.0.0.1 port " + std::to_string(port_));
  }
  LoopbackSocket made;
  made.native_ = static_cast<std::uintptr_t>(::accept(listening, nullptr, nullptr));
  set(static_cast<Native>(made.native_), SO_RCVTIMEO, time_out(patience));
  return made;
}

}  // namespace tsplink::tests
