// The life of calls: how they come, change and end, and what TAPI hears of each step.
#include <chrono>
#include <ctime>

#include "tests/simpbx/names.hpp"
#include "tests/simpbx/pbx.hpp"

namespace tsplink::simpbx {
namespace {

SYSTEMTIME utc_now() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
#ifdef _WIN32
  gmtime_s(&parts, &seconds);
#else
  gmtime_r(&seconds, &parts);
#endif
  const auto word = [](auto value) { return static_cast<WORD>(value); };
  return {word(parts.tm_year + 1900), word(parts.tm_mon + 1), word(parts.tm_wday), word(parts.tm_mday),
          word(parts.tm_hour),        word(parts.tm_min),     word(parts.tm_sec),  word(ms)};
}

constexpr DWORD kCallIdBase = 0x00510000;

}  // namespace

CallPtr Pbx::new_call(const LinePtr& line, DWORD address_id, HTAPICALL htCall) {
  auto call = std::make_shared<Call>();
  call->number = ++next_call_;
  call->line = line;
  call->address_id = address_id;
  call->call_id = kCallIdBase + call->number;
  call->htCall = htCall;
  call->announced = htCall != nullptr;
  if (htCall) {
    call->handle = has(Habit::app_handles) ? number_of(htCall) : new_handle();
    if (has(Habit::call_is_line) && !call_handles.contains(line->handle)) call->handle = line->handle;
    call_handles[call->handle] = call;
  }
  calls[call->number] = call;
  return call;
}

CallPtr Pbx::incoming(const LinePtr& line, DWORD address_id, Party from, DWORD media, DWORD reason) {
  const CallPtr call = new_call(line, address_id, nullptr);
  call->media = media;
  call->reason = reason;
  call->origin =
      LINECALLORIGIN_INBOUND | (line_by_address(from.number) ? LINECALLORIGIN_INTERNAL : LINECALLORIGIN_EXTERNAL);
  call->caller = std::move(from);
  call->called = {LINECALLPARTYID_ADDRESS, line->addresses[address_id].number, {}};
  call->trunk = line->number;
  set_state(call, LINECALLSTATE_OFFERING, LINEOFFERINGMODE_ACTIVE);
  return call;
}

void Pbx::set_state(const CallPtr& call, DWORD state, DWORD_PTR mode) {
  if (call->state == LINECALLSTATE_IDLE) return;  // nothing follows IDLE
  call->state = state;
  call->state_mode = state == LINECALLSTATE_CONFERENCED ? 0 : static_cast<DWORD>(mode);
  call->state_entry = utc_now();
  call->states_seen |= state;
  log("   call " + std::to_string(call->number) + " on line " + std::to_string(call->line->number) + " is " +
      state_name(state));
  if (state & (LINECALLSTATE_DISCONNECTED | LINECALLSTATE_IDLE)) release_resources(call);
  if (call->announced) {
    call_event(call, LINE_CALLSTATE, state, mode, call->media);
  } else {
    announce(call);
  }
  update_counts(call->line, call->address_id);
}

/// LINE_NEWCALL for a call that TAPI does not know, if TAPI wants such calls.
void Pbx::announce(const CallPtr& call) {
  const LinePtr& line = call->line;
  if (call->announced || call->announcing || call->closed || !line->open) return;
  if (!(call->state & kLiveStates)) return;
  const bool wanted = line->announce_all || (line->media_set && (line->media_modes & call->media) != 0);
  if (!wanted) return;
  call->announcing = true;
  if (!call->handle) {
    call->handle = new_handle();
    if (has(Habit::call_is_line) && !call_handles.contains(line->handle)) call->handle = line->handle;
    call_handles[call->handle] = call;
  }
  Callback callback;
  callback.kind = Callback::Kind::new_call;
  callback.scope.line = line;
  callback.scope.call = call;
  callback.message = static_cast<DWORD>(LINE_NEWCALL);
  courier.emit(std::move(callback));
}

void Pbx::announce_all(const LinePtr& line) {
  const auto all = calls;
  for (const auto& [number, call] : all) {
    if (call->line == line) announce(call);
  }
}

/// TAPI has answered LINE_NEWCALL: a handle, or NULL, which means later.
void Pbx::bound(const CallPtr& call) {
  if (!call->announcing) {  // the line was closed during the callback
    call->htCall = nullptr;
    return;
  }
  if (call->htCall) {
    call->announcing = false;
    call->announced = true;
    call_event(call, LINE_CALLSTATE, call->state, call->state_mode, call->media);
    if (call->state != LINECALLSTATE_IDLE) call_info(call, LINECALLINFOSTATE_CALLERID | LINECALLINFOSTATE_CALLEDID);
    return;
  }
  if (has(Habit::newcall_no_retry) || ++call->announce_tries > config.newcall_retries) {
    log("   call " + std::to_string(call->number) + " is rejected: TAPI gave it no handle");
    call->announcing = false;
    drop(call);
    forget(call);
    return;
  }
  courier.later(config.newcall_retry_ms, {call->line, call, nullptr, nullptr}, [this, call] {
    call->announcing = false;
    if (call->state & kLiveStates) return announce(call);
    forget(call);  // it ended before TAPI had room for it
  });
}

void Pbx::connect(const CallPtr& call, DWORD mode) {
  const Party before = call->connected;
  call->connected = (call->origin & LINECALLORIGIN_OUTBOUND) ? call->called : call->caller;
  set_state(call, LINECALLSTATE_CONNECTED, mode);
  if (before.number != call->connected.number) call_info(call, LINECALLINFOSTATE_CONNECTEDID);
  start_streaming(call);
}

void Pbx::answer(const CallPtr& call) {
  connect(call);
  if (const CallPtr peer = call->peer.lock();
      peer && (peer->state & (LINECALLSTATE_RINGBACK | LINECALLSTATE_PROCEEDING))) {
    connect(peer);
  }
}

/// Numbers decide what happens; the README lists them.
void Pbx::dial(const CallPtr& call, const Text& number) {
  call->dialled += number;
  call->called = {LINECALLPARTYID_ADDRESS, call->dialled, {}};
  if (!call->dialled.empty() && call->dialled.back() == WCHAR(';')) {  // more digits follow by lineDial
    call->dialled.pop_back();
    call->called.number = call->dialled;
    set_state(call, LINECALLSTATE_DIALING);
    return;
  }
  set_state(call, LINECALLSTATE_DIALING);
  call_info(call, LINECALLINFOSTATE_CALLEDID);
  const std::string digits = narrow(call->dialled);
  using Steps = std::deque<std::pair<DWORD, DWORD>>;
  if (const LinePtr line = line_by_address(call->dialled); line && line != call->line) {
    Party from{LINECALLPARTYID_ADDRESS | LINECALLPARTYID_NAME, call->line->addresses[call->address_id].number,
               call->line->name};
    const CallPtr other = incoming(line, 0, std::move(from), call->media, LINECALLREASON_DIRECT);
    other->peer = call;
    other->related_id = call->call_id;
    call->peer = other;
    progress(call, Steps{{LINECALLSTATE_PROCEEDING, 0}, {LINECALLSTATE_RINGBACK, 0}});
  } else if (digits.starts_with("5551")) {
    progress(call, Steps{{LINECALLSTATE_PROCEEDING, 0}, {LINECALLSTATE_BUSY, LINEBUSYMODE_STATION}});
  } else if (digits.starts_with("5552")) {
    progress(call, Steps{{LINECALLSTATE_PROCEEDING, 0}, {LINECALLSTATE_RINGBACK, 0}});
  } else if (digits.starts_with("5554")) {
    progress(call, Steps{{LINECALLSTATE_PROCEEDING, 0}, {LINECALLSTATE_RINGBACK, 0}});
    courier.later(call->no_answer_ms ? call->no_answer_ms : config.no_answer_ms, {call->line, call, nullptr, nullptr},
                  [this, call] {
                    if (call->state & (LINECALLSTATE_RINGBACK | LINECALLSTATE_PROCEEDING)) {
                      far_end(call, LINEDISCONNECTMODE_NOANSWER);
                    }
                  });
  } else if (digits.starts_with("5556")) {
    progress(call, Steps{{LINECALLSTATE_PROCEEDING, 0}, {LINECALLSTATE_SPECIALINFO, LINESPECIALINFO_REORDER}});
  } else if (digits.starts_with("5557")) {
    progress(call, Steps{{LINECALLSTATE_PROCEEDING, 0}, {LINECALLSTATE_DISCONNECTED, LINEDISCONNECTMODE_BADADDRESS}});
  } else {
    progress(call, Steps{{LINECALLSTATE_PROCEEDING, 0},
                         {LINECALLSTATE_RINGBACK, 0},
                         {LINECALLSTATE_CONNECTED, LINECONNECTEDMODE_ACTIVE}});
  }
}

void Pbx::progress(const CallPtr& call, std::deque<std::pair<DWORD, DWORD>> steps) {
  while (!steps.empty()) {
    if (config.step_ms > 0) {
      courier.later(config.step_ms, {call->line, call, nullptr, nullptr}, [this, call, steps]() mutable {
        if (!(call->state & (LINECALLSTATE_DIALING | LINECALLSTATE_PROCEEDING | LINECALLSTATE_RINGBACK))) return;
        const auto [state, mode] = steps.front();
        steps.pop_front();
        state == LINECALLSTATE_CONNECTED ? connect(call, mode) : set_state(call, state, mode);
        progress(call, steps);
      });
      return;
    }
    const auto [state, mode] = steps.front();
    steps.pop_front();
    state == LINECALLSTATE_CONNECTED ? connect(call, mode) : set_state(call, state, mode);
  }
}

void Pbx::release_resources(const CallPtr& call) {
  if (call->gather.active) end_gather(call, LINEGATHERTERM_CANCEL);
  if (call->generating) end_generate(call, LINEGENERATETERM_CANCEL);
  stop_media(call);
}

void Pbx::stop_media(const CallPtr& call) {
  call->gather.active = call->generating = false;
  ++call->gather.generation;
  ++call->generate_generation;
  call->monitor_digits = call->monitor_media = 0;
  call->tone_lists.clear();
}

void Pbx::drop(const CallPtr& call) {
  if (call->state == LINECALLSTATE_IDLE) return;
  const CallPtr peer = call->peer.lock();
  call->peer.reset();
  set_state(call, LINECALLSTATE_IDLE);
  if (peer) far_end(peer, LINEDISCONNECTMODE_NORMAL);
  if (!call->is_conference) return;
  const auto all = calls;
  for (const auto& [number, member] : all) {  // a conference that ends takes its members along
    if (member->conference.lock() == call) drop(member);
  }
}

void Pbx::far_end(const CallPtr& call, DWORD disconnect_mode) {
  if (call->state & (LINECALLSTATE_IDLE | LINECALLSTATE_DISCONNECTED)) return;
  const CallPtr peer = call->peer.lock();
  call->peer.reset();
  if (peer && peer->peer.lock() == call) {
    peer->peer.reset();
    drop(peer);
  }
  set_state(call, LINECALLSTATE_DISCONNECTED, disconnect_mode);
  if (!call->announced && !call->announcing) {  // nobody will ever drop it
    set_state(call, LINECALLSTATE_IDLE);
    forget(call);
  }
}

void Pbx::join(const CallPtr& one, const CallPtr& other) {
  const CallPtr a = one->peer.lock();
  const CallPtr b = other->peer.lock();
  one->peer.reset();
  other->peer.reset();
  const auto tell = [this](const CallPtr& call, const CallPtr& peer, const Party& party) {
    if (!call) return;
    call->peer = peer;
    call->connected = party;
    call_info(call, LINECALLINFOSTATE_CONNECTEDID);
  };
  const Party party_of_one = (one->origin & LINECALLORIGIN_OUTBOUND) ? one->called : one->caller;
  const Party party_of_other = (other->origin & LINECALLORIGIN_OUTBOUND) ? other->called : other->caller;
  tell(a, b, party_of_other);
  tell(b, a, party_of_one);
}

/// TAPI's handle ends here; a call that is still up goes on in the exchange, unattended.
void Pbx::close_call(const CallPtr& call) {
  courier.end(call.get(), error(LINEERR_OPERATIONFAILED));
  call_handles.erase(call->handle);
  call->handle = 0;
  call->htCall = nullptr;
  call->announced = call->announcing = false;
  stop_media(call);
  if (call->state & kLiveStates) {
    call->closed = true;
  } else {
    forget(call);
  }
}

void Pbx::forget(const CallPtr& call) {
  if (call->handle) call_handles.erase(call->handle);
  calls.erase(call->number);
}

unsigned Pbx::count(const Line& line, DWORD states) const {
  unsigned result = 0;
  for (const auto& [number, call] : calls) {
    if (call->line.get() == &line && (call->state & states)) ++result;
  }
  return result;
}

void Pbx::update_counts(const LinePtr& line, DWORD address_id) {
  const unsigned now = count(*line, kLiveStates);
  unsigned& before = last_count_[line.get()];
  if (now == before) return;
  before = now;
  line_state(line, LINEDEVSTATE_NUMCALLS);
  const DWORD in_use = now == 0   ? LINEADDRESSSTATE_INUSEZERO
                       : now == 1 ? LINEADDRESSSTATE_INUSEONE
                                  : LINEADDRESSSTATE_INUSEMANY;
  address_state(line, address_id, in_use | LINEADDRESSSTATE_NUMCALLS);
}

DWORD Pbx::features(const Call& call) const {
  constexpr DWORD kAlways =
      LINECALLFEATURE_SETMEDIACONTROL | LINECALLFEATURE_SETTERMINAL | LINECALLFEATURE_SETCALLDATA;
  constexpr DWORD kTalking =
      LINECALLFEATURE_GATHERDIGITS | LINECALLFEATURE_GENERATEDIGITS | LINECALLFEATURE_GENERATETONE |
      LINECALLFEATURE_MONITORDIGITS | LINECALLFEATURE_MONITORMEDIA | LINECALLFEATURE_MONITORTONES |
      LINECALLFEATURE_SENDUSERUSER | LINECALLFEATURE_RELEASEUSERUSERINFO | LINECALLFEATURE_SETTREATMENT |
      LINECALLFEATURE_SETQOS | LINECALLFEATURE_SECURECALL | LINECALLFEATURE_SETCALLPARAMS |
      LINECALLFEATURE_BLINDTRANSFER | LINECALLFEATURE_HOLD | LINECALLFEATURE_PARK | LINECALLFEATURE_SETUPCONF |
      LINECALLFEATURE_SETUPTRANSFER | LINECALLFEATURE_DROP;
  switch (call.state) {
    case LINECALLSTATE_OFFERING:
      return kAlways | LINECALLFEATURE_ACCEPT | LINECALLFEATURE_ANSWER | LINECALLFEATURE_DROP |
             LINECALLFEATURE_REDIRECT;
    case LINECALLSTATE_ACCEPTED:
      return kAlways | LINECALLFEATURE_ANSWER | LINECALLFEATURE_DROP | LINECALLFEATURE_REDIRECT;
    case LINECALLSTATE_DIALTONE:
    case LINECALLSTATE_DIALING: return kAlways | LINECALLFEATURE_DIAL | LINECALLFEATURE_DROP;
    case LINECALLSTATE_BUSY:
    case LINECALLSTATE_RINGBACK:
      return kAlways | LINECALLFEATURE_COMPLETECALL | LINECALLFEATURE_DROP |
             (call.parent.expired() ? 0 : LINECALLFEATURE_COMPLETETRANSF);
    case LINECALLSTATE_CONNECTED:
      return kAlways | kTalking | (call.is_conference ? LINECALLFEATURE_PREPAREADDCONF : 0) |
             (call.parent.expired() ? 0 : LINECALLFEATURE_COMPLETETRANSF | LINECALLFEATURE_ADDTOCONF);
    case LINECALLSTATE_ONHOLD:
      return kAlways | LINECALLFEATURE_UNHOLD | LINECALLFEATURE_SWAPHOLD | LINECALLFEATURE_DROP |
             LINECALLFEATURE_PARK;
    case LINECALLSTATE_ONHOLDPENDTRANSFER:
    case LINECALLSTATE_ONHOLDPENDCONF:
      return kAlways | LINECALLFEATURE_UNHOLD | LINECALLFEATURE_SWAPHOLD | LINECALLFEATURE_COMPLETETRANSF |
             LINECALLFEATURE_DROP;
    case LINECALLSTATE_CONFERENCED: return kAlways | LINECALLFEATURE_REMOVEFROMCONF | LINECALLFEATURE_DROP;
    case LINECALLSTATE_IDLE: return 0;
    default: return kAlways | LINECALLFEATURE_DROP;
  }
}

DWORD Pbx::features2(const Call& call) const {
  switch (call.state) {
    case LINECALLSTATE_BUSY:
    case LINECALLSTATE_RINGBACK:
      return LINECALLFEATURE2_COMPLCAMPON | LINECALLFEATURE2_COMPLCALLBACK | LINECALLFEATURE2_COMPLMESSAGE;
    case LINECALLSTATE_CONNECTED: return LINECALLFEATURE2_PARKDIRECT | LINECALLFEATURE2_PARKNONDIRECT;
    case LINECALLSTATE_ONHOLDPENDTRANSFER: return LINECALLFEATURE2_TRANSFERNORM | LINECALLFEATURE2_TRANSFERCONF;
    default: return 0;
  }
}

}  // namespace tsplink::simpbx
