// The vendor's messages become envelopes here, by the roles of the sheet.
#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "remote-host/log.hpp"
#include "remote-host/worker/core.hpp"
#include "wire/capabilities.hpp"
#include "wire/faults.hpp"

namespace tsplink::host {

std::uint64_t random_id() {
  // Unpredictable, so that a desktop cannot name an object that it was never told of.
  static thread_local std::random_device source;
  std::uint64_t id = 0;
  while (id == 0) id = (std::uint64_t{source()} << 32U) | source();
  return id;
}

void Core::drop(std::string_view message, const char* why, const Pending* request) {
  if (dropped_.size() < 256 && dropped_.emplace(message, why).second) {
    log::warn("Provider " + options_.name + ": " + std::string(message) + " " + why +
                  "; it is dropped, and further ones are without a word.",
              request ? log::Fields{log::trace(request->trace)} : log::Fields());
  }
}

void Core::forget_call(std::uint64_t id) {
  if (auto* call = calls_.find(id)) {
    Registry::root().release_token(call->token);
    calls_.remove(id);
  }
}

std::uint64_t conference_of(const wire::EventValues& event) {
  const bool conferenced = event.message == static_cast<std::uint16_t>(wire::Message::kLINE_CALLSTATE) &&
                           event.params[0] == LINECALLSTATE_CONFERENCED;
  return conferenced ? event.params[1] : 0;
}

/// The call whose completion must come before an event: its own, or that of the conference that it names; what comes
/// behind such an event waits too.
Call* Core::waits_for(const wire::EventValues& event) {
  auto* call = event.call ? calls_.find(event.call) : nullptr;
  if (!call || call->pending) return call;
  const auto pending = [this](std::uint64_t id) {
    auto* other = id ? calls_.find(id) : nullptr;
    return other && other->pending ? other : nullptr;
  };
  if (auto* behind = pending(call->behind)) return behind;
  call->behind = conference_of(event);
  return pending(call->behind);
}

void Core::send_event(const wire::EventValues& event) {
  if (auto* call = waits_for(event); call && !wire::has(wire::Fault::early_event)) {
    if (call->held.size() < 4096) {
      call->held.push_back(event);
    } else {
      drop("a message", "of a call without completion is one of too many");
    }
    return;
  }
  out_.send(wire::make_event(event));
}

bool Core::new_call(DWORD_PTR handle, DWORD_PTR slot, wire::EventValues& event) {
  if (!handle || !slot) return false;
  Call call;
  call.id = random_id();
  call.line = event.device;
  call.token = Registry::root().new_token(weak_from_this());
  call.handle = reinterpret_cast<HDRVCALL>(handle);
  // Only the low bytes where a driver keeps its handles in 32 bits; tokens are below 2^31 and the host is
  // little-endian.
  const DWORD_PTR token = wire::has(wire::Fault::newcall_slot) ? 0 : call.token;
  std::memcpy(reinterpret_cast<void*>(slot), &token, std::min<std::size_t>(options_.slot_bytes, sizeof token));
  event.params[0] = call.id;
  calls_.add(std::move(call));
  return true;
}

/// Answered at once, since the vendor reads htDlgInst when its callback returns.
void Core::new_dialog(TUISPICREATEDIALOGINSTANCEPARAMS& params) {
  constexpr std::string_view name = "LINE_CREATEDIALOGINSTANCE";
  params.htDlgInst = 0;
  const auto request = pending_.find(params.dwRequestID);
  if (request == pending_.end()) return drop(name, "names a request that is not under way");
  if (params.dwSize > wire::kMaxBlock) return drop(name, "carries more bytes than a block may hold");
  wire::DialogValues values;
  for (const auto* text = params.lpszUIDLLName; text && *text; ++text) {
    if (values.module.size() == wire::kMaxModuleName) return drop(name, "has a module's name without end");
    values.module.push_back(static_cast<char16_t>(*text));
  }
  Dialog dialog;
  dialog.id = values.id = random_id();
  dialog.device = request->second->device;
  dialog.handle = params.hdDlgInst;
  values.request = request->second->wire_id;
  if (const auto* bytes = static_cast<const std::uint8_t*>(params.lpParams)) {
    values.parameters.assign(bytes, bytes + params.dwSize);
  }
  const auto event = wire::event_of(dialog.device, values);
  if (!in_order(dialog.device, [this, event] { send_event(event); })) return;  // and the vendor is given no handle
  dialog.token = Registry::root().new_token(weak_from_this());
  params.htDlgInst = static_cast<HTAPIDIALOGINSTANCE>(dialog.token);
  dialogs_.add(dialog);
}

void Core::forget_dialog(std::uint64_t id) {
  if (const auto* dialog = dialogs_.find(id)) {
    Registry::root().release_token(dialog->token);
    dialogs_.remove(id);
  }
}

void Core::forget_dialogs(std::uint64_t device) {
  for (const auto id : dialogs_.ids_where([&](const Dialog& each) { return each.device == device; })) {
    forget_dialog(id);
  }
}

bool Core::resolve(const wire::EventDescription& message, DWORD_PTR device, DWORD_PTR call,
                   wire::EventValues& event) {
  if (message.scope == wire::Scope::Dialog) {
    const auto* dialog = dialogs_.by_token(device);
    if (!dialog) {
      drop(message.name, "names an unknown dialog");
      return false;
    }
    event.device = dialog->device;
    event.call = dialog->id;
    return true;
  }
  auto* owner = devices_.by_token(device);
  if (!owner || owner->phone != wire::is_phone(message.scope)) {
    drop(message.name, "names an unknown line or phone");
    return false;
  }
  event.device = owner->id;
  const bool wanted = message.scope == wire::Scope::Call || (message.scope == wire::Scope::LineOrCall && call != 0);
  if (!wanted) return true;
  auto* named = calls_.by_token(call);
  if (!named) {
    drop(message.name, "names an unknown call");
    return false;
  }
  event.call = named->id;
  return true;
}

bool Core::translate(const wire::EventDescription& message, const DWORD_PTR (&params)[3], wire::EventValues& event) {
  using wire::EventRole;
  std::optional<std::uint32_t> tag;
  for (std::size_t i = 0; i < 3; ++i) {
    switch (message.roles[i]) {
      case EventRole::Number: event.params[i] = params[i]; break;
      case EventRole::EventTag: event.params[i] = tag ? *tag : params[i]; break;
      case EventRole::CallStateDetail: {
        event.params[i] = params[i];
        if (params[0] != LINECALLSTATE_CONFERENCED) break;
        auto* conference = calls_.by_token(params[i]);
        event.params[i] = conference ? conference->id : 0;
        break;
      }
      case EventRole::MspInstance: {
        if (params[i] == 0) break;
        auto* msp = msps_.by_token(params[i]);
        if (!msp) {
          drop(message.name, "names an unknown MSP instance");
          return false;
        }
        event.params[i] = msp->id;
        break;
      }
      case EventRole::GatherEnd: {
        event.params[i] = params[i];
        auto* call = calls_.find(event.call);
        if (!call) break;
        auto mine = std::find_if(call->gathers.begin(), call->gathers.end(),
                                 [&](const auto& each) { return each->event_tag() == params[i + 1]; });
        // A vendor may say another number than it was given; while there is one only, that one is meant.
        if (mine == call->gathers.end() && call->gathers.size() == 1) mine = call->gathers.begin();
        if (mine == call->gathers.end()) break;
        tag = (*mine)->event_tag();
        event.data = (*mine)->gathered();
        event.has_data = true;
        // A new gathering ended those before it, of which a vendor need not speak.
        call->gathers.erase(call->gathers.begin(), std::next(mine));
        break;
      }
      case EventRole::Data: {
        const DWORD_PTR size = i + 1 < 3 && message.roles[i + 1] == EventRole::DataSize ? params[i + 1] : 0;
        if (size > wire::kMaxBlock) {
          drop(message.name, "carries more bytes than a block may hold");
          return false;
        }
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(params[i]);
        event.has_data = bytes != nullptr;
        if (bytes) event.data.assign(bytes, bytes + size);
        if (!event.data.empty() && wire::has(wire::Fault::lost_byte)) event.data.pop_back();
        break;
      }
      case EventRole::NewCall:
        if (!new_call(params[i], params[i + 1], event)) {
          drop(message.name, "has no call or no room for its handle");
          return false;
        }
        break;
      default:  // local to the two ends of the callback
        break;
    }
  }
  return true;
}

void Core::on_event(bool phone, DWORD_PTR device, DWORD_PTR call, DWORD message, const DWORD_PTR (&params)[3]) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  const auto number = wire::event_number(message);
  const auto* description = number ? wire::event_description(static_cast<std::uint16_t>(*number)) : nullptr;
  if (!description || wire::is_phone(description->scope) != phone) {
    drop("message " + std::to_string(message), "is none that a provider sends this way");
    return;
  }
  if (*number == wire::Message::kLINE_CREATEDIALOGINSTANCE) {
    if (auto* dialog = reinterpret_cast<TUISPICREATEDIALOGINSTANCEPARAMS*>(params[0])) new_dialog(*dialog);
    return;
  }
  if (description->scope == wire::Scope::Provider || description->scope == wire::Scope::PhoneProvider) {
    const bool create = message == LINE_CREATE || message == PHONE_CREATE;
    const auto self = shared_from_this();
    if (create) {
      // From the provider's queue and not from here: it calls the vendor.
      return strands_->post(0, [self, phone, temporary = params[1]] { self->create_device(phone, temporary); });
    }
    const auto found = by_number_.find({phone, static_cast<DWORD>(params[0])});
    if (found == by_number_.end()) return drop(description->name, "names an unknown device");
    // Behind the devices that came before, the first inventory's too; then behind the device's own requests.
    strands_->post(0, [self, id = found->second] {
      self->strands_->post(self->strand_of(id), [self, id] { self->remove_device(id); });
    });
    return;
  }
  wire::EventValues event;
  event.message = static_cast<std::uint16_t>(*number);
  if (!resolve(*description, device, call, event) || !translate(*description, params, event)) return;
  in_order(event.device, [this, event] { send_event(event); });
  if (!wire::tells_new_capabilities(event.message, event.params[0], event.params[1])) return;
  auto* known = devices_.find(event.device);
  if (!known || std::exchange(known->describing, true)) return;
  strands_->post(strand_of(event.device),
                 [self = shared_from_this(), id = event.device] { self->describe_again(id); });
}

}  // namespace tsplink::host
