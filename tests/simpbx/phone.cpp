// What a phone shows and does: display, lamps, buttons, ring, hook switches, volume, gain, data.
#include <algorithm>
#include <cstring>

#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

constexpr DWORD kHookDevices = 3;
constexpr DWORD kMaxLevel = 0xFFFF;
constexpr DWORD kHookStates[kHookDevices] = {PHONESTATE_HANDSETHOOKSWITCH, PHONESTATE_SPEAKERHOOKSWITCH,
                                             PHONESTATE_HEADSETHOOKSWITCH};
constexpr DWORD kVolumeStates[kHookDevices] = {PHONESTATE_HANDSETVOLUME, PHONESTATE_SPEAKERVOLUME,
                                               PHONESTATE_HEADSETVOLUME};
constexpr DWORD kGainStates[kHookDevices] = {PHONESTATE_HANDSETGAIN, PHONESTATE_SPEAKERGAIN, PHONESTATE_HEADSETGAIN};

/// The index of exactly one PHONEHOOKSWITCHDEV_ bit.
std::size_t hook_index(DWORD device) {
  for (std::size_t i = 0; i < kHookDevices; ++i) {
    if (device == DWORD{1} << i) return i;
  }
  refuse(PHONEERR_INVALHOOKSWITCHDEV);
}

Button& button(const PhonePtr& phone, DWORD id) {
  if (id >= phone->buttons.size()) refuse(PHONEERR_INVALBUTTONLAMPID);
  return phone->buttons[id];
}

template <class Effect>
void submit(Pbx& pbx, DRV_REQUESTID request, const PhonePtr& phone, Effect effect) {
  pbx.courier.submit({request, {nullptr, nullptr, nullptr, phone}, [phone, effect]() -> LONG {
                        if (!phone->connected) refuse(PHONEERR_RESOURCEUNAVAIL);
                        effect();
                        return 0;
                      }});
}

Text display_of(const Phone& phone) {
  Text all;
  for (const Text& row : phone.display) all += row;
  return all;
}

}  // namespace

SIMPBX_EXPORT TSPI_phoneGetDisplay(HDRVPHONE hdPhone, LPVARSTRING lpDisplay) {
  return sync_entry("phoneGetDisplay", {ARG(hdPhone)}, [&](Pbx& pbx) {
    const Text all = display_of(*pbx.phone(hdPhone));
    store_var_string(lpDisplay, STRINGFORMAT_UNICODE, all.data(), all.size() * sizeof(WCHAR), pbx.config.habits,
                     PHONEERR_STRUCTURETOOSMALL);
  });
}

/// The text's size counts bytes; it runs over into the next row and is cut at the end of the display.
SIMPBX_EXPORT TSPI_phoneSetDisplay(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwRow, DWORD dwColumn,
                                   LPCWSTR lpsDisplay, DWORD dwSize) {
  return async_entry(
      "phoneSetDisplay", dwRequestID,
      {ARG(dwRequestID), ARG(hdPhone), ARG(dwRow), ARG(dwColumn), BLOCK_ARG(lpsDisplay, dwSize)}, [&](Pbx& pbx) {
        const PhonePtr phone = pbx.phone(hdPhone);
        if (dwRow >= kDisplayRows || dwColumn >= kDisplayColumns) refuse(PHONEERR_INVALPARAM);
        if (dwSize > 0) need_pointer(lpsDisplay, PHONEERR_INVALPOINTER);
        Text text(dwSize / sizeof(WCHAR), WCHAR(0));
        if (!text.empty()) std::memcpy(text.data(), lpsDisplay, text.size() * sizeof(WCHAR));
        submit(pbx, dwRequestID, phone, [&pbx, phone, dwRow, dwColumn, text] {
          std::size_t at = dwRow * kDisplayColumns + dwColumn;
          for (const WCHAR c : text) {
            if (at >= kDisplayRows * kDisplayColumns) break;
            phone->display[at / kDisplayColumns][at % kDisplayColumns] = c == WCHAR(0) ? WCHAR(' ') : c;
            ++at;
          }
          pbx.log("   phone " + std::to_string(phone->number) + " shows \"" + narrow(display_of(*phone)) + "\"");
          pbx.phone_state(phone, PHONESTATE_DISPLAY);
        });
      });
}

SIMPBX_EXPORT TSPI_phoneGetLamp(HDRVPHONE hdPhone, DWORD dwButtonLampID, LPDWORD lpdwLampMode) {
  return sync_entry("phoneGetLamp", {ARG(hdPhone), ARG(dwButtonLampID)}, [&](Pbx& pbx) {
    need_pointer(lpdwLampMode, PHONEERR_INVALPOINTER);
    *lpdwLampMode = button(pbx.phone(hdPhone), dwButtonLampID).lamp;
  });
}

SIMPBX_EXPORT TSPI_phoneSetLamp(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwButtonLampID,
                                DWORD dwLampMode) {
  return async_entry("phoneSetLamp", dwRequestID,
                     {ARG(dwRequestID), ARG(hdPhone), ARG(dwButtonLampID), ARG(dwLampMode)}, [&](Pbx& pbx) {
                       const PhonePtr phone = pbx.phone(hdPhone);
                       const Button& lamp = button(phone, dwButtonLampID);
                       if (lamp.lamp_modes == PHONELAMPMODE_DUMMY) refuse(PHONEERR_INVALBUTTONLAMPID);
                       if (!(lamp.lamp_modes & dwLampMode) || (dwLampMode & (dwLampMode - 1)))
                         refuse(PHONEERR_INVALLAMPMODE);
                       submit(pbx, dwRequestID, phone, [&pbx, phone, dwButtonLampID, dwLampMode] {
                         phone->buttons[dwButtonLampID].lamp = dwLampMode;
                         pbx.phone_state(phone, PHONESTATE_LAMP, dwButtonLampID);
                       });
                     });
}

SIMPBX_EXPORT TSPI_phoneGetButtonInfo(HDRVPHONE hdPhone, DWORD dwButtonLampID, LPPHONEBUTTONINFO lpButtonInfo) {
  return sync_entry("phoneGetButtonInfo", {ARG(hdPhone), ARG(dwButtonLampID)}, [&](Pbx& pbx) {
    const Button& info = button(pbx.phone(hdPhone), dwButtonLampID);
    using Info = PHONEBUTTONINFO;
    Structure<Info> out(lpButtonInfo, sizeof(Info), pbx.config.habits, PHONEERR_STRUCTURETOOSMALL);
    out.image.dwButtonMode = info.mode;
    out.image.dwButtonFunction = info.function;
    out.image.dwButtonState = info.state;
    out.text(&Info::dwButtonTextSize, &Info::dwButtonTextOffset, info.text);
    out.bytes(&Info::dwDevSpecificSize, &Info::dwDevSpecificOffset, info.dev_specific);
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_phoneSetButtonInfo(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwButtonLampID,
                                      LPPHONEBUTTONINFO const lpButtonInfo) {
  return async_entry("phoneSetButtonInfo", dwRequestID,
                     {ARG(dwRequestID), ARG(hdPhone), ARG(dwButtonLampID), STRUCTURE_ARG(lpButtonInfo)},
                     [&](Pbx& pbx) {
                       constexpr DWORD kFixed = 36;  // without dwButtonState, which came later and is no input
                       const PhonePtr phone = pbx.phone(hdPhone);
                       Button changed = button(phone, dwButtonLampID);
                       need_pointer(lpButtonInfo, PHONEERR_INVALPOINTER);
                       const DWORD total = lpButtonInfo->dwTotalSize;
                       if (total < kFixed) refuse(PHONEERR_STRUCTURETOOSMALL);
                       changed.mode = lpButtonInfo->dwButtonMode;
                       changed.function = lpButtonInfo->dwButtonFunction;
                       changed.text = text_of(field(lpButtonInfo, total, lpButtonInfo->dwButtonTextSize,
                                                    lpButtonInfo->dwButtonTextOffset, PHONEERR_INVALPARAM));
                       changed.dev_specific = field(lpButtonInfo, total, lpButtonInfo->dwDevSpecificSize,
                                                    lpButtonInfo->dwDevSpecificOffset, PHONEERR_INVALPARAM);
                       submit(pbx, dwRequestID, phone, [&pbx, phone, dwButtonLampID, changed] {
                         phone->buttons[dwButtonLampID] = changed;
                         pbx.phone_state(phone, PHONESTATE_CAPSCHANGE);
                       });
                     });
}

SIMPBX_EXPORT TSPI_phoneGetData(HDRVPHONE hdPhone, DWORD dwDataID, LPVOID lpData, DWORD dwSize) {
  return sync_entry("phoneGetData", {ARG(hdPhone), ARG(dwDataID), ARG(dwSize)}, [&](Pbx& pbx) {
    const PhonePtr phone = pbx.phone(hdPhone);
    if (dwDataID >= kPhoneData) refuse(PHONEERR_INVALDATAID);
    if (dwSize > 0) need_pointer(lpData, PHONEERR_INVALPOINTER);
    const Bytes& data = phone->data[dwDataID];
    const std::size_t count = std::min<std::size_t>(data.size(), dwSize);
    if (count > 0) std::memcpy(lpData, data.data(), count);
    if (dwSize > count) std::memset(static_cast<BYTE*>(lpData) + count, 0, dwSize - count);
  });
}

SIMPBX_EXPORT TSPI_phoneSetData(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwDataID, LPVOID const lpData,
                                DWORD dwSize) {
  return async_entry("phoneSetData", dwRequestID,
                     {ARG(dwRequestID), ARG(hdPhone), ARG(dwDataID), BLOCK_ARG(lpData, dwSize)}, [&](Pbx& pbx) {
                       const PhonePtr phone = pbx.phone(hdPhone);
                       if (dwDataID >= kPhoneData) refuse(PHONEERR_INVALDATAID);
                       if (dwSize > kPhoneDataSize) refuse(PHONEERR_INVALPARAM);
                       if (dwSize > 0) need_pointer(lpData, PHONEERR_INVALPOINTER);
                       submit(pbx, dwRequestID, phone, [phone, dwDataID, bytes = copy_bytes(lpData, dwSize)] {
                         phone->data[dwDataID] = bytes;
                       });
                     });
}

SIMPBX_EXPORT TSPI_phoneGetRing(HDRVPHONE hdPhone, LPDWORD lpdwRingMode, LPDWORD lpdwVolume) {
  return sync_entry("phoneGetRing", {ARG(hdPhone)}, [&](Pbx& pbx) {
    need_pointer(lpdwRingMode, PHONEERR_INVALPOINTER);
    need_pointer(lpdwVolume, PHONEERR_INVALPOINTER);
    const PhonePtr phone = pbx.phone(hdPhone);
    *lpdwRingMode = phone->ring_mode;
    *lpdwVolume = phone->ring_volume;
  });
}

SIMPBX_EXPORT TSPI_phoneSetRing(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwRingMode, DWORD dwVolume) {
  return async_entry("phoneSetRing", dwRequestID, {ARG(dwRequestID), ARG(hdPhone), ARG(dwRingMode), ARG(dwVolume)},
                     [&](Pbx& pbx) {
                       const PhonePtr phone = pbx.phone(hdPhone);
                       if (dwRingMode > kRingModes)
                         refuse(PHONEERR_INVALRINGMODE);  // 0 is silence, then 1 .. dwNumRingModes
                       const DWORD volume = std::min(dwVolume, kMaxLevel);
                       submit(pbx, dwRequestID, phone, [&pbx, phone, dwRingMode, volume] {
                         phone->ring_mode = dwRingMode;
                         phone->ring_volume = volume;
                         pbx.phone_state(phone, PHONESTATE_RINGMODE, dwRingMode);
                         pbx.phone_state(phone, PHONESTATE_RINGVOLUME);
                       });
                     });
}

SIMPBX_EXPORT TSPI_phoneGetHookSwitch(HDRVPHONE hdPhone, LPDWORD lpdwHookSwitchDevs) {
  return sync_entry("phoneGetHookSwitch", {ARG(hdPhone)}, [&](Pbx& pbx) {
    need_pointer(lpdwHookSwitchDevs, PHONEERR_INVALPOINTER);
    const PhonePtr phone = pbx.phone(hdPhone);
    DWORD off_hook = 0;
    for (std::size_t i = 0; i < kHookDevices; ++i) {
      if (phone->hooks[i].mode != PHONEHOOKSWITCHMODE_ONHOOK) off_hook |= DWORD{1} << i;
    }
    *lpdwHookSwitchDevs = off_hook;
  });
}

SIMPBX_EXPORT TSPI_phoneSetHookSwitch(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwHookSwitchDevs,
                                      DWORD dwHookSwitchMode) {
  return async_entry("phoneSetHookSwitch", dwRequestID,
                     {ARG(dwRequestID), ARG(hdPhone), ARG(dwHookSwitchDevs), ARG(dwHookSwitchMode)}, [&](Pbx& pbx) {
                       const PhonePtr phone = pbx.phone(hdPhone);
                       if (dwHookSwitchDevs == 0 || dwHookSwitchDevs > 7) refuse(PHONEERR_INVALHOOKSWITCHDEV);
                       if (dwHookSwitchMode == 0 || dwHookSwitchMode > PHONEHOOKSWITCHMODE_MICSPEAKER ||
                           (dwHookSwitchMode & (dwHookSwitchMode - 1))) {
                         refuse(PHONEERR_INVALHOOKSWITCHMODE);
                       }
                       submit(pbx, dwRequestID, phone, [&pbx, phone, dwHookSwitchDevs, dwHookSwitchMode] {
                         for (std::size_t i = 0; i < kHookDevices; ++i) {
                           if (!(dwHookSwitchDevs & (DWORD{1} << i))) continue;
                           phone->hooks[i].mode = dwHookSwitchMode;
                           pbx.phone_state(phone, kHookStates[i], dwHookSwitchMode);
                         }
                       });
                     });
}

SIMPBX_EXPORT TSPI_phoneGetVolume(HDRVPHONE hdPhone, DWORD dwHookSwitchDev, LPDWORD lpdwVolume) {
  return sync_entry("phoneGetVolume", {ARG(hdPhone), ARG(dwHookSwitchDev)}, [&](Pbx& pbx) {
    need_pointer(lpdwVolume, PHONEERR_INVALPOINTER);
    *lpdwVolume = pbx.phone(hdPhone)->hooks[hook_index(dwHookSwitchDev)].volume;
  });
}

SIMPBX_EXPORT TSPI_phoneSetVolume(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwHookSwitchDev,
                                  DWORD dwVolume) {
  return async_entry("phoneSetVolume", dwRequestID,
                     {ARG(dwRequestID), ARG(hdPhone), ARG(dwHookSwitchDev), ARG(dwVolume)}, [&](Pbx& pbx) {
                       const PhonePtr phone = pbx.phone(hdPhone);
                       const std::size_t index = hook_index(dwHookSwitchDev);
                       submit(pbx, dwRequestID, phone, [&pbx, phone, index, volume = std::min(dwVolume, kMaxLevel)] {
                         phone->hooks[index].volume = volume;
                         pbx.phone_state(phone, kVolumeStates[index]);
                       });
                     });
}

SIMPBX_EXPORT TSPI_phoneGetGain(HDRVPHONE hdPhone, DWORD dwHookSwitchDev, LPDWORD lpdwGain) {
  return sync_entry("phoneGetGain", {ARG(hdPhone), ARG(dwHookSwitchDev)}, [&](Pbx& pbx) {
    need_pointer(lpdwGain, PHONEERR_INVALPOINTER);
    *lpdwGain = pbx.phone(hdPhone)->hooks[hook_index(dwHookSwitchDev)].gain;
  });
}

SIMPBX_EXPORT TSPI_phoneSetGain(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, DWORD dwHookSwitchDev, DWORD dwGain) {
  return async_entry("phoneSetGain", dwRequestID, {ARG(dwRequestID), ARG(hdPhone), ARG(dwHookSwitchDev), ARG(dwGain)},
                     [&](Pbx& pbx) {
                       const PhonePtr phone = pbx.phone(hdPhone);
                       const std::size_t index = hook_index(dwHookSwitchDev);
                       submit(pbx, dwRequestID, phone, [&pbx, phone, index, gain = std::min(dwGain, kMaxLevel)] {
                         phone->hooks[index].gain = gain;
                         pbx.phone_state(phone, kGainStates[index]);
                       });
                     });
}
