#include "proxy-tsp/overrides.hpp"

namespace tsplink::proxy {

namespace calls = wire::calls;
using wire::Function;

namespace {

// INITIALIZE_NEGOTIATION of the documentation: the device id that asks for the provider's own range.
constexpr DWORD kProviderItself = 0xFFFFFFFF;
constexpr DWORD kLowestVersion = 0x00020000;
constexpr DWORD kHighestVersion = TAPI_CURRENT_VERSION;

/// The highest version in TAPI's range that is not above `own`.
LONG agree(DWORD own, DWORD low, DWORD high, LPDWORD agreed, LONG incompatible) {
  const DWORD version = std::min(own, high);
  if (version < low || version < kLowestVersion) return incompatible;
  *agreed = version;
  return 0;
}

/// Every thread ends; the next call begins anew.
void end(Core& core) { core.life().end ? core.life().end() : core.shutdown(); }

template <class Structure>
LONG store_caps(Core& core, const Device& device, const wire::Bytes& caps, Structure* destination, DWORD version) {
  const auto& description = wire::describe<Structure>();
  return wire::to_family(core.store(&device, description, caps, destination, version), description.family);
}

/// Capabilities: the stored ones where they are what the vendor would say. At another version than the inventory's a
/// vendor may set other flags, not only fewer members, so it is asked while it can be.
template <class C, class Structure, class... Given>
LONG caps_of(Core& core, const Device& device, const wire::Bytes& stored, Function function, Structure* destination,
             Given... arguments) {
  const typename C::Arguments all{arguments..., destination};
  const DWORD version = std::get<C::position("dwTSPIVersion")>(all);
  const bool answers = std::get<C::position("dwExtVersion")>(all) == 0 && !stored.empty();
  const bool asks = device.outdated || version != device.values()->version;
  if (answers && !asks) return store_caps(core, device, stored, destination, version);
  try {
    return forward<C>(core, function, arguments..., destination);
  } catch (const Failure& failure) {
    const bool asked_in_vain = failure.kind() == Kind::LinkDown || failure.kind() == Kind::DeadlinePassed;
    if (!answers || !asked_in_vain) throw;
    return store_caps(core, device, stored, destination, version);
  }
}

/// A fixed structure of the inventory: extension id or CLSID; false: not stored.
template <class Structure>
bool store_fixed(const wire::Bytes& stored, Structure* destination) {
  if (stored.size() != sizeof(Structure)) return false;
  std::memcpy(destination, stored.data(), sizeof(Structure));
  return true;
}

/// Refuses, before anything is sent, the first dial modifier that the line cannot do.
LONG check_dial_string(const Device& device, LPCWSTR number) {
  const auto values = device.values();
  const auto& caps = values->caps;
  DWORD flags = 0;
  constexpr auto at = offsetof(LINEDEVCAPS, dwDevCapFlags);
  if (caps.size() < at + sizeof flags || !number) return 0;
  std::memcpy(&flags, caps.data() + at, sizeof flags);
  for (; *number; ++number) {
    switch (*number) {
      case u'W':
      case u'w':
        if (!(flags & LINEDEVCAPFLAGS_DIALDIALTONE)) return LINEERR_DIALDIALTONE;
        break;
      case u'@':
        if (!(flags & LINEDEVCAPFLAGS_DIALQUIET)) return LINEERR_DIALQUIET;
        break;
      case u'$':
        if (!(flags & LINEDEVCAPFLAGS_DIALBILLING)) return LINEERR_DIALBILLING;
        break;
      case u'?': return LINEERR_DIALPROMPT;
      default: break;
    }
  }
  return 0;
}

template <class T>
bool holds(const std::vector<std::shared_ptr<T>>& list, const std::shared_ptr<T>& object) {
  return std::find(list.begin(), list.end(), object) != list.end();
}

/// Tells the host that an object is closed and waits for its answer, bounded: what the vendor still had to say about
/// the object comes before it. The closing succeeds here whatever the host says.
template <class C>
void close_at_host(Core& core, Function function, std::uint64_t id) {
  if (!id) return;
  try {
    core.ask(function, wire::encode(typename C::Inputs{id}));
  } catch (const Failure& failure) {
    core.log(LogLevel::Info, std::string(C::name) + " ended here only: " + failure.what());
  }
}

}  // namespace

// --- versions and capabilities: from the inventory -----------------------------------------------------------------

LONG Override<calls::lineNegotiateTSPIVersion>::run(Core& core, DWORD dwDeviceID, DWORD dwLowVersion,
                                                    DWORD dwHighVersion, LPDWORD lpdwTSPIVersion) {
  const DWORD own =
      dwDeviceID == kProviderItself ? kHighestVersion : core.device(false, dwDeviceID)->values()->version;
  return agree(own, dwLowVersion, dwHighVersion, lpdwTSPIVersion, LINEERR_INCOMPATIBLEAPIVERSION);
}

LONG Override<calls::phoneNegotiateTSPIVersion>::run(Core& core, DWORD dwDeviceID, DWORD dwLowVersion,
                                                     DWORD dwHighVersion, LPDWORD lpdwTSPIVersion) {
  const DWORD own =
      dwDeviceID == kProviderItself ? kHighestVersion : core.device(true, dwDeviceID)->values()->version;
  return agree(own, dwLowVersion, dwHighVersion, lpdwTSPIVersion, PHONEERR_INCOMPATIBLEAPIVERSION);
}

LONG Override<calls::lineGetDevCaps>::run(Core& core, DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwExtVersion,
                                          LPLINEDEVCAPS lpLineDevCaps) {
  const auto device = core.device(false, dwDeviceID);
  const auto values = device->values();
  return caps_of<calls::lineGetDevCaps>(core, *device, values->caps, Function::lineGetDevCaps, lpLineDevCaps,
                                        dwDeviceID, dwTSPIVersion, dwExtVersion);
}

LONG Override<calls::lineGetAddressCaps>::run(Core& core, DWORD dwDeviceID, DWORD dwAddressID, DWORD dwTSPIVersion,
                                              DWORD dwExtVersion, LPLINEADDRESSCAPS lpAddressCaps) {
  const auto device = core.device(false, dwDeviceID);
  const auto values = device->values();
  const bool stored = dwAddressID < values->addresses.size();
  return caps_of<calls::lineGetAddressCaps>(core, *device, stored ? values->addresses[dwAddressID] : wire::Bytes(),
                                            Function::lineGetAddressCaps, lpAddressCaps, dwDeviceID, dwAddressID,
                                            dwTSPIVersion, dwExtVersion);
}

LONG Override<calls::phoneGetDevCaps>::run(Core& core, DWORD dwDeviceID, DWORD dwTSPIVersion, DWORD dwExtVersion,
                                           LPPHONECAPS lpPhoneCaps) {
  const auto device = core.device(true, dwDeviceID);
  const auto values = device->values();
  return caps_of<calls::phoneGetDevCaps>(core, *device, values->caps, Function::phoneGetDevCaps, lpPhoneCaps,
                                         dwDeviceID, dwTSPIVersion, dwExtVersion);
}

LONG Override<calls::lineGetExtensionID>::run(Core& core, DWORD dwDeviceID, DWORD dwTSPIVersion,
                                              LPLINEEXTENSIONID lpExtensionID) {
  if (store_fixed(core.device(false, dwDeviceID)->values()->extension, lpExtensionID)) return 0;
  return forward<calls::lineGetExtensionID>(core, Function::lineGetExtensionID, dwDeviceID, dwTSPIVersion,
                                            lpExtensionID);
}

LONG Override<calls::phoneGetExtensionID>::run(Core& core, DWORD dwDeviceID, DWORD dwTSPIVersion,
                                               LPPHONEEXTENSIONID lpExtensionID) {
  if (store_fixed(core.device(true, dwDeviceID)->values()->extension, lpExtensionID)) return 0;
  return forward<calls::phoneGetExtensionID>(core, Function::phoneGetExtensionID, dwDeviceID, dwTSPIVersion,
                                             lpExtensionID);
}

LONG Override<calls::lineMSPIdentify>::run(Core& core, DWORD dwDeviceID, GUID* pCLSID) {
  if (store_fixed(core.device(false, dwDeviceID)->values()->msp, pCLSID)) return 0;
  return forward<calls::lineMSPIdentify>(core, Function::lineMSPIdentify, dwDeviceID, pCLSID);
}

// --- opening and closing -------------------------------------------------------------------------------------------

namespace {

/// Opens a line or phone at the host; what is opened too late is closed again.
template <class Open, class Close, class T, class Handle>
LONG open_at_host(Core& core, Function open, Function close, std::uint64_t id, const std::shared_ptr<T>& object,
                  Handle* slot) {
  try {
    const auto arguments = wire::encode(typename Open::Inputs{id, {}, {}, object->version, {}});
    const auto answer = core.ask(open, arguments, [&core, close, id](const Answer&) {
      core.tell(close, wire::encode(typename Close::Inputs{id}));
    });
    if (answer.result != 0) {
      core.remove(object);
      return wire::to_family(answer.result, family_of<Open>());
    }
    if (!core.opened(*object)) throw Failure(Kind::LinkDown, "the connection was lost while a device was opened");
    *slot = reinterpret_cast<Handle>(object->handle);
    return 0;
  } catch (...) {
    core.remove(object);
    throw;
  }
}

}  // namespace

LONG Override<calls::lineOpen>::run(Core& core, DWORD dwDeviceID, HTAPILINE htLine, LPHDRVLINE lphdLine,
                                    DWORD dwTSPIVersion, LINEEVENT lpfnEventProc) {
  const auto device = core.device(false, dwDeviceID);
  const auto id = core.device_host_id(device);
  const auto line = core.add_line(device, htLine, lpfnEventProc, dwTSPIVersion);
  return open_at_host<calls::lineOpen, calls::lineClose>(core, Function::lineOpen, Function::lineClose, id, line,
                                                         lphdLine);
}

LONG Override<calls::phoneOpen>::run(Core& core, DWORD dwDeviceID, HTAPIPHONE htPhone, LPHDRVPHONE lphdPhone,
                                     DWORD dwTSPIVersion, PHONEEVENT lpfnEventProc) {
  const auto device = core.device(true, dwDeviceID);
  const auto id = core.device_host_id(device);
  const auto phone = core.add_phone(device, htPhone, lpfnEventProc, dwTSPIVersion);
  return open_at_host<calls::phoneOpen, calls::phoneClose>(core, Function::phoneOpen, Function::phoneClose, id, phone,
                                                           lphdPhone);
}

LONG Override<calls::lineClose>::run(Core& core, HDRVLINE hdLine) {
  const auto line = core.line(hdLine);
  close_at_host<calls::lineClose>(core, Function::lineClose, line->id);
  line->closed = true;
  core.quiesce([&](const AsyncRequest& request) { return holds(request.lines, line); });
  core.remove(line);
  return 0;
}

LONG Override<calls::phoneClose>::run(Core& core, HDRVPHONE hdPhone) {
  const auto phone = core.phone(hdPhone);
  close_at_host<calls::phoneClose>(core, Function::phoneClose, phone->id);
  phone->closed = true;
  core.quiesce([&](const AsyncRequest& request) { return holds(request.phones, phone); });
  core.remove(phone);
  return 0;
}

LONG Override<calls::lineCloseCall>::run(Core& core, HDRVCALL hdCall) {
  const auto call = core.call(hdCall);
  close_at_host<calls::lineCloseCall>(core, Function::lineCloseCall, call->id);
  call->closed = true;
  core.quiesce([&](const AsyncRequest& request) { return holds(request.calls, call); });
  core.remove(call);
  return 0;
}

LONG Override<calls::lineCloseMSPInstance>::run(Core& core, HDRVMSPLINE hdMSPLine) {
  const auto msp = core.msp(hdMSPLine);
  close_at_host<calls::lineCloseMSPInstance>(core, Function::lineCloseMSPInstance, msp->id);
  core.remove(msp);
  return 0;
}

LONG Override<calls::providerFreeDialogInstance>::run(Core& core, HDRVDIALOGINSTANCE hdDlgInst) {
  const auto dialog = core.dialog(hdDlgInst);
  dialog->closed = true;
  close_at_host<calls::providerFreeDialogInstance>(core, Function::providerFreeDialogInstance, dialog->id);
  core.quiesce([](const AsyncRequest&) { return false; });  // nothing is told to it any more
  core.remove(dialog);
  return 0;
}

// --- dialling ------------------------------------------------------------------------------------------------------

LONG Override<calls::lineMakeCall>::run(Core& core, DRV_REQUESTID dwRequestID, HDRVLINE hdLine, HTAPICALL htCall,
                                        LPHDRVCALL lphdCall, LPCWSTR lpszDestAddress, DWORD dwCountryCode,
                                        LPLINECALLPARAMS lpCallParams) {
  if (const LONG refused = check_dial_string(*core.line(hdLine)->device, lpszDestAddress)) return refused;
  return forward<calls::lineMakeCall>(core, Function::lineMakeCall, dwRequestID, hdLine, htCall, lphdCall,
                                      lpszDestAddress, dwCountryCode, lpCallParams);
}

LONG Override<calls::lineDial>::run(Core& core, DRV_REQUESTID dwRequestID, HDRVCALL hdCall, LPCWSTR lpszDestAddress,
                                    DWORD dwCountryCode) {
  if (const LONG refused = check_dial_string(*core.call(hdCall)->line->device, lpszDestAddress)) return refused;
  return forward<calls::lineDial>(core, Function::lineDial, dwRequestID, hdCall, lpszDestAddress, dwCountryCode);
}

// --- what a forward cannot know ------------------------------------------------------------------------------------

namespace {

/// Whether forwarding may make a consultation call; true also when the capabilities do not say.
bool may_consult(const Device& device, bool all_addresses, DWORD address) {
  const auto values = device.values();
  const auto of_one = [&](const wire::Bytes& caps) {
    DWORD flags = 0;
    constexpr auto at = offsetof(LINEADDRESSCAPS, dwAddrCapFlags);
    if (caps.size() < at + sizeof flags) return true;
    std::memcpy(&flags, caps.data() + at, sizeof flags);
    return (flags & LINEADDRCAPFLAGS_FWDCONSULT) != 0;
  };
  if (!all_addresses && address < values->addresses.size()) return of_one(values->addresses[address]);
  return values->addresses.empty() || std::any_of(values->addresses.begin(), values->addresses.end(), of_one);
}

}  // namespace

LONG Override<calls::lineForward>::run(Core& core, DRV_REQUESTID dwRequestID, HDRVLINE hdLine, DWORD bAllAddresses,
                                       DWORD dwAddressID, LPLINEFORWARDLIST lpForwardList, DWORD dwNumRingsNoAnswer,
                                       HTAPICALL htConsultCall, LPHDRVCALL lphdConsultCall,
                                       LPLINECALLPARAMS lpCallParams) {
  using C = calls::lineForward;
  if (may_consult(*core.line(hdLine)->device, bAllAddresses != 0, dwAddressID)) {
    return forward<C>(core, Function::lineForward, dwRequestID, hdLine, bAllAddresses, dwAddressID, lpForwardList,
                      dwNumRingsNoAnswer, htConsultCall, lphdConsultCall, lpCallParams);
  }
  if (lphdConsultCall) *lphdConsultCall = nullptr;
  return forward_async<C>(core, Function::lineForward,
                          {dwRequestID, hdLine, bAllAddresses, dwAddressID, lpForwardList, dwNumRingsNoAnswer,
                           htConsultCall, nullptr, lpCallParams});
}

LONG Override<calls::lineGatherDigits>::run(Core& core, HDRVCALL hdCall, DWORD dwEndToEndID, DWORD dwDigitModes,
                                            LPWSTR lpsDigits, DWORD dwNumDigits, LPCWSTR lpszTerminationDigits,
                                            DWORD dwFirstDigitTimeout, DWORD dwInterDigitTimeout) {
  const auto call = core.call(hdCall);
  // Its event may come before the answer.
  const DWORD number = lpsDigits ? core.add_gather(*call, {dwEndToEndID, lpsDigits, dwNumDigits}) : dwEndToEndID;
  LONG result = LINEERR_OPERATIONFAILED;
  try {
    result = forward<calls::lineGatherDigits>(core, Function::lineGatherDigits, hdCall, number, dwDigitModes,
                                              lpsDigits, dwNumDigits, lpszTerminationDigits, dwFirstDigitTimeout,
                                              dwInterDigitTimeout);
  } catch (...) {
    core.drop_gather(*call, number);
    throw;
  }
  if (result != 0) core.drop_gather(*call, number);
  return result;
}

// The vendor checks the arguments; its icon is a handle of its own machine. TAPI shows a general one for NULL.
LONG Override<calls::lineGetIcon>::run(Core& core, DWORD dwDeviceID, LPCWSTR lpszDeviceClass, LPHICON lphIcon) {
  const LONG result = forward<calls::lineGetIcon>(core, Function::lineGetIcon, dwDeviceID, lpszDeviceClass, lphIcon);
  if (result == 0 && lphIcon) *lphIcon = nullptr;
  return result;
}

LONG Override<calls::phoneGetIcon>::run(Core& core, DWORD dwDeviceID, LPCWSTR lpszDeviceClass, LPHICON lphIcon) {
  const LONG result =
      forward<calls::phoneGetIcon>(core, Function::phoneGetIcon, dwDeviceID, lpszDeviceClass, lphIcon);
  if (result == 0 && lphIcon) *lphIcon = nullptr;
  return result;
}

namespace {

LONG store_id(Core& core, const Device& device, std::uint32_t id, LPVARSTRING lpDeviceID, DWORD version) {
  return store_caps(core, device, wire::varstring_of({&id, 1}), lpDeviceID, version);
}

}  // namespace

LONG Override<calls::lineGetID>::run(Core& core, HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall, DWORD dwSelect,
                                     LPVARSTRING lpDeviceID, LPCWSTR lpszDeviceClass, HANDLE hTargetProcess) {
  using C = calls::lineGetID;
  const C::Arguments arguments{hdLine, dwAddressID, hdCall, dwSelect, lpDeviceID, lpszDeviceClass, hTargetProcess};
  const bool by_call = dwSelect == LINECALLSELECT_CALL;
  const auto own = core.own_device(lpszDeviceClass);
  // A line's own id is what the desktop knows best.
  const bool itself = wire::DeviceIds::asked_for<C>(arguments) == wire::DeviceClass::Lines &&
                      (by_call || dwSelect == LINECALLSELECT_LINE);
  if (lpDeviceID && (own || itself)) {
    const auto line = by_call ? core.call(hdCall)->line : core.line(hdLine);
    return store_id(core, *line->device, own.value_or(line->device->device_id), lpDeviceID, line->version);
  }
  return forward<C>(core, Function::lineGetID, hdLine, dwAddressID, hdCall, dwSelect, lpDeviceID, lpszDeviceClass,
                    hTargetProcess);
}

LONG Override<calls::phoneGetID>::run(Core& core, HDRVPHONE hdPhone, LPVARSTRING lpDeviceID, LPCWSTR lpszDeviceClass,
                                      HANDLE hTargetProcess) {
  using C = calls::phoneGetID;
  const C::Arguments arguments{hdPhone, lpDeviceID, lpszDeviceClass, hTargetProcess};
  const auto own = core.own_device(lpszDeviceClass);
  const bool itself = wire::DeviceIds::asked_for<C>(arguments) == wire::DeviceClass::Phones;
  if (lpDeviceID && (own || itself)) {
    const auto phone = core.phone(hdPhone);
    const LONG result =
        store_id(core, *phone->device, own.value_or(phone->device->device_id), lpDeviceID, phone->version);
    return wire::to_family(result, wire::Family::Phone);
  }
  return forward<C>(core, Function::phoneGetID, hdPhone, lpDeviceID, lpszDeviceClass, hTargetProcess);
}

// --- life of the provider ------------------------------------------------------------------------------------------

LONG Override<calls::providerEnumDevices>::run(Core& core, DWORD, LPDWORD lpdwNumLines, LPDWORD lpdwNumPhones,
                                               HPROVIDER hProvider, LINEEVENT lpfnLineCreateProc,
                                               PHONEEVENT lpfnPhoneCreateProc) {
  core.enumerate({hProvider, lpfnLineCreateProc, lpfnPhoneCreateProc, {}}, *lpdwNumLines, *lpdwNumPhones);
  return 0;
}

LONG Override<calls::providerInit>::run(Core& core, DWORD dwTSPIVersion, DWORD dwPermanentProviderID,
                                        DWORD dwLineDeviceIDBase, DWORD dwPhoneDeviceIDBase, DWORD_PTR dwNumLines,
                                        DWORD_PTR dwNumPhones, ASYNC_COMPLETION lpfnCompletionProc,
                                        LPDWORD lpdwTSPIOptions) {
  if (dwTSPIVersion < kLowestVersion || dwTSPIVersion > kHighestVersion) return LINEERR_INCOMPATIBLEAPIVERSION;
  core.init(dwLineDeviceIDBase, dwPhoneDeviceIDBase, static_cast<DWORD>(dwNumLines), static_cast<DWORD>(dwNumPhones),
            lpfnCompletionProc);
  if (lpdwTSPIOptions) *lpdwTSPIOptions = 0;
  const LONG result = core.life().connect ? core.life().connect() : 0;
  if (result == 0) {
    core.started(dwPermanentProviderID);
  } else {
    end(core);  // TAPI shuts down only what has started
  }
  return result;
}

LONG Override<calls::providerCreateLineDevice>::run(Core& core, DWORD_PTR dwTempID, DWORD dwDeviceID) {
  return core.create_device(false, dwTempID, dwDeviceID);
}

LONG Override<calls::providerCreatePhoneDevice>::run(Core& core, DWORD_PTR dwTempID, DWORD dwDeviceID) {
  return core.create_device(true, dwTempID, dwDeviceID);
}

LONG Override<calls::providerShutdown>::run(Core& core, DWORD, DWORD dwPermanentProviderID) {
  if (core.ended(dwPermanentProviderID)) end(core);
  return 0;
}

// lineAddProvider and the control panel look for these three; there is nothing to do in them.
LONG Override<calls::providerInstall>::run(Core&, HWND, DWORD) { return 0; }
LONG Override<calls::providerRemove>::run(Core&, HWND, DWORD) { return 0; }
LONG Override<calls::providerConfig>::run(Core&, HWND, DWORD) { return 0; }

// The proxy has no dialogs of its own; a vendor's are in a module that the administrator names.
LONG Override<calls::providerUIIdentify>::run(Core& core, LPWSTR lpszUIDLLName) {
  const auto& module = core.ui_module();
  if (module.empty()) return LINEERR_OPERATIONUNAVAIL;
  std::copy(module.begin(), module.end(), lpszUIDLLName);
  lpszUIDLLName[module.size()] = 0;
  return 0;
}

}  // namespace tsplink::proxy
