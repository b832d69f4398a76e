// Each asynchronous request that was accepted is answered exactly once, whatever the vendor does.
#include <algorithm>

#include "remote-host/log.hpp"
#include "remote-host/worker/core.hpp"
#include "remote-host/worker/side.hpp"
#include "wire/errors.hpp"
#include "wire/faults.hpp"

namespace tsplink::host {

void Core::on_completion(DWORD request, LONG result) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  if (const auto found = pending_.find(request); found != pending_.end()) {
    const auto pending = found->second;
    if (!pending->in_vendor) {
      in_order(pending->device, [this, pending, result] {
        if (pending_.contains(pending->request)) finish(pending, result);
      });
    } else if (!pending->has_early) {  // until its function has returned and its outputs are read
      pending->has_early = true;
      pending->early = result;
      if (auto* device = devices_.find(pending->device)) device->held_back = true;
    } else {
      drop("a completion", "came twice", pending.get());
    }
    return;
  }
  if (buried_.erase(request) != 0) {
    Registry::root().release_request(request);
    return;
  }
  drop("a completion", "came for a request that is not under way");
}

void Core::finish(const std::shared_ptr<Pending>& pending, LONG result, bool vendor_still_writes) {
  const auto* info = wire::function_info(pending->function);
  const auto family = is_phone_function(info->name) ? wire::Family::Phone : wire::Family::Line;
  result = result > 0 ? operation_failed(info->name) : wire::to_family(result, family);
  say("completed", pending->function, result, pending->trace);
  pending_.erase(pending->request);
  if (vendor_still_writes) {
    bury(pending);
  } else {
    Registry::root().release_request(pending->request);
  }

  wire::Bytes outputs;
  if (result == 0) {
    CallSide side(*this, info->name);  // only its type is needed: what was to be looked up was so before the call
    outputs = pending->vendor_call->outputs(side);
  }
  out_.send(wire::make_completion(pending->wire_id, result, outputs));

  for (const auto id : pending->made) {
    auto* call = calls_.find(id);
    if (!call) continue;
    if (result == 0 && call->handle) {
      call->pending = false;
      const auto held = std::move(call->held);
      call->held.clear();
      for (const auto& event : held) send_event(event);
      continue;
    }
    // TAPI closes the call of a lineMakeCall that failed by completion; for the other functions the documents differ,
    // and most vendors have freed it.
    const auto handle = call->handle;
    const auto line = call->line;
    for (const auto& event : call->held) {
      if (event.call != id && conference_of(event) != id) out_.send(wire::make_event(event));
    }
    forget_call(id);
    auto* device = devices_.find(line);
    if (device && handle && !pending->in_vendor && pending->function == number_of<wire::calls::lineMakeCall>) {
      device->failed.push_back(handle);
      strands_->post(strand_of(line), [self = shared_from_this(), line] { self->close_failed(line); });
    }
  }
}

bool Core::in_order(std::uint64_t id, std::function<void()> step) {
  auto* device = devices_.find(id);
  if (!device || !device->held_back) {
    step();
    return true;
  }
  if (device->behind.size() < 4096) {
    device->behind.push_back(std::move(step));
    return true;
  }
  drop("a message", "behind a function that does not return is one of too many");
  return false;
}

void Core::let_go(std::uint64_t id) {
  auto* device = devices_.find(id);
  if (!device || !device->held_back) return;
  device->held_back = false;
  auto behind = std::move(device->behind);
  device->behind.clear();
  if (wire::has(wire::Fault::exchanged_events)) std::reverse(behind.begin(), behind.end());
  for (const auto& step : behind) step();
}

/// The function of an asynchronous request has returned and its outputs are read.
void Core::returned(const std::shared_ptr<Pending>& pending, LONG result) {
  if (result < 0) return finish(pending, result);
  pending->in_vendor = false;
  if (static_cast<DWORD>(result) == pending->request) {
    if (wire::function_info(pending->function)->told_at_return) {
      CallSide side(*this, wire::function_info(pending->function)->name);
      out_.send(wire::make_reply(pending->wire_id, 0, pending->vendor_call->outputs(side)));
    }
    if (pending->has_early) finish(pending, pending->early);
    return;
  }
  const std::string_view name = wire::function_info(pending->function)->name;
  drop("TSPI_" + std::string(name), "returned neither its request id nor an error", pending.get());
  finish(pending, pending->has_early ? pending->early : operation_failed(name), !pending->has_early);
}

void Core::bury(const std::shared_ptr<Pending>& pending) {
  // Its buffers stay: the vendor has their addresses. Not for ever, since such a vendor is broken anyway.
  if (buried_.size() >= 1024) {
    Registry::root().release_request(buried_.begin()->first);
    buried_.erase(buried_.begin());
  }
  buried_[pending->request] = pending;
}

void Core::finish_all_of(std::uint64_t device, std::uint64_t call) {
  std::vector<std::shared_ptr<Pending>> mine;
  for (const auto& [request, pending] : pending_) {
    if (pending->in_vendor) continue;
    if (call ? pending->call == call : pending->device == device) mine.push_back(pending);
  }
  for (const auto& pending : mine) {
    finish(pending, operation_failed(wire::function_info(pending->function)->name), true);
  }
}

}  // namespace tsplink::host
