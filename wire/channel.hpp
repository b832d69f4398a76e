// One way to pass envelopes to another party in order: between broker and worker in memory, later between two
// processes. A Buffer is one encoded envelope (wire/envelope.fbs), never changed once made. Threads: send() from any
// thread, without waiting.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace tsplink::wire {

using Bytes = std::vector<std::uint8_t>;
using Buffer = std::shared_ptr<const Bytes>;

class Channel {
 public:
  virtual ~Channel() = default;
  /// Queues one envelope behind all earlier ones.
  virtual void send(Buffer envelope) = 0;
};

}  // namespace tsplink::wire
