// What is set on a call or a line: data, parameters, treatment, quality, terminals, configuration, hub tracking, ids.
#include <array>

#include "tests/simpbx/call_params.hpp"
#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/msp_protocol.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

constexpr DWORD kAlive = ~DWORD{LINECALLSTATE_IDLE};
constexpr DWORD kMaxFlowspec = 4096, kMaxConfig = 65536;
constexpr DWORD kTerminalModes = 0xFF;
constexpr DWORD kTracking = LINECALLHUBTRACKING_PROVIDERLEVEL | LINECALLHUBTRACKING_ALLCALLS;

void need_device_class(LPCWSTR lpszDeviceClass) {
  need_pointer(lpszDeviceClass, LINEERR_INVALDEVICECLASS);
  const std::string name = narrow(copy_text(lpszDeviceClass));
  for (const char* known : {"tapi/line", "simpbx/trunk", "wave/in", "wave/out"}) {
    if (name == known) return;
  }
  refuse(LINEERR_INVALDEVICECLASS);
}

}  // namespace

SIMPBX_EXPORT TSPI_lineSetAppSpecific(HDRVCALL hdCall, DWORD dwAppSpecific) {
  return sync_entry("lineSetAppSpecific", {ARG(hdCall), ARG(dwAppSpecific)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    call->app_specific = dwAppSpecific;
    if (call->state != LINECALLSTATE_IDLE) pbx.call_info(call, LINECALLINFOSTATE_APPSPECIFIC);
  });
}

SIMPBX_EXPORT TSPI_lineSetCallData(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPVOID lpCallData, DWORD dwSize) {
  return async_entry(
      "lineSetCallData", dwRequestID, {ARG(dwRequestID), ARG(hdCall), BLOCK_ARG(lpCallData, dwSize)}, [&](Pbx& pbx) {
        const CallPtr call = pbx.call(hdCall);
        if (dwSize > kMaxCallData) refuse(LINEERR_INVALPARAM);
        if (dwSize > 0) need_pointer(lpCallData);
        submit_for(pbx, dwRequestID, call, kAlive, [&pbx, call, bytes = copy_bytes(lpCallData, dwSize)] {
          call->call_data = bytes;
          pbx.call_info(call, LINECALLINFOSTATE_CALLDATA);
        });
      });
}

SIMPBX_EXPORT TSPI_lineSetCallParams(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, DWORD dwBearerMode, DWORD dwMinRate,
                                     DWORD dwMaxRate, LPLINEDIALPARAMS const lpDialParams) {
  return async_entry(
      "lineSetCallParams", dwRequestID,
      {ARG(dwRequestID), ARG(hdCall), ARG(dwBearerMode), ARG(dwMinRate), ARG(dwMaxRate),
       BLOCK_ARG(lpDialParams, sizeof(LINEDIALPARAMS))},
      [&](Pbx& pbx) {
        const CallPtr call = pbx.call(hdCall);
        if (dwBearerMode == 0 ||
            (dwBearerMode & ~DWORD{LINEBEARERMODE_VOICE | LINEBEARERMODE_SPEECH | LINEBEARERMODE_DATA}))
          refuse(LINEERR_INVALBEARERMODE);
        if (dwMaxRate > 64000 || dwMinRate > dwMaxRate) refuse(LINEERR_INVALRATE);
        const LINEDIALPARAMS dial = lpDialParams ? *lpDialParams : call->dial_params;
        submit_for(pbx, dwRequestID, call, kAlive, [&pbx, call, dwBearerMode, dwMinRate, dwMaxRate, dial] {
          call->bearer = dwBearerMode;
          call->min_rate = dwMinRate;
          call->max_rate = dwMaxRate;
          call->dial_params = dial;
          pbx.call_info(call, LINECALLINFOSTATE_BEARERMODE | LINECALLINFOSTATE_RATE | LINECALLINFOSTATE_DIALPARAMS);
        });
      });
}

SIMPBX_EXPORT TSPI_lineSetCallTreatment(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, DWORD dwTreatment) {
  return async_entry("lineSetCallTreatment", dwRequestID, {ARG(dwRequestID), ARG(hdCall), ARG(dwTreatment)},
                     [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       if (dwTreatment < LINECALLTREATMENT_SILENCE || dwTreatment > LINECALLTREATMENT_MUSIC)
                         refuse(LINEERR_INVALPARAM);
                       submit_for(pbx, dwRequestID, call, kAlive, [&pbx, call, dwTreatment] {
                         call->treatment = dwTreatment;
                         pbx.call_info(call, LINECALLINFOSTATE_TREATMENT);
                       });
                     });
}

SIMPBX_EXPORT TSPI_lineSetCallQualityOfService(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPVOID lpSendingFlowspec,
                                               DWORD dwSendingFlowspecSize, LPVOID lpReceivingFlowspec,
                                               DWORD dwReceivingFlowspecSize) {
  return async_entry("lineSetCallQualityOfService", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), BLOCK_ARG(lpSendingFlowspec, dwSendingFlowspecSize),
                      BLOCK_ARG(lpReceivingFlowspec, dwReceivingFlowspecSize)},
                     [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       if (dwSendingFlowspecSize > kMaxFlowspec || dwReceivingFlowspecSize > kMaxFlowspec)
                         refuse(LINEERR_INVALPARAM);
                       if (dwSendingFlowspecSize > 0) need_pointer(lpSendingFlowspec);
                       if (dwReceivingFlowspecSize > 0) need_pointer(lpReceivingFlowspec);
                       submit_for(pbx, dwRequestID, call, kAlive,
                                  [&pbx, call, send = copy_bytes(lpSendingFlowspec, dwSendingFlowspecSize),
                                   receive = copy_bytes(lpReceivingFlowspec, dwReceivingFlowspecSize)] {
                                    call->send_flow = send;
                                    call->receive_flow = receive;
                                    pbx.call_info(call, LINECALLINFOSTATE_QOS);
                                  });
                     });
}

SIMPBX_EXPORT TSPI_lineSecureCall(DRV_REQUESTID dwRequestID, HDRVCALL hdCall) {
  return async_entry("lineSecureCall", dwRequestID, {ARG(dwRequestID), ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    submit_for(pbx, dwRequestID, call, kAlive, [&pbx, call] {
      call->secure = true;
      pbx.call_info(call, LINECALLINFOSTATE_OTHER);
    });
  });
}

SIMPBX_EXPORT TSPI_lineSendUserUserInfo(DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCSTR lpsUserUserInfo,
                                        DWORD dwSize) {
  return async_entry("lineSendUserUserInfo", dwRequestID,
                     {ARG(dwRequestID), ARG(hdCall), BLOCK_ARG(lpsUserUserInfo, dwSize)}, [&](Pbx& pbx) {
                       const CallPtr call = pbx.call(hdCall);
                       const Bytes bytes = user_user(lpsUserUserInfo, dwSize);
                       submit_for(
                           pbx, dwRequestID, call,
                           LINECALLSTATE_CONNECTED | kOnHoldStates | LINECALLSTATE_OFFERING | LINECALLSTATE_ACCEPTED,
                           [&pbx, call, bytes] {
                             if (const CallPtr peer = call->peer.lock()) pbx.far_user_user(peer, bytes);
                           });
                     });
}

SIMPBX_EXPORT TSPI_lineReleaseUserUserInfo(DRV_REQUESTID dwRequestID, HDRVCALL hdCall) {
  return async_entry("lineReleaseUserUserInfo", dwRequestID, {ARG(dwRequestID), ARG(hdCall)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    submit_for(pbx, dwRequestID, call, kAlive, [&pbx, call] {
      call->user_user.clear();
      if (call->user_user_waiting.empty()) return;
      call->user_user = std::move(call->user_user_waiting.front());
      call->user_user_waiting.pop_front();
      pbx.call_info(call, LINECALLINFOSTATE_USERUSERINFO);
    });
  });
}

SIMPBX_EXPORT TSPI_lineSetTerminal(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall,
                                   DWORD dwSelect, DWORD dwTerminalModes, DWORD dwTerminalID, DWORD bEnable) {
  return async_entry("lineSetTerminal", dwRequestID,
                     {ARG(dwRequestID), ARG(hdLine), ARG(dwAddressID), ARG(hdCall), ARG(dwSelect),
                      ARG(dwTerminalModes), ARG(dwTerminalID), ARG(bEnable)},
                     [&](Pbx& pbx) {
                       const CallPtr call = dwSelect == LINECALLSELECT_CALL ? pbx.call(hdCall) : nullptr;
                       const LinePtr line = call ? call->line : pbx.line(hdLine);
                       if (dwSelect == LINECALLSELECT_ADDRESS) pbx.address(*line, dwAddressID);
                       if (!call && dwSelect != LINECALLSELECT_LINE && dwSelect != LINECALLSELECT_ADDRESS)
                         refuse(LINEERR_INVALCALLSELECT);
                       if (dwTerminalID >= kTerminals) refuse(LINEERR_INVALTERMINALID);
                       if (dwTerminalModes == 0 || (dwTerminalModes & ~kTerminalModes))
                         refuse(LINEERR_INVALTERMINALMODE);
                       pbx.courier.submit({dwRequestID,
                                           {line, call, nullptr, nullptr},
                                           [&pbx, line, call, dwAddressID, dwSelect, dwTerminalModes, dwTerminalID,
                                            on = bEnable != 0]() -> LONG {
                                             const auto set = [&](std::array<DWORD, kTerminals>& modes) {
                                               DWORD& m = modes[dwTerminalID];
                                               m = on ? m | dwTerminalModes : m & ~dwTerminalModes;
                                             };
                                             if (call) {
                                               set(call->terminals);
                                               pbx.call_info(call, LINECALLINFOSTATE_TERMINAL);
                                             } else if (dwSelect == LINECALLSELECT_ADDRESS) {
                                               set(line->addresses[dwAddressID].terminals);
                                               pbx.address_state(line, dwAddressID, LINEADDRESSSTATE_TERMINALS);
                                             } else {
                                               set(line->terminals);
                                               pbx.line_state(line, LINEDEVSTATE_TERMINALS);
                                             }
                                             return 0;
                                           }});
                     });
}

SIMPBX_EXPORT TSPI_lineGetDevConfig(DWORD dwDeviceID, LPVARSTRING lpDeviceConfig, LPCWSTR lpszDeviceClass) {
  return sync_entry("lineGetDevConfig", {ARG(dwDeviceID), ARG(lpszDeviceClass)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line_of_device(dwDeviceID);
    need_device_class(lpszDeviceClass);
    Bytes config = line->config[copy_text(lpszDeviceClass)];
    if (config.empty()) {  // what it is from the factory: a name and the line's number
      const std::string text = "simpbx default " + std::to_string(line->number);
      config.assign(text.begin(), text.end());
    }
    store_var_string(lpDeviceConfig, STRINGFORMAT_BINARY, config.data(), config.size(), pbx.config.habits);
  });
}

SIMPBX_EXPORT TSPI_lineSetDevConfig(DWORD dwDeviceID, LPVOID const lpDeviceConfig, DWORD dwSize,
                                    LPCWSTR lpszDeviceClass) {
  return sync_entry("lineSetDevConfig", {ARG(dwDeviceID), BLOCK_ARG(lpDeviceConfig, dwSize), ARG(lpszDeviceClass)},
                    [&](Pbx& pbx) {
                      const LinePtr line = pbx.line_of_device(dwDeviceID);
                      need_device_class(lpszDeviceClass);
                      if (dwSize > kMaxConfig) refuse(LINEERR_INVALPARAM);
                      if (dwSize > 0) need_pointer(lpDeviceConfig);
                      line->config[copy_text(lpszDeviceClass)] = copy_bytes(lpDeviceConfig, dwSize);
                      if (line->open) pbx.line_state(line, LINEDEVSTATE_CONFIGCHANGE);
                    });
}

SIMPBX_EXPORT TSPI_lineGetIcon(DWORD dwDeviceID, LPCWSTR lpszDeviceClass, LPHICON lphIcon) {
  return sync_entry("lineGetIcon", {ARG(dwDeviceID), ARG(lpszDeviceClass)}, [&](Pbx& pbx) {
    need_pointer(lphIcon);
    pbx.line_of_device(dwDeviceID);
    if (lpszDeviceClass) need_device_class(lpszDeviceClass);  // NULL: the provider's general icon
    *lphIcon = some_icon();
  });
}

SIMPBX_EXPORT TSPI_lineGetID(HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall, DWORD dwSelect,
                             LPVARSTRING lpDeviceID, LPCWSTR lpszDeviceClass, HANDLE hTargetProcess) {
  return sync_entry(
      "lineGetID",
      {ARG(hdLine), ARG(dwAddressID), ARG(hdCall), ARG(dwSelect), ARG(lpszDeviceClass), ARG(hTargetProcess)},
      [&](Pbx& pbx) {
        LinePtr line;
        if (dwSelect == LINECALLSELECT_CALL) {
          line = pbx.call(hdCall)->line;
        } else if (dwSelect == LINECALLSELECT_LINE || dwSelect == LINECALLSELECT_ADDRESS) {
          line = pbx.line(hdLine);
          if (dwSelect == LINECALLSELECT_ADDRESS) pbx.address(*line, dwAddressID);
        } else {
          refuse(LINEERR_INVALCALLSELECT);
        }
        need_pointer(lpszDeviceClass, LINEERR_INVALDEVICECLASS);
        const std::string name = narrow(copy_text(lpszDeviceClass));
        const auto binary = [&](DWORD value) {
          store_var_string(lpDeviceID, STRINGFORMAT_BINARY, &value, sizeof value, pbx.config.habits);
        };
        if (name == "tapi/line") return binary(line->device_id);
        if (name == "wave/in" || name == "wave/out") return binary(line->number - 1);
        if (name == "tapi/phone") {
          const PhonePtr phone = pbx.phone_by_number(line->number);
          if (!phone) refuse(LINEERR_NODEVICE);
          return binary(phone->device_id);
        }
        if (name == "tapi/terminal") {  // by terminal: its phone; the headset has none
          const PhonePtr phone = pbx.phone_by_number(line->number);
          std::array<DWORD, kTerminals> phones;
          phones.fill(kNoDevice);
          if (phone) phones[0] = phone->device_id;
          return store_var_string(lpDeviceID, STRINGFORMAT_BINARY, phones.data(), sizeof phones, pbx.config.habits);
        }
        if (name != "simpbx/trunk") refuse(LINEERR_INVALDEVICECLASS);
        // A name, not a handle: it means the same in every process.
        const Text trunk = wide("trunk ") + number_text(line->number);
        store_var_string(lpDeviceID, STRINGFORMAT_UNICODE, trunk.c_str(), (trunk.size() + 1) * sizeof(WCHAR),
                         pbx.config.habits);
      });
}

SIMPBX_EXPORT TSPI_lineGetCallHubTracking(HDRVLINE hdLine, LPLINECALLHUBTRACKINGINFO lpTrackingInfo) {
  return sync_entry("lineGetCallHubTracking", {ARG(hdLine)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line(hdLine);
    Structure<LINECALLHUBTRACKINGINFO> out(lpTrackingInfo, sizeof(LINECALLHUBTRACKINGINFO), pbx.config.habits);
    out.image.dwAvailableTracking = kTracking;
    out.image.dwCurrentTracking = line->hub_tracking;
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_lineSetCallHubTracking(HDRVLINE hdLine, LPLINECALLHUBTRACKINGINFO lpTrackingInfo) {
  return sync_entry("lineSetCallHubTracking", {ARG(hdLine), STRUCTURE_ARG(lpTrackingInfo)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line(hdLine);
    need_pointer(lpTrackingInfo);
    if (lpTrackingInfo->dwTotalSize < sizeof(LINECALLHUBTRACKINGINFO)) refuse(LINEERR_STRUCTURETOOSMALL);
    if (lpTrackingInfo->dwCurrentTracking & ~kTracking) refuse(LINEERR_INVALPARAM);
    line->hub_tracking = lpTrackingInfo->dwCurrentTracking;
  });
}
