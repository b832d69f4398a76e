#include "pbx_client.hpp"

#include <fstream>
#include <stdexcept>

#ifdef _WIN32
#include <winsock2.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#endif

namespace tsplink::tapisim {
namespace {
constexpr int kAnswerSeconds = 30;
#ifdef _WIN32
using SocketSize = int;
void close_socket(long handle) { closesocket(static_cast<SOCKET>(handle)); }
#else
using SocketSize = std::size_t;
void close_socket(long handle) { ::close(static_cast<int>(handle)); }
#endif
}  // namespace

PbxClient::~PbxClient() { close(); }

void PbxClient::close() {
  if (socket_ >= 0) close_socket(socket_);
  socket_ = -1;
  received_.clear();
}

void PbxClient::connect() {
  if (socket_ >= 0) return;
  if (port_file_.empty()) throw std::runtime_error("pbx needs --pbx FILE, the file with the control port");
  int port = 0;
  std::ifstream in(port_file_);
  if (!(in >> port) || port <= 0 || port > 65535) {
    throw std::runtime_error("the file " + port_file_ + " holds no port number; is the simulated PBX running?");
  }
#ifdef _WIN32
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
#endif
  socket_ = static_cast<long>(::socket(AF_INET, SOCK_STREAM, 0));
#ifdef _WIN32
  const DWORD limit = kAnswerSeconds * 1000;
#else
  const timeval limit{kAnswerSeconds, 0};
#endif
  ::setsockopt(static_cast<int>(socket_), SOL_SOCKET, SO_RCVTIMEO, reinterpret_cast<const char*>(&limit),
               sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(static_cast<int>(socket_), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close();
    throw std::runtime_error("the simulated PBX does not listen on 127.0.0.1 port " + std::to_string(port));
  }
}

std::string PbxClient::command(const std::string& line) {
  const std::lock_guard lock(mutex_);
  connect();
  const std::string out = line + "\n";
  if (::send(static_cast<int>(socket_), out.data(), static_cast<SocketSize>(out.size()), 0) !=
      static_cast<long>(out.size())) {
    close();
    throw std::runtime_error("the simulated PBX closed its control connection");
  }
  char buffer[4096];
  std::size_t end = 0;
  while ((end = received_.find('\n')) == std::string::npos) {
    const auto n = ::recv(static_cast<int>(socket_), buffer, sizeof buffer, 0);
    if (n <= 0) {
      close();
      throw std::runtime_error("the simulated PBX gave no answer to \"" + line + "\"");
    }
    received_.append(buffer, static_cast<std::size_t>(n));
  }
  std::string answer = received_.substr(0, end);
  received_.erase(0, end + 1);
  if (!answer.empty() && answer.back() == '\r') answer.pop_back();
  return answer;
}

}  // namespace tsplink::tapisim
