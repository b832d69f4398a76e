// Requests from the broker: which queue, whether still in time, the vendor's function, the answer.
#include <algorithm>

#include "remote-host/log.hpp"
#include "remote-host/named_ids.hpp"
#include "remote-host/worker/core.hpp"
#include "remote-host/worker/side.hpp"
#include "wire/errors.hpp"

namespace tsplink::host {

namespace calls = wire::calls;

namespace {

/// Functions that are not begun late: somebody would be called, or a call taken, behind the caller's back.
constexpr std::uint16_t kDialling[] = {number_of<calls::lineMakeCall>,
                                       number_of<calls::lineDial>,
                                       number_of<calls::lineAnswer>,
                                       number_of<calls::lineAccept>,
                                       number_of<calls::linePickup>,
                                       number_of<calls::lineUnpark>,
                                       number_of<calls::lineBlindTransfer>,
                                       number_of<calls::lineRedirect>,
                                       number_of<calls::lineSetupTransfer>,
                                       number_of<calls::lineSetupConference>,
                                       number_of<calls::linePrepareAddToConference>};

constexpr std::size_t kMostGathers = 16;  // of one call, whose end the vendor has not told

bool dials(std::uint16_t function) {
  return std::find(std::begin(kDialling), std::end(kDialling), function) != std::end(kDialling);
}

}  // namespace

Core::Watched::Watched(Core& core, std::uint16_t function, std::uint64_t trace) : core_(core) {
  std::lock_guard lock(core.running_mutex_);
  number_ = core.next_running_++;
  core.running_.emplace(number_, Running{function, trace, core.clock_.now()});
}

Core::Watched::~Watched() {
  std::lock_guard lock(core_.running_mutex_);
  core_.running_.erase(number_);
}

std::size_t Core::watch() {
  std::lock_guard lock(running_mutex_);
  std::size_t found = 0;
  for (auto& [number, running] : running_) {
    if (running.reported || clock_.now() - running.since < options_.watchdog) continue;
    running.reported = true;
    ++found;
    log::warn("Provider " + options_.name + ": TSPI_" + std::string(wire::function_info(running.function)->name) +
                  " does not return; what comes behind it waits.",
              {log::trace(running.trace)});
  }
  return found;
}

Activity Core::activity() const {
  std::lock_guard lock(running_mutex_);
  Activity found;
  found.running = running_.size();
  for (const auto& [number, running] : running_) {
    if (clock_.now() - running.since >= options_.watchdog) ++found.stuck;
  }
  return found;
}

std::uint64_t Core::strand_of(std::uint64_t device) const { return nonreentrant_ ? 0 : device; }

void Core::say(const char* what, std::uint16_t function, LONG result, std::uint64_t trace) const {
  if (!log::enabled(log::Level::Debug)) return;
  log::debug("Provider " + options_.name + ": TSPI_" + std::string(wire::function_info(function)->name) + " " + what +
                 " " + (result > 0 ? "request id " + std::to_string(result) : std::string(wire::error_name(result))) +
                 ".",
             {log::trace(trace)});
}

void Core::answer(std::uint64_t id, std::uint16_t function, LONG result, std::span<const std::uint8_t> outputs) {
  const auto* info = wire::function_info(function);
  if (info && info->asynchronous) {
    out_.send(wire::make_completion(id, result, outputs));
  } else {
    out_.send(wire::make_reply(id, result, outputs));
  }
}

void Core::receive(wire::Buffer buffer) {
  const auto* envelope = wire::verified_envelope(*buffer);
  const auto* request = envelope ? envelope->body_as_Request() : nullptr;
  if (!request) return log::error("A worker was sent something that is no request; it is dropped.");
  Job job;
  job.buffer = std::move(buffer);
  job.id = request->id();
  job.trace = request->trace();
  job.function = request->function();
  job.deadline_ms = request->deadline_ms();
  job.arguments = wire::span_of(request->arguments());
  job.arrived = clock_.now();
  try {
    for (const auto& named : named_ids(job.function, job.arguments)) {
      std::lock_guard lock(mutex_);
      auto device = named.id;
      if (named.kind == IdKind::Call) {
        const auto* call = calls_.find(named.id);
        device = call ? call->line : 0;
        if (!job.call) job.call = named.id;
      } else if (named.kind == IdKind::MspLine) {
        const auto* msp = msps_.find(named.id);
        device = msp ? msp->line : 0;
        job.msp = named.id;
      } else if (named.kind == IdKind::Dialog) {
        const auto* dialog = dialogs_.find(named.id);
        device = dialog ? dialog->device : 0;
        job.dialog = named.id;
      }
      if (!job.device) job.device = device;
    }
  } catch (const Failure& failure) {
    const auto* info = wire::function_info(job.function);
    const std::string_view name = info ? info->name : "";
    const auto family = is_phone_function(name) ? wire::Family::Phone : wire::Family::Line;
    return answer(job.id, job.function, wire::to_error(failure, family));
  }
  strands_->post(strand_of(job.device), [self = shared_from_this(), job] { self->run(job); });
}

bool Core::too_late(const Job& job) const {
  if (closes(job.function)) return false;  // its caller has let go already
  const auto waited = clock_.now() - job.arrived;
  if (job.deadline_ms != 0 && waited >= std::chrono::milliseconds(job.deadline_ms)) return true;
  return dials(job.function) && waited >= options_.begin_bound;
}

void Core::run(const Job& job) {
  const auto* info = wire::function_info(job.function);
  const auto family = is_phone_function(info->name) ? wire::Family::Phone : wire::Family::Line;
  if (too_late(job)) {
    log::debug("Provider " + options_.name + ": TSPI_" + std::string(info->name) + " is not begun: it came too late.",
               {log::trace(job.trace)});
    return answer(job.id, job.function, operation_failed(info->name));
  }
  CallSide side(*this, info->name);
  try {
    const std::shared_ptr<VendorCall> call = make_vendor_call(job.function, job.arguments);
    if (!vendor_.has(job.function)) {
      if (job.dialog && closes(job.function)) {
        const std::lock_guard lock(mutex_);
        forget_dialog(job.dialog);
      }
      return answer(job.id, job.function, unavailable(info->name));
    }
    call->hold(side);
    if (info->asynchronous) {
      run_later(job, call, side);
    } else {
      run_now(job, *call, side, call);
    }
  } catch (const Failure& failure) {
    side.undo();
    answer(job.id, job.function, failure.code() ? failure.code() : wire::to_error(failure, family));
  }
}

void Core::run_now(const Job& job, VendorCall& call, CallSide& side, const std::shared_ptr<VendorCall>& keep) {
  const auto* info = wire::function_info(job.function);
  const auto family = is_phone_function(info->name) ? wire::Family::Phone : wire::Family::Line;
  prepare_close(job);
  const bool gathers = call.gathers();
  if (gathers) {  // its message may come before it returns
    std::lock_guard lock(mutex_);
    auto* gathering = calls_.find(job.call);
    if (gathering && gathering->gathers.size() >= kMostGathers) {  // the vendor has the addresses of all of them
      throw Failure(Kind::TooLarge, "too many digits are gathered of one call",
                    static_cast<LONG>(LINEERR_RESOURCEUNAVAIL));
    }
    if (gathering) gathering->gathers.push_back(keep);
  }
  LONG result = 0;
  {
    const Watched watched(*this, job.function, job.trace);
    result = call.invoke(vendor_);
  }
  say("returned", job.function, result, job.trace);
  result = result > 0 ? operation_failed(info->name) : wire::to_family(result, family);
  wire::Bytes outputs;
  if (result == 0) {
    call.bind(side);
    outputs = call.outputs(side);
  } else {
    side.undo();
    if (gathers) {
      std::lock_guard lock(mutex_);
      if (auto* gathering = calls_.find(job.call)) std::erase(gathering->gathers, keep);
    }
    // A structure of the right head tells how much is needed.
    if (result == static_cast<LONG>(LINEERR_STRUCTURETOOSMALL) ||
        result == static_cast<LONG>(PHONEERR_STRUCTURETOOSMALL)) {
      outputs = call.outputs(side);
    }
  }
  std::unique_lock lock(mutex_);
  if (closes(job.function)) finish_close(job);
  answer(job.id, job.function, result, outputs);
}

void Core::prepare_close(const Job& job) {
  // TAPI lets go of a line's calls before it closes the line.
  if (job.function != number_of<calls::lineClose>) return;
  std::vector<std::uint64_t> ids;
  {
    std::lock_guard lock(mutex_);
    ids = calls_.ids_where([&](const Call& call) { return call.line == job.device; });
  }
  close_failed(job.device);
  for (const auto id : ids) close_call(id);
}

void Core::finish_close(const Job& job) {
  if (job.function == number_of<calls::lineCloseCall>) {
    finish_all_of(0, job.call);
    forget_call(job.call);
  } else if (job.function == number_of<calls::lineCloseMSPInstance>) {
    if (auto* msp = msps_.find(job.msp)) {
      Registry::root().release_token(msp->token);
      msps_.remove(job.msp);
    }
  } else if (job.dialog) {
    forget_dialog(job.dialog);
  } else {
    close_device(job.device);
  }
}

void Core::run_later(const Job& job, const std::shared_ptr<VendorCall>& call, CallSide& side) {
  auto pending = std::make_shared<Pending>();
  pending->request = side.request();
  pending->wire_id = job.id;
  pending->trace = job.trace;
  pending->function = job.function;
  pending->device = job.device;
  pending->call = job.call;
  pending->made = side.made_calls();
  pending->vendor_call = call;
  {
    std::lock_guard lock(mutex_);
    pending_[pending->request] = pending;
  }
  LONG result = 0;
  {
    const Watched watched(*this, job.function, job.trace);
    result = call->invoke(vendor_);
  }
  say("returned", job.function, result, job.trace);
  const bool own_id = result > 0 && static_cast<DWORD>(result) == pending->request;
  std::unique_lock lock(mutex_);
  const bool early_success = pending->has_early && pending->early == 0;
  if (own_id || (result >= 0 && early_success)) {
    lock.unlock();
    call->bind(side);
    lock.lock();
  }
  returned(pending, result);
  let_go(pending->device);
}

}  // namespace tsplink::host
