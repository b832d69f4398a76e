// What TAPI may ask about calls and addresses: information, status, ids.
#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

using Info = LINECALLINFO;

void parties(Structure<Info>& out, const Call& call) {
  out.image.dwCallerIDFlags = call.caller.flags;
  out.text(&Info::dwCallerIDSize, &Info::dwCallerIDOffset, call.caller.number);
  out.text(&Info::dwCallerIDNameSize, &Info::dwCallerIDNameOffset, call.caller.name);
  out.image.dwCalledIDFlags = call.called.flags;
  out.text(&Info::dwCalledIDSize, &Info::dwCalledIDOffset, call.called.number);
  out.text(&Info::dwCalledIDNameSize, &Info::dwCalledIDNameOffset, call.called.name);
  out.image.dwConnectedIDFlags = call.connected.flags;
  out.text(&Info::dwConnectedIDSize, &Info::dwConnectedIDOffset, call.connected.number);
  out.text(&Info::dwConnectedIDNameSize, &Info::dwConnectedIDNameOffset, call.connected.name);
  out.image.dwRedirectionIDFlags = call.redirection.flags;
  out.text(&Info::dwRedirectionIDSize, &Info::dwRedirectionIDOffset, call.redirection.number);
  out.text(&Info::dwRedirectionIDNameSize, &Info::dwRedirectionIDNameOffset, call.redirection.name);
  out.image.dwRedirectingIDFlags = call.redirecting.flags;
  out.text(&Info::dwRedirectingIDSize, &Info::dwRedirectingIDOffset, call.redirecting.number);
  out.text(&Info::dwRedirectingIDNameSize, &Info::dwRedirectingIDNameOffset, call.redirecting.name);
}

/// The members that TAPI keeps for itself.
void keep_tapis_own(Structure<Info>& out, const Info* target) {
  constexpr DWORD Info::*kTapis[] = {&Info::hLine,
                                     &Info::dwMonitorDigitModes,
                                     &Info::dwMonitorMediaModes,
                                     &Info::dwNumOwners,
                                     &Info::dwNumMonitors,
                                     &Info::dwAppNameSize,
                                     &Info::dwAppNameOffset,
                                     &Info::dwDisplayableAddressSize,
                                     &Info::dwDisplayableAddressOffset,
                                     &Info::dwCalledPartySize,
                                     &Info::dwCalledPartyOffset,
                                     &Info::dwCommentSize,
                                     &Info::dwCommentOffset};
  for (const auto member : kTapis) out.keep(target, member);
}

void fill(Info& i, const Call& call, DWORD version) {
  i.dwLineDeviceID = call.line->device_id;
  i.dwAddressID = call.address_id;
  i.dwBearerMode = call.bearer;
  i.dwRate = call.max_rate;
  i.dwMediaMode = call.media;
  i.dwAppSpecific = call.app_specific;
  i.dwCallID = call.call_id;
  i.dwRelatedCallID = call.related_id;
  i.dwCallParamFlags =
      (call.param_flags & ~DWORD{LINECALLPARAMFLAGS_SECURE}) | (call.secure ? LINECALLPARAMFLAGS_SECURE : 0u);
  i.dwCallStates = call.states_seen;
  i.DialParams = call.dial_params;
  i.dwOrigin = call.is_conference ? LINECALLORIGIN_CONFERENCE : call.origin;
  i.dwReason = call.reason;
  i.dwCompletionID = call.completion_id;
  i.dwCountryCode = call.country;
  i.dwTrunk = call.trunk;
  i.dwCallTreatment = call.treatment;
  if (version >= 0x00030000) {
    i.dwCallerIDAddressType = i.dwCalledIDAddressType = i.dwConnectedIDAddressType = i.dwRedirectionIDAddressType =
        i.dwRedirectingIDAddressType = LINEADDRESSTYPE_PHONENUMBER;
  }
}

}  // namespace

SIMPBX_EXPORT TSPI_lineGetCallInfo(HDRVCALL hdCall, LPLINECALLINFO lpCallInfo) {
  return sync_entry("lineGetCallInfo", {ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    Structure<Info> out(lpCallInfo, fixed_call_info(call->line->version), pbx.config.habits);
    keep_tapis_own(out, lpCallInfo);
    fill(out.image, *call, call->line->version);
    parties(out, *call);
    out.text(&Info::dwDisplaySize, &Info::dwDisplayOffset, call->display);
    out.bytes(&Info::dwUserUserInfoSize, &Info::dwUserUserInfoOffset, call->user_user);
    out.bytes(&Info::dwHighLevelCompSize, &Info::dwHighLevelCompOffset, call->high_level);
    out.bytes(&Info::dwLowLevelCompSize, &Info::dwLowLevelCompOffset, call->low_level);
    out.bytes(&Info::dwChargingInfoSize, &Info::dwChargingInfoOffset, call->charging);
    out.bytes(&Info::dwTerminalModesSize, &Info::dwTerminalModesOffset, call->terminals.data(),
              sizeof call->terminals);
    out.bytes(&Info::dwDevSpecificSize, &Info::dwDevSpecificOffset, call->dev_specific);
    out.bytes(&Info::dwCallDataSize, &Info::dwCallDataOffset, call->call_data);
    out.bytes(&Info::dwSendingFlowspecSize, &Info::dwSendingFlowspecOffset, call->send_flow);
    out.bytes(&Info::dwReceivingFlowspecSize, &Info::dwReceivingFlowspecOffset, call->receive_flow);
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_lineGetCallStatus(HDRVCALL hdCall, LPLINECALLSTATUS lpCallStatus) {
  return sync_entry("lineGetCallStatus", {ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    Structure<LINECALLSTATUS> out(lpCallStatus, sizeof(LINECALLSTATUS), pbx.config.habits);
    out.keep(lpCallStatus, &LINECALLSTATUS::dwCallPrivilege);
    out.image.dwCallState = call->state;
    out.image.dwCallStateMode = call->state_mode;
    out.image.dwCallFeatures = pbx.features(*call);
    out.image.dwCallFeatures2 = pbx.features2(*call);
    out.image.tStateEntryTime = call->state_entry;
    out.bytes(&LINECALLSTATUS::dwDevSpecificSize, &LINECALLSTATUS::dwDevSpecificOffset, call->dev_specific);
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_lineGetCallIDs(HDRVCALL hdCall, LPDWORD lpdwAddressID, LPDWORD lpdwCallID,
                                  LPDWORD lpdwRelatedCallID) {
  return sync_entry("lineGetCallIDs", {ARG(hdCall)}, [&](Pbx& pbx) {
    need_pointer(lpdwAddressID);
    need_pointer(lpdwCallID);
    need_pointer(lpdwRelatedCallID);
    const CallPtr call = pbx.call(hdCall);
    *lpdwAddressID = call->address_id;
    *lpdwCallID = call->call_id;
    *lpdwRelatedCallID = call->related_id;
  });
}

SIMPBX_EXPORT TSPI_lineGetCallAddressID(HDRVCALL hdCall, LPDWORD lpdwAddressID) {
  return sync_entry("lineGetCallAddressID", {ARG(hdCall)}, [&](Pbx& pbx) {
    need_pointer(lpdwAddressID);
    *lpdwAddressID = pbx.call(hdCall)->address_id;
  });
}

SIMPBX_EXPORT TSPI_lineGetAddressStatus(HDRVLINE hdLine, DWORD dwAddressID, LPLINEADDRESSSTATUS lpAddressStatus) {
  return sync_entry("lineGetAddressStatus", {ARG(hdLine), ARG(dwAddressID)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line(hdLine);
    const Address& address = pbx.address(*line, dwAddressID);
    using Status = LINEADDRESSSTATUS;
    Structure<Status> out(lpAddressStatus, sizeof(Status), pbx.config.habits);
    auto& s = out.image;
    s.dwNumActiveCalls = pbx.count(*line, kLiveStates & ~kOnHoldStates);
    s.dwNumInUse = pbx.count(*line, kLiveStates) > 0 ? 1 : 0;
    s.dwNumOnHoldCalls = pbx.count(*line, LINECALLSTATE_ONHOLD);
    s.dwNumOnHoldPendCalls = pbx.count(*line, LINECALLSTATE_ONHOLDPENDCONF | LINECALLSTATE_ONHOLDPENDTRANSFER);
    s.dwAddressFeatures =
        LINEADDRFEATURE_FORWARD | LINEADDRFEATURE_MAKECALL | LINEADDRFEATURE_PICKUP | LINEADDRFEATURE_UNPARK;
    s.dwNumRingsNoAnswer = address.rings_no_answer;
    s.dwForwardNumEntries = static_cast<DWORD>(address.forwards.size());
    // An array of LINEFORWARD; its texts follow in the structure, their offsets count from the structure's start.
    const DWORD entry = fixed_forward(line->version);
    std::vector<LINEFORWARD> entries(address.forwards.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Forward& forward = address.forwards[i];
      LINEFORWARD& e = entries[i];
      e = {forward.mode, 0, 0, forward.country, 0, 0, forward.caller_type, forward.destination_type};
      const auto [caller_size, caller_offset] = out.nested(forward.caller);
      const auto [size, offset] = out.nested(forward.destination);
      e.dwCallerAddressSize = caller_size, e.dwCallerAddressOffset = caller_offset;
      e.dwDestAddressSize = size, e.dwDestAddressOffset = offset;
    }
    Bytes list;
    for (const LINEFORWARD& e : entries) {
      const Bytes bytes = copy_bytes(&e, entry);
      list.insert(list.end(), bytes.begin(), bytes.end());
    }
    out.bytes(&Status::dwForwardSize, &Status::dwForwardOffset, list);
    out.bytes(&Status::dwTerminalModesSize, &Status::dwTerminalModesOffset, address.terminals.data(),
              sizeof address.terminals);
    const Bytes specific{'a', 'd', 'd', 'r'};
    out.bytes(&Status::dwDevSpecificSize, &Status::dwDevSpecificOffset, specific);
    out.finish();
  });
}
