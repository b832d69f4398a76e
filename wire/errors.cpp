#include "wire/errors.hpp"

#include <cstdint>
#include <string_view>

// Every error of tapi.h; tests compare these lists with the header itself.
// clang-format off
#define TSPLINK_LINE_ERRORS(X) \
  X(ALLOCATED) X(BADDEVICEID) X(BEARERMODEUNAVAIL) X(CALLUNAVAIL) X(COMPLETIONOVERRUN) X(CONFERENCEFULL) \
  X(DIALBILLING) X(DIALDIALTONE) X(DIALPROMPT) X(DIALQUIET) X(INCOMPATIBLEAPIVERSION) X(INCOMPATIBLEEXTVERSION) \
  X(INIFILECORRUPT) X(INUSE) X(INVALADDRESS) X(INVALADDRESSID) X(INVALADDRESSMODE) X(INVALADDRESSSTATE) \
  X(INVALAPPHANDLE) X(INVALAPPNAME) X(INVALBEARERMODE) X(INVALCALLCOMPLMODE) X(INVALCALLHANDLE) \
  X(INVALCALLPARAMS) X(INVALCALLPRIVILEGE) X(INVALCALLSELECT) X(INVALCALLSTATE) X(INVALCALLSTATELIST) \
  X(INVALCARD) X(INVALCOMPLETIONID) X(INVALCONFCALLHANDLE) X(INVALCONSULTCALLHANDLE) X(INVALCOUNTRYCODE) \
  X(INVALDEVICECLASS) X(INVALDEVICEHANDLE) X(INVALDIALPARAMS) X(INVALDIGITLIST) X(INVALDIGITMODE) X(INVALDIGITS) \
  X(INVALEXTVERSION) X(INVALGROUPID) X(INVALLINEHANDLE) X(INVALLINESTATE) X(INVALLOCATION) X(INVALMEDIALIST) \
  X(INVALMEDIAMODE) X(INVALMESSAGEID) X(INVALPARAM) X(INVALPARKID) X(INVALPARKMODE) X(INVALPOINTER) \
  X(INVALPRIVSELECT) X(INVALRATE) X(INVALREQUESTMODE) X(INVALTERMINALID) X(INVALTERMINALMODE) X(INVALTIMEOUT) \
  X(INVALTONE) X(INVALTONELIST) X(INVALTONEMODE) X(INVALTRANSFERMODE) X(LINEMAPPERFAILED) X(NOCONFERENCE) \
  X(NODEVICE) X(NODRIVER) X(NOMEM) X(NOREQUEST) X(NOTOWNER) X(NOTREGISTERED) X(OPERATIONFAILED) \
  X(OPERATIONUNAVAIL) X(RATEUNAVAIL) X(RESOURCEUNAVAIL) X(REQUESTOVERRUN) X(STRUCTURETOOSMALL) X(TARGETNOTFOUND) \
  X(TARGETSELF) X(UNINITIALIZED) X(USERUSERINFOTOOBIG) X(REINIT) X(ADDRESSBLOCKED) X(BILLINGREJECTED) \
  X(INVALFEATURE) X(NOMULTIPLEINSTANCE) X(INVALAGENTID) X(INVALAGENTGROUP) X(INVALPASSWORD) X(INVALAGENTSTATE) \
  X(INVALAGENTACTIVITY) X(DIALVOICEDETECT) X(USERCANCELLED) X(INVALADDRESSTYPE) X(INVALAGENTSESSIONSTATE) \
  X(DISCONNECTED) X(SERVICE_NOT_RUNNING)

#define TSPLINK_PHONE_ERRORS(X) \
  X(ALLOCATED) X(BADDEVICEID) X(INCOMPATIBLEAPIVERSION) X(INCOMPATIBLEEXTVERSION) X(INIFILECORRUPT) X(INUSE) \
  X(INVALAPPHANDLE) X(INVALAPPNAME) X(INVALBUTTONLAMPID) X(INVALBUTTONMODE) X(INVALBUTTONSTATE) X(INVALDATAID) \
  X(INVALDEVICECLASS) X(INVALEXTVERSION) X(INVALHOOKSWITCHDEV) X(INVALHOOKSWITCHMODE) X(INVALLAMPMODE) \
  X(INVALPARAM) X(INVALPHONEHANDLE) X(INVALPHONESTATE) X(INVALPOINTER) X(INVALPRIVILEGE) X(INVALRINGMODE) \
  X(NODEVICE) X(NODRIVER) X(NOMEM) X(NOTOWNER) X(OPERATIONFAILED) X(OPERATIONUNAVAIL) X(RESOURCEUNAVAIL) \
  X(REQUESTOVERRUN) X(STRUCTURETOOSMALL) X(UNINITIALIZED) X(REINIT) X(DISCONNECTED) X(SERVICE_NOT_RUNNING)
// clang-format on

namespace tsplink::wire {

namespace {

struct NamedError {
  LONG value;
  Family family;
  std::string_view full;     // "LINEERR_NOMEM"
  std::string_view meaning;  // "NOMEM"
};

#define X(name) {static_cast<LONG>(LINEERR_##name), Family::Line, "LINEERR_" #name, #name},
constexpr NamedError kLineErrors[] = {TSPLINK_LINE_ERRORS(X)};
#undef X
#define X(name) {static_cast<LONG>(PHONEERR_##name), Family::Phone, "PHONEERR_" #name, #name},
constexpr NamedError kPhoneErrors[] = {TSPLINK_PHONE_ERRORS(X)};
#undef X

struct Twin {
  LONG line, phone;
};

// Meanings that the two families spell differently; all others are twins when spelled alike.
constexpr Twin kTwins[] = {
    {static_cast<LONG>(LINEERR_INVALLINEHANDLE), static_cast<LONG>(PHONEERR_INVALPHONEHANDLE)},
    {static_cast<LONG>(LINEERR_INVALLINESTATE), static_cast<LONG>(PHONEERR_INVALPHONESTATE)},
    {static_cast<LONG>(LINEERR_INVALPRIVSELECT), static_cast<LONG>(PHONEERR_INVALPRIVILEGE)},
};

struct Mapping {
  Kind kind;
  LONG line, phone;
};

#define TSPLINK_BOTH(name) static_cast<LONG>(LINEERR_##name), static_cast<LONG>(PHONEERR_##name)
// OPERATIONFAILED is what applications expect of anything that went wrong outside them and may work later: nearly
// every TSPI function lists it as a possible answer. Codes with a narrower meaning are used only where the
// application can do something else because of them.
constexpr Mapping kMappings[] = {
    // The caller's own parameters were checked before: bytes that break a rule came from the other side.
    {Kind::Malformed, TSPLINK_BOTH(OPERATIONFAILED)},
    // Not STRUCTURETOOSMALL: that asks the caller to come back with more room, which would be refused again.
    {Kind::TooLarge, TSPLINK_BOTH(NOMEM)},
    // The handle of a device; to_error() itself tells calls and device ids.
    {Kind::NoSuchObject, static_cast<LONG>(LINEERR_INVALLINEHANDLE), static_cast<LONG>(PHONEERR_INVALPHONEHANDLE)},
    // Not LINEERR_DISCONNECTED, which tapi.h has for the application's own link to a remote TAPISRV.
    {Kind::LinkDown, TSPLINK_BOTH(OPERATIONFAILED)},
    // The request is withdrawn, so it did fail; INVALTIMEOUT is about a caller's parameter.
    {Kind::DeadlinePassed, TSPLINK_BOTH(OPERATIONFAILED)},
    // What a missing export means.
    {Kind::Unavailable, TSPLINK_BOTH(OPERATIONUNAVAIL)},
    // INIFILECORRUPT would send people to TAPI's own files; the log has the sentence that helps.
    {Kind::Configuration, TSPLINK_BOTH(OPERATIONFAILED)},
    {Kind::Internal, TSPLINK_BOTH(OPERATIONFAILED)},
};

LONG operation_failed(Family family) {
  return static_cast<LONG>(family == Family::Line ? LINEERR_OPERATIONFAILED : PHONEERR_OPERATIONFAILED);
}

const NamedError* find(LONG value) {
  for (const NamedError& error : kLineErrors) {
    if (error.value == value) return &error;
  }
  for (const NamedError& error : kPhoneErrors) {
    if (error.value == value) return &error;
  }
  return nullptr;
}

template <std::size_t N>
const NamedError* find(const NamedError (&errors)[N], std::string_view meaning) {
  for (const NamedError& error : errors) {
    if (error.meaning == meaning) return &error;
  }
  return nullptr;
}

// 0x8000.... is LINEERR_, 0x9000.... PHONEERR_ (tapi.h).
bool in_range_of(LONG error, Family family) {
  const auto high = static_cast<std::uint32_t>(error) >> 16U;
  return high == (family == Family::Line ? 0x8000U : 0x9000U);
}

}  // namespace

LONG to_error(Kind kind, Family family, Object object) {
  if (kind == Kind::NoSuchObject && object == Object::DeviceId) {
    return static_cast<LONG>(family == Family::Line ? LINEERR_BADDEVICEID : PHONEERR_BADDEVICEID);
  }
  if (kind == Kind::NoSuchObject && object == Object::Call && family == Family::Line) {
    return static_cast<LONG>(LINEERR_INVALCALLHANDLE);
  }
  for (const Mapping& mapping : kMappings) {
    if (mapping.kind == kind) return family == Family::Line ? mapping.line : mapping.phone;
  }
  return operation_failed(family);
}

const char* error_name(LONG error) {
  if (error == 0) return "0";
  if (error > 0) return "request id";
  const NamedError* named = find(error);
  return named ? named->full.data() : "unknown error";
}

LONG to_family(LONG error, Family family) {
  if (error >= 0) return error;
  const NamedError* named = find(error);
  if (!named) return in_range_of(error, family) ? error : operation_failed(family);
  if (named->family == family) return error;
  for (const Twin& twin : kTwins) {
    if (twin.line == error) return twin.phone;
    if (twin.phone == error) return twin.line;
  }
  const NamedError* twin =
      family == Family::Line ? find(kLineErrors, named->meaning) : find(kPhoneErrors, named->meaning);
  return twin ? twin->value : operation_failed(family);
}

}  // namespace tsplink::wire
