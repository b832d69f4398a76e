#include "tests/simpbx/socket.hpp"

#include <atomic>
#include <stdexcept>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace tsplink::simpbx {
namespace {

#ifdef _WIN32
using Native = SOCKET;
using Length = int;
constexpr Native kNone = INVALID_SOCKET;
void close_native(Native s) { ::closesocket(s); }
int poll_native(Native s, int ms) {
  WSAPOLLFD entry{s, POLLRDNORM, 0};
  return ::WSAPoll(&entry, 1, ms);
}
int receive_native(Native s, char* to, std::size_t size) { return ::recv(s, to, static_cast<int>(size), 0); }
int send_native(Native s, const char* from, std::size_t size) { return ::send(s, from, static_cast<int>(size), 0); }
void prepare_sockets() {
  static const int started = [] {
    WSADATA data;
    return ::WSAStartup(MAKEWORD(2, 2), &data);
  }();
  if (started != 0) throw std::runtime_error("simpbx: Windows sockets cannot be started.");
}
#else
using Native = int;
using Length = socklen_t;
constexpr Native kNone = -1;
void close_native(Native s) { ::close(s); }
int poll_native(Native s, int ms) {
  pollfd entry{s, POLLIN, 0};
  return ::poll(&entry, 1, ms);
}
long receive_native(Native s, char* to, std::size_t size) { return ::recv(s, to, size, 0); }
long send_native(Native s, const char* from, std::size_t size) { return ::send(s, from, size, MSG_NOSIGNAL); }
void prepare_sockets() {}
#endif

constexpr int kPollMs = 50;  // how soon wake() is noticed
constexpr std::size_t kLongestLine = 4u << 20;

}  // namespace

struct Socket::Impl {
  Native native = kNone;
  std::string buffer;
  std::atomic<bool> woken{false};

  bool wait_readable() {
    while (!woken) {
      const int ready = poll_native(native, kPollMs);
      if (ready > 0) return true;
    }
    return false;
  }
};

Socket::Socket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Socket::~Socket() {
  if (impl_->native != kNone) close_native(impl_->native);
}

std::unique_ptr<Socket> Socket::listen(std::uint16_t& port) {
  prepare_sockets();
  auto impl = std::make_unique<Impl>();
  impl->native = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Length length = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (impl->native == kNone || ::bind(impl->native, plain, length) != 0 || ::listen(impl->native, 8) != 0 ||
      ::getsockname(impl->native, plain, &length) != 0) {
    if (impl->native != kNone) close_native(impl->native);
    throw std::runtime_error("simpbx: the control channel cannot listen on 127.0.0.1.");
  }
  port = ntohs(address.sin_port);
  return std::unique_ptr<Socket>(new Socket(std::move(impl)));
}

std::unique_ptr<Socket> Socket::accept() {
  if (!impl_->wait_readable()) return nullptr;
  auto impl = std::make_unique<Impl>();
  impl->native = ::accept(impl_->native, nullptr, nullptr);
  if (impl->native == kNone) return nullptr;
  return std::unique_ptr<Socket>(new Socket(std::move(impl)));
}

std::optional<std::string> Socket::read_line() {
  for (;;) {
    if (const auto end = impl_->buffer.find('\n'); end != std::string::npos) {
      std::string line = impl_->buffer.substr(0, end);
      impl_->buffer.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    if (impl_->buffer.size() > kLongestLine || !impl_->wait_readable()) return std::nullopt;
    char part[4096];
    const auto got = receive_native(impl_->native, part, sizeof part);
    if (got <= 0) return std::nullopt;
    impl_->buffer.append(part, static_cast<std::size_t>(got));
  }
}

bool Socket::write(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto sent = send_native(impl_->native, text.data() + at, text.size() - at);
    if (sent <= 0) return false;
    at += static_cast<std::size_t>(sent);
  }
  return true;
}

void Socket::wake() { impl_->woken = true; }

unsigned long process_id() {
#ifdef _WIN32
  return ::GetCurrentProcessId();
#else
  return static_cast<unsigned long>(::getpid());
#endif
}

}  // namespace tsplink::simpbx
