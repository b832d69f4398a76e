// Phones as devices: versions, opening and closing, capabilities, status, ids, what is specific to the device.
#include <algorithm>

#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

constexpr DWORD kExtLow = 0x00010000, kExtHigh = 0x00010002;
constexpr DWORD kVersion22 = 0x00020002;
constexpr DWORD kAllHooks = PHONEHOOKSWITCHDEV_HANDSET | PHONEHOOKSWITCHDEV_SPEAKER | PHONEHOOKSWITCHDEV_HEADSET;
constexpr DWORD kHookModes = PHONEHOOKSWITCHMODE_ONHOOK | PHONEHOOKSWITCHMODE_MIC | PHONEHOOKSWITCHMODE_SPEAKER |
                             PHONEHOOKSWITCHMODE_MICSPEAKER;
// {5B0C7A12-...}: every phone's guid ends in the bytes of the provider and begins with its permanent id.
constexpr GUID kPhoneGuid = {0, 0x52B1, 0x4B7F, {0x9C, 0x44, 0x51, 0xAB, 0x0E, 0x57, 0xD0, 0xC8}};

void need_phone_version(const Pbx& pbx, DWORD version) {
  if (version < pbx.config.version_low || version > pbx.config.version_high) refuse(PHONEERR_INCOMPATIBLEAPIVERSION);
}

template <class Value>
void list(Structure<PHONECAPS>& out, DWORD PHONECAPS::*size, DWORD PHONECAPS::*offset, const Phone& phone,
          Value value) {
  std::vector<DWORD> values;
  for (const Button& button : phone.buttons) values.push_back(value(button));
  out.bytes(size, offset, values.data(), values.size() * sizeof(DWORD));
}

DWORD all_features() {
  return PHONEFEATURE_GETBUTTONINFO | PHONEFEATURE_GETDATA | PHONEFEATURE_GETDISPLAY | PHONEFEATURE_GETGAINHANDSET |
         PHONEFEATURE_GETGAINSPEAKER | PHONEFEATURE_GETGAINHEADSET | PHONEFEATURE_GETHOOKSWITCHHANDSET |
         PHONEFEATURE_GETHOOKSWITCHSPEAKER | PHONEFEATURE_GETHOOKSWITCHHEADSET | PHONEFEATURE_GETLAMP |
         PHONEFEATURE_GETRING | PHONEFEATURE_GETVOLUMEHANDSET | PHONEFEATURE_GETVOLUMESPEAKER |
         PHONEFEATURE_GETVOLUMEHEADSET | PHONEFEATURE_SETBUTTONINFO | PHONEFEATURE_SETDATA | PHONEFEATURE_SETDISPLAY |
         PHONEFEATURE_SETGAINHANDSET | PHONEFEATURE_SETGAINSPEAKER | PHONEFEATURE_SETGAINHEADSET |
         PHONEFEATURE_SETHOOKSWITCHHANDSET | PHONEFEATURE_SETHOOKSWITCHSPEAKER | PHONEFEATURE_SETHOOKSWITCHHEADSET |
         PHONEFEATURE_SETLAMP | PHONEFEATURE_SETRING | PHONEFEATURE_SETVOLUMEHANDSET | PHONEFEATURE_SETVOLUMESPEAKER |
         PHONEFEATURE_SETVOLUMEHEADSET;
}

}  // namespace

SIMPBX_EXPORT TSPI_phoneNegotiateTSPIVersion(DWORD dwDeviceID, DWORD dwLowVersion, DWORD dwHighVersion,
                                             LPDWORD lpdwTSPIVersion) {
  return sync_entry("phoneNegotiateTSPIVersion", {ARG(dwDeviceID), ARG(dwLowVersion), ARG(dwHighVersion)},
                    [&](Pbx& pbx) {
                      need_pointer(lpdwTSPIVersion, PHONEERR_INVALPOINTER);
                      if (dwDeviceID != static_cast<DWORD>(INITIALIZE_NEGOTIATION)) pbx.phone_of_device(dwDeviceID);
                      const DWORD high = std::min(dwHighVersion, pbx.config.version_high);
                      if (high < std::max(dwLowVersion, pbx.config.version_low))
                        refuse(PHONEERR_INCOMPATIBLEAPIVERSION);
                      *lpdwTSPIVersion = high;
                    });
}

SIMPBX_EXPORT TSPI_phoneGetExtensionID(DWORD dwDeviceID, DWORD dwTSPIVersion, LPPHONEEXTENSIONID lpExtensionID) {
  return sync_entry("phoneGetExtensionID", {ARG(dwDeviceID), ARG(dwTSPIVersion)}, [&](Pbx& pbx) {
    need_pointer(lpExtensionID, PHONEERR_INVALPOINTER);
    const PhonePtr phone = pbx.phone_of_device(dwDeviceID);
    need_phone_version(pbx, dwTSPIVersion);
    *lpExtensionID = {0x5B0C0002, 0x73696D70, 0x62780000, phone->permanent_id};
  });
}

SIMPBX_EXPORT TSPI_phoneNegotiateExtVersion(DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwLowVersion,
                                            DWORD dwHighVersion, LPDWORD lpdwExtVersion) {
  return sync_entry("phoneNegotiateExtVersion",
                    {ARG(dwDeviceID), ARG(dwTSPIVersion), ARG(dwLowVersion), ARG(dwHighVersion)}, [&](Pbx& pbx) {
                      need_pointer(lpdwExtVersion, PHONEERR_INVALPOINTER);
                      const PhonePtr phone = pbx.phone_of_device(dwDeviceID);
                      need_phone_version(pbx, dwTSPIVersion);
                      const DWORD low = phone->selected_ext ? phone->selected_ext : kExtLow;
                      const DWORD high =
                          std::min(dwHighVersion, phone->selected_ext ? phone->selected_ext : kExtHigh);
                      if (high < std::max(low, dwLowVersion)) refuse(PHONEERR_INCOMPATIBLEEXTVERSION);
                      *lpdwExtVersion = high;
                    });
}

SIMPBX_EXPORT TSPI_phoneSelectExtVersion(HDRVPHONE hdPhone, DWORD dwExtVersion) {
  return sync_entry("phoneSelectExtVersion", {ARG(hdPhone), ARG(dwExtVersion)}, [&](Pbx& pbx) {
    const PhonePtr phone = pbx.phone(hdPhone);
    if (dwExtVersion != 0 && (dwExtVersion < kExtLow || dwExtVersion > kExtHigh))
      refuse(PHONEERR_INCOMPATIBLEEXTVERSION);
    phone->selected_ext = dwExtVersion;
  });
}

SIMPBX_EXPORT TSPI_phoneOpen(DWORD dwDeviceID, HTAPIPHONE htPhone, LPHDRVPHONE lphdPhone, DWORD dwTSPIVersion,
                             PHONEEVENT lpfnEventProc) {
  return sync_entry("phoneOpen", {ARG(dwDeviceID), ARG(htPhone), ARG(dwTSPIVersion)}, [&](Pbx& pbx) {
    if (!pbx.initialized) refuse(PHONEERR_UNINITIALIZED);
    need_pointer(lphdPhone, PHONEERR_INVALPOINTER);
    need_pointer(reinterpret_cast<const void*>(lpfnEventProc), PHONEERR_INVALPOINTER);
    const PhonePtr phone = pbx.phone_of_device(dwDeviceID);
    need_phone_version(pbx, dwTSPIVersion);
    if (phone->open) refuse(PHONEERR_ALLOCATED);
    phone->open = true;
    phone->htPhone = htPhone;
    phone->event = lpfnEventProc;
    phone->version = dwTSPIVersion;
    phone->selected_ext = 0;
    phone->states = phone->button_modes = phone->button_states = 0;  // nothing is on by default
    phone->handle = pbx.has(Habit::app_handles) ? number_of(htPhone) : pbx.new_handle();
    pbx.phone_handles[phone->handle] = phone;
    *lphdPhone = handle_of<HDRVPHONE>(phone->handle);
  });
}

SIMPBX_EXPORT TSPI_phoneClose(HDRVPHONE hdPhone) {
  return sync_entry("phoneClose", {ARG(hdPhone)}, [&](Pbx& pbx) {
    const PhonePtr phone = pbx.phone(hdPhone);
    pbx.courier.end(phone.get(), error(PHONEERR_OPERATIONFAILED));
    pbx.phone_handles.erase(phone->handle);
    phone->open = false;
    phone->handle = 0;
    phone->htPhone = nullptr;
    phone->event = nullptr;
  });
}

SIMPBX_EXPORT TSPI_phoneSetStatusMessages(HDRVPHONE hdPhone, DWORD dwPhoneStates, DWORD dwButtonModes,
                                          DWORD dwButtonStates) {
  return sync_entry("phoneSetStatusMessages",
                    {ARG(hdPhone), ARG(dwPhoneStates), ARG(dwButtonModes), ARG(dwButtonStates)}, [&](Pbx& pbx) {
                      const PhonePtr phone = pbx.phone(hdPhone);
                      phone->states = dwPhoneStates;
                      phone->button_modes = dwButtonModes;
                      phone->button_states = dwButtonStates;
                    });
}

SIMPBX_EXPORT TSPI_phoneGetDevCaps(DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwExtVersion,
                                   LPPHONECAPS lpPhoneCaps) {
  return sync_entry("phoneGetDevCaps", {ARG(dwDeviceID), ARG(dwTSPIVersion), ARG(dwExtVersion)}, [&](Pbx& pbx) {
    const PhonePtr phone = pbx.phone_of_device(dwDeviceID);
    need_phone_version(pbx, dwTSPIVersion);
    using Caps = PHONECAPS;
    Structure<Caps> out(lpPhoneCaps, fixed_phone_caps(dwTSPIVersion), pbx.config.habits, PHONEERR_STRUCTURETOOSMALL);
    auto& c = out.image;
    c.dwPermanentPhoneID = phone->permanent_id;
    c.dwStringFormat = STRINGFORMAT_UNICODE;
    c.dwPhoneStates =
        0x00FFFFFF & ~DWORD{PHONESTATE_OWNER | PHONESTATE_MONITORS | PHONESTATE_REINIT | PHONESTATE_REMOVED};
    c.dwHookSwitchDevs = c.dwVolumeFlags = c.dwGainFlags = kAllHooks;
    c.dwHandsetHookSwitchModes = c.dwSpeakerHookSwitchModes = c.dwHeadsetHookSwitchModes = kHookModes;
    c.dwDisplayNumRows = kDisplayRows;
    c.dwDisplayNumColumns = kDisplayColumns;
    c.dwNumRingModes = kRingModes;
    c.dwNumButtonLamps = static_cast<DWORD>(phone->buttons.size());
    out.text(&Caps::dwProviderInfoSize, &Caps::dwProviderInfoOffset, wide(pbx.config.provider));
    out.text(&Caps::dwPhoneInfoSize, &Caps::dwPhoneInfoOffset, wide("simulated telephone"));
    out.text(&Caps::dwPhoneNameSize, &Caps::dwPhoneNameOffset, phone->name);
    list(out, &Caps::dwButtonModesSize, &Caps::dwButtonModesOffset, *phone, [](const Button& b) { return b.mode; });
    list(out, &Caps::dwButtonFunctionsSize, &Caps::dwButtonFunctionsOffset, *phone,
         [](const Button& b) { return b.function; });
    list(out, &Caps::dwLampModesSize, &Caps::dwLampModesOffset, *phone, [](const Button& b) { return b.lamp_modes; });
    const DWORD sizes[kPhoneData] = {kPhoneDataSize, kPhoneDataSize};
    c.dwNumSetData = c.dwNumGetData = kPhoneData;
    out.bytes(&Caps::dwSetDataSize, &Caps::dwSetDataOffset, sizes, sizeof sizes);
    out.bytes(&Caps::dwGetDataSize, &Caps::dwGetDataOffset, sizes, sizeof sizes);
    Bytes specific = phone->dev_specific;
    if (dwExtVersion) specific.push_back(static_cast<BYTE>(dwExtVersion & 0xFF));
    out.bytes(&Caps::dwDevSpecificSize, &Caps::dwDevSpecificOffset, specific);
    const Text classes = wide(names_list({"tapi/phone", "tapi/line", "tapi/terminal", "wave/in", "simpbx/handset"}));
    out.bytes(&Caps::dwDeviceClassesSize, &Caps::dwDeviceClassesOffset, classes.data(),
              classes.size() * sizeof(WCHAR));
    c.dwPhoneFeatures = all_features();
    c.dwSettableHandsetHookSwitchModes = c.dwSettableSpeakerHookSwitchModes = c.dwSettableHeadsetHookSwitchModes =
        kHookModes;
    c.dwMonitoredHandsetHookSwitchModes = c.dwMonitoredSpeakerHookSwitchModes = c.dwMonitoredHeadsetHookSwitchModes =
        kHookModes;
    if (dwTSPIVersion >= kVersion22) {
      c.PermanentPhoneGuid = kPhoneGuid;
      c.PermanentPhoneGuid.Data1 = phone->permanent_id;
    }
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_phoneGetStatus(HDRVPHONE hdPhone, LPPHONESTATUS lpPhoneStatus) {
  return sync_entry("phoneGetStatus", {ARG(hdPhone)}, [&](Pbx& pbx) {
    const PhonePtr phone = pbx.phone(hdPhone);
    using Status = PHONESTATUS;
    Structure<Status> out(lpPhoneStatus, sizeof(Status), pbx.config.habits, PHONEERR_STRUCTURETOOSMALL);
    // Who owns and who monitors is TAPI's knowledge.
    for (const auto member :
         {&Status::dwNumOwners, &Status::dwNumMonitors, &Status::dwOwnerNameSize, &Status::dwOwnerNameOffset}) {
      out.keep(lpPhoneStatus, member);
    }
    auto& s = out.image;
    s.dwStatusFlags =
        (phone->connected ? PHONESTATUSFLAGS_CONNECTED : 0u) | (phone->suspended ? PHONESTATUSFLAGS_SUSPENDED : 0u);
    s.dwRingMode = phone->ring_mode;
    s.dwRingVolume = phone->ring_volume;
    const auto& [handset, speaker, headset] = phone->hooks;
    s.dwHandsetHookSwitchMode = handset.mode, s.dwHandsetVolume = handset.volume, s.dwHandsetGain = handset.gain;
    s.dwSpeakerHookSwitchMode = speaker.mode, s.dwSpeakerVolume = speaker.volume, s.dwSpeakerGain = speaker.gain;
    s.dwHeadsetHookSwitchMode = headset.mode, s.dwHeadsetVolume = headset.volume, s.dwHeadsetGain = headset.gain;
    Text display;
    for (const Text& row : phone->display) display += row;
    out.bytes(&Status::dwDisplaySize, &Status::dwDisplayOffset, display.data(), display.size() * sizeof(WCHAR));
    std::vector<DWORD> lamps;
    for (const Button& button : phone->buttons) lamps.push_back(button.lamp);
    out.bytes(&Status::dwLampModesSize, &Status::dwLampModesOffset, lamps.data(), lamps.size() * sizeof(DWORD));
    out.bytes(&Status::dwDevSpecificSize, &Status::dwDevSpecificOffset, phone->dev_specific);
    s.dwPhoneFeatures = phone->connected && !phone->suspended ? all_features() : 0;
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_phoneGetID(HDRVPHONE hdPhone, LPVARSTRING lpDeviceID, LPCWSTR lpszDeviceClass,
                              HANDLE hTargetProcess) {
  return sync_entry("phoneGetID", {ARG(hdPhone), ARG(lpszDeviceClass), ARG(hTargetProcess)}, [&](Pbx& pbx) {
    const PhonePtr phone = pbx.phone(hdPhone);
    need_pointer(lpszDeviceClass, PHONEERR_INVALDEVICECLASS);
    const std::string name = narrow(copy_text(lpszDeviceClass));
    const auto binary = [&](DWORD value) {
      store_var_string(lpDeviceID, STRINGFORMAT_BINARY, &value, sizeof value, pbx.config.habits,
                       PHONEERR_STRUCTURETOOSMALL);
    };
    if (name == "tapi/phone") return binary(phone->device_id);
    if (name == "wave/in") return binary(phone->number - 1);
    if (name == "tapi/line") {
      const LinePtr line = pbx.line_by_number(phone->number);
      if (!line) refuse(PHONEERR_NODEVICE);
      return binary(line->device_id);
    }
    if (name == "tapi/terminal") {  // by line of the system: which of its terminals this phone is
      std::vector<DWORD> terminals;
      for (const auto& [number, line] : pbx.lines) {
        if (line->removed || line->device_id == kNoDevice) continue;
        if (line->device_id >= terminals.size()) terminals.resize(line->device_id + std::size_t{1}, kNoDevice);
        if (number == phone->number) terminals[line->device_id] = 0;
      }
      return store_var_string(lpDeviceID, STRINGFORMAT_BINARY, terminals.data(), terminals.size() * sizeof(DWORD),
                              pbx.config.habits, PHONEERR_STRUCTURETOOSMALL);
    }
    if (name != "simpbx/handset") refuse(PHONEERR_INVALDEVICECLASS);
    const Text handset = wide("handset ") + number_text(phone->number);
    store_var_string(lpDeviceID, STRINGFORMAT_UNICODE, handset.c_str(), (handset.size() + 1) * sizeof(WCHAR),
                     pbx.config.habits, PHONEERR_STRUCTURETOOSMALL);
  });
}

SIMPBX_EXPORT TSPI_phoneGetIcon(DWORD dwDeviceID, LPCWSTR lpszDeviceClass, LPHICON lphIcon) {
  return sync_entry("phoneGetIcon", {ARG(dwDeviceID), ARG(lpszDeviceClass)}, [&](Pbx& pbx) {
    need_pointer(lphIcon, PHONEERR_INVALPOINTER);
    pbx.phone_of_device(dwDeviceID);
    *lphIcon = some_icon();
  });
}

/// Gives each byte back XORed with 0xA5.
SIMPBX_EXPORT TSPI_phoneDevSpecific(DRV_REQUESTID dwRequestID, HDRVPHONE hdPhone, LPVOID lpParams, DWORD dwSize) {
  return async_entry(
      "phoneDevSpecific", dwRequestID, {ARG(dwRequestID), ARG(hdPhone), BLOCK_ARG(lpParams, dwSize)}, [&](Pbx& pbx) {
        const PhonePtr phone = pbx.phone(hdPhone);
        if (dwSize > 0) need_pointer(lpParams, PHONEERR_INVALPOINTER);
        auto* const bytes = static_cast<BYTE*>(lpParams);
        pbx.courier.submit({dwRequestID, {nullptr, nullptr, nullptr, phone}, [bytes, dwSize]() -> LONG {
                              for (DWORD i = 0; i < dwSize; ++i) bytes[i] = static_cast<BYTE>(bytes[i] ^ 0xA5);
                              return 0;
                            }});
      });
}
