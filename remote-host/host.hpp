// The host put together: link, broker and workers. Owner: the program. start() and stop() from the program's main
// thread; the broker lives on the reactor's thread, workers on their own.
#pragma once

#include <memory>
#include <string>

#include "remote-host/config.hpp"
#include "wire/clock.hpp"

namespace tsplink::host {

class Host {
 public:
  /// Reads certificates and loads the modules. Throws Failure(Configuration) or security::Error, a sentence each.
  /// `clock` outlives the host.
  Host(const Config& config, const wire::Clock& clock);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Initialises the providers, then listens. Throws as the constructor does.
  void start();
  /// Bye to desktops, then the providers. False: a provider did not come back.
  bool stop();
  std::uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tsplink::host
