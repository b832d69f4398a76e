// What failures and error numbers mean at the C interface: one table from Failure kinds to LINEERR_ and PHONEERR_
// values, names for logs, and the twin of a code in the other family.
// Owner: nobody, all of it is constant. Any thread, any time; nothing here throws or allocates.
#pragma once

#include "wire/tapi.hpp"

#include "wire/failure.hpp"

namespace tsplink::wire {

/// Which family of functions answers: TSPI_line* and the provider functions with LINEERR_, TSPI_phone* with
/// PHONEERR_.
enum class Family { Line, Phone };

/// What a Kind::NoSuchObject was about; the family says whether a device is a line or a phone.
enum class Object { Device, Call, DeviceId };

/// The value that a TSPI function of `family` returns, or completes with, for a failure.
LONG to_error(Kind kind, Family family, Object object = Object::Device);
/// The value that the place of the failure knew, else by kind.
inline LONG to_error(const Failure& failure, Family family, Object object = Object::Device) {
  return failure.code() != 0 ? failure.code() : to_error(failure.kind(), family, object);
}

/// "LINEERR_NOMEM"; "0" for success, "request id" for positive values, "unknown error" for a number tapi.h does not
/// name.
const char* error_name(LONG error);

/// The same meaning in `family`, for vendors that answer a phone function with a LINEERR_ code or the reverse.
/// Success and request ids (0 and above) pass; a code without a twin becomes OPERATIONFAILED; a number of the right
/// range that tapi.h does not name passes, since a later TAPI may name it.
LONG to_family(LONG error, Family family);

}  // namespace tsplink::wire
