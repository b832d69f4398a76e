// Lines as devices: versions, opening and closing, filters, media detection, status, extensions.
#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

constexpr DWORD kExtLow = 0x00010000, kExtHigh = 0x00010002;
constexpr DWORD kStatuses = LINEDEVSTATUSFLAGS_CONNECTED | LINEDEVSTATUSFLAGS_MSGWAIT | LINEDEVSTATUSFLAGS_INSERVICE |
                            LINEDEVSTATUSFLAGS_LOCKED;

void need_version(const Pbx& pbx, DWORD version) {
  if (version < pbx.config.version_low || version > pbx.config.version_high) refuse(LINEERR_INCOMPATIBLEAPIVERSION);
}

/// Leaves the lock while a vendor "waits for its switch".
void block(Pbx& pbx) {
  pbx.mutex().unlock();
  std::this_thread::sleep_for(std::chrono::milliseconds(pbx.config.block_ms));
  pbx.mutex().lock();
}

}  // namespace

SIMPBX_EXPORT TSPI_lineNegotiateTSPIVersion(DWORD dwDeviceID, DWORD dwLowVersion, DWORD dwHighVersion,
                                            LPDWORD lpdwTSPIVersion) {
  return sync_entry("lineNegotiateTSPIVersion", {ARG(dwDeviceID), ARG(dwLowVersion), ARG(dwHighVersion)},
                    [&](Pbx& pbx) {
                      need_pointer(lpdwTSPIVersion);
                      if (dwDeviceID != static_cast<DWORD>(INITIALIZE_NEGOTIATION)) pbx.line_of_device(dwDeviceID);
                      const DWORD high = std::min(dwHighVersion, pbx.config.version_high);
                      if (high < std::max(dwLowVersion, pbx.config.version_low))
                        refuse(LINEERR_INCOMPATIBLEAPIVERSION);
                      *lpdwTSPIVersion = high;
                    });
}

SIMPBX_EXPORT TSPI_lineGetExtensionID(DWORD dwDeviceID, DWORD dwTSPIVersion, LPLINEEXTENSIONID lpExtensionID) {
  return sync_entry("lineGetExtensionID", {ARG(dwDeviceID), ARG(dwTSPIVersion)}, [&](Pbx& pbx) {
    need_pointer(lpExtensionID);
    const LinePtr line = pbx.line_of_device(dwDeviceID);
    need_version(pbx, dwTSPIVersion);
    *lpExtensionID = {0x5B0C0001, 0x73696D70, 0x62780000, line->permanent_id};
  });
}

SIMPBX_EXPORT TSPI_lineNegotiateExtVersion(DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwLowVersion,
                                           DWORD dwHighVersion, LPDWORD lpdwExtVersion) {
  return sync_entry("lineNegotiateExtVersion",
                    {ARG(dwDeviceID), ARG(dwTSPIVersion), ARG(dwLowVersion), ARG(dwHighVersion)}, [&](Pbx& pbx) {
                      need_pointer(lpdwExtVersion);
                      const LinePtr line = pbx.line_of_device(dwDeviceID);
                      need_version(pbx, dwTSPIVersion);
                      // While a version is selected there is only that one.
                      const DWORD low = line->selected_ext ? line->selected_ext : kExtLow;
                      const DWORD high = std::min(dwHighVersion, line->selected_ext ? line->selected_ext : kExtHigh);
                      if (high < std::max(low, dwLowVersion)) refuse(LINEERR_INCOMPATIBLEEXTVERSION);
                      *lpdwExtVersion = high;
                    });
}

SIMPBX_EXPORT TSPI_lineSelectExtVersion(HDRVLINE hdLine, DWORD dwExtVersion) {
  return sync_entry("lineSelectExtVersion", {ARG(hdLine), ARG(dwExtVersion)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line(hdLine);
    if (dwExtVersion != 0 && (dwExtVersion < kExtLow || dwExtVersion > kExtHigh))
      refuse(LINEERR_INCOMPATIBLEEXTVERSION);
    line->selected_ext = dwExtVersion;
  });
}

SIMPBX_EXPORT TSPI_lineOpen(DWORD dwDeviceID, HTAPILINE htLine, LPHDRVLINE lphdLine, DWORD dwTSPIVersion,
                            LINEEVENT lpfnEventProc) {
  return sync_entry("lineOpen", {ARG(dwDeviceID), ARG(htLine), ARG(dwTSPIVersion)}, [&](Pbx& pbx) {
    pbx.need_initialized();
    need_pointer(lphdLine);
    need_pointer(reinterpret_cast<const void*>(lpfnEventProc));
    const LinePtr line = pbx.line_of_device(dwDeviceID);
    need_version(pbx, dwTSPIVersion);
    if (line->open) refuse(LINEERR_ALLOCATED);
    if (pbx.has(Habit::block_open)) block(pbx);
    pbx.open_line(line, htLine, dwTSPIVersion, lpfnEventProc);
    *lphdLine = handle_of<HDRVLINE>(line->handle);
  });
}

SIMPBX_EXPORT TSPI_lineClose(HDRVLINE hdLine) {
  return sync_entry("lineClose", {ARG(hdLine)}, [&](Pbx& pbx) { pbx.close_line(pbx.line(hdLine)); });
}

SIMPBX_EXPORT TSPI_lineSetStatusMessages(HDRVLINE hdLine, DWORD dwLineStates, DWORD dwAddressStates) {
  return sync_entry("lineSetStatusMessages", {ARG(hdLine), ARG(dwLineStates), ARG(dwAddressStates)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line(hdLine);
    line->line_states = dwLineStates;
    line->address_states = dwAddressStates;
  });
}

SIMPBX_EXPORT TSPI_lineSetDefaultMediaDetection(HDRVLINE hdLine, DWORD dwMediaModes) {
  return sync_entry("lineSetDefaultMediaDetection", {ARG(hdLine), ARG(dwMediaModes)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line(hdLine);
    Pbx::need_media(dwMediaModes);
    pbx.media_detection(line, dwMediaModes);
  });
}

SIMPBX_EXPORT TSPI_lineConditionalMediaDetection(HDRVLINE hdLine, DWORD dwMediaModes,
                                                 LPLINECALLPARAMS const lpCallParams) {
  return sync_entry("lineConditionalMediaDetection", {ARG(hdLine), ARG(dwMediaModes), STRUCTURE_ARG(lpCallParams)},
                    [&](Pbx& pbx) {
                      const LinePtr line = pbx.line(hdLine);
                      Pbx::need_media(dwMediaModes);
                      if (lpCallParams && lpCallParams->dwTotalSize < fixed_call_params(0)) {
                        refuse(LINEERR_STRUCTURETOOSMALL);
                      }
                      line->conditional_modes = dwMediaModes;
                    });
}

SIMPBX_EXPORT TSPI_lineGetNumAddressIDs(HDRVLINE hdLine, LPDWORD lpdwNumAddressIDs) {
  return sync_entry("lineGetNumAddressIDs", {ARG(hdLine)}, [&](Pbx& pbx) {
    need_pointer(lpdwNumAddressIDs);
    *lpdwNumAddressIDs = static_cast<DWORD>(pbx.line(hdLine)->addresses.size());
  });
}

SIMPBX_EXPORT TSPI_lineGetAddressID(HDRVLINE hdLine, LPDWORD lpdwAddressID, DWORD dwAddressMode, LPCWSTR lpsAddress,
                                    DWORD dwSize) {
  return sync_entry("lineGetAddressID", {ARG(hdLine), ARG(dwAddressMode), BLOCK_ARG(lpsAddress, dwSize)},
                    [&](Pbx& pbx) {
                      need_pointer(lpdwAddressID);
                      need_pointer(lpsAddress);
                      const LinePtr line = pbx.line(hdLine);
                      if (dwAddressMode != LINEADDRESSMODE_DIALABLEADDR) refuse(LINEERR_INVALADDRESSMODE);
                      const Text wanted = text_of(copy_bytes(lpsAddress, dwSize));
                      for (std::size_t i = 0; i < line->addresses.size(); ++i) {
                        if (line->addresses[i].number == wanted) {
                          *lpdwAddressID = static_cast<DWORD>(i);
                          return;
                        }
                      }
                      refuse(LINEERR_INVALADDRESS);
                    });
}

SIMPBX_EXPORT TSPI_lineGetLineDevStatus(HDRVLINE hdLine, LPLINEDEVSTATUS lpLineDevStatus) {
  return sync_entry("lineGetLineDevStatus", {ARG(hdLine)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line(hdLine);
    Structure<LINEDEVSTATUS> out(lpLineDevStatus, sizeof(LINEDEVSTATUS), pbx.config.habits);
    // How often it is open, and for which media, is TAPI's knowledge.
    out.keep(lpLineDevStatus, &LINEDEVSTATUS::dwNumOpens);
    out.keep(lpLineDevStatus, &LINEDEVSTATUS::dwOpenMediaModes);
    auto& s = out.image;
    s.dwNumActiveCalls = pbx.count(*line, kLiveStates & ~kOnHoldStates);
    s.dwNumOnHoldCalls = pbx.count(*line, LINECALLSTATE_ONHOLD);
    s.dwNumOnHoldPendCalls = pbx.count(*line, LINECALLSTATE_ONHOLDPENDCONF | LINECALLSTATE_ONHOLDPENDTRANSFER);
    const bool usable = line->in_service && line->connected;
    s.dwLineFeatures = usable ? LINEFEATURE_DEVSPECIFIC | LINEFEATURE_DEVSPECIFICFEAT | LINEFEATURE_FORWARD |
                                    LINEFEATURE_MAKECALL | LINEFEATURE_SETMEDIACONTROL | LINEFEATURE_SETTERMINAL |
                                    LINEFEATURE_SETDEVSTATUS
                              : 0;
    s.dwNumCallCompletions = static_cast<DWORD>(line->completions.size());
    s.dwRingMode = line->ring_mode;
    s.dwSignalLevel = s.dwBatteryLevel = 0xFFFF;
    s.dwRoamMode = LINEROAMMODE_UNAVAIL;
    s.dwDevStatusFlags = (line->connected ? LINEDEVSTATUSFLAGS_CONNECTED : 0) |
                         (line->message_waiting ? LINEDEVSTATUSFLAGS_MSGWAIT : 0) |
                         (line->in_service ? LINEDEVSTATUSFLAGS_INSERVICE : 0) |
                         (line->locked ? LINEDEVSTATUSFLAGS_LOCKED : 0);
    s.dwAvailableMediaModes = kMediaModes;
    out.bytes(&LINEDEVSTATUS::dwTerminalModesSize, &LINEDEVSTATUS::dwTerminalModesOffset, line->terminals.data(),
              sizeof line->terminals);
    out.bytes(&LINEDEVSTATUS::dwDevSpecificSize, &LINEDEVSTATUS::dwDevSpecificOffset, line->dev_specific);
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_lineSetLineDevStatus(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwStatusToChange,
                                        DWORD fStatus) {
  return async_entry(
      "lineSetLineDevStatus", dwRequestID, {ARG(dwRequestID), ARG(hdLine), ARG(dwStatusToChange), ARG(fStatus)},
      [&](Pbx& pbx) {
        const LinePtr line = pbx.line(hdLine);
        if (dwStatusToChange == 0 || (dwStatusToChange & ~kStatuses)) refuse(LINEERR_INVALPARAM);
        submit_for(pbx, dwRequestID, line, [&pbx, line, dwStatusToChange, on = fStatus != 0] {
          const auto change = [&](DWORD flag, bool& value, DWORD set, DWORD cleared) {
            if (!(dwStatusToChange & flag)) return;
            value = on;
            pbx.line_state(line, on ? set : cleared);
          };
          change(LINEDEVSTATUSFLAGS_CONNECTED, line->connected, LINEDEVSTATE_CONNECTED, LINEDEVSTATE_DISCONNECTED);
          change(LINEDEVSTATUSFLAGS_MSGWAIT, line->message_waiting, LINEDEVSTATE_MSGWAITON, LINEDEVSTATE_MSGWAITOFF);
          change(LINEDEVSTATUSFLAGS_INSERVICE, line->in_service, LINEDEVSTATE_INSERVICE, LINEDEVSTATE_OUTOFSERVICE);
          change(LINEDEVSTATUSFLAGS_LOCKED, line->locked, LINEDEVSTATE_LOCK, LINEDEVSTATE_LOCK);
        });
      });
}

/// Gives each byte back XORed with 0x5A.
SIMPBX_EXPORT TSPI_lineDevSpecific(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall,
                                   LPVOID lpParams, DWORD dwSize) {
  return async_entry("lineDevSpecific", dwRequestID,
                     {ARG(dwRequestID), ARG(hdLine), ARG(dwAddressID), ARG(hdCall), BLOCK_ARG(lpParams, dwSize)},
                     [&](Pbx& pbx) {
                       const LinePtr line = pbx.line(hdLine);
                       pbx.address(*line, dwAddressID);
                       const CallPtr call = hdCall ? pbx.call(hdCall) : nullptr;
                       if (dwSize > 0) need_pointer(lpParams);
                       auto* const bytes = static_cast<BYTE*>(lpParams);
                       pbx.courier.submit({dwRequestID, {line, call, nullptr, nullptr}, [bytes, dwSize]() -> LONG {
                                             for (DWORD i = 0; i < dwSize; ++i)
                                               bytes[i] = static_cast<BYTE>(bytes[i] ^ 0x5A);
                                             return 0;
                                           }});
                     });
}

/// Gives the block back reversed, each byte increased by the feature's number.
SIMPBX_EXPORT TSPI_lineDevSpecificFeature(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD dwFeature,
                                          LPVOID lpParams, DWORD dwSize) {
  return async_entry("lineDevSpecificFeature", dwRequestID,
                     {ARG(dwRequestID), ARG(hdLine), ARG(dwFeature), BLOCK_ARG(lpParams, dwSize)}, [&](Pbx& pbx) {
                       const LinePtr line = pbx.line(hdLine);
                       if (dwFeature > PHONEBUTTONFUNCTION_SEND) refuse(LINEERR_INVALFEATURE);
                       if (dwSize > 0) need_pointer(lpParams);
                       auto* const bytes = static_cast<BYTE*>(lpParams);
                       submit_for(pbx, dwRequestID, line, [bytes, dwSize, dwFeature] {
                         std::reverse(bytes, bytes + dwSize);
                         for (DWORD i = 0; i < dwSize; ++i) bytes[i] = static_cast<BYTE>(bytes[i] + dwFeature);
                       });
                     });
}
