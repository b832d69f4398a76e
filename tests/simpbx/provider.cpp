// TSPI_provider*: enumeration, start and end, devices that come later, dialogs.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/simpbx/control.hpp"
#include "tests/simpbx/entry.hpp"

using namespace tsplink::simpbx;

namespace {
std::atomic<bool> ending{false};

/// As drivers wait for their threads when they are unloaded. On Windows those are gone by then, and it waits for
/// ever.
void wait_at_exit() {
  while (ending) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}
}  // namespace

SIMPBX_EXPORT TSPI_providerEnumDevices(DWORD dwPermanentProviderID, LPDWORD lpdwNumLines, LPDWORD lpdwNumPhones,
                                       HPROVIDER hProvider, LINEEVENT lpfnLineCreateProc,
                                       PHONEEVENT lpfnPhoneCreateProc) {
  return sync_entry("providerEnumDevices", {ARG(dwPermanentProviderID), ARG(hProvider)}, [&](Pbx& pbx) {
    need_pointer(lpdwNumLines);
    need_pointer(lpdwNumPhones);
    pbx.permanent_provider_id = dwPermanentProviderID;
    pbx.hProvider = hProvider;
    pbx.create_line = lpfnLineCreateProc;
    pbx.create_phone = lpfnPhoneCreateProc;
    *lpdwNumLines = static_cast<DWORD>(pbx.lines.size());
    *lpdwNumPhones = static_cast<DWORD>(pbx.phones.size());
  });
}

SIMPBX_EXPORT TSPI_providerInit(DWORD dwTSPIVersion, DWORD dwPermanentProviderID, DWORD dwLineDeviceIDBase,
                                DWORD dwPhoneDeviceIDBase, DWORD_PTR dwNumLines, DWORD_PTR dwNumPhones,
                                ASYNC_COMPLETION lpfnCompletionProc, LPDWORD lpdwTSPIOptions) {
  return sync_entry("providerInit",
                    {ARG(dwTSPIVersion), ARG(dwPermanentProviderID), ARG(dwLineDeviceIDBase),
                     ARG(dwPhoneDeviceIDBase), ARG(dwNumLines), ARG(dwNumPhones)},
                    [&](Pbx& pbx) {
                      if (pbx.initialized) return;  // ignored, successfully
                      std::this_thread::sleep_for(std::chrono::milliseconds(pbx.config.init_ms));
                      if (pbx.has(Habit::init_once) && was_shut_down()) refuse(LINEERR_OPERATIONFAILED);
                      if (dwTSPIVersion < pbx.config.version_low || dwTSPIVersion > pbx.config.version_high) {
                        refuse(LINEERR_INCOMPATIBLEAPIVERSION);
                      }
                      need_pointer(reinterpret_cast<const void*>(lpfnCompletionProc));
                      DWORD_PTR index = 0;
                      for (auto& [number, line] : pbx.lines) {
                        if (line->device_id == kNoDevice && index < dwNumLines) {
                          line->device_id = dwLineDeviceIDBase + static_cast<DWORD>(index++);
                        }
                      }
                      index = 0;
                      for (auto& [number, phone] : pbx.phones) {
                        if (phone->device_id == kNoDevice && index < dwNumPhones) {
                          phone->device_id = dwPhoneDeviceIDBase + static_cast<DWORD>(index++);
                        }
                      }
                      pbx.permanent_provider_id = dwPermanentProviderID;
                      pbx.tspi_version = dwTSPIVersion;
                      pbx.courier.set_completion(lpfnCompletionProc);
                      if (lpdwTSPIOptions && !pbx.has(Habit::options_unset)) {
                        *lpdwTSPIOptions = pbx.has(Habit::nonreentrant) ? LINETSPIOPTION_NONREENTRANT : 0;
                      }
                      pbx.control = ControlServer::start(pbx);
                      pbx.initialized = true;
                    });
}

SIMPBX_EXPORT TSPI_providerShutdown(DWORD dwTSPIVersion, DWORD dwPermanentProviderID) {
  const LONG result = sync_entry("providerShutdown", {ARG(dwTSPIVersion), ARG(dwPermanentProviderID)}, [&](Pbx& pbx) {
    pbx.need_initialized();
    if (pbx.config.shutdown_ms > 0) {
      ending = true;
      std::atexit(&wait_at_exit);
      std::this_thread::sleep_for(std::chrono::milliseconds(pbx.config.shutdown_ms));
      ending = false;
    }
    for (auto& [number, line] : pbx.lines) {
      if (line->open) pbx.close_line(line);
    }
    for (auto& [number, phone] : pbx.phones) pbx.courier.end(phone.get(), error(PHONEERR_OPERATIONFAILED));
    pbx.courier.stop();
    // Its threads take the mutex for their commands: end them without it.
    auto control = std::move(pbx.control);
    pbx.mutex().unlock();
    control.reset();
    pbx.mutex().lock();
    pbx.initialized = false;
  });
  leave_pbx();  // even if it was never initialized: the next start reads its configuration anew
  return result;
}

SIMPBX_EXPORT TSPI_providerCreateLineDevice(DWORD_PTR dwTempID, DWORD dwDeviceID) {
  return sync_entry("providerCreateLineDevice", {ARG(dwTempID), ARG(dwDeviceID)}, [&](Pbx& pbx) {
    pbx.need_initialized();
    const LinePtr line = pbx.line_by_number(static_cast<unsigned>(dwTempID));
    if (!line || line->device_id != kNoDevice) refuse(LINEERR_BADDEVICEID);
    line->device_id = dwDeviceID;
  });
}

SIMPBX_EXPORT TSPI_providerCreatePhoneDevice(DWORD_PTR dwTempID, DWORD dwDeviceID) {
  return sync_entry("providerCreatePhoneDevice", {ARG(dwTempID), ARG(dwDeviceID)}, [&](Pbx& pbx) {
    pbx.need_initialized();
    const PhonePtr phone = pbx.phone_by_number(static_cast<unsigned>(dwTempID));
    if (!phone || phone->device_id != kNoDevice) refuse(PHONEERR_BADDEVICEID);
    phone->device_id = dwDeviceID;
  });
}

// Obsolete, but looked for by lineAddProvider and the control panel.
SIMPBX_EXPORT TSPI_providerInstall(HWND hwndOwner, DWORD dwPermanentProviderID) {
  return sync_entry("providerInstall", {ARG(hwndOwner), ARG(dwPermanentProviderID)}, [](Pbx&) {});
}
SIMPBX_EXPORT TSPI_providerRemove(HWND hwndOwner, DWORD dwPermanentProviderID) {
  return sync_entry("providerRemove", {ARG(hwndOwner), ARG(dwPermanentProviderID)}, [](Pbx&) {});
}
SIMPBX_EXPORT TSPI_providerConfig(HWND hwndOwner, DWORD dwPermanentProviderID) {
  return sync_entry("providerConfig", {ARG(hwndOwner), ARG(dwPermanentProviderID)}, [](Pbx&) {});
}

SIMPBX_EXPORT TSPI_providerUIIdentify(LPWSTR lpszUIDLLName) {
  return sync_entry("providerUIIdentify", {ARG(lpszUIDLLName)}, [&](Pbx&) {
    need_pointer(lpszUIDLLName);
    const Text name = wide("simpbx.tsp");
    std::memcpy(lpszUIDLLName, name.c_str(), (name.size() + 1) * sizeof(WCHAR));
  });
}

/// The block comes back with every byte XORed with 0x5A; the object must be one that the exchange knows.
SIMPBX_EXPORT TSPI_providerGenericDialogData(DWORD_PTR dwObjectID, DWORD dwObjectType, LPVOID lpParams,
                                             DWORD dwSize) {
  return sync_entry("providerGenericDialogData", {ARG(dwObjectID), ARG(dwObjectType), BLOCK_ARG(lpParams, dwSize)},
                    [&](Pbx& pbx) {
                      if (dwSize > 0) need_pointer(lpParams);
                      switch (dwObjectType) {
                        case TUISPIDLL_OBJECT_LINEID: pbx.line_of_device(static_cast<DWORD>(dwObjectID)); break;
                        case TUISPIDLL_OBJECT_PHONEID: pbx.phone_of_device(static_cast<DWORD>(dwObjectID)); break;
                        case TUISPIDLL_OBJECT_PROVIDERID:
                          if (dwObjectID != pbx.permanent_provider_id) refuse(LINEERR_INVALPARAM);
                          break;
                        case TUISPIDLL_OBJECT_DIALOGINSTANCE:
                          if (dwObjectID != pbx.dialogs) refuse(LINEERR_INVALPARAM);
                          break;
                        default: refuse(LINEERR_INVALPARAM);
                      }
                      auto* bytes = static_cast<BYTE*>(lpParams);
                      for (DWORD i = 0; i < dwSize; ++i) bytes[i] = static_cast<BYTE>(bytes[i] ^ 0x5A);
                    });
}

SIMPBX_EXPORT TSPI_providerFreeDialogInstance(HDRVDIALOGINSTANCE hdDlgInst) {
  return sync_entry("providerFreeDialogInstance", {ARG(hdDlgInst)}, [&](Pbx& pbx) {
    if (pbx.dialogs == 0 || number_of(hdDlgInst) != pbx.dialogs) refuse(LINEERR_INVALPARAM);
    pbx.dialogs = 0;
  });
}
