// A worker: loads exactly one vendor TSP and plays TAPISRV to it. Speaks envelopes: receives requests, sends replies,
// completions, events and inventories over the channel it was given. Owner: the host. start(), receive() and stop()
// from the owner's thread; what it sends comes from its own threads and the vendor's.
#pragma once

#include "remote-host/worker/core.hpp"

namespace tsplink::host {

class Worker {
 public:
  /// Throws Failure(Configuration) when the module is no TSP. `out` and `clock` outlive the worker.
  Worker(WorkerOptions options, const Module& module, wire::Channel& out, const wire::Clock& clock,
         std::shared_ptr<PermanentIds> permanent);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Initialises the vendor and sends the inventory. Throws Failure when the vendor refuses.
  void start();
  void receive(wire::Buffer request) { core_->receive(std::move(request)); }
  /// Closes everything and shuts the vendor down. False: the vendor did not come back within `limit`; its threads and
  /// module are left behind.
  bool stop(std::chrono::milliseconds limit = std::chrono::seconds(10));

  std::size_t watch() { return core_->watch(); }
  Activity activity() const { return core_->activity(); }
  const std::string& name() const { return core_->options().name; }
  std::size_t lines() const { return core_->lines(); }
  std::size_t phones() const { return core_->phones(); }
  /// Waits until nothing is queued or running.
  bool wait_idle(std::chrono::milliseconds limit) { return core_->strands().wait_idle(limit); }

 private:
  std::shared_ptr<Core> core_;
  bool started_ = false;
};

}  // namespace tsplink::host
