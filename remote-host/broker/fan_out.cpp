// A vendor's event goes to the desktops that it concerns, the same bytes to each.
#include <algorithm>

#include "remote-host/broker/broker.hpp"
#include "remote-host/log.hpp"

namespace tsplink::host {

using wire::Message;

namespace {

/// The vendor has closed it by itself; it is opened anew for who wants it again.
bool ends_device(const wire::fb::Event& event) {
  const auto message = static_cast<Message>(event.message());
  return message == Message::kLINE_CLOSE || message == Message::kPHONE_CLOSE;
}

}  // namespace

bool Broker::asked_for(const Station& station, SessionId session, const wire::fb::Event& event) {
  const auto asked = [&](std::size_t which) { return station.status.mask(session, which); };
  switch (static_cast<Message>(event.message())) {
    // An application must hear of a reinitialisation whatever it asked for.
    case Message::kLINE_LINEDEVSTATE: return (event.param1() & (asked(0) | LINEDEVSTATE_REINIT)) != 0;
    case Message::kLINE_ADDRESSSTATE: return (event.param2() & asked(1)) != 0;
    case Message::kPHONE_STATE: return (event.param1() & (asked(0) | PHONESTATE_REINIT)) != 0;
    case Message::kPHONE_BUTTON: return (event.param2() & asked(1)) != 0 && (event.param3() & asked(2)) != 0;
    default: return true;
  }
}

bool Broker::asked_for(const CallState& call, SessionId session, const wire::fb::Event& event) {
  switch (static_cast<Message>(event.message())) {
    case Message::kLINE_MONITORDIGITS: return (event.param2() & call.digits.mask(session, 0)) != 0;
    case Message::kLINE_MONITORMEDIA: return (event.param1() & call.media.mask(session, 0)) != 0;
    default: return true;
  }
}

void Broker::event(const wire::Buffer& envelope, const wire::fb::Event& event) {
  const auto* description = wire::event_description(event.message());
  const auto found = stations_.find(event.device());
  if (!description || found == stations_.end()) return log::debug("An event of an unknown device is dropped.");
  auto& station = found->second;
  drop_answers(station);
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_SENDMSPDATA)) return msp_event(envelope, event);
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_CREATEDIALOGINSTANCE)) return new_dialog(event);
  if (description->scope == wire::Scope::Dialog) {
    const auto dialog = dialogs_.find(event.call());
    if (dialog != dialogs_.end()) sessions_.send(dialog->second.session, envelope);
    return;
  }
  if (description->scope == wire::Scope::Call) return call_event(envelope, event);
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_NEWCALL)) {
    auto& call = add_call(event.param1(), event.device(), Direction::Unknown);
    for (const auto& attachment : station.attachments) {
      if (!attachment.hearing) continue;
      call.holders.insert(attachment.session);
      sessions_.send(attachment.session, envelope);
    }
    return;
  }
  station.ended = station.ended || ends_device(event);
  for (const auto& attachment : station.attachments) {
    if (asked_for(station, attachment.session, event)) sessions_.send(attachment.session, envelope);
  }
}

void Broker::call_event(const wire::Buffer& envelope, const wire::fb::Event& event) {
  auto* call = find_call(event.call());
  if (!call) return;
  if (event.message() == static_cast<std::uint16_t>(Message::kLINE_CALLSTATE)) {
    call->state = wire::read_event(event);
    if (event.param1() == LINECALLSTATE_OFFERING) call->direction = Direction::Incoming;
    if (event.param3()) call->media_mode = static_cast<std::uint32_t>(event.param3());  // many drivers say it once
  }
  const auto tag = wire::position_of(wire::EventRole::EventTag, *wire::event_description(event.message()));
  if (tag < 3) return tagged_event(*call, event, tag);
  const auto values = wire::read_event(event);
  for (const auto session : call->holders) {
    if (!asked_for(*call, session, event)) continue;
    const auto own = without_foreign_calls(values, session);
    sessions_.send(session, own.params[1] == values.params[1] ? envelope : wire::make_event(own));
  }
  // A call that ended before anybody heard of it has nobody who would close it.
  if (call->idle() && call->holders.empty() && !call->closing) release_call(call->id, 0, nullptr, {});
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
  const auto right = wire::event_description(event.message())->right;
  std::set<SessionId> hearers;
  const auto* call = event.call() ? find_call(event.call()) : nullptr;
  if (event.param1()) {
    const auto instance = instances_.find(event.param1());
    if (instance != instances_.end()) hearers.insert(instance->second.session);
    call = nullptr;
  } else if (call && !call->controllers.empty()) {
    hearers = call->controllers;
  } else {
    for (const auto& [id, instance] : instances_) {
      if (instance.device == event.device()) hearers.insert(instance.session);
    }
  }
  for (const auto session : hearers) {
    if (!grant_of(session, event.device()).allows(right)) continue;
    if (!call || call->holders.count(session)) sessions_.send(session, envelope);
  }
}

}  // namespace tsplink::host
