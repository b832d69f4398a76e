#include "wire/link/platform.hpp"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#endif

#include <algorithm>
#include <cstdint>
#include <memory>

namespace tsplink::link {

#ifdef _WIN32

namespace {
/// A process without it knows no address. ZeroMQ asks for it with its first context, which a configuration's
/// addresses do not wait for. Never given back.
void use_sockets() {
  static WSADATA data;
  static const int started = WSAStartup(MAKEWORD(2, 2), &data);
  static_cast<void>(started);
}
}  // namespace

void prepare_thread(const char*) {}
std::size_t open_file_bound() { return 16384; }  // libzmq waits by select() there, and its FD_SETSIZE is this

#else

namespace {
void use_sockets() {}
}  // namespace

void prepare_thread(const char* name) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
#ifdef __linux__
  pthread_setname_np(pthread_self(), name);
#else
  static_cast<void>(name);
#endif
}

std::size_t open_file_bound() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return static_cast<std::size_t>(limit.rlim_cur);
}

#endif

#ifndef _WIN32

std::string remote_of(int descriptor) {
  if (descriptor < 0) return {};
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return {reinterpret_cast<const char*>(&address), static_cast<std::size_t>(size)};
}

void shut_down(int descriptor, const std::string& remote) {
  if (!remote.empty() && remote_of(descriptor) == remote) shutdown(descriptor, SHUT_RDWR);
}

#endif

std::vector<std::string> addresses_of(const std::string& host, bool numeric_only, std::string& problem) {
  std::string bare = host;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  use_sockets();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = numeric_only ? AI_NUMERICHOST : AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(bare.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    problem = gai_strerror(error);
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char text[256];
    if (getnameinfo(entry->ai_addr, static_cast<socklen_t>(entry->ai_addrlen), text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    std::string address = entry->ai_family == AF_INET6 ? "[" + std::string(text) + "]" : std::string(text);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(std::move(address));
    }
  }
  if (addresses.empty()) problem = "it has no address";
  return addresses;
}

}  // namespace tsplink::link
