// The functions that are more than a forward, by name: the life of the provider, answers from the inventory, opening
// and closing, the dial string, what is local to the desktop. Everything else is derived (forward.hpp). Called on
// TAPI's threads.
#pragma once

#include "proxy-tsp/forward.hpp"

namespace tsplink::proxy {

#define TSPLINK_OVERRIDE(function, ...)       \
  template <>                                 \
  struct Override<wire::calls::function> {    \
    static LONG run(Core& core, __VA_ARGS__); \
  };

TSPLINK_OVERRIDE(lineNegotiateTSPIVersion, DWORD, DWORD, DWORD, LPDWORD)
TSPLINK_OVERRIDE(phoneNegotiateTSPIVersion, DWORD, DWORD, DWORD, LPDWORD)
TSPLINK_OVERRIDE(lineGetDevCaps, DWORD, DWORD, DWORD, LPLINEDEVCAPS)
TSPLINK_OVERRIDE(lineGetAddressCaps, DWORD, DWORD, DWORD, DWORD, LPLINEADDRESSCAPS)
TSPLINK_OVERRIDE(phoneGetDevCaps, DWORD, DWORD, DWORD, LPPHONECAPS)
TSPLINK_OVERRIDE(lineGetExtensionID, DWORD, DWORD, LPLINEEXTENSIONID)
TSPLINK_OVERRIDE(phoneGetExtensionID, DWORD, DWORD, LPPHONEEXTENSIONID)
TSPLINK_OVERRIDE(lineMSPIdentify, DWORD, GUID*)
TSPLINK_OVERRIDE(lineOpen, DWORD, HTAPILINE, LPHDRVLINE, DWORD, LINEEVENT)
TSPLINK_OVERRIDE(phoneOpen, DWORD, HTAPIPHONE, LPHDRVPHONE, DWORD, PHONEEVENT)
TSPLINK_OVERRIDE(lineClose, HDRVLINE)
TSPLINK_OVERRIDE(phoneClose, HDRVPHONE)
TSPLINK_OVERRIDE(lineCloseCall, HDRVCALL)
TSPLINK_OVERRIDE(lineCloseMSPInstance, HDRVMSPLINE)
TSPLINK_OVERRIDE(lineMakeCall, DRV_REQUESTID, HDRVLINE, HTAPICALL, LPHDRVCALL, LPCWSTR, DWORD, LPLINECALLPARAMS)
TSPLINK_OVERRIDE(lineDial, DRV_REQUESTID, HDRVCALL, LPCWSTR, DWORD)
TSPLINK_OVERRIDE(lineForward, DRV_REQUESTID, HDRVLINE, DWORD, DWORD, LPLINEFORWARDLIST, DWORD, HTAPICALL, LPHDRVCALL,
                 LPLINECALLPARAMS)
TSPLINK_OVERRIDE(lineGatherDigits, HDRVCALL, DWORD, DWORD, LPWSTR, DWORD, LPCWSTR, DWORD, DWORD)
TSPLINK_OVERRIDE(lineGetIcon, DWORD, LPCWSTR, LPHICON)
TSPLINK_OVERRIDE(phoneGetIcon, DWORD, LPCWSTR, LPHICON)
TSPLINK_OVERRIDE(lineGetID, HDRVLINE, DWORD, HDRVCALL, DWORD, LPVARSTRING, LPCWSTR, HANDLE)
TSPLINK_OVERRIDE(phoneGetID, HDRVPHONE, LPVARSTRING, LPCWSTR, HANDLE)

TSPLINK_OVERRIDE(providerEnumDevices, DWORD, LPDWORD, LPDWORD, HPROVIDER, LINEEVENT, PHONEEVENT)
TSPLINK_OVERRIDE(providerInit, DWORD, DWORD, DWORD, DWORD, DWORD_PTR, DWORD_PTR, ASYNC_COMPLETION, LPDWORD)
TSPLINK_OVERRIDE(providerCreateLineDevice, DWORD_PTR, DWORD)
TSPLINK_OVERRIDE(providerCreatePhoneDevice, DWORD_PTR, DWORD)
TSPLINK_OVERRIDE(providerShutdown, DWORD, DWORD)
TSPLINK_OVERRIDE(providerInstall, HWND, DWORD)
TSPLINK_OVERRIDE(providerRemove, HWND, DWORD)
TSPLINK_OVERRIDE(providerConfig, HWND, DWORD)
TSPLINK_OVERRIDE(providerUIIdentify, LPWSTR)

#undef TSPLINK_OVERRIDE

/// Functions that need more than a forward and whose override does not exist yet: OPERATIONUNAVAIL, as for a function
/// that a vendor lacks. Listed in wire/README.md.
template <class C, class... Arguments>
struct Unavailable {
  static LONG run(Core&, Arguments...) {
    return family_of<C>() == wire::Family::Phone ? PHONEERR_OPERATIONUNAVAIL : LINEERR_OPERATIONUNAVAIL;
  }
};
#define TSPLINK_UNAVAILABLE(function, ...) \
  template <>                              \
  struct Override<wire::calls::function> : Unavailable<wire::calls::function, __VA_ARGS__> {};

TSPLINK_UNAVAILABLE(providerGenericDialogData, DWORD_PTR, DWORD, LPVOID, DWORD)
TSPLINK_UNAVAILABLE(providerFreeDialogInstance, HDRVDIALOGINSTANCE)

#undef TSPLINK_UNAVAILABLE

}  // namespace tsplink::proxy
