// What a desktop may do, by the policy in force. A device that is not granted does not exist for it: no function,
// message, id or count tells of it.
#include <algorithm>

#include "remote-host/broker/broker.hpp"
#include "remote-host/texts.hpp"
#include "wire/device_ids.hpp"

namespace tsplink::host {

Grant Broker::grant_of(SessionId session, std::uint64_t device) const {
  const auto open = open_sessions_.find(session);
  if (open == open_sessions_.end()) return {};
  const auto found = open->second.grants.find(device);
  return found == open->second.grants.end() ? Grant{} : found->second;
}

DeviceFacts Broker::facts_of(const Station& station, const std::string& provider) {
  DeviceFacts facts;
  facts.phone = station.phone;
  facts.provider = provider;
  facts.permanent = station.values.permanent;
  const auto& caps = station.values.caps;
  if (station.phone) {
    facts.name = text_in(caps, offsetof(PHONECAPS, dwPhoneNameSize));
  } else {
    facts.name = text_in(caps, offsetof(LINEDEVCAPS, dwLineNameSize));
    for (const auto& address : station.values.addresses) {
      facts.addresses.push_back(text_in(address, offsetof(LINEADDRESSCAPS, dwAddressSize)));
    }
  }
  return facts;
}

std::vector<const Broker::Station*> Broker::in_order() const {
  std::vector<const Station*> all;
  for (const auto& [id, station] : stations_) all.push_back(&station);
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->order < b->order; });
  return all;
}

void Broker::tell_of(SessionId id, Session& session, wire::DeviceValues device, bool phone, bool there) {
  wire::InventoryValues change;
  change.complete = false;
  change.revision = ++session.revision;
  device.arrived = there;
  (phone ? change.phones : change.lines).push_back(std::move(device));
  sessions_.send(id, wire::make_inventory(change));
}

void Broker::set_policy(std::shared_ptr<const Policy> policy) {
  policy_ = std::move(policy);
  for (auto& [id, session] : open_sessions_) session.rules = policy_->rules_for(session.info.certificate);
  review(in_order());
}

void Broker::review(const std::vector<const Station*>& stations) {
  // First what everybody may do now, then who may not any more: a line that is handed over is never without a user.
  std::vector<std::pair<SessionId, std::uint64_t>> taken;
  for (auto& [id, session] : open_sessions_) {
    for (const auto device : review(id, session, stations)) taken.emplace_back(id, device);
  }
  for (const auto& [id, device] : taken) expel(id, device);
  for (const auto* station : stations)
    tell_unions(stations_.at(station->values.id));  // a monitor's wishes count less
}

std::vector<std::uint64_t> Broker::review(SessionId id, Session& session,
                                          const std::vector<const Station*>& stations) {
  wire::InventoryValues come;
  come.complete = false;
  std::vector<std::uint64_t> taken;
  for (const auto* station : stations) {
    const auto device = station->values.id;
    const auto before = grant_of(id, device);
    const auto now = session.rules.grant(station->facts);
    if (now == before) continue;
    if (!now.exists()) {
      taken.push_back(device);
      continue;
    }
    session.grants[device] = now;
    if (!now.allows(wire::Right::Control)) close_dialogs(*station, id);
    if (before.allows(wire::Right::Control) && !now.allows(wire::Right::Control)) demote(id, session, *station);
    if (before.exists()) continue;
    auto& list = station->phone ? come.phones : come.lines;
    list.push_back(station->values);
    list.back().arrived = true;
  }
  if (!come.lines.empty() || !come.phones.empty()) {
    come.revision = ++session.revision;
    for (const auto& part : wire::make_inventory_parts(come)) sessions_.send(id, part);
  }
  return taken;
}

/// To a session whose use of a device ends without its doing: its calls are over, and the line or phone is closed.
void Broker::say_closed(const Station& station, SessionId session) {
  wire::EventValues event;
  event.device = station.values.id;
  for (const auto id : station.calls) {
    const auto* call = find_call(id);
    if (!call || !call->holders.count(session) || call->idle()) continue;
    event.message = static_cast<std::uint16_t>(wire::Message::kLINE_CALLSTATE);
    event.call = id;
    event.params[0] = LINECALLSTATE_IDLE;
    sessions_.send(session, wire::make_event(event));
  }
  event.message =
      static_cast<std::uint16_t>(station.phone ? wire::Message::kPHONE_CLOSE : wire::Message::kLINE_CLOSE);
  event.call = 0;
  event.params[0] = 0;
  sessions_.send(session, wire::make_event(event));
}

void Broker::demote(SessionId id, const Session& session, const Station& station) {
  for (const auto number : station.calls) {
    if (auto* call = find_call(number)) call->controllers.erase(id);
  }
  const auto uses = [&](const Attachment& each) { return each.session == id; };
  if (std::none_of(station.attachments.begin(), station.attachments.end(), uses)) return;
  log::info("The policy lets desktop " + log::shown(session.info.machine) + " (" + session.info.certificate.subject +
            "), which has it open, only monitor " + station.facts.provider + " \"" + station.facts.name +
            "\" from now on.");
}

void Broker::expel(SessionId id, std::uint64_t device) {
  auto& station = stations_.at(device);
  std::erase_if(station.opening, [&](const Request& request) {
    if (request.session != id) return false;
    respond(request, static_cast<LONG>(station.phone ? PHONEERR_NODEVICE : LINEERR_NODEVICE));
    return true;
  });
  withdraw(id, device, 0);
  auto& session = open_sessions_.at(id);
  if (station.attachment(id)) {
    const auto held = std::count_if(station.calls.begin(), station.calls.end(),
                                    [&](std::uint64_t call) { return calls_.at(call).holders.count(id) != 0; });
    log::info("The policy grants " + station.facts.provider + " \"" + station.facts.name +
              "\" no longer to desktop " + log::shown(session.info.machine) + " (" +
              session.info.certificate.subject + "), which had it open" +
              (held ? ", with " + std::to_string(held) + " calls" : "") + ".");
    say_closed(station, id);
    detach(device, id, "the policy takes its line away", {});
  }
  session.grants.erase(device);
  tell_of(id, session, station.values, station.phone, false);
}

template <class C>
void Broker::get_id(const Request& request) {
  const auto inputs = wire::decode<typename C::Inputs>(request.arguments);
  const auto& name = std::get<C::position("lpszDeviceClass")>(inputs);
  const auto what = name ? wire::device_class(*name) : wire::DeviceClass::Other;
  forward(request, [this, what](Pending& pending, LONG result, Span outputs) {
    if (outputs.empty()) return respond(pending, result);
    auto values = wire::decode<typename C::Outputs>(outputs);
    if (auto& ids = std::get<C::position("lpDeviceID")>(values)) {
      const auto session = pending.from.session;
      wire::hide_ids(*ids, what, wire::DeviceIds::phone<C>, [&](bool phone, std::uint32_t permanent) {
        return std::any_of(stations_.begin(), stations_.end(), [&](const auto& each) {
          const auto& station = each.second;
          return station.phone == phone && station.values.permanent == permanent &&
                 grant_of(session, each.first).exists();
        });
      });
    }
    respond(pending, result, wire::encode(values));
  });
}

template void Broker::get_id<wire::calls::lineGetID>(const Request&);
template void Broker::get_id<wire::calls::phoneGetID>(const Request&);

/// A call may be conferenced into one that this desktop has not.
wire::EventValues Broker::without_foreign_calls(wire::EventValues event, SessionId session) const {
  const bool conferenced = event.message == static_cast<std::uint16_t>(wire::Message::kLINE_CALLSTATE) &&
                           event.params[0] == LINECALLSTATE_CONFERENCED;
  if (!conferenced) return event;
  const auto conference = calls_.find(event.params[1]);
  if (conference == calls_.end() || conference->second.holders.count(session) == 0) event.params[1] = 0;
  return event;
}

}  // namespace tsplink::host
