// One way to pass envelopes between two parties in order: across machines (wire/link), between broker and worker in
// memory, later between two processes. A Buffer is one encoded envelope (wire/envelope.fbs), never changed once made.
// Threads: send() and close() from any thread, without waiting; a handler is called by one thread at a time, which
// the channel's documentation names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tsplink::wire {

using Bytes = std::vector<std::uint8_t>;
using Buffer = std::shared_ptr<const Bytes>;

class Channel {
 public:
  virtual ~Channel() = default;
  /// Queues one envelope behind all earlier ones; after close() it does nothing.
  virtual void send(Buffer envelope) = 0;
  /// Ends the channel; the other side's handler gets `reason`.
  virtual void close(const std::string& reason) = 0;
};

class ChannelHandler {
 public:
  virtual ~ChannelHandler() = default;
  /// One envelope that passed the verifier.
  virtual void on_message(Buffer envelope) = 0;
  /// The last call: nothing comes after it.
  virtual void on_closed(const std::string& reason) = 0;
};

}  // namespace tsplink::wire
