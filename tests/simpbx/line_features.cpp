// What the exchange does beyond connecting: park, pick up, forward, call completion; and what is set on calls.
#include <algorithm>
#include <cstring>

#include "tests/simpbx/call_params.hpp"
#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

constexpr std::size_t kMaxCompletions = 8, kMaxForwards = 8;
constexpr DWORD kForwardModes =
    LINEFORWARDMODE_UNCOND | LINEFORWARDMODE_BUSY | LINEFORWARDMODE_NOANSW | LINEFORWARDMODE_UNCONDSPECIFIC;

/// A call that somebody else had becomes this line's: the far end follows.
void take_over(Pbx& pbx, const CallPtr& mine, const CallPtr& theirs, DWORD reason) {
  mine->origin = theirs->origin;
  mine->reason = reason;
  mine->caller = theirs->caller;
  mine->called = theirs->called;
  mine->media = theirs->media;
  mine->related_id = theirs->call_id;
  mine->redirecting = {LINECALLPARTYID_ADDRESS, theirs->line->addresses[theirs->address_id].number, {}};
  const CallPtr peer = theirs->peer.lock();
  theirs->peer.reset();
  mine->peer = peer;
  if (peer) peer->peer = mine;
  pbx.set_state(theirs, LINECALLSTATE_DISCONNECTED, LINEDISCONNECTMODE_PICKUP);
  if (!theirs->handle) pbx.forget(theirs);
  if (peer && peer->state != LINECALLSTATE_CONNECTED) pbx.connect(peer);
  pbx.connect(mine);
}

CallPtr ringing_at(const Pbx& pbx, const Text& address, const LinePtr& except) {
  for (const auto& [number, call] : pbx.calls) {
    if (!(call->state & (LINECALLSTATE_OFFERING | LINECALLSTATE_ACCEPTED)) || call->line == except) continue;
    if (address.empty() || call->line->addresses[call->address_id].number == address) return call;
  }
  return nullptr;
}

/// Of a LINEFORWARDLIST, with entries as long as the negotiated version has them.
std::vector<Forward> forwards_of(const LINEFORWARDLIST* list, DWORD version) {
  constexpr DWORD kHead = 8;  // dwTotalSize, dwNumEntries
  std::vector<Forward> result;
  if (!list) return result;
  const DWORD total = list->dwTotalSize, entries = list->dwNumEntries, stride = fixed_forward(version);
  if (total < kHead || entries > kMaxForwards || kHead + entries * stride > total) refuse(LINEERR_STRUCTURETOOSMALL);
  for (DWORD i = 0; i < entries; ++i) {
    LINEFORWARD entry{};
    std::memcpy(&entry, reinterpret_cast<const BYTE*>(list) + kHead + i * stride, stride);
    if (entry.dwForwardMode & ~kForwardModes) refuse(LINEERR_INVALPARAM);
    Forward forward;
    forward.mode = entry.dwForwardMode;
    forward.country = entry.dwDestCountryCode;
    forward.caller =
        text_of(field(list, total, entry.dwCallerAddressSize, entry.dwCallerAddressOffset, LINEERR_INVALPARAM));
    forward.destination =
        text_of(field(list, total, entry.dwDestAddressSize, entry.dwDestAddressOffset, LINEERR_INVALPARAM));
    forward.caller_type = entry.dwCallerAddressType;
    forward.destination_type = entry.dwDestAddressType;
    result.push_back(std::move(forward));
  }
  return result;
}

}  // namespace

SIMPBX_EXPORT TSPI_linePark(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, DWORD dwParkMode, LPCWSTR lpszDirAddress,
                            LPVARSTRING lpNonDirAddress) {
  return async_entry(
      "linePark", dwRequestID,
      {ARG(dwRequestID), ARG(hdCall), ARG(dwParkMode), ARG(lpszDirAddress), ARG(lpNonDirAddress)}, [&](Pbx& pbx) {
        const CallPtr call = pbx.call(hdCall);
        const bool directed = dwParkMode == LINEPARKMODE_DIRECTED;
        if (!directed && dwParkMode != LINEPARKMODE_NONDIRECTED) refuse(LINEERR_INVALPARKMODE);
        if (directed) {
          need_pointer(lpszDirAddress);
        } else {
          need_pointer(lpNonDirAddress);
          if (lpNonDirAddress->dwTotalSize < sizeof(VARSTRING)) refuse(LINEERR_STRUCTURETOOSMALL);
        }
        const Text wanted = directed ? copy_text(lpszDirAddress) : Text();
        submit_for(pbx, dwRequestID, call, LINECALLSTATE_CONNECTED | LINECALLSTATE_ONHOLD,
                   [&pbx, call, wanted, directed, lpNonDirAddress] {
                     const Text address = directed ? wanted : wide("*7") + number_text(call->number);
                     if (pbx.parked.contains(address)) refuse(LINEERR_RESOURCEUNAVAIL);
                     if (!directed) {  // TAPI's buffer, before the completion
                       store_var_string(lpNonDirAddress, STRINGFORMAT_UNICODE, address.c_str(),
                                        (address.size() + 1) * sizeof(WCHAR), pbx.config.habits);
                     }
                     // What is parked is the far end: a copy of the call that no line of TAPI has.
                     auto parked = std::make_shared<Call>(*call);
                     parked->handle = 0;
                     parked->htCall = nullptr;
                     parked->announced = parked->announcing = false;
                     if (const CallPtr peer = call->peer.lock()) peer->peer = parked;
                     call->peer.reset();
                     pbx.parked[address] = parked;
                     pbx.log("   call " + std::to_string(call->number) + " is parked at " + narrow(address));
                     pbx.drop(call);
                   });
      });
}

SIMPBX_EXPORT TSPI_lineUnpark(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HTAPICALL htCall,
                              LPHDRVCALL lphdCall, LPCWSTR lpszDestAddress) {
  return async_entry("lineUnpark", dwRequestID,
                     {ARG(dwRequestID), ARG(hdLine), ARG(dwAddressID), ARG(htCall), ARG(lpszDestAddress)},
                     [&](Pbx& pbx) {
                       need_pointer(lphdCall);
                       need_pointer(lpszDestAddress);
                       const LinePtr line = pbx.line(hdLine);
                       pbx.address(*line, dwAddressID);
                       const Text address = copy_text(lpszDestAddress);
                       if (address.empty()) refuse(LINEERR_INVALADDRESS);
                       const CallPtr call = start_call(pbx, line, dwAddressID, htCall, nullptr);
                       submit_start(pbx, dwRequestID, call, lphdCall, [&pbx, call, address]() -> LONG {
                         const auto found = pbx.parked.find(address);
                         if (found == pbx.parked.end()) refuse(LINEERR_INVALADDRESS);
                         const CallPtr parked = found->second;
                         pbx.parked.erase(found);
                         take_over(pbx, call, parked, LINECALLREASON_UNPARK);
                         return 0;
                       });
                     });
}

SIMPBX_EXPORT TSPI_linePickup(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HTAPICALL htCall,
                              LPHDRVCALL lphdCall, LPCWSTR lpszDestAddress, LPCWSTR lpszGroupID) {
  return async_entry(
      "linePickup", dwRequestID,
      {ARG(dwRequestID), ARG(hdLine), ARG(dwAddressID), ARG(htCall), ARG(lpszDestAddress), ARG(lpszGroupID)},
      [&](Pbx& pbx) {
        need_pointer(lphdCall);
        const LinePtr line = pbx.line(hdLine);
        pbx.address(*line, dwAddressID);
        const Text address = copy_text(lpszDestAddress);
        // All lines are one group, "1"; another one has nobody to pick up.
        if (lpszGroupID && copy_text(lpszGroupID) != wide("1")) refuse(LINEERR_INVALGROUPID);
        const CallPtr call = start_call(pbx, line, dwAddressID, htCall, nullptr);
        submit_start(pbx, dwRequestID, call, lphdCall, [&pbx, call, line, address]() -> LONG {
          const CallPtr ringing = ringing_at(pbx, address, line);
          if (!ringing) refuse(LINEERR_OPERATIONFAILED);
          take_over(pbx, call, ringing, LINECALLREASON_PICKUP);
          return 0;
        });
      });
}

/// A consultation call is made only with forward_consult; a NULL handle says that there is none.
SIMPBX_EXPORT TSPI_lineForward(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD bAllAddresses, DWORD dwAddressID,
                               LPLINEFORWARDLIST const lpForwardList, DWORD dwNumRingsNoAnswer,
                               HTAPICALL htConsultCall, LPHDRVCALL lphdConsultCall,
                               LPLINECALLPARAMS const lpCallParams) {
  return async_entry(
      "lineForward", dwRequestID,
      {ARG(dwRequestID), ARG(hdLine), ARG(bAllAddresses), ARG(dwAddressID), STRUCTURE_ARG(lpForwardList),
       ARG(dwNumRingsNoAnswer), ARG(htConsultCall), STRUCTURE_ARG(lpCallParams)},
      [&](Pbx& pbx) {
        need_pointer(lphdConsultCall);
        const LinePtr line = pbx.line(hdLine);
        if (!bAllAddresses) pbx.address(*line, dwAddressID);
        const std::vector<Forward> forwards = forwards_of(lpForwardList, line->version);
        const CallPtr consult = pbx.config.forward_consult ? start_call(pbx, line, bAllAddresses ? 0 : dwAddressID,
                                                                        htConsultCall, lpCallParams)
                                                           : nullptr;
        const DWORD rings = std::clamp<DWORD>(dwNumRingsNoAnswer, 1, 20);
        const auto effect = [&pbx, line, forwards, consult, rings, all = bAllAddresses != 0, dwAddressID]() -> LONG {
          for (DWORD i = 0; i < line->addresses.size(); ++i) {
            if (!all && i != dwAddressID) continue;
            line->addresses[i].forwards = forwards;
            line->addresses[i].rings_no_answer = rings;
            pbx.address_state(line, i, LINEADDRESSSTATE_FORWARD);
          }
          if (consult) pbx.set_state(consult, LINECALLSTATE_DIALTONE, LINEDIALTONEMODE_INTERNAL);
          return 0;
        };
        if (consult) {
          submit_start(pbx, dwRequestID, consult, lphdConsultCall, effect);
        } else {
          *lphdConsultCall = nullptr;
          submit_for(pbx, dwRequestID, line, effect);
        }
      });
}

SIMPBX_EXPORT TSPI_lineCompleteCall(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPDWORD lpdwCompletionID,
                                    DWORD dwCompletionMode, DWORD dwMessageID) {
  return async_entry("lineCompleteCall", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), ARG(dwCompletionMode), ARG(dwMessageID)}, [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       need_pointer(lpdwCompletionID);
                       if (dwCompletionMode != LINECALLCOMPLMODE_CAMPON &&
                           dwCompletionMode != LINECALLCOMPLMODE_CALLBACK &&
                           dwCompletionMode != LINECALLCOMPLMODE_MESSAGE) {
                         refuse(LINEERR_INVALCALLCOMPLMODE);
                       }
                       if (dwCompletionMode == LINECALLCOMPLMODE_MESSAGE && dwMessageID >= 2)
                         refuse(LINEERR_INVALMESSAGEID);
                       submit_for(pbx, dwRequestID, call, LINECALLSTATE_BUSY | LINECALLSTATE_RINGBACK,
                                  [&pbx, call, lpdwCompletionID, dwCompletionMode, dwMessageID] {
                                    auto& completions = call->line->completions;
                                    if (completions.size() >= kMaxCompletions) refuse(LINEERR_COMPLETIONOVERRUN);
                                    const DWORD id = 0xC0000000 + call->number;
                                    completions[id] = {dwCompletionMode, dwMessageID, call->called.number};
                                    *lpdwCompletionID = id;  // TAPI's, before the completion
                                    call->completion_id = id;
                                    pbx.call_info(call, LINECALLINFOSTATE_COMPLETIONID);
                                    pbx.line_state(call->line, LINEDEVSTATE_NUMCOMPLETIONS);
                                  });
                     });
}

SIMPBX_EXPORT TSPI_lineUncompleteCall(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwCompletionID) {
  return async_entry("lineUncompleteCall", dwRequestID, {ARG(dwRequestID), ARG(hdLine), ARG(dwCompletionID)},
                     [&](Pbx& pbx) {
                       const LinePtr line = pbx.line(hdLine);
                       if (!line->completions.contains(dwCompletionID)) refuse(LINEERR_INVALCOMPLETIONID);
                       submit_for(pbx, dwRequestID, line, [&pbx, line, dwCompletionID] {
                         if (line->completions.erase(dwCompletionID) == 0) refuse(LINEERR_INVALCOMPLETIONID);
                         pbx.line_state(line, LINEDEVSTATE_NUMCOMPLETIONS);
                       });
                     });
}
