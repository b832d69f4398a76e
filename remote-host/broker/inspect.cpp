// What the broker knows, for people who look.
#include <algorithm>

#include "remote-host/broker/broker.hpp"
#include "wire/trace.hpp"

namespace tsplink::host {

namespace {

template <class Use>
void sort_by_number(std::vector<Use>& all, std::uint64_t Use::*number) {
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return a.*number < b.*number; });
}

}  // namespace

std::optional<InspectedUse> Broker::use(SessionId session, std::string_view right) const {
  const auto open = open_sessions_.find(session);
  if (open == open_sessions_.end()) return std::nullopt;
  return InspectedUse{open->second.number, open->second.info.machine, right};
}

InspectedDevice Broker::inspected(const Station& station) const {
  static constexpr std::string_view kLives[] = {"closed", "opening", "open", "closing"};
  InspectedDevice device;
  device.facts = station.facts;
  device.state = kLives[static_cast<std::size_t>(station.life)];
  device.calls = station.calls.size();
  for (const auto& attachment : station.attachments) {
    const auto* right = controls(attachment.session, station.values.id) ? "control" : "monitor";
    if (const auto found = use(attachment.session, right)) device.desktops.push_back(*found);
  }
  sort_by_number(device.desktops, &InspectedUse::session);
  return device;
}

InspectedCall Broker::inspected(const CallState& call) const {
  InspectedCall found;
  const auto& line = stations_.at(call.line);
  found.id = call.id;
  found.provider = line.facts.provider;
  found.line = line.facts.name;
  if (call.state) found.state = wire::name_of_first_parameter(LINE_CALLSTATE, call.state->params[0]);
  found.direction = call.direction;
  found.since = call.since;
  for (const auto holder : call.holders) {
    if (const auto by = use(holder, owns(call, holder) ? "owner" : "monitor")) found.desktops.push_back(*by);
  }
  sort_by_number(found.desktops, &InspectedUse::session);
  return found;
}

Inspection Broker::inspect() const {
  Inspection all;
  std::unordered_map<SessionId, std::size_t> opens;
  for (const auto* station : in_order()) {
    for (const auto& attachment : station->attachments) ++opens[attachment.session];
    all.devices.push_back(inspected(*station));
  }
  for (const auto& [id, session] : open_sessions_) {
    all.sessions.push_back({id, session.number, session.info.machine, session.info.certificate.subject,
                            session.info.address, session.since, opens[id], session.in_flight});
  }
  sort_by_number(all.sessions, &InspectedSession::number);
  for (const auto& [id, call] : calls_) all.calls.push_back(inspected(call));
  std::sort(all.calls.begin(), all.calls.end(),
            [](const auto& a, const auto& b) { return std::tie(a.since, a.id) < std::tie(b.since, b.id); });
  all.policy = policy_;
  all.owed.resize(workers_.size());
  for (const auto& [id, pending] : pending_) ++all.owed[pending.worker];
  return all;
}

}  // namespace tsplink::host
