#include "remote-host/worker/registry.hpp"

#include "remote-host/log.hpp"

namespace tsplink::host {

Registry& Registry::root() {
  static Registry* registry = new Registry;  // never destroyed: a vendor's thread may outlive main()
  return *registry;
}

DWORD Registry::take(Map& map, DWORD& next, const Sink& sink) {
  std::lock_guard lock(mutex_);
  while (next == 0 || map.count(next) != 0) next = (next + 1) & 0x7FFFFFFFU;
  const DWORD taken = next;
  next = (next + 1) & 0x7FFFFFFFU;
  map.emplace(taken, sink);
  return taken;
}

void Registry::release(Map& map, DWORD key) {
  std::lock_guard lock(mutex_);
  map.erase(key);
}

std::shared_ptr<CallbackSink> Registry::find(Map& map, DWORD_PTR key) {
  std::lock_guard lock(mutex_);
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second.lock();
}

DWORD Registry::new_device_base(const Sink& sink) {
  std::lock_guard lock(mutex_);
  while (!bases_.empty() && bases_.count(next_base_) != 0 && !bases_[next_base_].expired()) {
    next_base_ = (next_base_ + 1) % (0x7FFFFFFFU / kDevicesPerWorker);
  }
  const DWORD taken = next_base_;
  next_base_ = (next_base_ + 1) % (0x7FFFFFFFU / kDevicesPerWorker);
  bases_[taken] = sink;
  return taken * kDevicesPerWorker;
}

namespace {

/// Where messages without a handle's token go: LINE_CREATE names the provider, LINE_REMOVE a device.
std::shared_ptr<CallbackSink> sink_of(DWORD_PTR device, DWORD message, DWORD_PTR param1) {
  auto& registry = Registry::root();
  if (message == LINE_CREATE || message == PHONE_CREATE) return registry.by_token(param1);
  if (message == LINE_REMOVE || message == PHONE_REMOVE) return registry.by_device(param1);
  return registry.by_token(device);
}

/// Nothing may be thrown through a vendor's frames; all that can be thrown there is that memory is short.
template <class F>
void guarded(F&& deliver_it) noexcept {
  try {
    deliver_it();
  } catch (const std::exception& failure) {
    log::error(std::string("A vendor's callback is lost: ") + failure.what());
  }
}

void deliver(bool phone, DWORD_PTR device, DWORD_PTR call, DWORD message, const DWORD_PTR (&params)[3]) {
  guarded([&] {
    if (const auto sink = sink_of(device, message, params[0])) {
      sink->on_event(phone, device, call, message, params);
    } else {
      log::debug("A vendor named an unknown object in message " + std::to_string(message) +
                 "; the message is dropped.");
    }
  });
}

}  // namespace

void CALLBACK Registry::line_event(HTAPILINE htLine, HTAPICALL htCall, DWORD dwMsg, DWORD_PTR dwParam1,
                                   DWORD_PTR dwParam2, DWORD_PTR dwParam3) {
  deliver(false, reinterpret_cast<DWORD_PTR>(htLine), reinterpret_cast<DWORD_PTR>(htCall), dwMsg,
          {dwParam1, dwParam2, dwParam3});
}

void CALLBACK Registry::phone_event(HTAPIPHONE htPhone, DWORD dwMsg, DWORD_PTR dwParam1, DWORD_PTR dwParam2,
                                    DWORD_PTR dwParam3) {
  deliver(true, reinterpret_cast<DWORD_PTR>(htPhone), 0, dwMsg, {dwParam1, dwParam2, dwParam3});
}

void CALLBACK Registry::completion(DRV_REQUESTID dwRequestID, LONG lResult) {
  guarded([&] {
    if (const auto sink = root().by_request(dwRequestID)) {
      sink->on_completion(dwRequestID, lResult);
    } else {
      log::debug("A vendor completed the unknown request " + std::to_string(dwRequestID) + "; it is dropped.");
    }
  });
}

}  // namespace tsplink::host
