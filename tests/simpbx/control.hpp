// The control channel: text lines over TCP on 127.0.0.1, the port of which is written into the file that
// SIMPBX_CONTROL names. Tests and demos play the far side of calls and the hardware through it.
// Owner: the Pbx. Threads: one for accepting and one for each connection; commands run with the Pbx's mutex held.
#pragma once

#include <memory>
#include <string>

namespace tsplink::simpbx {

class Pbx;

class ControlServer {
 public:
  /// Null when SIMPBX_CONTROL is not set.
  static std::unique_ptr<ControlServer> start(Pbx& pbx);
  /// Ends all threads and removes the file; the Pbx's mutex must not be held.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Carries out one command line; the answer begins with "ok" or "error ". Takes the Pbx's mutex itself.
std::string run_command(Pbx& pbx, const std::string& line);

}  // namespace tsplink::simpbx
