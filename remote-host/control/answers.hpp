// What the host answers to tsplinkctl: JSON texts by the table of commands. Owner: nothing is kept. Threads: the
// control server's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "remote-host/broker/inspect.hpp"

namespace tsplink::host::control {

struct ProviderFacts {
  std::string name;
  std::string module;                          // file, UTF-8
  std::optional<std::chrono::seconds> uptime;  // none: it is not ready yet
  std::size_t lines = 0;
  std::size_t phones = 0;
  std::size_t running = 0;  // functions of the vendor that have not returned
  std::size_t stuck = 0;    // of those, for longer than limits.watchdog_ms
};

struct HostFacts {
  bool serving = false;  // else it still starts, and there is nothing to inspect
  std::chrono::seconds uptime{0};
  std::string listen;  // "0.0.0.0:8643"
  std::string policy;  // file, UTF-8
  std::chrono::system_clock::time_point policy_taken;
  std::string policy_problem;  // of the file since then; empty: none
  std::string certificate;     // subject
  std::chrono::system_clock::time_point certificate_expires;
  std::chrono::system_clock::time_point certificates_taken;
  std::string revocations;               // which lists are in force; empty: none
  std::string certificates_problem;      // of the files since then, or of those in force
  std::vector<ProviderFacts> providers;  // in the order of the broker's workers
};

/// The host as it is seen from here. Any thread but the reactor's; each throws Failure with a sentence, within 5 s.
class Controlled {
 public:
  virtual ~Controlled() = default;
  virtual HostFacts facts() = 0;
  virtual Inspection inspect() = 0;
  virtual void kick(SessionId session, const std::string& reason) = 0;
  /// Takes policy and certificates now; they are in force when this returns, but for those with a mistake, which it
  /// throws.
  virtual void reload() = 0;
};

/// Never throws but for memory. `clock` is the one that times in an Inspection are of.
std::string answer(Controlled& host, const std::string& request, const wire::Clock& clock = wire::Clock::steady());

/// {"error": sentence}
std::string refusal(const std::string& sentence);

}  // namespace tsplink::host::control
