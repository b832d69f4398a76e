// What several call-starting functions share: LINECALLPARAMS, dial strings, new call handles, user-user information.
// Owner: the line_*.cpp files. Threads: any, with the Pbx's mutex held.
#pragma once

#include <functional>

#include "tests/simpbx/pbx.hpp"

namespace tsplink::simpbx {

/// Refuses what this line cannot dial, without side effect.
void check_dial_string(const Config& config, const Text& number);
/// Takes over everything that LINECALLPARAMS says; refuses what is out of range. Null: defaults.
void apply_call_params(Call& call, const LINECALLPARAMS* params);
/// A new outgoing call with its handle, not dialled yet; forgotten again if its parameters are refused.
CallPtr start_call(Pbx& pbx, const LinePtr& line, DWORD address_id, HTAPICALL htCall, const LINECALLPARAMS* params);
/// Writes the handle and submits the request (in the wrong order with the habit completion_before_output).
void submit_start(Pbx& pbx, DRV_REQUESTID request, const CallPtr& call, LPHDRVCALL lphdCall,
                  std::function<LONG()> effect);
/// Copied user-user information; refuses too much of it.
Bytes user_user(LPCSTR lpsUserUserInfo, DWORD dwSize);

}  // namespace tsplink::simpbx
