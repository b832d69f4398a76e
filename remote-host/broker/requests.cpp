// Requests of desktops: checked, forwarded with the broker's own number, answered under the desktop's.
#include <algorithm>

#include "remote-host/broker/broker.hpp"
#include "remote-host/log.hpp"
#include "wire/errors.hpp"

namespace tsplink::host {

namespace calls = wire::calls;

namespace {

wire::Family family_of(std::uint16_t function) {
  const auto* info = wire::function_info(function);
  return info && is_phone_function(info->name) ? wire::Family::Phone : wire::Family::Line;
}

[[noreturn]] void no_such(std::uint16_t function, const NamedId& named, wire::Object object) {
  throw Failure(Kind::NoSuchObject, "an object that this desktop has not",
                named.unknown ? named.unknown : wire::to_error(Kind::NoSuchObject, family_of(function), object));
}

LONG failed(std::uint16_t function) { return operation_failed(wire::function_info(function)->name); }

// Such requests pass however much a driver owes: those that drop and close are among them.
constexpr std::size_t kSmallRequest = 1024;

constexpr std::size_t kBusyDevices = 4;  // of one session, that may have all the requests of a device under way

}  // namespace

Broker::Override Broker::override_of(std::uint16_t function) {
  switch (function) {
    case number_of<calls::lineOpen>: return &Broker::open;
    case number_of<calls::phoneOpen>: return &Broker::open;
    case number_of<calls::lineClose>: return &Broker::close;
    case number_of<calls::phoneClose>: return &Broker::close;
    case number_of<calls::lineCloseCall>: return &Broker::close_call;
    case number_of<calls::lineDrop>: return &Broker::drop_call;
    case number_of<calls::lineSetStatusMessages>: return &Broker::wish<calls::lineSetStatusMessages>;
    case number_of<calls::phoneSetStatusMessages>: return &Broker::wish<calls::phoneSetStatusMessages>;
    case number_of<calls::lineSetDefaultMediaDetection>: return &Broker::wish<calls::lineSetDefaultMediaDetection>;
    case number_of<calls::lineMonitorDigits>: return &Broker::wish<calls::lineMonitorDigits>;
    case number_of<calls::lineMonitorMedia>: return &Broker::wish<calls::lineMonitorMedia>;
    case number_of<calls::lineSelectExtVersion>: return &Broker::select_extension<calls::lineSelectExtVersion>;
    case number_of<calls::phoneSelectExtVersion>: return &Broker::select_extension<calls::phoneSelectExtVersion>;
    case number_of<calls::lineNegotiateExtVersion>:
      return &Broker::negotiate_extension<calls::lineNegotiateExtVersion>;
    case number_of<calls::phoneNegotiateExtVersion>:
      return &Broker::negotiate_extension<calls::phoneNegotiateExtVersion>;
    case number_of<calls::lineCreateMSPInstance>: return &Broker::create_instance;
    case number_of<calls::lineCloseMSPInstance>: return &Broker::close_instance;
    case number_of<calls::lineGetID>: return &Broker::get_id<calls::lineGetID>;
    case number_of<calls::phoneGetID>: return &Broker::get_id<calls::phoneGetID>;
    case number_of<calls::providerFreeDialogInstance>: return &Broker::free_dialog;
    case number_of<calls::providerGenericDialogData>: return &Broker::ask_for_dialog;
    default: break;
  }
  if (has_event_tag(function)) return &Broker::forward_tagged;
  const auto& info = *wire::function_info(function);
  return info.right == wire::Right::Monitor && !info.asynchronous ? &Broker::read : nullptr;
}

bool Broker::only_reads(std::uint16_t function) {
  switch (function) {
    case number_of<calls::lineGetID>:
    case number_of<calls::phoneGetID>:
    case number_of<calls::lineNegotiateExtVersion>:
    case number_of<calls::phoneNegotiateExtVersion>: return true;
    default: return override_of(function) == &Broker::read;
  }
}

void Broker::session_message(SessionId id, const wire::Buffer& envelope) {
  const auto session = open_sessions_.find(id);
  if (session == open_sessions_.end()) return;
  const auto* verified = wire::verified_envelope(*envelope);
  const auto* body = verified ? verified->body_as_Request() : nullptr;
  if (!body) return sessions_.close(id, "a desktop sends requests only, and this envelope is none");
  Request request;
  request.session = id;
  request.id = body->id();
  request.function = body->function();
  request.deadline_ms = body->deadline_ms();
  request.trace = body->trace();
  request.arguments = wire::span_of(body->arguments());
  const auto* info = wire::function_info(request.function);
  if (!info || info->right == wire::Right::Local) {
    return respond(request, static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  }
  const auto machine = log::shown(session->second.info.machine);
  if (log::enabled(log::Level::Debug)) {
    log::debug("Desktop " + machine + ": request " + std::to_string(request.id) + " " + std::string(info->name),
               {log::trace(request.trace)});
  }
  try {
    const auto named = named_ids(request.function, request.arguments);
    note_names(request, named);
    check(request, named);
    if (too_many(session->second, request)) {
      throw Failure(
          Kind::TooLarge, "too many of its requests are under way",
          static_cast<LONG>(is_phone_function(info->name) ? PHONEERR_RESOURCEUNAVAIL : LINEERR_RESOURCEUNAVAIL));
    }
    const auto size = request.arguments.size();
    if (size > kSmallRequest && workers_[station(request.device).worker].bytes + size > options_.worker_bytes) {
      throw Failure(Kind::TooLarge, "the driver holds too many unanswered requests");
    }
    if (const auto special = override_of(request.function)) return (this->*special)(request);
    forward(request);
  } catch (const Failure& failure) {
    log::debug("Desktop " + machine + ": " + std::string(info->name) + " refused: " + failure.what(),
               {log::trace(request.trace)});
    respond(request, failure.code() ? failure.code() : wire::to_error(failure, family_of(request.function)));
  }
}

/// A line that hangs costs a desktop's others nothing; and however many are under way, it can let go: as many again.
bool Broker::too_many(const Session& session, const Request& request) const {
  const bool lets_go = closes(request.function) || request.function == number_of<calls::lineDrop>;
  const auto bound = options_.requests_in_flight * (lets_go ? 2 : 1);
  const auto here = session.in_flight_at.find(request.device);
  return session.in_flight >= bound * kBusyDevices || (here != session.in_flight_at.end() && here->second >= bound);
}

/// The audit names what was asked for, also where the desktop has no right to know of it.
void Broker::note_names(Request& request, const std::vector<NamedId>& named) const {
  if (!audit_ || wire::function_info(request.function)->right != wire::Right::Control) return;
  const auto of = [](const auto& objects, std::uint64_t id) {
    const auto found = objects.find(id);
    return found == objects.end() ? 0 : found->second.device;
  };
  for (const auto& [kind, id, unknown] : named) {
    auto device = id;
    if (kind == IdKind::MspLine) device = of(instances_, id);
    if (kind == IdKind::Dialog) device = of(dialogs_, id);
    if (kind == IdKind::Call) {
      const auto call = calls_.find(id);
      device = call == calls_.end() ? 0 : call->second.line;
      request.names.calls.push_back(id);
    }
    if (!request.names.device) request.names.device = device;
  }
  const auto line = stations_.find(request.names.device);
  const auto version = line == stations_.end() ? DWORD{0x00030001} : line->second.values.version;
  request.names.to = dialled_address(request.function, request.arguments, version);
}

std::optional<ControlAction> Broker::action_of(const Request& request) const {
  const auto session = open_sessions_.find(request.session);
  const auto* info = wire::function_info(request.function);
  if (!audit_ || session == open_sessions_.end() || !info || info->right != wire::Right::Control) return {};
  ControlAction action;
  action.certificate = session->second.info.certificate.subject;
  action.machine = session->second.info.machine;
  action.address = session->second.info.address;
  action.session = request.session;
  action.function = request.function;
  if (const auto at = stations_.find(request.names.device); at != stations_.end()) {
    action.provider = at->second.facts.provider;
    action.device = at->second.facts.name;
    action.phone = at->second.phone;
    action.permanent_id = at->second.facts.permanent;
  }
  action.calls = request.names.calls;
  action.to = request.names.to;
  action.trace = request.trace;
  return action;
}

void Broker::audit(const Request& request, std::optional<LONG> result, Span outputs, std::string_view note) {
  auto action = action_of(request);
  if (!action) return;
  if (result == 0 && makes_calls(request.function)) {
    for (const auto id : new_calls(request.function, outputs)) action->calls.push_back(id);
  }
  action->result = result;
  action->note = note;
  audit_->write(*action);
}

void Broker::check(Request& request, const std::vector<NamedId>& all) const {
  const auto function = request.function;
  for (const auto& named : all) {
    auto device = named.id;
    bool attached = true;
    auto object = wire::Object::Device;
    switch (named.kind) {
      case IdKind::LineDevice:
      case IdKind::PhoneDevice:
        attached = false;
        object = wire::Object::DeviceId;
        break;
      case IdKind::Line:
      case IdKind::Phone: break;
      case IdKind::Call: {
        const auto call = calls_.find(named.id);
        object = wire::Object::Call;
        if (call == calls_.end() || call->second.holders.count(request.session) == 0)
          no_such(function, named, object);
        device = call->second.line;
        if (!request.call) request.call = named.id;
        break;
      }
      case IdKind::MspLine: {
        const auto instance = instances_.find(named.id);
        if (instance == instances_.end() || instance->second.session != request.session)
          no_such(function, named, object);
        device = instance->second.device;
        request.msp = named.id;
        break;
      }
      case IdKind::Dialog: {
        const auto dialog = dialogs_.find(named.id);
        if (dialog == dialogs_.end() || dialog->second.session != request.session) {
          throw Failure(Kind::NoSuchObject, "a dialog that this desktop has not",
                        static_cast<LONG>(LINEERR_INVALPARAM));
        }
        device = dialog->second.device;
        request.dialog = named.id;
        break;
      }
      case IdKind::Provider: attached = false; break;
    }
    const bool either = named.kind == IdKind::Dialog || named.kind == IdKind::Provider;
    const bool phone = named.kind == IdKind::Phone || named.kind == IdKind::PhoneDevice;
    const auto grant = grant_of(request.session, device);
    const auto at = stations_.find(device);
    if (!grant.exists() || (!either && at->second.phone != phone)) no_such(function, named, object);
    const auto& attachments = at->second.attachments;
    if (attached && std::none_of(attachments.begin(), attachments.end(),
                                 [&](const Attachment& each) { return each.session == request.session; })) {
      no_such(function, named, object);
    }
    const bool lets_go = function == number_of<calls::lineDrop>;  // see drop_call()
    if (!grant.allows(wire::function_info(function)->right) && !lets_go)
      throw Failure(Kind::Unavailable, "monitoring does not allow this");
    if (request.device && at->second.worker != stations_.at(request.device).worker) no_such(function, named, object);
    if (!request.device) request.device = device;
  }
  if (!request.device) no_such(function, {}, wire::Object::Device);
}

void Broker::forward(const Request& request, Done done) { forward(request, request.arguments, std::move(done)); }

void Broker::forward(const Request& request, Span arguments, Done done) {
  send_request(station(request.device).worker, request, arguments, std::move(done));
}

void Broker::send_request(std::size_t worker, const Request& from, Span arguments, Done done) {
  send_pending(expect(worker, from, std::move(done)), arguments);
}

std::uint64_t Broker::expect(std::size_t worker, const Request& from, Done done) {
  const auto id = next_request_++;
  Pending pending;
  pending.from = from;
  pending.from.arguments = {};  // they belong to the desktop's envelope, which goes now
  pending.done = std::move(done);
  pending.worker = worker;
  pending_.emplace(id, std::move(pending));
  if (const auto session = open_sessions_.find(from.session); session != open_sessions_.end()) {
    ++session->second.in_flight;
    ++session->second.in_flight_at[from.device];
  }
  return id;
}

void Broker::send_pending(std::uint64_t id, Span arguments) {
  auto& pending = pending_.at(id);
  auto& worker = workers_[pending.worker];
  pending.bytes = arguments.size();
  worker.bytes += pending.bytes;
  if (!only_reads(pending.from.function)) ++worker.acts;
  worker.channel->send(
      wire::make_request(id, pending.from.function, pending.from.deadline_ms, pending.from.trace, arguments));
}

void Broker::respond(const Request& request, LONG result, Span outputs, std::string_view note, bool known) {
  const auto session = open_sessions_.find(request.session);
  if (session == open_sessions_.end()) return;
  const auto* info = wire::function_info(request.function);
  audit(request, known ? std::optional(result) : std::nullopt, outputs, note);
  if (info && log::enabled(log::Level::Debug)) {
    log::debug("Desktop " + log::shown(session->second.info.machine) + ": " + std::string(info->name) +
                   " ended with " + wire::error_name(result),
               {log::trace(request.trace)});
  }
  sessions_.send(request.session, info && info->asynchronous ? wire::make_completion(request.id, result, outputs)
                                                             : wire::make_reply(request.id, result, outputs));
}

void Broker::respond(Pending& pending, LONG result, Span outputs) {
  if (!pending.answered && pending.from.session) respond(pending.from, result, outputs);
  pending.answered = true;
}

void Broker::answered(std::uint64_t id, LONG result, Span outputs) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  auto pending = std::move(found->second);
  pending_.erase(found);
  auto& worker = workers_[pending.worker];
  worker.bytes -= pending.bytes;
  if (!only_reads(pending.from.function)) ++worker.acts;
  if (const auto session = open_sessions_.find(pending.from.session); session != open_sessions_.end()) {
    auto& at = session->second.in_flight_at;
    if (const auto here = at.find(pending.from.device); here != at.end()) {
      --session->second.in_flight;
      if (--here->second == 0) at.erase(here);
    }
  }
  try {
    if (pending.done) {
      pending.done(pending, result, outputs);
    } else {
      done_plainly(pending, result, outputs);
    }
  } catch (const Failure& failure) {
    log::error("A worker's answer is unusable: " + std::string(failure.what()), {log::trace(pending.from.trace)});
    respond(pending, failed(pending.from.function));
  }
}

/// What an asynchronous function had decided when it returned; its completion is still to come.
void Broker::accepted(const Pending& pending, LONG result, Span outputs) {
  if (pending.answered || open_sessions_.count(pending.from.session) == 0) return;
  sessions_.send(pending.from.session, wire::make_reply(pending.from.id, result, outputs));
}

void Broker::done_plainly(Pending& pending, LONG result, Span outputs) {
  const auto& from = pending.from;
  if (!from.session) return;
  if (result == 0 && makes_calls(from.function)) {
    // The maker has the answer first, the others hear of the call after it.
    const auto made = new_calls(from.function, outputs);
    for (const auto id : made) {
      auto& call = add_call(id, from.device, Direction::Made);
      if (!pending.answered && open_sessions_.count(from.session)) {
        call.holders.insert(from.session);
        call.controllers.insert(from.session);
      }
    }
    respond(pending, result, outputs);
    for (const auto id : made) {
      announce_to_others(calls_.at(id));
      if (calls_.at(id).holders.empty()) release_call(id, from.session, nullptr, {});
    }
    return;
  }
  if (result == 0) acted(from);
  respond(pending, result, outputs);
}

/// Who has acted on a call controls it.
void Broker::acted(const Request& request) {
  auto* call = request.call ? find_call(request.call) : nullptr;
  if (!call || wire::function_info(request.function)->right != wire::Right::Control) return;
  if (call->holders.count(request.session)) call->controllers.insert(request.session);
}

void Broker::withdraw(SessionId session, std::uint64_t device, std::uint64_t call) {
  for (auto& [id, pending] : pending_) {
    if (pending.from.session != session || pending.from.device != device) continue;
    if (call && pending.from.call != call) continue;
    if (!pending.answered) {
      respond(pending.from, failed(pending.from.function), {}, "its line or call was let go of before the answer",
              false);
    }
    pending.answered = true;
  }
}

Broker::Station& Broker::station(std::uint64_t device) {
  const auto found = stations_.find(device);
  if (found == stations_.end()) throw Failure(Kind::NoSuchObject, "a device that has gone");
  return found->second;
}

Broker::CallState* Broker::find_call(std::uint64_t id) {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : &found->second;
}

Broker::Attachment* Broker::Station::attachment(SessionId session) {
  const auto found = std::find_if(attachments.begin(), attachments.end(),
                                  [&](const Attachment& each) { return each.session == session; });
  return found == attachments.end() ? nullptr : &*found;
}

}  // namespace tsplink::host
