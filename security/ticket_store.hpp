// Session tickets that a client got, by host name, so that a reconnect resumes. Inside security/ only.
// Owner: Context. Threads: any; a mutex inside.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "security/openssl.hpp"

namespace tsplink::security {

class TicketStore {
 public:
  /// Keeps a copy: the original goes on belonging to its connection, which may run in another thread.
  void keep(const std::string& host_name, const SSL_SESSION* session);

  /// The newest usable ticket, or null. It is removed: a ticket is used once, so that nobody who watches the network
  /// can link two connections by it.
  SslSessionPtr take(const std::string& host_name);

 private:
  static constexpr std::size_t kHosts = 64;
  static constexpr std::size_t kTicketsOfHost = 4;

  std::mutex mutex_;
  std::map<std::string, std::vector<SslSessionPtr>> tickets_;  // oldest first
};

}  // namespace tsplink::security
