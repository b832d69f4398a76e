// What a line and its addresses can do: lineGetDevCaps, lineGetAddressCaps, and the MSP's class id.
#include <cstring>

#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/msp_protocol.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

constexpr DWORD kVersion22 = 0x00020002, kVersion30 = 0x00030000;
// {831CE2D6-83B5-11D1-BB5C-00C04FB6809E}, TAPIPROTOCOL_PSTN of the public tapi3 headers.
constexpr GUID kProtocolPstn = {0x831CE2D6, 0x83B5, 0x11D1, {0xBB, 0x5C, 0x00, 0xC0, 0x4F, 0xB6, 0x80, 0x9E}};

DWORD dial_flags(const std::string& modifiers) {
  const auto has = [&](char c) { return modifiers.find(c) != std::string::npos; };
  return (has('$') ? LINEDEVCAPFLAGS_DIALBILLING : 0u) | (has('@') ? LINEDEVCAPFLAGS_DIALQUIET : 0u) |
         (has('W') ? LINEDEVCAPFLAGS_DIALDIALTONE : 0u);
}

void terminals(Structure<LINEDEVCAPS>& out) {
  const LINETERMCAPS caps[kTerminals] = {
      {LINETERMDEV_PHONE, LINETERMMODE_MEDIABIDIRECT | LINETERMMODE_RINGER | LINETERMMODE_HOOKSWITCH,
       LINETERMSHARING_PRIVATE},
      {LINETERMDEV_HEADSET, LINETERMMODE_MEDIABIDIRECT | LINETERMMODE_RINGER, LINETERMSHARING_PRIVATE}};
  constexpr std::size_t kEntry = 10;  // characters of one terminal's text
  Text names = wide("telephone");
  names.resize(kEntry, WCHAR(0));
  names += wide("headset");
  names.resize(2 * kEntry, WCHAR(0));
  out.image.dwNumTerminals = kTerminals;
  out.bytes(&LINEDEVCAPS::dwTerminalCapsSize, &LINEDEVCAPS::dwTerminalCapsOffset, caps, sizeof caps);
  out.image.dwTerminalTextEntrySize = kEntry * sizeof(WCHAR);
  out.bytes(&LINEDEVCAPS::dwTerminalTextSize, &LINEDEVCAPS::dwTerminalTextOffset, names.data(),
            names.size() * sizeof(WCHAR));
}

void fill(LINEDEVCAPS& c, const Line& line, const Config& config, DWORD version) {
  c.dwPermanentLineID = line.permanent_id;
  c.dwStringFormat = STRINGFORMAT_UNICODE;
  c.dwAddressModes = LINEADDRESSMODE_ADDRESSID | LINEADDRESSMODE_DIALABLEADDR;
  c.dwNumAddresses = static_cast<DWORD>(line.addresses.size());
  c.dwBearerModes = LINEBEARERMODE_VOICE | LINEBEARERMODE_SPEECH | LINEBEARERMODE_DATA;
  c.dwMaxRate = 64000;
  c.dwMediaModes = kMediaModes;
  c.dwGenerateToneModes =
      LINETONEMODE_CUSTOM | LINETONEMODE_RINGBACK | LINETONEMODE_BUSY | LINETONEMODE_BEEP | LINETONEMODE_BILLING;
  c.dwGenerateToneMaxNumFreq = 4;
  c.dwGenerateDigitModes = LINEDIGITMODE_PULSE | LINEDIGITMODE_DTMF;
  c.dwMonitorToneMaxNumFreq = 3;
  c.dwMonitorToneMaxNumEntries = 16;
  c.dwMonitorDigitModes = kDigitModes;
  c.dwGatherDigitsMinTimeout = 10;
  c.dwGatherDigitsMaxTimeout = 60000;
  c.dwMedCtlDigitMaxListSize = c.dwMedCtlMediaMaxListSize = c.dwMedCtlToneMaxListSize =
      c.dwMedCtlCallStateMaxListSize = 16;
  c.dwDevCapFlags = LINEDEVCAPFLAGS_CROSSADDRCONF | LINEDEVCAPFLAGS_HIGHLEVCOMP | LINEDEVCAPFLAGS_LOWLEVCOMP |
                    LINEDEVCAPFLAGS_MEDIACONTROL | dial_flags(config.dial_modifiers) |
                    (line.addresses.size() > 1 ? LINEDEVCAPFLAGS_MULTIPLEADDR : 0u) |
                    (config.closedrop ? LINEDEVCAPFLAGS_CLOSEDROP : 0u);
  if (version >= kVersion30) {
    c.dwDevCapFlags |=
        LINEDEVCAPFLAGS_CALLHUB | LINEDEVCAPFLAGS_CALLHUBTRACKING | (config.msp ? LINEDEVCAPFLAGS_MSP : 0u);
    c.dwAddressTypes = LINEADDRESSTYPE_PHONENUMBER;
    c.ProtocolGuid = kProtocolPstn;
    c.dwAvailableTracking = LINECALLHUBTRACKING_PROVIDERLEVEL | LINECALLHUBTRACKING_ALLCALLS;
  }
  c.dwMaxNumActiveCalls = 4;
  c.dwAnswerMode = LINEANSWERMODE_HOLD;
  c.dwRingModes = kRingModes;
  c.dwLineStates =
      LINEDEVSTATE_RINGING | LINEDEVSTATE_CONNECTED | LINEDEVSTATE_DISCONNECTED | LINEDEVSTATE_MSGWAITON |
      LINEDEVSTATE_MSGWAITOFF | LINEDEVSTATE_INSERVICE | LINEDEVSTATE_OUTOFSERVICE | LINEDEVSTATE_MAINTENANCE |
      LINEDEVSTATE_NUMCALLS | LINEDEVSTATE_NUMCOMPLETIONS | LINEDEVSTATE_TERMINALS | LINEDEVSTATE_LOCK |
      LINEDEVSTATE_DEVSPECIFIC | LINEDEVSTATE_CAPSCHANGE | LINEDEVSTATE_CONFIGCHANGE | LINEDEVSTATE_COMPLCANCEL;
  c.dwUUIAcceptSize = c.dwUUIAnswerSize = c.dwUUIMakeCallSize = c.dwUUIDropSize = c.dwUUISendUserUserInfoSize =
      c.dwUUICallInfoSize = kMaxUserUser;
  c.MinDialParams = {10, 10, 10, 0};
  c.MaxDialParams = {2000, 500, 1000, 10000};
  c.DefaultDialParams = {250, 80, 100, 1000};
  c.dwLineFeatures = LINEFEATURE_DEVSPECIFIC | LINEFEATURE_DEVSPECIFICFEAT | LINEFEATURE_FORWARD |
                     LINEFEATURE_MAKECALL | LINEFEATURE_SETMEDIACONTROL | LINEFEATURE_SETTERMINAL |
                     LINEFEATURE_SETDEVSTATUS | LINEFEATURE_FORWARDFWD | LINEFEATURE_FORWARDDND;
  c.dwSettableDevStatus = LINEDEVSTATUSFLAGS_CONNECTED | LINEDEVSTATUSFLAGS_MSGWAIT | LINEDEVSTATUSFLAGS_INSERVICE |
                          LINEDEVSTATUSFLAGS_LOCKED;
  if (version >= kVersion22) {
    c.PermanentLineGuid = kMspClassId;  // any constant will do; made the line's own by its last bytes
    std::memcpy(&c.PermanentLineGuid.Data1, &line.permanent_id, sizeof line.permanent_id);
  }
}

void fill(LINEADDRESSCAPS& c, const Config& config) {
  c.dwAddressSharing = LINEADDRESSSHARING_PRIVATE;
  c.dwAddressStates = LINEADDRESSSTATE_OTHER | LINEADDRESSSTATE_DEVSPECIFIC | LINEADDRESSSTATE_INUSEZERO |
                      LINEADDRESSSTATE_INUSEONE | LINEADDRESSSTATE_INUSEMANY | LINEADDRESSSTATE_NUMCALLS |
                      LINEADDRESSSTATE_FORWARD | LINEADDRESSSTATE_TERMINALS | LINEADDRESSSTATE_CAPSCHANGE;
  c.dwCallInfoStates = 0x7FFFFFFF & ~(LINECALLINFOSTATE_NUMOWNERINCR | LINECALLINFOSTATE_NUMOWNERDECR |
                                      LINECALLINFOSTATE_NUMMONITORS | LINECALLINFOSTATE_MONITORMODES);
  constexpr DWORD kParty = LINECALLPARTYID_BLOCKED | LINECALLPARTYID_OUTOFAREA | LINECALLPARTYID_NAME |
                           LINECALLPARTYID_ADDRESS | LINECALLPARTYID_UNKNOWN;
  c.dwCallerIDFlags = c.dwCalledIDFlags = c.dwConnectedIDFlags = c.dwRedirectionIDFlags = c.dwRedirectingIDFlags =
      kParty;
  c.dwCallStates = 0x0000FFFF & ~DWORD{LINECALLSTATE_UNKNOWN};
  c.dwDialToneModes = LINEDIALTONEMODE_NORMAL | LINEDIALTONEMODE_INTERNAL;
  c.dwBusyModes = LINEBUSYMODE_STATION | LINEBUSYMODE_TRUNK;
  c.dwSpecialInfo = LINESPECIALINFO_REORDER | LINESPECIALINFO_NOCIRCUIT;
  c.dwDisconnectModes = 0x000FFFFF;
  c.dwMaxNumActiveCalls = 4;
  c.dwMaxNumOnHoldCalls = 8;
  c.dwMaxNumOnHoldPendingCalls = 4;
  c.dwMaxNumConference = 8;
  c.dwMaxNumTransConf = 3;
  c.dwAddrCapFlags = LINEADDRCAPFLAGS_FWDNUMRINGS | LINEADDRCAPFLAGS_PICKUPGROUPID | LINEADDRCAPFLAGS_SECURE |
                     LINEADDRCAPFLAGS_DIALED | LINEADDRCAPFLAGS_SETUPCONFNULL | LINEADDRCAPFLAGS_COMPLETIONID |
                     LINEADDRCAPFLAGS_PARTIALDIAL | LINEADDRCAPFLAGS_FWDSTATUSVALID | LINEADDRCAPFLAGS_ACCEPTTOALERT |
                     (config.forward_consult ? LINEADDRCAPFLAGS_FWDCONSULT : 0u);
  c.dwCallFeatures = 0xFFFFFFFF;
  c.dwRemoveFromConfCaps = LINEREMOVEFROMCONF_ANY;
  c.dwRemoveFromConfState = LINECALLSTATE_CONNECTED;
  c.dwTransferModes = LINETRANSFERMODE_TRANSFER | LINETRANSFERMODE_CONFERENCE;
  c.dwParkModes = LINEPARKMODE_DIRECTED | LINEPARKMODE_NONDIRECTED;
  c.dwForwardModes =
      LINEFORWARDMODE_UNCOND | LINEFORWARDMODE_BUSY | LINEFORWARDMODE_NOANSW | LINEFORWARDMODE_UNCONDSPECIFIC;
  c.dwMaxForwardEntries = 8;
  c.dwMaxSpecificEntries = 4;
  c.dwMinFwdNumRings = 1;
  c.dwMaxFwdNumRings = 20;
  c.dwMaxCallCompletions = 8;
  c.dwCallCompletionConds = LINECALLCOMPLCOND_BUSY | LINECALLCOMPLCOND_NOANSWER;
  c.dwCallCompletionModes = LINECALLCOMPLMODE_CAMPON | LINECALLCOMPLMODE_CALLBACK | LINECALLCOMPLMODE_MESSAGE;
  c.dwAddressFeatures = LINEADDRFEATURE_FORWARD | LINEADDRFEATURE_MAKECALL | LINEADDRFEATURE_PICKUP |
                        LINEADDRFEATURE_SETMEDIACONTROL | LINEADDRFEATURE_SETTERMINAL | LINEADDRFEATURE_SETUPCONF |
                        LINEADDRFEATURE_UNCOMPLETECALL | LINEADDRFEATURE_UNPARK;
  c.dwMaxCallDataSize = kMaxCallData;
  c.dwCallFeatures2 = LINECALLFEATURE2_COMPLCAMPON | LINECALLFEATURE2_COMPLCALLBACK | LINECALLFEATURE2_COMPLMESSAGE |
                      LINECALLFEATURE2_TRANSFERNORM | LINECALLFEATURE2_TRANSFERCONF | LINECALLFEATURE2_PARKDIRECT |
                      LINECALLFEATURE2_PARKNONDIRECT;
  c.dwMaxNoAnswerTimeout = 60;
  c.dwConnectedModes = LINECONNECTEDMODE_ACTIVE | LINECONNECTEDMODE_INACTIVE;
  c.dwOfferingModes = LINEOFFERINGMODE_ACTIVE | LINEOFFERINGMODE_INACTIVE;
  c.dwAvailableMediaModes = kMediaModes;
}

/// An array of entries whose names lie elsewhere in the structure.
void treatments(Structure<LINEADDRESSCAPS>& out) {
  const std::pair<DWORD, const char*> list[] = {{LINECALLTREATMENT_SILENCE, "silence"},
                                                {LINECALLTREATMENT_RINGBACK, "ringback"},
                                                {LINECALLTREATMENT_BUSY, "busy"},
                                                {LINECALLTREATMENT_MUSIC, "music"}};
  std::vector<LINECALLTREATMENTENTRY> entries;
  for (const auto& [id, name] : list) {
    const auto [size, offset] = out.nested(wide(name));
    entries.push_back({id, size, offset});
  }
  out.image.dwNumCallTreatments = static_cast<DWORD>(entries.size());
  out.bytes(&LINEADDRESSCAPS::dwCallTreatmentListSize, &LINEADDRESSCAPS::dwCallTreatmentListOffset, entries.data(),
            entries.size() * sizeof(LINECALLTREATMENTENTRY));
}

Text device_classes() {
  return wide(names_list({"tapi/line", "tapi/phone", "tapi/terminal", "wave/in", "wave/out", "simpbx/trunk"}));
}

}  // namespace

SIMPBX_EXPORT TSPI_lineGetDevCaps(DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwExtVersion,
                                  LPLINEDEVCAPS lpLineDevCaps) {
  return sync_entry("lineGetDevCaps", {ARG(dwDeviceID), ARG(dwTSPIVersion), ARG(dwExtVersion)}, [&](Pbx& pbx) {
    const LinePtr line = pbx.line_of_device(dwDeviceID);
    if (dwTSPIVersion < pbx.config.version_low || dwTSPIVersion > pbx.config.version_high)
      refuse(LINEERR_INCOMPATIBLEAPIVERSION);
    Structure<LINEDEVCAPS> out(lpLineDevCaps, fixed_line_dev_caps(dwTSPIVersion), pbx.config.habits);
    fill(out.image, *line, pbx.config, dwTSPIVersion);
    out.text(&LINEDEVCAPS::dwProviderInfoSize, &LINEDEVCAPS::dwProviderInfoOffset, wide(pbx.config.provider));
    out.text(&LINEDEVCAPS::dwSwitchInfoSize, &LINEDEVCAPS::dwSwitchInfoOffset, wide("simulated exchange"));
    out.text(&LINEDEVCAPS::dwLineNameSize, &LINEDEVCAPS::dwLineNameOffset, line->name);
    terminals(out);
    // An extension version adds its number: what a device-specific area holds is the vendor's own.
    Bytes specific = line->dev_specific;
    if (dwExtVersion) specific.push_back(static_cast<BYTE>(dwExtVersion & 0xFF));
    out.bytes(&LINEDEVCAPS::dwDevSpecificSize, &LINEDEVCAPS::dwDevSpecificOffset, specific);
    const Text classes = device_classes();
    out.bytes(&LINEDEVCAPS::dwDeviceClassesSize, &LINEDEVCAPS::dwDeviceClassesOffset, classes.data(),
              classes.size() * sizeof(WCHAR));
    out.finish();
  });
}

SIMPBX_EXPORT TSPI_lineGetAddressCaps(DWORD dwDeviceID, DWORD dwAddressID, DWORD dwTSPIVersion, DWORD dwExtVersion,
                                      LPLINEADDRESSCAPS lpAddressCaps) {
  return sync_entry(
      "lineGetAddressCaps", {ARG(dwDeviceID), ARG(dwAddressID), ARG(dwTSPIVersion), ARG(dwExtVersion)},
      [&](Pbx& pbx) {
        const LinePtr line = pbx.line_of_device(dwDeviceID);
        const Address& address = pbx.address(*line, dwAddressID);
        if (dwTSPIVersion < pbx.config.version_low || dwTSPIVersion > pbx.config.version_high)
          refuse(LINEERR_INCOMPATIBLEAPIVERSION);
        Structure<LINEADDRESSCAPS> out(lpAddressCaps, fixed_address_caps(dwTSPIVersion), pbx.config.habits);
        fill(out.image, pbx.config);
        out.image.dwLineDeviceID = dwDeviceID;
        out.text(&LINEADDRESSCAPS::dwAddressSize, &LINEADDRESSCAPS::dwAddressOffset, address.number);
        Bytes specific{'a', 'd', 'd', 'r'};
        if (dwExtVersion) specific.push_back(static_cast<BYTE>(dwExtVersion & 0xFF));
        out.bytes(&LINEADDRESSCAPS::dwDevSpecificSize, &LINEADDRESSCAPS::dwDevSpecificOffset, specific);
        Text messages;  // two messages of 12 characters each for lineCompleteCall
        for (const char* message : {"call me back", "please wait "}) messages += wide(message);
        out.image.dwNumCompletionMessages = 2;
        out.image.dwCompletionMsgTextEntrySize = 12 * sizeof(WCHAR);
        out.bytes(&LINEADDRESSCAPS::dwCompletionMsgTextSize, &LINEADDRESSCAPS::dwCompletionMsgTextOffset,
                  messages.data(), messages.size() * sizeof(WCHAR));
        treatments(out);
        const Text classes = device_classes();
        out.bytes(&LINEADDRESSCAPS::dwDeviceClassesSize, &LINEADDRESSCAPS::dwDeviceClassesOffset, classes.data(),
                  classes.size() * sizeof(WCHAR));
        out.finish();
      });
}

SIMPBX_EXPORT TSPI_lineMSPIdentify(DWORD dwDeviceID, GUID* pCLSID) {
  return sync_entry("lineMSPIdentify", {ARG(dwDeviceID)}, [&](Pbx& pbx) {
    need_pointer(pCLSID);
    pbx.line_of_device(dwDeviceID);
    if (!pbx.config.msp) refuse(LINEERR_OPERATIONUNAVAIL);
    *pCLSID = kMspClassId;
  });
}
