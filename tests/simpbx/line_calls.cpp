// The life of a call as TAPI drives it: make, dial, accept, answer, drop, hold, close.
#include <chrono>
#include <thread>

#include "tests/simpbx/call_params.hpp"
#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/msp_protocol.hpp"
#include "tests/simpbx/structures.hpp"

namespace tsplink::simpbx {

/// The first of W @ $ ? that this line does not support refuses the whole string, before anything happened
///.
void check_dial_string(const Config& config, const Text& number) {
  for (const WCHAR c : number) {
    const bool supported = config.dial_modifiers.find(static_cast<char>(c)) != std::string::npos && c != WCHAR('?');
    if (supported) continue;
    if (c == WCHAR('$')) refuse(LINEERR_DIALBILLING);
    if (c == WCHAR('@')) refuse(LINEERR_DIALQUIET);
    if (c == WCHAR('W') || c == WCHAR('w')) refuse(LINEERR_DIALDIALTONE);
    if (c == WCHAR('?')) refuse(LINEERR_DIALPROMPT);
    const bool dialable = (c >= WCHAR('0') && c <= WCHAR('9')) || c > 0x7F ||
                          std::string("+*#,;TP()-. /ABCDtpabcd|!").find(static_cast<char>(c)) != std::string::npos;
    if (!dialable) refuse(LINEERR_INVALADDRESS);
  }
  if (narrow(number).starts_with("5555")) refuse(LINEERR_INVALADDRESS);
}

void apply_call_params(Call& call, const LINECALLPARAMS* params) {
  if (!params) return;
  const DWORD total = params->dwTotalSize;
  if (total < fixed_call_params(0)) refuse(LINEERR_STRUCTURETOOSMALL);
  if (params->dwBearerMode & ~DWORD{LINEBEARERMODE_VOICE | LINEBEARERMODE_SPEECH | LINEBEARERMODE_DATA})
    refuse(LINEERR_INVALBEARERMODE);
  if (params->dwMaxRate > 64000 || params->dwMinRate > params->dwMaxRate) refuse(LINEERR_INVALRATE);
  Pbx::need_media(params->dwMediaMode);
  if (params->dwAddressMode == LINEADDRESSMODE_ADDRESSID && params->dwAddressID >= call.line->addresses.size())
    refuse(LINEERR_INVALADDRESSID);
  const auto part = [&](DWORD size, DWORD offset) {
    return field(params, total, size, offset, LINEERR_INVALCALLPARAMS);
  };
  call.bearer = params->dwBearerMode ? params->dwBearerMode : call.bearer;
  call.min_rate = params->dwMinRate;
  call.max_rate = params->dwMaxRate ? params->dwMaxRate : call.max_rate;
  call.media = params->dwMediaMode ? params->dwMediaMode : call.media;
  call.param_flags = params->dwCallParamFlags;
  call.secure = (params->dwCallParamFlags & LINECALLPARAMFLAGS_SECURE) != 0;
  if (params->dwAddressMode == LINEADDRESSMODE_ADDRESSID) call.address_id = params->dwAddressID;
  if (params->DialParams.dwDialSpeed) call.dial_params = params->DialParams;
  call.user_user = part(params->dwUserUserInfoSize, params->dwUserUserInfoOffset);
  if (call.user_user.size() > kMaxUserUser) refuse(LINEERR_USERUSERINFOTOOBIG);
  call.high_level = part(params->dwHighLevelCompSize, params->dwHighLevelCompOffset);
  call.low_level = part(params->dwLowLevelCompSize, params->dwLowLevelCompOffset);
  call.dev_specific = part(params->dwDevSpecificSize, params->dwDevSpecificOffset);
  call.send_flow = part(params->dwSendingFlowspecSize, params->dwSendingFlowspecOffset);
  call.receive_flow = part(params->dwReceivingFlowspecSize, params->dwReceivingFlowspecOffset);
  call.call_data = part(params->dwCallDataSize, params->dwCallDataOffset);
  if (call.call_data.size() > kMaxCallData) refuse(LINEERR_INVALCALLPARAMS);
  call.no_answer_ms = params->dwNoAnswerTimeout * 1000;
  const Bytes caller = part(params->dwCallingPartyIDSize, params->dwCallingPartyIDOffset);
  if (!caller.empty()) call.caller = {LINECALLPARTYID_ADDRESS, text_of(caller), {}};
}

CallPtr start_call(Pbx& pbx, const LinePtr& line, DWORD address_id, HTAPICALL htCall, const LINECALLPARAMS* params) {
  const CallPtr call = pbx.new_call(line, address_id, htCall);
  call->origin = LINECALLORIGIN_OUTBOUND;
  call->caller = {LINECALLPARTYID_ADDRESS | LINECALLPARTYID_NAME, line->addresses[address_id].number, line->name};
  call->trunk = line->number;
  try {
    apply_call_params(*call, params);
  } catch (const Refusal&) {
    pbx.forget(call);
    throw;
  }
  return call;
}

void submit_start(Pbx& pbx, DRV_REQUESTID request, const CallPtr& call, LPHDRVCALL lphdCall,
                  std::function<LONG()> effect) {
  const bool late_output = pbx.has(Habit::completion_before_output);
  const auto handle = handle_of<HDRVCALL>(call->handle);
  if (!late_output) *lphdCall = handle;
  pbx.courier.submit({request, {call->line, call, nullptr, nullptr}, std::move(effect)});
  if (late_output) *lphdCall = handle;
}

Bytes user_user(LPCSTR lpsUserUserInfo, DWORD dwSize) {
  if (dwSize > kMaxUserUser) refuse(LINEERR_USERUSERINFOTOOBIG);
  if (dwSize > 0) need_pointer(lpsUserUserInfo);
  return copy_bytes(lpsUserUserInfo, dwSize);
}

}  // namespace tsplink::simpbx

using namespace tsplink::simpbx;

namespace {

/// User-user information goes to the other end if that is a line of this exchange.
void pass_on(Pbx& pbx, const CallPtr& call, const Bytes& bytes) {
  if (bytes.empty()) return;
  pbx.log("   call " + std::to_string(call->number) + ": user-user information of " + std::to_string(bytes.size()) +
          " bytes to the other end");
  if (const CallPtr peer = call->peer.lock()) pbx.far_user_user(peer, bytes);
}

constexpr DWORD kOffered = LINECALLSTATE_OFFERING | LINECALLSTATE_ACCEPTED;
constexpr DWORD kDialable = LINECALLSTATE_DIALTONE | LINECALLSTATE_DIALING;
constexpr DWORD kDroppable = ~DWORD{LINECALLSTATE_IDLE};

/// Other active calls of the line go on hold (dwAnswerMode is LINEANSWERMODE_HOLD).
void hold_others(Pbx& pbx, const CallPtr& call) {
  const auto all = pbx.calls;
  for (const auto& [number, other] : all) {
    if (other != call && other->line == call->line && other->state == LINECALLSTATE_CONNECTED && other->announced) {
      pbx.set_state(other, LINECALLSTATE_ONHOLD);
    }
  }
}

}  // namespace

SIMPBX_EXPORT TSPI_lineMakeCall(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, HTAPICALL htCall, LPHDRVCALL lphdCall,
                                LPCWSTR lpszDestAddress, DWORD dwCountryCode, LPLINECALLPARAMS const lpCallParams) {
  return async_entry("lineMakeCall", dwRequestID,
                     {ARG(dwRequestID), ARG(hdLine), ARG(htCall), ARG(lpszDestAddress), ARG(dwCountryCode),
                      STRUCTURE_ARG(lpCallParams)},
                     [&](Pbx& pbx) {
                       need_pointer(lphdCall);
                       const LinePtr line = pbx.line(hdLine);
                       const Text number = copy_text(lpszDestAddress);
                       check_dial_string(pbx.config, number);
                       if (!line->in_service || !line->connected) refuse(LINEERR_INVALLINESTATE);
                       if (pbx.count(*line, kLiveStates & ~kOnHoldStates) >= 4) refuse(LINEERR_CALLUNAVAIL);
                       const CallPtr call = start_call(pbx, line, 0, htCall, lpCallParams);
                       call->country = dwCountryCode;
                       const auto effect = [&pbx, call, number]() -> LONG {
                         if (narrow(number).starts_with("5553")) refuse(LINEERR_CALLUNAVAIL);
                         hold_others(pbx, call);
                         if (number.empty()) {
                           pbx.set_state(call, LINECALLSTATE_DIALTONE, LINEDIALTONEMODE_NORMAL);
                         } else {
                           pbx.dial(call, number);
                         }
                         return 0;
                       };
                       if (pbx.has(Habit::complete_on_close)) {
                         *lphdCall = handle_of<HDRVCALL>(call->handle);
                         effect();
                         pbx.courier.submit_until_closed({dwRequestID, {line, call, nullptr, nullptr}, nullptr});
                       } else {
                         submit_start(pbx, dwRequestID, call, lphdCall, effect);
                       }
                     });
}

SIMPBX_EXPORT TSPI_lineDial(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCWSTR lpszDestAddress,
                            DWORD dwCountryCode) {
  return async_entry("lineDial", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), ARG(lpszDestAddress), ARG(dwCountryCode)}, [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       need_pointer(lpszDestAddress);
                       const Text number = copy_text(lpszDestAddress);
                       check_dial_string(pbx.config, number);
                       submit_for(pbx, dwRequestID, call, kDialable, [&pbx, call, number, dwCountryCode] {
                         call->country = dwCountryCode;
                         pbx.dial(call, number);
                       });
                     });
}

SIMPBX_EXPORT TSPI_lineAccept(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo, DWORD dwSize) {
  return async_entry("lineAccept", dwRequestID, {ARG(dwRequestID), ARG(hdCall), BLOCK_ARG(lpsUserUserInfo, dwSize)},
                     [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       const Bytes bytes = user_user(lpsUserUserInfo, dwSize);
                       submit_for(pbx, dwRequestID, call, LINECALLSTATE_OFFERING, [&pbx, call, bytes] {
                         pass_on(pbx, call, bytes);
                         pbx.set_state(call, LINECALLSTATE_ACCEPTED);
                       });
                     });
}

SIMPBX_EXPORT TSPI_lineAnswer(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo, DWORD dwSize) {
  return async_entry("lineAnswer", dwRequestID, {ARG(dwRequestID), ARG(hdCall), BLOCK_ARG(lpsUserUserInfo, dwSize)},
                     [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       const Bytes bytes = user_user(lpsUserUserInfo, dwSize);
                       submit_for(pbx, dwRequestID, call, kOffered, [&pbx, call, bytes] {
                         hold_others(pbx, call);
                         pass_on(pbx, call, bytes);
                         pbx.answer(call);
                       });
                     });
}

SIMPBX_EXPORT TSPI_lineDrop(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo, DWORD dwSize) {
  return async_entry("lineDrop", dwRequestID, {ARG(dwRequestID), ARG(hdCall), BLOCK_ARG(lpsUserUserInfo, dwSize)},
                     [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       const Bytes bytes = user_user(lpsUserUserInfo, dwSize);
                       submit_for(pbx, dwRequestID, call, kDroppable, [&pbx, call, bytes] {
                         pass_on(pbx, call, bytes);
                         pbx.drop(call);
                       });
                     });
}

SIMPBX_EXPORT TSPI_lineCloseCall(HDRVCALL hdCall) {
  return sync_entry("lineCloseCall", {ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    if (pbx.has(Habit::block_close_call)) {
      pbx.mutex().unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(pbx.config.block_ms));
      pbx.mutex().lock();
    }
    pbx.close_call(call);
  });
}

SIMPBX_EXPORT TSPI_lineHold(DRV_REQUESTID dwRequestID, HDRVCALL hdCall) {
  return async_entry("lineHold", dwRequestID, {ARG(dwRequestID), ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    submit_for(pbx, dwRequestID, call, LINECALLSTATE_CONNECTED,
               [&pbx, call] { pbx.set_state(call, LINECALLSTATE_ONHOLD); });
  });
}

SIMPBX_EXPORT TSPI_lineUnhold(DRV_REQUESTID dwRequestID, HDRVCALL hdCall) {
  return async_entry("lineUnhold", dwRequestID, {ARG(dwRequestID), ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    submit_for(pbx, dwRequestID, call, kOnHoldStates, [&pbx, call] {
      hold_others(pbx, call);
      pbx.set_state(call, LINECALLSTATE_CONNECTED, LINECONNECTEDMODE_ACTIVE);
    });
  });
}

SIMPBX_EXPORT TSPI_lineSwapHold(DRV_REQUESTID dwRequestID, HDRVCALL hdActiveCall, HDRVCALL hdHeldCall) {
  return async_entry(
      "lineSwapHold", dwRequestID, {ARG(dwRequestID), ARG(hdActiveCall), ARG(hdHeldCall)}, [&](Pbx& pbx) {
        const CallPtr active = pbx.call(hdActiveCall);
        const CallPtr held = pbx.call(hdHeldCall);
        const auto check = [active, held] {
          Pbx::need_state(*active, LINECALLSTATE_CONNECTED);
          Pbx::need_state(*held, kOnHoldStates);
        };
        check();
        pbx.courier.submit(
            {dwRequestID, {active->line, active, held, nullptr}, [&pbx, active, held, check]() -> LONG {
               check();
               const DWORD state = held->state;
               pbx.set_state(active, state);
               pbx.set_state(held, LINECALLSTATE_CONNECTED, LINECONNECTEDMODE_ACTIVE);
               return 0;
             }});
      });
}
