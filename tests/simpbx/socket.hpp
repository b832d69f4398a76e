// The few socket calls of the control channel, for POSIX and Windows: listen on 127.0.0.1, read lines, write lines.
// Owner: ControlServer. Threads: one listener and one thread for each connection; close() may come from another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tsplink::simpbx {

class Socket {
 public:
  /// Listens on an ephemeral port of 127.0.0.1; throws std::runtime_error.
  static std::unique_ptr<Socket> listen(std::uint16_t& port);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Waits for a connection; null after wake().
  std::unique_ptr<Socket> accept();
  /// The next line without its end; empty optional at the end of the connection or after wake().
  std::optional<std::string> read_line();
  bool write(const std::string& text);
  /// Ends accept() and read_line() on another thread.
  void wake();

 private:
  struct Impl;
  explicit Socket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Of the running process; part of a temporary file's name.
unsigned long process_id();

}  // namespace tsplink::simpbx
