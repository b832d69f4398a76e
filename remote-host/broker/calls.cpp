// Calls and MSP instances on shared lines: who holds them, who hears of them when.
#include <algorithm>

#include "remote-host/broker/broker.hpp"

namespace tsplink::host {

namespace calls = wire::calls;

void Broker::start_hearing(std::uint64_t device, std::uint64_t attachment) {
  const auto found = stations_.find(device);
  if (found == stations_.end()) return;
  auto& attachments = found->second.attachments;
  const auto mine = std::find_if(attachments.begin(), attachments.end(),
                                 [&](const Attachment& each) { return each.number == attachment; });
  if (mine == attachments.end() || mine->hearing) return;
  mine->hearing = true;
  std::vector<CallState*> there;
  for (const auto id : found->second.calls) {
    auto* call = find_call(id);
    if (!call || call->idle() || call->closing) continue;
    if (call->holders.count(mine->session) || call->left.count(mine->session)) continue;
    there.push_back(call);
  }
  // A state may name another call, its conference: all are there before the first is said.
  for (auto* call : there) announce(*call, mine->session);
  for (auto* call : there) say_state(*call, mine->session);
}

void Broker::announce(CallState& call, SessionId session) {
  call.holders.insert(session);
  wire::EventValues event;
  event.message = static_cast<std::uint16_t>(wire::Message::kLINE_NEWCALL);
  event.device = call.line;
  event.params[0] = call.id;
  sessions_.send(session, wire::make_event(event));
}

/// The state that the vendor reported last: unlike a question it cannot overtake or be overtaken by the next event.
void Broker::say_state(const CallState& call, SessionId session) {
  if (call.state) sessions_.send(session, wire::make_event(without_foreign_calls(*call.state, session)));
}

void Broker::announce_to_others(CallState& call) {
  for (const auto& attachment : station(call.line).attachments) {
    if (!attachment.hearing || call.holders.count(attachment.session)) continue;
    announce(call, attachment.session);
    say_state(call, attachment.session);
  }
}

void Broker::close_call(const Request& request) {
  withdraw(request.session, request.device, request.call);
  release_call(request.call, request.session, nullptr, [this, request](LONG result) { respond(request, result); });
}

void Broker::release_call(std::uint64_t id, SessionId session, const std::string* line_closes,
                          const std::function<void(LONG)>& done) {
  auto& call = calls_.at(id);
  auto& line = station(call.line);
  const bool controlled = controls(session, call.line);
  call.holders.erase(session);
  call.controllers.erase(session);
  call.left.erase(session);
  if (session && !line_closes && !call.idle()) call.left.insert(session);
  // Those who opened the line a moment ago are still to hear of the call.
  const auto is_to_hear = [&](const Attachment& each) { return each.session != session && !each.hearing; };
  const bool awaited = std::any_of(line.attachments.begin(), line.attachments.end(), is_to_hear);
  const bool others_control =
      std::any_of(line.attachments.begin(), line.attachments.end(), [&](const Attachment& each) {
        const bool has_it = call.holders.count(each.session) || call.left.count(each.session);
        return controls(each.session, call.line) && each.session != session && (has_it || !each.hearing);
      });
  // Nobody who only watches takes a call away from those who come later. And TAPI closes the calls before their line:
  // whether they are to be dropped is known when the line of the last who controls it goes.
  const bool line_decides = line.close_drops && (others_control || !line_closes);
  const bool goes_on = session && !call.idle() && (awaited || line_decides || (!controlled && !line_closes));
  if (line_closes && line.close_drops && controlled && !others_control && !call.idle()) {
    drop_with_line(line, id, session, *line_closes);
  }
  if (!call.holders.empty() || call.closing || goes_on) {
    forget_wishes(call, session);
    if (done) done(0);
    return;
  }
  call.closing = true;
  ask<calls::lineCloseCall>(line.worker, {id}, [this, id, done](Pending&, LONG result, Span) {
    forget_call(id);
    if (done) done(result);
  });
}

void Broker::drop_with_line(const Station& line, std::uint64_t call, SessionId session, const std::string& why) {
  Request drop;
  drop.session = session;
  drop.function = number_of<calls::lineDrop>;
  drop.names.device = line.values.id;
  drop.names.calls = {call};
  auto action = action_of(drop);  // now: the session may end before the vendor has answered
  if (action) action->note = why;
  ask<calls::lineDrop>(line.worker, {{}, call, {}, {}}, [this, action](Pending&, LONG result, Span) mutable {
    if (!action) return;
    // The call is closed without waiting for its drop, and what the driver says after that is not heard.
    if (result != static_cast<LONG>(LINEERR_OPERATIONFAILED)) action->result = result;
    audit_->write(*action);
  });
}

Broker::CallState& Broker::add_call(std::uint64_t id, std::uint64_t line, Direction direction) {
  station(line).calls.push_back(id);
  auto& call = calls_[id] = {};
  call.id = id;
  call.line = line;
  call.direction = direction;
  call.since = options_.clock->now();
  return call;
}

void Broker::forget_call(std::uint64_t id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  for (auto* wishes : {&found->second.digits, &found->second.media}) {
    refuse_wishes(*wishes, static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  }
  if (const auto line = stations_.find(found->second.line); line != stations_.end())
    std::erase(line->second.calls, id);
  calls_.erase(found);
}

bool Broker::owns(const CallState& call, SessionId session) const {
  const auto owned = stations_.at(call.line).media.mask(session, 0);
  return controls(session, call.line) && (call.controllers.count(session) != 0 || (owned & call.media_mode) != 0 ||
                                          (owned != 0 && call.media_mode == 0));
}

void Broker::drop_call(const Request& request) {
  auto& call = calls_.at(request.call);
  if (owns(call, request.session)) return forward(request);
  // A call without an owner there: TAPI lets go of it, and nobody else's call ends for that.
  respond(request, 0, {}, "its own view of the call only");
  if (call.idle()) return;  // it has heard that, and closes it
  wire::EventValues idle;
  if (call.state) idle = *call.state;
  idle.message = static_cast<std::uint16_t>(wire::Message::kLINE_CALLSTATE);
  idle.device = call.line;
  idle.call = call.id;
  idle.params[0] = LINECALLSTATE_IDLE;
  idle.params[1] = 0;
  sessions_.send(request.session, wire::make_event(idle));
  leave_call(call, request.session);
}

/// The call goes on without it.
void Broker::leave_call(CallState& call, SessionId session) {
  call.holders.erase(session);
  call.controllers.erase(session);
  call.left.insert(session);
  forget_wishes(call, session);
}

void Broker::create_instance(const Request& request) {
  constexpr std::ptrdiff_t kMost = 4096;  // of one session on one line, which may have 1024 addresses
  const auto full = [this](const Request& each) {
    return std::count_if(instances_.begin(), instances_.end(), [&](const auto& instance) {
             return instance.second.device == each.device && instance.second.session == each.session;
           }) >= kMost;
  };
  constexpr auto refused = static_cast<LONG>(LINEERR_RESOURCEUNAVAIL);
  if (full(request)) return respond(request, refused);
  forward(request, [this, full](Pending& pending, LONG result, Span outputs) {
    if (result != 0) return respond(pending, result, outputs);
    const auto values = wire::decode<calls::lineCreateMSPInstance::Outputs>(outputs);
    constexpr auto at = calls::lineCreateMSPInstance::position("lphdMSPLine");
    const auto id = std::get<at>(values);
    const auto line = stations_.find(pending.from.device);
    const bool there = !pending.answered && line != stations_.end() && line->second.attachment(pending.from.session);
    const bool wanted = there && !full(pending.from);
    if (wanted) {
      instances_[id] = {pending.from.device, pending.from.session};
    } else if (line != stations_.end()) {
      ask<calls::lineCloseMSPInstance>(line->second.worker, {id});
    }
    if (there && !wanted) return respond(pending, refused);
    respond(pending, result, outputs);
  });
}

void Broker::close_instance(const Request& request) {
  instances_.erase(request.msp);
  forward(request);
}

void Broker::free_dialog(const Request& request) {
  dialogs_.erase(request.dialog);
  forward(request);
}

void Broker::ask_for_dialog(const Request& request) {
  auto& worker = workers_[station(request.device).worker];
  if (!request.dialog && !worker.rules.desktops_configure) {
    throw Failure(Kind::Unavailable, "dialogs may not configure provider " + worker.name +
                                         " from desktops; "
                                         "desktops_configure = true in its [[provider]] allows it");
  }
  forward(request);
}

/// Its vendor answers no more: a message without data says so on the desktop.
void Broker::tell_dialog_to_close(std::uint64_t dialog, const Instance& instance) {
  wire::EventValues event;
  event.message = static_cast<std::uint16_t>(wire::Message::kLINE_SENDDIALOGINSTANCEDATA);
  event.device = instance.device;
  event.call = dialog;
  if (open_sessions_.count(instance.session)) sessions_.send(instance.session, wire::make_event(event));
}

void Broker::close_instances(const Station& station, SessionId session) {
  const auto mine = [&](const auto& each) {
    return each.second.session == session && each.second.device == station.values.id;
  };
  for (const auto& each : instances_) {
    if (mine(each)) ask<calls::lineCloseMSPInstance>(station.worker, {each.first});
  }
  std::erase_if(instances_, mine);
  close_dialogs(station, session);
}

void Broker::close_dialogs(const Station& station, SessionId session) {
  std::erase_if(dialogs_, [&](const auto& each) {
    if (each.second.session != session || each.second.device != station.values.id) return false;
    tell_dialog_to_close(each.first, each.second);
    ask<calls::providerFreeDialogInstance>(station.worker, {each.first});
    return true;
  });
}

}  // namespace tsplink::host
