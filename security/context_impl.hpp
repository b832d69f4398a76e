// OpenSSL's part of a Context. Inside security/ only.
// Owner: Context. Threads: any; nothing changes after load but the tickets, which have their own mutex.
#pragma once

#include "security/context.hpp"
#include "security/openssl.hpp"
#include "security/ticket_store.hpp"

namespace tsplink::security {

struct Context::Impl {
  Side side = Side::Client;
  PeerCertificate own;
  std::vector<std::string> warnings;
  std::vector<RevocationList> revocations;
  std::string authority_file;    // for sentences; the certificate file when it brought the authorities
  std::string revocations_file;  // for sentences
  BioMethodPtr bio_method;
  SslContextPtr ssl;
  mutable TicketStore tickets;
};

}  // namespace tsplink::security
