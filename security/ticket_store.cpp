#include "security/ticket_store.hpp"

#include <ctime>

#include "security/certificate_reader.hpp"

namespace tsplink::security {
namespace {

bool usable(const SSL_SESSION* session) {
  if (SSL_SESSION_is_resumable(session) != 1) return false;
  // A resumed handshake does not verify the certificate again, so its end of validity is looked at here.
  const X509* peer = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  if (peer == nullptr || is_expired(peer)) return false;
  const auto age = static_cast<long>(std::time(nullptr)) - SSL_SESSION_get_time(session);
  return age >= 0 && age < SSL_SESSION_get_timeout(session);
}

}  // namespace

void TicketStore::keep(const std::string& host_name, const SSL_SESSION* session) {
  SslSessionPtr copy(SSL_SESSION_dup(const_cast<SSL_SESSION*>(session)));
  if (copy == nullptr) return;
  const std::lock_guard lock(mutex_);
  if (tickets_.size() >= kHosts && tickets_.count(host_name) == 0) tickets_.erase(tickets_.begin());
  auto& of_host = tickets_[host_name];
  if (of_host.size() >= kTicketsOfHost) of_host.erase(of_host.begin());
  of_host.push_back(std::move(copy));
}

SslSessionPtr TicketStore::take(const std::string& host_name) {
  const std::lock_guard lock(mutex_);
  const auto found = tickets_.find(host_name);
  if (found == tickets_.end()) return nullptr;
  auto& of_host = found->second;
  while (!of_host.empty()) {
    SslSessionPtr newest = std::move(of_host.back());
    of_host.pop_back();
    if (usable(newest.get())) return newest;
  }
  return nullptr;
}

}  // namespace tsplink::security
