// Devices and attachments: who is there, first open and last close at the vendor.
#include <algorithm>
#include <cstring>

#include "remote-host/broker/broker.hpp"
#include "remote-host/log.hpp"

namespace tsplink::host {

namespace calls = wire::calls;

std::size_t Broker::add_worker(std::string name, wire::Channel& to_worker, ProviderRules rules) {
  workers_.push_back({std::move(name), &to_worker, rules});
  return workers_.size() - 1;
}

void Broker::worker_message(std::size_t worker, const wire::Buffer& envelope) {
  const auto* verified = wire::verified_envelope(*envelope);
  if (!verified) return log::error("Worker " + workers_[worker].name + " sent a malformed envelope; it is dropped.");
  try {
    switch (verified->body_type()) {
      case wire::fb::Body::Reply: {
        const auto* reply = verified->body_as_Reply();
        if (const auto pending = pending_.find(reply->id());
            pending != pending_.end() && wire::function_info(pending->second.from.function)->asynchronous) {
          return accepted(pending->second, reply->result(), wire::span_of(reply->outputs()));
        }
        return answered(reply->id(), reply->result(), wire::span_of(reply->outputs()));
      }
      case wire::fb::Body::Completion: {
        const auto* completion = verified->body_as_Completion();
        return answered(completion->id(), completion->result(), wire::span_of(completion->outputs()));
      }
      case wire::fb::Body::Event: return event(envelope, *verified->body_as_Event());
      case wire::fb::Body::Inventory: return inventory(worker, wire::read_inventory(*verified->body_as_Inventory()));
      default: log::error("Worker " + workers_[worker].name + " sent an envelope that is not a worker's.");
    }
  } catch (const Failure& failure) {
    log::error("Worker " + workers_[worker].name + " sent what cannot be used: " + failure.what() + ".");
  }
}

void Broker::inventory(std::size_t worker, const wire::InventoryValues& values) {
  std::vector<std::uint64_t> gone;
  std::vector<std::uint64_t> told;
  std::vector<std::pair<SessionId, std::uint64_t>> renewed;  // who must hear that a device says something else now
  for (const bool phone : {false, true}) {
    for (const auto& device : phone ? values.phones : values.lines) {
      if (!values.complete && !device.arrived) {
        gone.push_back(device.id);
        continue;
      }
      const auto [found, added] = stations_.try_emplace(device.id);
      auto& station = found->second;
      if (added) {
        station.worker = worker;
        station.order = ++arrivals_;
        station.phone = phone;
      } else {
        for (const auto& [session, open] : open_sessions_) {
          if (open.grants.count(device.id)) renewed.emplace_back(session, device.id);
        }
      }
      describe(station, device);
      told.push_back(device.id);
    }
  }
  for (const auto id : gone) remove_station(id);
  std::vector<const Station*> stations;
  for (const auto id : told) {
    if (const auto found = stations_.find(id); found != stations_.end()) stations.push_back(&found->second);
  }
  review(stations);
  for (const auto& [session, device] : renewed) {
    auto& open = open_sessions_.at(session);
    const auto found = stations_.find(device);
    if (found == stations_.end() || !open.grants.count(device)) continue;
    tell_of(session, open, found->second.values, found->second.phone, true);
  }
}

void Broker::describe(Station& station, wire::DeviceValues values) {
  station.values = std::move(values);
  station.values.arrived = false;
  station.facts = facts_of(station, workers_[station.worker].name);
  DWORD flags = 0;
  constexpr auto at = offsetof(LINEDEVCAPS, dwDevCapFlags);
  const auto& caps = station.values.caps;
  if (!station.phone && caps.size() >= at + sizeof flags) std::memcpy(&flags, caps.data() + at, sizeof flags);
  station.close_drops = (flags & LINEDEVCAPFLAGS_CLOSEDROP) != 0;
  constexpr auto media_at = offsetof(LINEDEVCAPS, dwMediaModes);
  station.media_modes = 0;
  if (!station.phone && caps.size() >= media_at + sizeof station.media_modes)
    std::memcpy(&station.media_modes, caps.data() + media_at, sizeof station.media_modes);
}

void Broker::remove_station(std::uint64_t id) {
  const auto found = stations_.find(id);
  if (found == stations_.end()) return;
  for (const auto& request : found->second.opening) {
    respond(request, static_cast<LONG>(found->second.phone ? PHONEERR_NODEVICE : LINEERR_NODEVICE));
  }
  for (const auto& attachment : found->second.attachments) withdraw(attachment.session, id, 0);
  const auto gone = static_cast<LONG>(found->second.phone ? PHONEERR_NODEVICE : LINEERR_NODEVICE);
  for (auto* wishes : {&found->second.status, &found->second.media}) refuse_wishes(*wishes, gone);
  while (!found->second.calls.empty()) forget_call(found->second.calls.back());
  std::erase_if(instances_, [&](const auto& each) { return each.second.device == id; });
  std::erase_if(dialogs_, [&](const auto& each) {
    if (each.second.device != id) return false;
    tell_dialog_to_close(each.first, each.second);
    return true;
  });
  const auto values = found->second.values;
  const bool phone = found->second.phone;
  stations_.erase(found);
  for (auto& [session, open] : open_sessions_) {
    if (open.grants.erase(id) != 0) tell_of(session, open, values, phone, false);
  }
}

std::size_t Broker::session_up(SessionId id, SessionInfo info) {
  auto& session = open_sessions_[id] = Session{};
  session.info = std::move(info);
  session.rules = policy_->rules_for(session.info.certificate);
  session.number = ++visits_;
  session.since = options_.clock->now();
  wire::InventoryValues all;
  for (const auto* station : in_order()) {
    const auto grant = session.rules.grant(station->facts);
    if (!grant.exists()) continue;
    session.grants[station->values.id] = grant;
    (station->phone ? all.phones : all.lines).push_back(station->values);
  }
  for (const auto& part : wire::make_inventory_parts(all)) sessions_.send(id, part);
  return session.grants.size();
}

void Broker::session_down(SessionId id, const std::string& reason) {
  if (open_sessions_.count(id) == 0) return;
  for (auto& [number, pending] : pending_) {
    if (pending.from.session != id) continue;
    if (!pending.answered) audit(pending.from, std::nullopt);
    pending.answered = true;
  }
  std::vector<std::uint64_t> attached;
  for (auto& [device, station] : stations_) {
    std::erase_if(station.opening, [&](const Request& request) { return request.session == id; });
    if (station.attachment(id)) attached.push_back(device);
  }
  for (const auto device : attached)
    detach(device, id, "its desktop is gone: " + reason, {});  // by the rights that it had
  open_sessions_.erase(id);
}

void Broker::open(const Request& request) {
  auto& station = this->station(request.device);
  const auto waits = [&](const Request& each) { return each.session == request.session; };
  if (station.attachment(request.session) || std::any_of(station.opening.begin(), station.opening.end(), waits)) {
    return respond(request, static_cast<LONG>(station.phone ? PHONEERR_ALLOCATED : LINEERR_ALLOCATED));
  }
  if (station.life == Life::Open && !station.ended) return attach(station, request);
  station.opening.push_back(request);
  if (station.life == Life::Closed) return open_at_vendor(station);
  if (station.life != Life::Open) return;
  // All have heard that it is closed: who has not closed it yet is not waited for.
  for (const auto& attachment : std::vector(station.attachments))
    detach(request.device, attachment.session, "the driver has closed its line", {});
}

void Broker::open_at_vendor(Station& station) {
  station.life = Life::Opening;
  station.ended = false;
  const auto id = station.values.id;
  const auto trace = station.opening.front().trace;
  const auto done = [this, id](Pending&, LONG result, Span) { opened(id, result); };
  if (station.phone) {
    ask<calls::phoneOpen>(station.worker, {id, {}, {}, station.values.version, {}}, done, trace);
  } else {
    ask<calls::lineOpen>(station.worker, {id, {}, {}, station.values.version, {}}, done, trace);
  }
}

void Broker::opened(std::uint64_t device, LONG result) {
  const auto found = stations_.find(device);
  if (found == stations_.end()) return;
  auto& station = found->second;
  const auto waiting = std::move(station.opening);
  station.opening.clear();
  if (result != 0) {
    station.life = Life::Closed;
    while (!station.calls.empty()) forget_call(station.calls.back());
    for (const auto& request : waiting) respond(request, result);
    return;
  }
  station.life = Life::Open;
  station.status = Station().status;
  station.media = Station().media;
  station.extension = {};
  for (const auto& request : waiting) attach(station, request);
  if (station.ended) {  // before it was open
    for (const auto& attachment : station.attachments) say_closed(station, attachment.session);
  }
  if (station.attachments.empty()) close_at_vendor(station, {});  // who asked for it is gone
}

void Broker::attach(Station& station, const Request& request) {
  Attachment attachment;
  attachment.session = request.session;
  attachment.number = next_attachment_++;
  station.attachments.push_back(attachment);
  respond(request, 0);
  if (station.phone) return;
  tell_unions(station);
  timers_.after(options_.monitor_delay,
                [this, id = station.values.id, number = attachment.number] { start_hearing(id, number); });
}

void Broker::close(const Request& request) {
  detach(request.device, request.session, "its line was closed",
         [this, request](LONG result) { respond(request, result); });
}

void Broker::detach(std::uint64_t device, SessionId session, const std::string& why,
                    const std::function<void(LONG)>& done) {
  auto& station = this->station(device);
  withdraw(session, device, 0);
  close_instances(station, session);
  const auto held = station.calls;
  for (const auto id : held) {
    auto* call = find_call(id);
    if (!call) continue;
    // Where the driver drops calls with the line, also one that nobody holds may have waited for this.
    const bool waits = station.close_drops && controls(session, device) && !call->closing &&
                       (call->left.count(session) || call->holders.empty());
    if (call->holders.count(session) || waits) release_call(id, session, &why, {});
    call = find_call(id);
    if (call) call->left.erase(session);
  }
  std::erase_if(station.attachments, [&](const Attachment& each) { return each.session == session; });
  if (station.attachments.empty() && station.life == Life::Open) {
    for (auto* wishes : {&station.status, &station.media})
      refuse_wishes(*wishes, static_cast<LONG>(station.phone ? PHONEERR_INVALPHONEHANDLE : LINEERR_INVALLINEHANDLE));
    return close_at_vendor(station, done);
  }
  forget_wishes(station, session);
  leave_extension(station, session);
  if (done) done(0);
}

void Broker::close_at_vendor(Station& station, const std::function<void(LONG)>& done) {
  station.life = Life::Closing;
  station.extension = {};
  const auto id = station.values.id;
  const Done closed = [this, id, done](Pending&, LONG result, Span) {
    const auto found = stations_.find(id);
    if (found != stations_.end()) {
      found->second.life = Life::Closed;
      while (!found->second.calls.empty()) forget_call(found->second.calls.back());
    }
    if (done) done(result);
    if (found != stations_.end() && !found->second.opening.empty()) open_at_vendor(found->second);
  };
  if (station.phone) {
    ask<calls::phoneClose>(station.worker, {id}, closed);
  } else {
    ask<calls::lineClose>(station.worker, {id}, closed);
  }
}

}  // namespace tsplink::host
