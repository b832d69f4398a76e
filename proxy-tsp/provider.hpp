// The one root object of the loaded module: configuration, log, the connection to the host, and the Core that serves
// TAPI. Made by the first TSPI call, connected by providerInit, gone after providerShutdown; nothing happens before
// or after, least of all while the module is loaded or unloaded. Functions are called on TAPI's threads.
#pragma once

#include <memory>
#include <mutex>

#include "proxy-tsp/core.hpp"

namespace tsplink::proxy {

class Provider {
 public:
  virtual ~Provider() = default;

  /// The root, made if there is none.
  static std::shared_ptr<Provider> root();
  /// Held while the provider starts or ends: a root that ends serves no start.
  static std::unique_lock<std::mutex> turn();
  virtual Core& core() = 0;
};

}  // namespace tsplink::proxy
