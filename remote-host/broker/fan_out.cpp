// A vendor's event goes to the desktops that it concerns, the same bytes to each.
#include <algorithm>

#include "remote-host/broker/broker.hpp"
#include "remote-host/log.hpp"

namespace tsplink::host {

using wire::Message;

bool Broker::asked_for(const Attachment& attachment, const wire::fb::Event& event) {
  switch (static_cast<Message>(event.message())) {
    // An application must hear of a reinitialisation whatever it asked for.
    case Message::kLINE_LINEDEVSTATE: return (event.param1() & (attachment.masks[0] | LINEDEVSTATE_REINIT)) != 0;
    case Message::kLINE_ADDRESSSTATE: return (event.param2() & attachment.masks[1]) != 0;
    case Message::kPHONE_STATE: return (event.param1() & (attachment.masks[0] | PHONESTATE_REINIT)) != 0;
    case Message::kPHONE_BUTTON:
      return (event.param2() & attachment.masks[1]) != 0 && (event.param3() & attachment.masks[2]) != 0;
    default: return true;
  }
}

void Broker::event(const wire::Buffer& envelope, const wire::fb::Event& event) {
  const auto* description = wire::event_description(event.message());
  const auto found = stations_.find(event.device());
  if (!description || found == stations_.end()) return log::debug("An event of an unknown device is dropped.");
  auto& station = found->second;
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_SENDMSPDATA)) return msp_event(envelope, event);
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_CREATEDIALOGINSTANCE)) return new_dialog(event);
  if (description->scope == wire::Scope::Dialog) {
    const auto dialog = dialogs_.find(event.call());
    if (dialog != dialogs_.end()) sessions_.send(dialog->second.session, envelope);
    return;
  }
  if (description->scope == wire::Scope::Call) return call_event(envelope, event);
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_NEWCALL)) {
    CallState call;
    call.id = event.param1();
    call.line = event.device();
    for (const auto& attachment : station.attachments) {
      if (!attachment.hearing) continue;
      call.holders.insert(attachment.session);
      sessions_.send(attachment.session, envelope);
    }
    station.calls.push_back(call.id);
    calls_[call.id] = std::move(call);
    return;
  }
  for (const auto& attachment : station.attachments) {
    if (asked_for(attachment, event)) sessions_.send(attachment.session, envelope);
  }
}

void Broker::call_event(const wire::Buffer& envelope, const wire::fb::Event& event) {
  auto* call = find_call(event.call());
  if (!call) return;
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_CALLSTATE)) {
    wire::EventValues state;
    state.message = event.message();
    state.device = event.device();
    state.call = event.call();
    state.params[0] = event.param1();
    state.params[1] = event.param2();
    state.params[2] = event.param3();
    call->state = state;
  }
  for (const auto session : call->holders) sessions_.send(session, envelope);
  // A call that ended before anybody heard of it has nobody who would close it.
  if (call->idle() && call->holders.empty() && !call->closing) release_call(call->id, 0, false, {});
}

/// For the desktop whose request asks for it, under that request's number there.
void Broker::new_dialog(const wire::fb::Event& event) {
  auto dialog = wire::read_dialog(event);
  const auto pending = pending_.find(dialog.request);
  const bool wanted = pending != pending_.end() && !pending->second.answered &&
                      open_sessions_.count(pending->second.from.session) != 0;
  if (!wanted) {
    return ask<wire::calls::providerFreeDialogInstance>(station(event.device()).worker, {dialog.id});
  }
  const auto session = pending->second.from.session;
  dialogs_[dialog.id] = {event.device(), session};
  dialog.request = pending->second.from.id;
  sessions_.send(session, wire::make_event(wire::event_of(event.device(), dialog)));
}

void Broker::msp_event(const wire::Buffer& envelope, const wire::fb::Event& event) {
  if (event.param1()) {
    const auto instance = instances_.find(event.param1());
    if (instance != instances_.end()) sessions_.send(instance->second.session, envelope);
    return;
  }
  std::set<SessionId> hearers;
  const auto* call = event.call() ? find_call(event.call()) : nullptr;
  if (call && !call->controllers.empty()) {
    hearers = call->controllers;
  } else {
    for (const auto& [id, instance] : instances_) {
      if (instance.device == event.device()) hearers.insert(instance.session);
    }
  }
  for (const auto session : hearers) {
    if (!call || call->holders.count(session)) sessions_.send(session, envelope);
  }
}

}  // namespace tsplink::host
