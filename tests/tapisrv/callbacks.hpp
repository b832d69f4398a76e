// TAPI's side of LINEEVENT, PHONEEVENT and ASYNC_COMPLETION: checks each callback, fills the htCall of LINE_NEWCALL,
// and puts the callback into its section. A TSP gives no context, so one World is the root that they reach.
// Owner: main sets the root. The provider calls from whatever threads it has.
#pragma once

#include <tspi.h>

namespace tsplink::tapisim {

class World;

void set_root(World* world);

void CALLBACK on_line_event(HTAPILINE htLine, HTAPICALL htCall, DWORD dwMsg, DWORD_PTR dwParam1, DWORD_PTR dwParam2,
                            DWORD_PTR dwParam3);
void CALLBACK on_phone_event(HTAPIPHONE htPhone, DWORD dwMsg, DWORD_PTR dwParam1, DWORD_PTR dwParam2,
                             DWORD_PTR dwParam3);
void CALLBACK on_completion(DRV_REQUESTID dwRequestID, LONG lResult);

}  // namespace tsplink::tapisim
