#include "tests/simpbx/names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace tsplink::simpbx {
namespace {

struct Named {
  DWORD value;
  const char* name;
};

#define SIMPBX_NAMED(prefix, name) \
  Named { static_cast<DWORD>(prefix##name), #name }
#define SIMPBX_WHOLE(name) \
  Named { static_cast<DWORD>(name), #name }

constexpr Named kStates[] = {
    SIMPBX_NAMED(LINECALLSTATE_, IDLE),           SIMPBX_NAMED(LINECALLSTATE_, OFFERING),
    SIMPBX_NAMED(LINECALLSTATE_, ACCEPTED),       SIMPBX_NAMED(LINECALLSTATE_, DIALTONE),
    SIMPBX_NAMED(LINECALLSTATE_, DIALING),        SIMPBX_NAMED(LINECALLSTATE_, RINGBACK),
    SIMPBX_NAMED(LINECALLSTATE_, BUSY),           SIMPBX_NAMED(LINECALLSTATE_, SPECIALINFO),
    SIMPBX_NAMED(LINECALLSTATE_, CONNECTED),      SIMPBX_NAMED(LINECALLSTATE_, PROCEEDING),
    SIMPBX_NAMED(LINECALLSTATE_, ONHOLD),         SIMPBX_NAMED(LINECALLSTATE_, CONFERENCED),
    SIMPBX_NAMED(LINECALLSTATE_, ONHOLDPENDCONF), SIMPBX_NAMED(LINECALLSTATE_, ONHOLDPENDTRANSFER),
    SIMPBX_NAMED(LINECALLSTATE_, DISCONNECTED),   SIMPBX_NAMED(LINECALLSTATE_, UNKNOWN)};

constexpr Named kMedia[] = {
    SIMPBX_NAMED(LINEMEDIAMODE_, UNKNOWN),        SIMPBX_NAMED(LINEMEDIAMODE_, INTERACTIVEVOICE),
    SIMPBX_NAMED(LINEMEDIAMODE_, AUTOMATEDVOICE), SIMPBX_NAMED(LINEMEDIAMODE_, DATAMODEM),
    SIMPBX_NAMED(LINEMEDIAMODE_, G3FAX),          SIMPBX_NAMED(LINEMEDIAMODE_, DIGITALDATA),
    SIMPBX_NAMED(LINEMEDIAMODE_, VIDEO)};

constexpr Named kMessages[] = {SIMPBX_WHOLE(LINE_ADDRESSSTATE),
                               SIMPBX_WHOLE(LINE_CALLINFO),
                               SIMPBX_WHOLE(LINE_CALLSTATE),
                               SIMPBX_WHOLE(LINE_CLOSE),
                               SIMPBX_WHOLE(LINE_DEVSPECIFIC),
                               SIMPBX_WHOLE(LINE_DEVSPECIFICFEATURE),
                               SIMPBX_WHOLE(LINE_GATHERDIGITS),
                               SIMPBX_WHOLE(LINE_GENERATE),
                               SIMPBX_WHOLE(LINE_LINEDEVSTATE),
                               SIMPBX_WHOLE(LINE_MONITORDIGITS),
                               SIMPBX_WHOLE(LINE_MONITORMEDIA),
                               SIMPBX_WHOLE(LINE_MONITORTONE),
                               SIMPBX_WHOLE(LINE_CREATE),
                               SIMPBX_WHOLE(LINE_REMOVE),
                               SIMPBX_WHOLE(LINE_DEVSPECIFICEX),
                               SIMPBX_WHOLE(LINE_NEWCALL),
                               SIMPBX_WHOLE(LINE_CALLDEVSPECIFIC),
                               SIMPBX_WHOLE(LINE_CALLDEVSPECIFICFEATURE),
                               SIMPBX_WHOLE(LINE_CREATEDIALOGINSTANCE),
                               SIMPBX_WHOLE(LINE_SENDDIALOGINSTANCEDATA),
                               SIMPBX_WHOLE(LINE_SENDMSPDATA),
                               SIMPBX_WHOLE(LINE_QOSINFO),
                               SIMPBX_WHOLE(PHONE_BUTTON),
                               SIMPBX_WHOLE(PHONE_CLOSE),
                               SIMPBX_WHOLE(PHONE_DEVSPECIFIC),
                               SIMPBX_WHOLE(PHONE_STATE),
                               SIMPBX_WHOLE(PHONE_CREATE),
                               SIMPBX_WHOLE(PHONE_REMOVE)};

constexpr Named kResults[] = {SIMPBX_WHOLE(LINEERR_ALLOCATED),
                              SIMPBX_WHOLE(LINEERR_BADDEVICEID),
                              SIMPBX_WHOLE(LINEERR_CALLUNAVAIL),
                              SIMPBX_WHOLE(LINEERR_CONFERENCEFULL),
                              SIMPBX_WHOLE(LINEERR_DIALBILLING),
                              SIMPBX_WHOLE(LINEERR_DIALDIALTONE),
                              SIMPBX_WHOLE(LINEERR_DIALPROMPT),
                              SIMPBX_WHOLE(LINEERR_DIALQUIET),
                              SIMPBX_WHOLE(LINEERR_INCOMPATIBLEAPIVERSION),
                              SIMPBX_WHOLE(LINEERR_INCOMPATIBLEEXTVERSION),
                              SIMPBX_WHOLE(LINEERR_INVALADDRESS),
                              SIMPBX_WHOLE(LINEERR_INVALADDRESSID),
                              SIMPBX_WHOLE(LINEERR_INVALADDRESSMODE),
                              SIMPBX_WHOLE(LINEERR_INVALBEARERMODE),
                              SIMPBX_WHOLE(LINEERR_INVALCALLCOMPLMODE),
                              SIMPBX_WHOLE(LINEERR_INVALCALLHANDLE),
                              SIMPBX_WHOLE(LINEERR_INVALCALLPARAMS),
                              SIMPBX_WHOLE(LINEERR_INVALCALLSELECT),
                              SIMPBX_WHOLE(LINEERR_INVALCALLSTATE),
                              SIMPBX_WHOLE(LINEERR_INVALCOMPLETIONID),
                              SIMPBX_WHOLE(LINEERR_INVALCONFCALLHANDLE),
                              SIMPBX_WHOLE(LINEERR_INVALCONSULTCALLHANDLE),
                              SIMPBX_WHOLE(LINEERR_INVALDEVICECLASS),
                              SIMPBX_WHOLE(LINEERR_INVALDIGITMODE),
                              SIMPBX_WHOLE(LINEERR_INVALDIGITS),
                              SIMPBX_WHOLE(LINEERR_INVALFEATURE),
                              SIMPBX_WHOLE(LINEERR_INVALGROUPID),
                              SIMPBX_WHOLE(LINEERR_INVALLINEHANDLE),
                              SIMPBX_WHOLE(LINEERR_INVALLINESTATE),
                              SIMPBX_WHOLE(LINEERR_INVALMEDIAMODE),
                              SIMPBX_WHOLE(LINEERR_INVALMESSAGEID),
                              SIMPBX_WHOLE(LINEERR_INVALPARAM),
                              SIMPBX_WHOLE(LINEERR_INVALPARKMODE),
                              SIMPBX_WHOLE(LINEERR_INVALPOINTER),
                              SIMPBX_WHOLE(LINEERR_INVALRATE),
                              SIMPBX_WHOLE(LINEERR_INVALTERMINALID),
                              SIMPBX_WHOLE(LINEERR_INVALTERMINALMODE),
                              SIMPBX_WHOLE(LINEERR_INVALTIMEOUT),
                              SIMPBX_WHOLE(LINEERR_INVALTONELIST),
                              SIMPBX_WHOLE(LINEERR_INVALTONEMODE),
                              SIMPBX_WHOLE(LINEERR_INVALTRANSFERMODE),
                              SIMPBX_WHOLE(LINEERR_NODEVICE),
                              SIMPBX_WHOLE(LINEERR_NOMEM),
                              SIMPBX_WHOLE(LINEERR_OPERATIONFAILED),
                              SIMPBX_WHOLE(LINEERR_OPERATIONUNAVAIL),
                              SIMPBX_WHOLE(LINEERR_RESOURCEUNAVAIL),
                              SIMPBX_WHOLE(LINEERR_STRUCTURETOOSMALL),
                              SIMPBX_WHOLE(LINEERR_TARGETNOTFOUND),
                              SIMPBX_WHOLE(LINEERR_UNINITIALIZED),
                              SIMPBX_WHOLE(LINEERR_USERUSERINFOTOOBIG),
                              SIMPBX_WHOLE(PHONEERR_ALLOCATED),
                              SIMPBX_WHOLE(PHONEERR_BADDEVICEID),
                              SIMPBX_WHOLE(PHONEERR_INCOMPATIBLEAPIVERSION),
                              SIMPBX_WHOLE(PHONEERR_INCOMPATIBLEEXTVERSION),
                              SIMPBX_WHOLE(PHONEERR_INVALBUTTONLAMPID),
                              SIMPBX_WHOLE(PHONEERR_INVALDATAID),
                              SIMPBX_WHOLE(PHONEERR_INVALDEVICECLASS),
                              SIMPBX_WHOLE(PHONEERR_INVALHOOKSWITCHDEV),
                              SIMPBX_WHOLE(PHONEERR_INVALHOOKSWITCHMODE),
                              SIMPBX_WHOLE(PHONEERR_INVALLAMPMODE),
                              SIMPBX_WHOLE(PHONEERR_INVALPARAM),
                              SIMPBX_WHOLE(PHONEERR_INVALPHONEHANDLE),
                              SIMPBX_WHOLE(PHONEERR_INVALPOINTER),
                              SIMPBX_WHOLE(PHONEERR_INVALRINGMODE),
                              SIMPBX_WHOLE(PHONEERR_NODEVICE),
                              SIMPBX_WHOLE(PHONEERR_NOMEM),
                              SIMPBX_WHOLE(PHONEERR_OPERATIONFAILED),
                              SIMPBX_WHOLE(PHONEERR_OPERATIONUNAVAIL),
                              SIMPBX_WHOLE(PHONEERR_RESOURCEUNAVAIL),
                              SIMPBX_WHOLE(PHONEERR_STRUCTURETOOSMALL),
                              SIMPBX_WHOLE(PHONEERR_UNINITIALIZED)};

#undef SIMPBX_NAMED
#undef SIMPBX_WHOLE

template <std::size_t size>
const char* find(const Named (&table)[size], DWORD value) {
  for (const Named& named : table) {
    if (named.value == value) return named.name;
  }
  return nullptr;
}

template <std::size_t size>
std::optional<DWORD> find(const Named (&table)[size], const std::string& name) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const Named& named : table) {
    if (upper == named.name) return named.value;
  }
  try {
    std::size_t end = 0;
    const unsigned long value = std::stoul(name, &end, 0);
    if (end == name.size() && value <= 0xFFFFFFFFUL) return static_cast<DWORD>(value);
  } catch (const std::logic_error&) {
  }
  return std::nullopt;
}

}  // namespace

std::string state_name(DWORD state) {
  const char* name = find(kStates, state);
  return name ? name : hex(state);
}

std::string result_name(LONG result) {
  if (result >= 0) return std::to_string(result);
  const char* name = find(kResults, static_cast<DWORD>(result));
  return name ? name : hex(static_cast<DWORD>(result));
}

std::optional<LONG> result_of(const std::string& name) {
  const auto value = find(kResults, name);
  return value ? std::optional<LONG>(static_cast<LONG>(*value)) : std::nullopt;
}

std::string message_name(DWORD message) {
  const char* name = find(kMessages, message);
  return name ? name : std::to_string(message);
}

std::optional<DWORD> message_of(const std::string& name) { return find(kMessages, name); }
std::optional<DWORD> media_of(const std::string& name) { return find(kMedia, name); }

std::string describe(const Callback& callback) {
  if (callback.kind == Callback::Kind::completion) {
    return "ASYNC_COMPLETION request=" + std::to_string(callback.message) + " result=" + result_name(callback.result);
  }
  std::string text = message_name(callback.message);
  const Scope& scope = callback.scope;
  if (scope.line) text += " line=" + std::to_string(scope.line->number);
  if (scope.phone) text += " phone=" + std::to_string(scope.phone->number);
  if (scope.call) text += " call=" + std::to_string(scope.call->number);
  if (callback.kind == Callback::Kind::new_call) return text + " hdCall=" + hex(callback.p1);
  if (callback.message == LINE_CALLSTATE) {
    return text + " " + state_name(static_cast<DWORD>(callback.p1)) + " mode=" + hex(callback.p2) +
           " media=" + hex(callback.p3);
  }
  if (callback.bytes) return text + " size=" + std::to_string(callback.bytes->size());
  return text + " " + hex(callback.p1) + " " + hex(callback.p2) + " " + hex(callback.p3);
}

}  // namespace tsplink::simpbx
