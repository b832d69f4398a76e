// Calls that belong together: consultation and transfer, conference, blind transfer, redirect.
#include "tests/simpbx/call_params.hpp"
#include "tests/simpbx/entry.hpp"

using namespace tsplink::simpbx;

namespace {

constexpr DWORD kMaxParties = 8;
constexpr DWORD kConsultable = LINECALLSTATE_CONNECTED | LINECALLSTATE_ONHOLD;
constexpr DWORD kTransferable =
    LINECALLSTATE_CONNECTED | LINECALLSTATE_RINGBACK | LINECALLSTATE_PROCEEDING | LINECALLSTATE_BUSY;

/// The consultation call waits for lineDial with dial tone.
void begin_consultation(Pbx& pbx, const CallPtr& consult) {
  pbx.set_state(consult, LINECALLSTATE_DIALTONE, LINEDIALTONEMODE_INTERNAL);
}

void link_consultation(const CallPtr& call, const CallPtr& consult) {
  call->consult = consult;
  consult->parent = call;
  consult->related_id = call->call_id;
}

void enter_conference(Pbx& pbx, const CallPtr& call, const CallPtr& conference) {
  call->conference = conference;
  call->related_id = conference->call_id;
  pbx.set_state(call, LINECALLSTATE_CONFERENCED, number_of(conference->htCall));
}

unsigned members(const Pbx& pbx, const CallPtr& conference) {
  unsigned result = 0;
  for (const auto& [number, call] : pbx.calls) {
    if (call->conference.lock() == conference && call->state == LINECALLSTATE_CONFERENCED) ++result;
  }
  return result;
}

CallPtr start_conference(Pbx& pbx, const LinePtr& line, HTAPICALL htConfCall) {
  const CallPtr conference = start_call(pbx, line, 0, htConfCall, nullptr);
  conference->is_conference = true;
  return conference;
}

/// The far side of a call goes to `number`: another line of this exchange rings, anything else has the call from now
/// on.
void send_away(Pbx& pbx, const CallPtr& call, const Text& number, DWORD reason) {
  Party to{LINECALLPARTYID_ADDRESS, number, {}};
  const Text own = call->line->addresses[call->address_id].number;
  call->redirection = to;
  pbx.call_info(call, LINECALLINFOSTATE_REDIRECTIONID);
  if (const LinePtr line = pbx.line_by_address(number)) {
    const Party from = (call->origin & LINECALLORIGIN_OUTBOUND) ? call->called : call->caller;
    const CallPtr peer = call->peer.lock();
    const CallPtr arrived = pbx.incoming(line, 0, from, call->media, reason);
    arrived->redirecting = {LINECALLPARTYID_ADDRESS, own, {}};
    arrived->peer = peer;
    if (peer) peer->peer = arrived;
    call->peer.reset();
  }
  pbx.drop(call);
}

}  // namespace

SIMPBX_EXPORT TSPI_lineSetupTransfer(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, HTAPICALL htConsultCall,
                                     LPHDRVCALL lphdConsultCall, LPLINECALLPARAMS const lpCallParams) {
  return async_entry("lineSetupTransfer", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), ARG(htConsultCall), STRUCTURE_ARG(lpCallParams)}, [&](Pbx& pbx) {
                       need_pointer(lphdConsultCall);
                       const CallPtr call = pbx.call(hdCall);
                       Pbx::need_state(*call, kConsultable);
                       const CallPtr consult =
                           start_call(pbx, call->line, call->address_id, htConsultCall, lpCallParams);
                       submit_start(pbx, dwRequestID, consult, lphdConsultCall, [&pbx, call, consult]() -> LONG {
                         Pbx::need_state(*call, kConsultable);
                         link_consultation(call, consult);
                         pbx.set_state(call, LINECALLSTATE_ONHOLDPENDTRANSFER);
                         begin_consultation(pbx, consult);
                         return 0;
                       });
                     });
}

SIMPBX_EXPORT TSPI_lineCompleteTransfer(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, HDRVCALL hdConsultCall,
                                        HTAPICALL htConfCall, LPHDRVCALL lphdConfCall, DWORD dwTransferMode) {
  return async_entry(
      "lineCompleteTransfer", dwRequestID,
      {ARG(dwRequestID), ARG(hdCall), ARG(hdConsultCall), ARG(htConfCall), ARG(dwTransferMode)}, [&](Pbx& pbx) {
        const CallPtr call = pbx.call(hdCall);
        const CallPtr consult = pbx.call(hdConsultCall, LINEERR_INVALCONSULTCALLHANDLE);
        if (dwTransferMode != LINETRANSFERMODE_TRANSFER && dwTransferMode != LINETRANSFERMODE_CONFERENCE)
          refuse(LINEERR_INVALTRANSFERMODE);
        if (call == consult) refuse(LINEERR_INVALCONSULTCALLHANDLE);
        const auto check = [call, consult] {
          Pbx::need_state(*call, kOnHoldStates);
          Pbx::need_state(*consult, kTransferable);
        };
        check();
        if (dwTransferMode == LINETRANSFERMODE_TRANSFER) {
          pbx.courier.submit(
              {dwRequestID, {call->line, call, consult, nullptr}, [&pbx, call, consult, check]() -> LONG {
                 check();
                 pbx.join(call, consult);
                 pbx.drop(consult);
                 pbx.drop(call);
                 return 0;
               }});
          return;
        }
        need_pointer(lphdConfCall);
        const CallPtr conference = start_conference(pbx, call->line, htConfCall);
        submit_start(pbx, dwRequestID, conference, lphdConfCall, [&pbx, call, consult, conference, check]() -> LONG {
          check();
          pbx.set_state(conference, LINECALLSTATE_CONNECTED, LINECONNECTEDMODE_ACTIVE);
          enter_conference(pbx, call, conference);
          enter_conference(pbx, consult, conference);
          return 0;
        });
      });
}

SIMPBX_EXPORT TSPI_lineSetupConference(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, HDRVLINE hdLine,
                                       HTAPICALL htConfCall, LPHDRVCALL lphdConfCall, HTAPICALL htConsultCall,
                                       LPHDRVCALL lphdConsultCall, DWORD dwNumParties,
                                       LPLINECALLPARAMS const lpCallParams) {
  return async_entry("lineSetupConference", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), ARG(hdLine), ARG(htConfCall), ARG(htConsultCall),
                      ARG(dwNumParties), STRUCTURE_ARG(lpCallParams)},
                     [&](Pbx& pbx) {
                       need_pointer(lphdConfCall);
                       need_pointer(lphdConsultCall);
                       const CallPtr call = hdCall ? pbx.call(hdCall) : nullptr;
                       const LinePtr line = call ? call->line : pbx.line(hdLine);
                       if (dwNumParties > kMaxParties) refuse(LINEERR_CONFERENCEFULL);
                       if (call) Pbx::need_state(*call, kConsultable);
                       const CallPtr consult = start_call(pbx, line, 0, htConsultCall, lpCallParams);
                       const CallPtr conference = start_conference(pbx, line, htConfCall);
                       const bool late_output = pbx.has(Habit::completion_before_output);
                       const auto effect = [&pbx, call, consult, conference]() -> LONG {
                         if (call) Pbx::need_state(*call, kConsultable);
                         pbx.set_state(conference, LINECALLSTATE_ONHOLDPENDCONF);
                         if (call) enter_conference(pbx, call, conference);
                         link_consultation(conference, consult);
                         begin_consultation(pbx, consult);
                         return 0;
                       };
                       if (!late_output) *lphdConsultCall = handle_of<HDRVCALL>(consult->handle);
                       submit_start(pbx, dwRequestID, conference, lphdConfCall, effect);
                       if (late_output) *lphdConsultCall = handle_of<HDRVCALL>(consult->handle);
                     });
}

SIMPBX_EXPORT TSPI_linePrepareAddToConference(DRV_REQUESTID dwRequestID, HDRVCALL hdConfCall, HTAPICALL htConsultCall,
                                              LPHDRVCALL lphdConsultCall, LPLINECALLPARAMS const lpCallParams) {
  return async_entry(
      "linePrepareAddToConference", dwRequestID,
      {ARG(dwRequestID), ARG(hdConfCall), ARG(htConsultCall), STRUCTURE_ARG(lpCallParams)}, [&](Pbx& pbx) {
        need_pointer(lphdConsultCall);
        const CallPtr conference = pbx.call(hdConfCall, LINEERR_INVALCONFCALLHANDLE);
        if (!conference->is_conference) refuse(LINEERR_INVALCONFCALLHANDLE);
        Pbx::need_state(*conference, LINECALLSTATE_CONNECTED);
        const CallPtr consult =
            start_call(pbx, conference->line, conference->address_id, htConsultCall, lpCallParams);
        submit_start(pbx, dwRequestID, consult, lphdConsultCall, [&pbx, conference, consult]() -> LONG {
          Pbx::need_state(*conference, LINECALLSTATE_CONNECTED);
          link_consultation(conference, consult);
          pbx.set_state(conference, LINECALLSTATE_ONHOLDPENDCONF);
          begin_consultation(pbx, consult);
          return 0;
        });
      });
}

SIMPBX_EXPORT TSPI_lineAddToConference(DRV_REQUESTID dwRequestID, HDRVCALL hdConfCall, HDRVCALL hdConsultCall) {
  return async_entry(
      "lineAddToConference", dwRequestID, {ARG(dwRequestID), ARG(hdConfCall), ARG(hdConsultCall)}, [&](Pbx& pbx) {
        const CallPtr conference = pbx.call(hdConfCall, LINEERR_INVALCONFCALLHANDLE);
        const CallPtr consult = pbx.call(hdConsultCall, LINEERR_INVALCONSULTCALLHANDLE);
        if (!conference->is_conference) refuse(LINEERR_INVALCONFCALLHANDLE);
        const auto check = [conference, consult] {
          Pbx::need_state(*conference, LINECALLSTATE_ONHOLDPENDCONF | LINECALLSTATE_CONNECTED | LINECALLSTATE_ONHOLD);
          Pbx::need_state(*consult, LINECALLSTATE_CONNECTED | LINECALLSTATE_ONHOLD);
        };
        check();
        if (members(pbx, conference) >= kMaxParties) refuse(LINEERR_CONFERENCEFULL);
        pbx.courier.submit({dwRequestID,
                            {conference->line, conference, consult, nullptr},
                            [&pbx, conference, consult, check]() -> LONG {
                              check();
                              enter_conference(pbx, consult, conference);
                              if (conference->state != LINECALLSTATE_CONNECTED)
                                pbx.set_state(conference, LINECALLSTATE_CONNECTED, LINECONNECTEDMODE_ACTIVE);
                              return 0;
                            }});
      });
}

SIMPBX_EXPORT TSPI_lineRemoveFromConference(DRV_REQUESTID dwRequestID, HDRVCALL hdCall) {
  return async_entry("lineRemoveFromConference", dwRequestID, {ARG(dwRequestID), ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    submit_for(pbx, dwRequestID, call, LINECALLSTATE_CONFERENCED, [&pbx, call] {
      const CallPtr conference = call->conference.lock();
      call->conference.reset();
      pbx.set_state(call, LINECALLSTATE_CONNECTED, LINECONNECTEDMODE_ACTIVE);
      if (conference && members(pbx, conference) == 0) pbx.drop(conference);
    });
  });
}

SIMPBX_EXPORT TSPI_lineBlindTransfer(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCWSTR lpszDestAddress,
                                     DWORD dwCountryCode) {
  return async_entry("lineBlindTransfer", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), ARG(lpszDestAddress), ARG(dwCountryCode)}, [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       const Text number = copy_text(lpszDestAddress);
                       check_dial_string(pbx.config, number);
                       if (number.empty()) refuse(LINEERR_INVALADDRESS);
                       submit_for(pbx, dwRequestID, call, LINECALLSTATE_CONNECTED | kOnHoldStates,
                                  [&pbx, call, number, dwCountryCode] {
                                    call->country = dwCountryCode;
                                    send_away(pbx, call, number, LINECALLREASON_TRANSFER);
                                  });
                     });
}

SIMPBX_EXPORT TSPI_lineRedirect(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCWSTR lpszDestAddress,
                                DWORD dwCountryCode) {
  return async_entry("lineRedirect", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), ARG(lpszDestAddress), ARG(dwCountryCode)}, [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       const Text number = copy_text(lpszDestAddress);
                       check_dial_string(pbx.config, number);
                       if (number.empty()) refuse(LINEERR_INVALADDRESS);
                       submit_for(pbx, dwRequestID, call, LINECALLSTATE_OFFERING | LINECALLSTATE_ACCEPTED,
                                  [&pbx, call, number, dwCountryCode] {
                                    call->country = dwCountryCode;
                                    send_away(pbx, call, number, LINECALLREASON_REDIRECT);
                                  });
                     });
}
