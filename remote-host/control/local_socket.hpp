// A stream between processes of one machine that the system's permissions protect: a Unix domain socket, on Windows a
// named pipe. Owner: the control server; tsplinkctl. Threads: each function says; a LocalStream belongs to one. What
// is waited for is bounded by the `clock` of whoever made the listener or connected; it outlives them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "wire/clock.hpp"

namespace tsplink::host::control {

/// What a configuration file's `socket` means; empty: what it is without that setting, for this file alone. UTF-8.
std::string socket_of(const std::filesystem::path& configuration, const std::string& socket);

class LocalStream {
 public:
  virtual ~LocalStream() = default;
  /// Appends what is there to `to`. False: the end, `until` passed, or the listener stopped.
  virtual bool read(std::string& to, wire::TimePoint until) = 0;
  /// False: the other end is gone, `until` passed, or the listener stopped.
  virtual bool write(std::string_view text, wire::TimePoint until) = 0;
};

class LocalListener {
 public:
  /// Takes the place of a socket whose host is dead. Only this account may connect, on Windows Administrators and
  /// SYSTEM too, and the `group` that is given. Throws Failure(Configuration) with a sentence: another host is there,
  /// the path is too long or taken by something else, no such group, no rights.
  LocalListener(const std::string& socket, const std::string& group, const wire::Clock& clock);
  ~LocalListener();
  LocalListener(const LocalListener&) = delete;
  LocalListener& operator=(const LocalListener&) = delete;

  /// Waits for a client; nullptr: stopped. Any number of threads at once.
  std::unique_ptr<LocalStream> accept();
  /// Ends every wait of this listener and its streams, for good. Any thread.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Connects to a listener. Throws Failure(LinkDown) with a sentence: nobody is there, no rights, all busy until
/// `until`. Any thread.
std::unique_ptr<LocalStream> connect_local(const std::string& socket, wire::TimePoint until,
                                           const wire::Clock& clock);

}  // namespace tsplink::host::control
