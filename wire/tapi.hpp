// tapi.h and tspi.h as the sheet needs them: tapi.h turns names like lineDial into lineDialA or lineDialW by macros,
// and TSPI's functions share those names. Include this, not tspi.h, wherever the sheet is read.
#pragma once

#include <tspi.h>

#undef lineBlindTransfer
#undef lineDial
#undef lineGatherDigits
#undef lineGenerateDigits
#undef lineGetAddressID
#undef lineGetDevConfig
#undef lineGetIcon
#undef lineGetID
#undef lineMakeCall
#undef linePark
#undef linePickup
#undef lineRedirect
#undef lineSetDevConfig
#undef lineUnpark
#undef phoneGetIcon
#undef phoneGetID
#undef lineForward
#undef lineGetAddressCaps
#undef lineGetAddressStatus
#undef lineGetCallInfo
#undef lineGetDevCaps
#undef lineOpen
#undef linePrepareAddToConference
#undef lineSetupConference
#undef lineSetupTransfer
#undef phoneGetButtonInfo
#undef phoneGetDevCaps
#undef phoneGetStatus
#undef phoneSetButtonInfo
