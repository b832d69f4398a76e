#include "remote-host/worker/worker.hpp"

#include <future>

#include "remote-host/log.hpp"

namespace tsplink::host {

namespace {

Vendor checked(const std::string& name, const Module& module) {
  Vendor vendor(name, module);
  if (!vendor.has<wire::calls::lineNegotiateTSPIVersion>() || !vendor.has<wire::calls::providerInit>()) {
    throw Failure(Kind::Configuration, "The module " + (module.file.empty() ? "" : module.file + " ") +
                                           "of provider " + name +
                                           " is no TSP (it does not export TSPI_lineNegotiateTSPIVersion and "
                                           "TSPI_providerInit); correct provider.module.");
  }
  return vendor;
}

}  // namespace

Worker::Worker(WorkerOptions options, const Module& module, wire::Channel& out, const wire::Clock& clock,
               std::shared_ptr<PermanentIds> permanent) {
  auto vendor = checked(options.name, module);
  core_ = std::make_shared<Core>(std::move(options), std::move(vendor), out, clock, std::move(permanent));
}

Worker::~Worker() { stop(); }

void Worker::start() {
  std::promise<void> done;
  auto result = done.get_future();
  core_->strands().post(0, [&] {
    try {
      core_->start();
      done.set_value();
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  });
  started_ = true;
  result.get();
}

bool Worker::stop(std::chrono::milliseconds limit) {
  if (!started_) return true;
  started_ = false;
  bool idle = core_->strands().wait_idle(limit);
  if (idle) {
    core_->strands().post(0, [core = core_] { core->shut_down(); });
    idle = core_->strands().wait_idle(limit);
  }
  if (!idle) {
    log::error("Provider " + name() + " does not come back from a call; it is left as it is.");
    new std::shared_ptr<Core>(core_);  // kept for ever: its threads are still inside
  }
  return idle;
}

}  // namespace tsplink::host
