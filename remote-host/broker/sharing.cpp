// What a vendor's line or call has once and several desktops ask for: masks are given to the vendor as their union,
// the first extension version is everybody's, and events that answer one desktop's request go back to it alone.
#include <algorithm>

#include "remote-host/broker/broker.hpp"

namespace tsplink::host {

namespace calls = wire::calls;

namespace {

/// Of one function that a session has under way on a call; a vendor that never says their end keeps no more.
constexpr std::size_t kMostTags = 16;

template <class C>
constexpr bool kIsPhone = C::name.substr(0, 5) == "phone";

/// The object comes first, and every other parameter is a mask.
template <class C>
constexpr std::size_t kMasks = C::size - 1;

template <class C>
wire::Bytes arguments_of(std::uint64_t object, const std::array<std::uint32_t, 3>& masks) {
  typename C::Inputs inputs;
  std::get<0>(inputs) = object;
  wire::for_each_parameter<C>([&](auto at) {
    if constexpr (at.value > 0) std::get<at.value>(inputs) = masks[at.value - 1];
  });
  return wire::encode(inputs);
}

}  // namespace

std::uint32_t Broker::Wishes::mask(SessionId session, std::size_t which) const {
  const auto found = of.find(session);
  return found == of.end() ? 0 : found->second[which];
}

Broker::Masks Broker::union_of(const Station& station, const Wishes& wishes) const {
  Masks all{};
  bool controlled = false;
  for (const auto& [session, masks] : wishes.of) {
    if (wishes.of_controllers && !controls(session, station.values.id)) continue;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] |= masks[i];
  }
  if (!wishes.of_controllers) return all;
  for (const auto& each : station.attachments) controlled = controlled || controls(each.session, station.values.id);
  if (!controlled && !station.attachments.empty()) {
    const auto voice = station.media_modes & LINEMEDIAMODE_INTERACTIVEVOICE;
    all[0] = workers_[station.worker].rules.monitor_media.value_or(voice);
  }
  return all;
}

Broker::Masks Broker::union_of(std::uint64_t device, const Wishes& wishes) const {
  return union_of(stations_.at(device), wishes);
}

/// Those that a function sets; nullptr: its line, phone or call is gone.
Broker::Wishes* Broker::wishes(std::uint16_t function, std::uint64_t device, std::uint64_t call) {
  if (function == number_of<calls::lineMonitorDigits> || function == number_of<calls::lineMonitorMedia>) {
    auto* found = find_call(call);
    if (!found) return nullptr;
    return function == number_of<calls::lineMonitorDigits> ? &found->digits : &found->media;
  }
  const auto found = stations_.find(device);
  if (found == stations_.end()) return nullptr;
  return function == number_of<calls::lineSetDefaultMediaDetection> ? &found->second.media : &found->second.status;
}

template <class C>
void Broker::wish(const Request& request) {
  static_assert(kMasks<C> <= std::tuple_size_v<Masks>);
  constexpr std::ptrdiff_t kMostWaiting = 16;  // of one session
  const auto inputs = wire::decode<typename C::Inputs>(request.arguments);
  Wishes::Waiting wanted{request, {}};
  wanted.request.arguments = {};  // they belong to the desktop's envelope, which goes now
  wire::for_each_parameter<C>([&](auto at) {
    if constexpr (at.value > 0) wanted.masks[at.value - 1] = std::get<at.value>(inputs);
  });
  auto& wishes = *this->wishes(request.function, request.device, request.call);
  const auto waiting = std::count_if(wishes.waiting.begin(), wishes.waiting.end(),
                                     [&](const auto& each) { return each.request.session == request.session; });
  if (waiting >= kMostWaiting) {
    return respond(request, static_cast<LONG>(kIsPhone<C> ? PHONEERR_RESOURCEUNAVAIL : LINEERR_RESOURCEUNAVAIL));
  }
  wishes.waiting.push_back(std::move(wanted));
  if (!wishes.asking) next_wish<C>(request.device, request.call);
}

/// Who asks for media hears of the calls from then on.
template <class C>
void Broker::hear(std::uint64_t device, SessionId session) {
  if (!std::is_same_v<C, calls::lineSetDefaultMediaDetection>) return;
  const auto line = stations_.find(device);
  const auto* mine = line == stations_.end() ? nullptr : line->second.attachment(session);
  if (mine) start_hearing(device, mine->number);
}

template <class C>
void Broker::next_wish(std::uint64_t device, std::uint64_t call) {
  for (;;) {
    auto* wishes = this->wishes(static_cast<std::uint16_t>(number_of<C>), device, call);
    if (!wishes || wishes->asking || wishes->waiting.empty()) return;
    const auto [request, masks] = std::move(wishes->waiting.front());
    wishes->waiting.pop_front();
    if (!open_sessions_.count(request.session)) continue;  // it has gone without its line being shared any more
    const auto found = wishes->of.find(request.session);
    const auto before = found == wishes->of.end() ? Masks{} : found->second;
    // At once, since the vendor's events may come before its answer.
    wishes->of[request.session] = masks;
    const auto all = union_of(device, *wishes);
    // A vendor hears from one desktop alone whatever that asks, as it would from TAPI.
    const auto session = request.session;
    const bool shared = std::any_of(wishes->of.begin(), wishes->of.end(), [&](const auto& each) {
      return each.first != session && each.second != Masks{};
    });
    if (shared && all == wishes->given) {
      respond(request, 0);
      hear<C>(device, session);
      continue;
    }
    wishes->asking = true;
    const auto object = call ? call : device;
    return forward(request, arguments_of<C>(object, all),
                   [this, before, all, device, call](Pending& pending, LONG result, Span) {
                     const auto asker = pending.from.session;
                     if (auto* now = this->wishes(pending.from.function, device, call)) {
                       now->asking = false;
                       const auto mine = now->of.find(asker);  // unless it has left meanwhile
                       if (result != 0 && mine != now->of.end()) mine->second = before;
                       if (result == 0) now->given = all;
                     }
                     respond(pending, result);
                     hear<C>(device, asker);
                     next_wish<C>(device, call);
                     auto* left = this->wishes(pending.from.function, device, call);
                     if (left) tell_union<C>(stations_.at(device), call ? call : device, *left);
                   });
  }
}

/// Those whose line, phone or call is gone.
void Broker::refuse_wishes(Wishes& wishes, LONG result) {
  for (const auto& each : wishes.waiting) respond(each.request, result);
  wishes.waiting.clear();
}

template void Broker::wish<calls::lineSetStatusMessages>(const Request&);
template void Broker::wish<calls::phoneSetStatusMessages>(const Request&);
template void Broker::wish<calls::lineSetDefaultMediaDetection>(const Request&);
template void Broker::wish<calls::lineMonitorDigits>(const Request&);
template void Broker::wish<calls::lineMonitorMedia>(const Request&);

template <class C>
void Broker::tell_union(const Station& station, std::uint64_t object, Wishes& wishes) {
  const auto all = union_of(station, wishes);
  if (wishes.asking || all == wishes.given) return;  // what is under way is looked at again when it ends
  wishes.given = all;
  Request own;
  own.function = static_cast<std::uint16_t>(number_of<C>);
  send_request(station.worker, own, arguments_of<C>(object, all), {});
}

void Broker::forget(Wishes& wishes, SessionId session) {
  wishes.of.erase(session);
  std::erase_if(wishes.waiting, [&](const auto& each) {
    if (each.request.session != session) return false;
    respond(each.request, operation_failed(wire::function_info(each.request.function)->name));
    return true;
  });
}

void Broker::forget_wishes(Station& station, SessionId session) {
  for (auto* wishes : {&station.status, &station.media}) forget(*wishes, session);
  tell_unions(station);
}

void Broker::tell_unions(Station& station) {
  if (station.life != Life::Open) return;
  const auto id = station.values.id;
  if (station.phone) return tell_union<calls::phoneSetStatusMessages>(station, id, station.status);
  tell_union<calls::lineSetStatusMessages>(station, id, station.status);
  tell_union<calls::lineSetDefaultMediaDetection>(station, id, station.media);
}

void Broker::forget_wishes(CallState& call, SessionId session) {
  for (auto* wishes : {&call.digits, &call.media}) forget(*wishes, session);
  if (call.closing || call.idle()) return;
  const auto& line = station(call.line);
  tell_union<calls::lineMonitorDigits>(line, call.id, call.digits);
  tell_union<calls::lineMonitorMedia>(line, call.id, call.media);
}

// --- extension versions --------------------------------------------------------------------------------------------

namespace {

template <class C>
constexpr LONG kOtherExtension = static_cast<LONG>(kIsPhone<C> ? PHONEERR_INCOMPATIBLEEXTVERSION
                                                               : LINEERR_INCOMPATIBLEEXTVERSION);

}  // namespace

template <class C>
void Broker::select_extension(const Request& request) {
  const auto version = std::get<C::position("dwExtVersion")>(wire::decode<typename C::Inputs>(request.arguments));
  auto& extension = station(request.device).extension;
  const bool shared = extension.of_others(request.session);
  if (shared && version != 0 && version != extension.version) return respond(request, kOtherExtension<C>);
  const auto before = extension;
  if (version == 0) {
    extension.users.erase(request.session);
  } else {
    extension.users.insert(request.session);
  }
  if (shared && (version == 0 || extension.in_force)) return respond(request, 0);
  extension.version = version;
  extension.in_force = false;
  forward(request, [this, version, before](Pending& pending, LONG result, Span) {
    const auto found = stations_.find(pending.from.device);
    if (found != stations_.end() && found->second.extension.version == version) {
      auto& now = found->second.extension;
      if (result == 0) {
        now.in_force = true;
      } else {
        now.users.erase(pending.from.session);
        // What another had asked for meanwhile was refused as well, unless it was in force.
        if (now.users.empty()) now = before.in_force ? before : Extension();
      }
    }
    respond(pending, result);
  });
}

template void Broker::select_extension<calls::lineSelectExtVersion>(const Request&);
template void Broker::select_extension<calls::phoneSelectExtVersion>(const Request&);

template <class C>
void Broker::negotiate_extension(const Request& request) {
  const auto& extension = station(request.device).extension;
  if (!extension.of_others(request.session)) return forward(request);
  const auto inputs = wire::decode<typename C::Inputs>(request.arguments);
  const auto low = std::get<C::position("dwLowVersion")>(inputs);
  const auto high = std::get<C::position("dwHighVersion")>(inputs);
  if (extension.version < low || extension.version > high) return respond(request, kOtherExtension<C>);
  typename C::Outputs outputs;
  std::get<C::position("lpdwExtVersion")>(outputs) = extension.version;
  respond(request, 0, wire::encode(outputs));
}

template void Broker::negotiate_extension<calls::lineNegotiateExtVersion>(const Request&);
template void Broker::negotiate_extension<calls::phoneNegotiateExtVersion>(const Request&);

/// The last who used it leaves the vendor without one, as it was before.
void Broker::leave_extension(Station& station, SessionId session) {
  auto& extension = station.extension;
  if (extension.users.erase(session) == 0 || !extension.users.empty()) return;
  extension = {};
  if (station.life != Life::Open) return;
  if (station.phone) {
    ask<calls::phoneSelectExtVersion>(station.worker, {station.values.id, 0});
  } else {
    ask<calls::lineSelectExtVersion>(station.worker, {station.values.id, 0});
  }
}

// --- numbers of events ---------------------------------------------------------------------------------------------

void Broker::forward_tagged(const Request& request) {
  auto& tags = calls_.at(request.call).tags;
  const auto mine = [&](const auto& each) {
    return each.second.session == request.session && each.second.function == request.function;
  };
  // Numbers rise, so the first is the oldest.
  if (std::count_if(tags.begin(), tags.end(), mine) >= static_cast<std::ptrdiff_t>(kMostTags)) {
    tags.erase(std::find_if(tags.begin(), tags.end(), mine));
  }
  const auto given = next_tag_++;
  auto exchanged = given;
  const auto arguments = with_event_tag(request.function, request.arguments, exchanged);
  tags[given] = {request.session, request.function, exchanged};
  forward(request, arguments, [this, given](Pending& pending, LONG result, Span outputs) {
    if (auto* call = find_call(pending.from.call); call && result != 0) call->tags.erase(given);
    if (result == 0) acted(pending.from);
    respond(pending, result, outputs);
  });
}

void Broker::tagged_event(CallState& call, const wire::fb::Event& event, std::size_t at) {
  auto values = wire::read_event(event);
  const auto found = call.tags.find(static_cast<std::uint32_t>(values.params[at]));
  if (found == call.tags.end()) return;
  const auto tag = found->second;
  // Tones are listened for until somebody asks for others; the rest ends with its event.
  if (event.message() != static_cast<std::uint16_t>(wire::Message::kLINE_MONITORTONE)) call.tags.erase(found);
  const auto right = wire::function_info(tag.function)->right;
  if (!call.holders.count(tag.session) || !grant_of(tag.session, call.line).allows(right)) return;
  values.params[at] = tag.own;
  sessions_.send(tag.session, wire::make_event(values));
}

}  // namespace tsplink::host
