// A plain blocking TCP connection on this machine, as a peer that does only what a test tells it.
// Owner: the test. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tsplink::tests {

class LoopbackSocket {
 public:
  struct Options {
    std::chrono::seconds patience{60};  // reads give up after it
    int receive_buffer = 0;             // bytes; 0: what the system gives
  };

  /// To 127.0.0.1; throws std::runtime_error with the system's reason when nobody takes it for three seconds.
  LoopbackSocket(std::uint16_t port, const Options& options);
  explicit LoopbackSocket(std::uint16_t port) : LoopbackSocket(port, Options()) {}
  ~LoopbackSocket();
  LoopbackSocket(LoopbackSocket&& other) noexcept : native_(other.native_) { other.native_ = kNone; }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;

  /// False when the peer takes no more.
  bool write(std::span<const std::uint8_t> bytes);
  /// Empty at the end of the stream, when it was reset, or when patience is over.
  std::vector<std::uint8_t> read(std::size_t most = 16384);
  /// Reads until the stream ends or is reset; false when that does not come.
  bool wait_end();

 private:
  friend class LoopbackListener;
  static constexpr std::uintptr_t kNone = ~std::uintptr_t{0};
  LoopbackSocket() = default;
  long receive(std::span<std::uint8_t> into);
  std::uintptr_t native_ = kNone;
};

/// Lets the next thing that is written to somebody's connected socket fail.
void end_writing(std::uintptr_t socket);

/// Takes connections on 127.0.0.1 and says nothing in them by itself.
class LoopbackListener {
 public:
  LoopbackListener();
  std::uint16_t port() const { return port_; }
  /// The next connection; throws std::runtime_error when none comes.
  LoopbackSocket accept(std::chrono::seconds patience = std::chrono::seconds(60));

 private:
  LoopbackSocket listening_;
  std::uint16_t port_ = 0;
};

}  // namespace tsplink::tests
