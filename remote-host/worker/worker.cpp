#include "remote-host/worker/worker.hpp"

#include <future>
#include <memory>
#include <string>

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
  // What went wrong crosses threads as a text: an exception is not shared by two.
  const auto done = std::make_shared<std::promise<std::string>>();
  auto result = done->get_future();
  core_->strands().post(0, [core = core_, done] {
    std::string problem;
    try {
      core->start();
    } catch (const std::exception& failure) {
      problem = failure.what();
    }
    done->set_value(std::move(problem));
  });
  started_ = true;
  while (result.wait_for(std::chrono::seconds(1)) != std::future_status::ready) core_->watch();
  if (const auto problem = result.get(); !problem.empty()) throw Failure(Kind::Configuration, problem);
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
