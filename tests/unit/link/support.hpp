// What the link's tests share: certificates for localhost, handlers that record and can be waited for, envelopes, and
// a raw TLS peer on a plain socket that does only what the test tells it.
// Owner: the test. Threads: handlers are called by the reactor's, asked by the test's.
#pragma once

#include <wire/envelope_generated.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "security/engine.hpp"
#include "tests/platform/process.hpp"
#include "tests/platform/socket.hpp"
#include "wire/frame.hpp"
#include "wire/link/envelopes.hpp"
#include "wire/link/link.hpp"

namespace tsplink::link {

/// Generous: a test that waits this long has failed.
inline constexpr auto kPatience = std::chrono::seconds(60);

std::shared_ptr<const security::Context> host_context();
/// The same host with a list of whom its authority has revoked: everybody who has desktop_context().
std::shared_ptr<const security::Context> host_context_without_desktop();
std::shared_ptr<const security::Context> desktop_context();
/// Another desktop, of the same authority.
std::shared_ptr<const security::Context> other_desktop_context();
/// A desktop of an authority that the host does not know.
std::shared_ptr<const security::Context> stranger_context();

LocalInfo local(const std::string& machine, const std::string& product = "0.1.0", std::uint64_t sheet = 7);

/// For tests that are not about these times: a machine that is busy, or a sanitizer, makes everything ten times
/// slower.
Limits patient();

/// An Event whose param1 is `number` and whose data has `size` bytes.
wire::Buffer event(std::uint64_t number, std::size_t size = 16);
std::uint64_t number_of(const wire::Buffer& event);
wire::fb::Body kind_of(const wire::Buffer& envelope);

/// For what nobody tells of: looks again and again.
inline bool becomes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// So many handles more than before are a leak. Windows makes some once, whenever they are first needed: far fewer
/// than one for each of a hundred rounds.
#ifdef _WIN32
inline constexpr std::size_t kLeak = 10;
#else
inline constexpr std::size_t kLeak = 1;
#endif

/// State that one thread changes and another waits for.
class Watched {
 public:
  bool wait(const std::function<bool()>& condition, std::chrono::milliseconds patience = kPatience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, condition);
  }

 protected:
  template <class Change>
  void change(Change what) {
    {
      const std::lock_guard lock(mutex_);
      what();
    }
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

class Lines final : public Watched {
 public:
  Log log() {
    return [this](Level, const std::string& line) { change([&] { lines.push_back(line); }); };
  }
  bool wait_for(const std::string& part) {
    return wait([&] {
      for (const auto& line : lines) {
        if (line.find(part) != std::string::npos) return true;
      }
      return false;
    });
  }
  /// What there is since it was last asked.
  std::vector<std::string> take() {
    std::vector<std::string> taken;
    change([&] { taken.swap(lines); });
    return taken;
  }
  std::vector<std::string> lines;
};

struct Desktop final : Watched, ClientHandler {
  void on_up(const PeerInfo& host) override {
    change([&] { ++ups, up = true, info = host; });
  }
  void on_message(wire::Buffer envelope) override {
    change([&] { received.push_back(number_of(envelope)); });
  }
  void on_down(const std::string& reason, bool was_refused) override {
    change([&] { ++downs, up = false, refused = was_refused, reasons.push_back(reason); });
  }
  bool wait_up() {
    return wait([&] { return up; });
  }
  std::string last_reason() {
    const std::lock_guard lock(mutex_);
    return reasons.empty() ? "" : reasons.back();
  }

  int ups = 0, downs = 0;
  bool up = false, refused = false;
  PeerInfo info;
  std::vector<std::uint64_t> received;
  std::vector<std::string> reasons;
};

struct Host final : Watched, ServerHandler {
  std::string on_hello(const PeerInfo& desktop) override { return judge ? judge(desktop) : std::string(); }
  void on_up(SessionId session, const PeerInfo& desktop) override {
    change([&] { sessions[session] = desktop, ++ups; });
    if (greet) greet(session);
  }
  void on_message(SessionId session, wire::Buffer envelope) override {
    if (echo) echo->send(session, envelope);
    change([&] { received[session].push_back(number_of(envelope)), ++messages; });
  }
  void on_down(SessionId session, const std::string& reason) override {
    change([&] { sessions.erase(session), ++downs, reasons.push_back(reason); });
  }
  bool wait_sessions(std::size_t count) {
    return wait([&] { return sessions.size() == count; });
  }

  /// A copy: the reactor changes the list meanwhile.
  std::map<SessionId, PeerInfo> present() {
    std::map<SessionId, PeerInfo> copy;
    wait([&] {
      copy = sessions;
      return true;
    });
    return copy;
  }

  std::function<std::string(const PeerInfo&)> judge;
  std::function<void(SessionId)> greet;
  Server* echo = nullptr;
  int ups = 0, downs = 0;
  std::size_t messages = 0;
  std::map<SessionId, PeerInfo> sessions;
  std::map<SessionId, std::vector<std::uint64_t>> received;
  std::vector<std::string> reasons;
};

using RawSocket = tests::LoopbackSocket;

/// A desktop made by hand: real TLS over a RawSocket.
class RawDesktop {
 public:
  RawDesktop(std::uint16_t port, std::shared_ptr<const security::Context> context, int receive_buffer = 0);
  /// Up to the end of the TLS handshake; false when it failed.
  bool handshake();
  /// handshake(), Hello and Welcome.
  bool greet(const LocalInfo& local);
  void send(const wire::Buffer& envelope, std::uint64_t sequence = 0, std::uint64_t acknowledgement = 0);
  void send_raw(std::span<const std::uint8_t> plaintext);
  /// The next frame, or none at the end of the stream.
  std::optional<wire::Frame> next();
  /// Reads on until a Bye or the end: the Bye's reason, else what the engine says.
  std::string farewell();
  /// Passes over TLS output and reads the socket once. False at the end.
  bool step();

  RawSocket socket;
  security::Engine engine;
  wire::Splitter splitter{16 * 1024 * 1024};

 private:
  void flush();
};

}  // namespace tsplink::link
