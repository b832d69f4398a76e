// Digits, tones and media of a call: generate, gather, monitor, media control.
#include <algorithm>

#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/names.hpp"

namespace tsplink::simpbx {
namespace {

constexpr DWORD kMaxList = 16;

DWORD_PTR tick() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<DWORD>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

bool is_digit(WCHAR c) {
  return c < 0x80 && std::string("0123456789*#ABCD,").find(static_cast<char>(c)) != std::string::npos;
}

DWORD tone_bytes(DWORD mode, DWORD count) {
  if (mode != LINETONEMODE_CUSTOM) return 0;
  return static_cast<DWORD>(std::min(count, kMaxList) * sizeof(LINEGENERATETONE));
}

void gather_timeout(Pbx& pbx, const CallPtr& call, DWORD ms, DWORD reason) {
  if (ms == 0) return;
  const std::uint64_t generation = ++call->gather.generation;
  pbx.courier.later(ms, {call->line, call, nullptr, nullptr}, [&pbx, call, generation, reason] {
    if (call->gather.active && call->gather.generation == generation) pbx.end_gather(call, reason);
  });
}

}  // namespace

/// The digits are in TAPI's buffer before LINE_GATHERDIGITS.
void Pbx::end_gather(const CallPtr& call, DWORD reason) {
  Gather& gather = call->gather;
  if (gather.got < gather.wanted) gather.buffer[gather.got] = WCHAR(0);
  gather.active = false;
  ++gather.generation;
  call_event(call, LINE_GATHERDIGITS, reason, gather.end_to_end, tick());
}

void Pbx::end_generate(const CallPtr& call, DWORD reason) {
  call->generating = false;
  ++call->generate_generation;
  call_event(call, LINE_GENERATE, reason, call->generate_end_to_end, tick());
}

/// The far side pressed a key.
void Pbx::far_digit(const CallPtr& call, WCHAR digit, DWORD mode) {
  if (call->monitor_digits & mode) call_event(call, LINE_MONITORDIGITS, digit, mode, tick());
  Gather& gather = call->gather;
  if (!gather.active || !(gather.modes & mode)) return;
  gather.buffer[gather.got++] = digit;
  if (gather.terminators.find(digit) != Text::npos) {
    end_gather(call, LINEGATHERTERM_TERMDIGIT);
  } else if (gather.got == gather.wanted) {
    end_gather(call, LINEGATHERTERM_BUFFERFULL);
  } else {
    gather_timeout(*this, call, gather.inter_timeout, LINEGATHERTERM_INTERTIMEOUT);
  }
}

void Pbx::far_user_user(const CallPtr& call, Bytes bytes) {
  if (!call->user_user.empty()) {  // until lineReleaseUserUserInfo the next ones wait
    call->user_user_waiting.push_back(std::move(bytes));
    return;
  }
  call->user_user = std::move(bytes);
  call_info(call, LINECALLINFOSTATE_USERUSERINFO);
}

}  // namespace tsplink::simpbx

using namespace tsplink::simpbx;

SIMPBX_EXPORT TSPI_lineGenerateDigits(HDRVCALL hdCall, DWORD dwEndToEndID, DWORD dwDigitMode, LPCWSTR lpszDigits,
                                      DWORD dwDuration) {
  return sync_entry(
      "lineGenerateDigits", {ARG(hdCall), ARG(dwEndToEndID), ARG(dwDigitMode), ARG(lpszDigits), ARG(dwDuration)},
      [&](Pbx& pbx) {
        const CallPtr call = pbx.call(hdCall);
        if (dwDigitMode != LINEDIGITMODE_PULSE && dwDigitMode != LINEDIGITMODE_DTMF) refuse(LINEERR_INVALDIGITMODE);
        Pbx::need_state(*call, LINECALLSTATE_CONNECTED);
        if (call->generating)
          pbx.end_generate(call, LINEGENERATETERM_CANCEL);  // one at a time: a new one ends the old
        if (!lpszDigits) return;
        const Text digits = copy_text(lpszDigits);
        if (!std::all_of(digits.begin(), digits.end(), is_digit)) refuse(LINEERR_INVALDIGITS);
        call->generating = true;
        call->generate_end_to_end = dwEndToEndID;
        const std::uint64_t generation = ++call->generate_generation;
        const DWORD duration = dwDuration == 0 ? call->dial_params.dwDigitDuration : dwDuration;
        const auto ms =
            static_cast<unsigned>(std::min<std::uint64_t>(std::uint64_t{duration} * digits.size(), 60000));
        pbx.courier.later(ms, {call->line, call, nullptr, nullptr}, [&pbx, call, generation, digits, dwDigitMode] {
          if (!call->generating || call->generate_generation != generation) return;
          if (const CallPtr peer = call->peer.lock()) {
            for (const WCHAR digit : digits) pbx.far_digit(peer, digit, dwDigitMode);
          }
          pbx.end_generate(call, LINEGENERATETERM_DONE);
        });
      });
}

SIMPBX_EXPORT TSPI_lineGenerateTone(HDRVCALL hdCall, DWORD dwEndToEndID, DWORD dwToneMode, DWORD dwDuration,
                                    DWORD dwNumTones, LPLINEGENERATETONE const lpTones) {
  return sync_entry("lineGenerateTone",
                    {ARG(hdCall), ARG(dwEndToEndID), ARG(dwToneMode), ARG(dwDuration), ARG(dwNumTones),
                     // the tones count, and may be read, only in one mode
                     BLOCK_ARG(lpTones, tone_bytes(dwToneMode, dwNumTones))},
                    [&](Pbx& pbx) {
                      const CallPtr call = pbx.call(hdCall);
                      Pbx::need_state(*call, LINECALLSTATE_CONNECTED);
                      if (dwToneMode > LINETONEMODE_BILLING || (dwToneMode & (dwToneMode - 1)))
                        refuse(LINEERR_INVALTONEMODE);
                      if (call->generating) pbx.end_generate(call, LINEGENERATETERM_CANCEL);
                      if (dwToneMode == 0) return;  // cancels only
                      if (dwToneMode == LINETONEMODE_CUSTOM) {
                        if (dwNumTones == 0 || dwNumTones > 4) refuse(LINEERR_INVALTONE);
                        need_pointer(lpTones);
                      }
                      call->generating = true;
                      call->generate_end_to_end = dwEndToEndID;
                      const std::uint64_t generation = ++call->generate_generation;
                      if (dwDuration == 0 && dwToneMode != LINETONEMODE_BEEP) return;  // until it is cancelled
                      const std::vector<LINEGENERATETONE> tones(
                          lpTones, dwToneMode == LINETONEMODE_CUSTOM ? lpTones + dwNumTones : lpTones);
                      pbx.courier.later(
                          std::min<DWORD>(dwDuration, 60000), {call->line, call, nullptr, nullptr},
                          [&pbx, call, generation, tones] {
                            if (!call->generating || call->generate_generation != generation) return;
                            if (const CallPtr peer = call->peer.lock()) {  // a listening peer hears the frequencies
                              for (const auto& [list, wanted] : peer->tone_lists) {
                                for (const LINEMONITORTONE& w : wanted) {
                                  const bool heard = std::any_of(
                                      tones.begin(), tones.end(),
                                      [&w](const LINEGENERATETONE& t) { return t.dwFrequency == w.dwFrequency1; });
                                  if (heard) pbx.call_event(peer, LINE_MONITORTONE, w.dwAppSpecific, list, tick());
                                }
                              }
                            }
                            pbx.end_generate(call, LINEGENERATETERM_DONE);
                          });
                    });
}

SIMPBX_EXPORT TSPI_lineGatherDigits(HDRVCALL hdCall, DWORD dwEndToEndID, DWORD dwDigitModes, LPWSTR lpsDigits,
                                    DWORD dwNumDigits, LPCWSTR lpszTerminationDigits, DWORD dwFirstDigitTimeout,
                                    DWORD dwInterDigitTimeout) {
  return sync_entry("lineGatherDigits",
                    {ARG(hdCall), ARG(dwEndToEndID), ARG(dwDigitModes), ARG(lpsDigits), ARG(dwNumDigits),
                     ARG(lpszTerminationDigits), ARG(dwFirstDigitTimeout), ARG(dwInterDigitTimeout)},
                    [&](Pbx& pbx) {
                      const CallPtr call = pbx.call(hdCall);
                      if (lpsDigits) {
                        if (dwDigitModes == 0 || (dwDigitModes & ~DWORD{LINEDIGITMODE_PULSE | LINEDIGITMODE_DTMF}))
                          refuse(LINEERR_INVALDIGITMODE);
                        if (dwNumDigits == 0) refuse(LINEERR_INVALPARAM);
                        Pbx::need_state(*call, LINECALLSTATE_CONNECTED);
                        for (const DWORD timeout : {dwFirstDigitTimeout, dwInterDigitTimeout}) {
                          if (timeout != 0 && (timeout < 10 || timeout > 60000)) refuse(LINEERR_INVALTIMEOUT);
                        }
                      }
                      if (call->gather.active) pbx.end_gather(call, LINEGATHERTERM_CANCEL);
                      if (!lpsDigits) return;
                      Gather& gather = call->gather;
                      gather.active = true;
                      gather.end_to_end = dwEndToEndID;
                      gather.modes = dwDigitModes;
                      gather.buffer = lpsDigits;
                      gather.wanted = dwNumDigits;
                      gather.got = 0;
                      gather.terminators = copy_text(lpszTerminationDigits);
                      gather.first_timeout = dwFirstDigitTimeout;
                      gather.inter_timeout = dwInterDigitTimeout;
                      gather_timeout(pbx, call, dwFirstDigitTimeout, LINEGATHERTERM_FIRSTTIMEOUT);
                    });
}

SIMPBX_EXPORT TSPI_lineMonitorDigits(HDRVCALL hdCall, DWORD dwDigitModes) {
  return sync_entry("lineMonitorDigits", {ARG(hdCall), ARG(dwDigitModes)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    if (dwDigitModes & ~kDigitModes) refuse(LINEERR_INVALDIGITMODE);
    Pbx::need_state(*call, ~DWORD{LINECALLSTATE_IDLE});
    call->monitor_digits = dwDigitModes;
  });
}

SIMPBX_EXPORT TSPI_lineMonitorMedia(HDRVCALL hdCall, DWORD dwMediaModes) {
  return sync_entry("lineMonitorMedia", {ARG(hdCall), ARG(dwMediaModes)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    Pbx::need_media(dwMediaModes);
    Pbx::need_state(*call, ~DWORD{LINECALLSTATE_IDLE});
    call->monitor_media = dwMediaModes;
  });
}

SIMPBX_EXPORT TSPI_lineMonitorTones(HDRVCALL hdCall, DWORD dwToneListID, LPLINEMONITORTONE const lpToneList,
                                    DWORD dwNumEntries) {
  return sync_entry("lineMonitorTones",
                    {ARG(hdCall), ARG(dwToneListID), ARRAY_ARG(lpToneList, dwNumEntries), ARG(dwNumEntries)},
                    [&](Pbx& pbx) {
                      const CallPtr call = pbx.call(hdCall);
                      Pbx::need_state(*call, ~DWORD{LINECALLSTATE_IDLE});
                      if (!lpToneList) {
                        call->tone_lists.erase(dwToneListID);
                        return;
                      }
                      if (dwNumEntries > kMaxList) refuse(LINEERR_INVALTONELIST);
                      call->tone_lists[dwToneListID].assign(lpToneList, lpToneList + dwNumEntries);
                    });
}

SIMPBX_EXPORT TSPI_lineSetMediaMode(HDRVCALL hdCall, DWORD dwMediaMode) {
  return sync_entry("lineSetMediaMode", {ARG(hdCall), ARG(dwMediaMode)}, [&](Pbx& pbx) {
    const CallPtr call = pbx.call(hdCall);
    Pbx::need_media(dwMediaMode);
    if (dwMediaMode == 0) refuse(LINEERR_INVALMEDIAMODE);
    call->media = dwMediaMode;
    pbx.call_info(call, LINECALLINFOSTATE_MEDIAMODE);
  });
}

SIMPBX_EXPORT TSPI_lineSetMediaControl(HDRVLINE hdLine, DWORD dwAddressID, HDRVCALL hdCall, DWORD dwSelect,
                                       LPLINEMEDIACONTROLDIGIT const lpDigitList, DWORD dwDigitNumEntries,
                                       LPLINEMEDIACONTROLMEDIA const lpMediaList, DWORD dwMediaNumEntries,
                                       LPLINEMEDIACONTROLTONE const lpToneList, DWORD dwToneNumEntries,
                                       LPLINEMEDIACONTROLCALLSTATE const lpCallStateList,
                                       DWORD dwCallStateNumEntries) {
  return sync_entry("lineSetMediaControl",
                    {ARG(hdLine), ARG(dwAddressID), ARG(hdCall), ARG(dwSelect),
                     ARRAY_ARG(lpDigitList, dwDigitNumEntries), ARRAY_ARG(lpMediaList, dwMediaNumEntries),
                     ARRAY_ARG(lpToneList, dwToneNumEntries), ARRAY_ARG(lpCallStateList, dwCallStateNumEntries)},
                    [&](Pbx& pbx) {
                      // The selection says which of the three ids counts.
                      LinePtr line;
                      MediaControl* control = nullptr;
                      CallPtr call;
                      if (dwSelect == LINECALLSELECT_CALL) {
                        call = pbx.call(hdCall);
                        control = &call->media_control;
                      } else if (dwSelect == LINECALLSELECT_ADDRESS || dwSelect == LINECALLSELECT_LINE) {
                        line = pbx.line(hdLine);
                        if (dwSelect == LINECALLSELECT_ADDRESS) pbx.address(*line, dwAddressID);
                        control = &line->media_control;
                      } else {
                        refuse(LINEERR_INVALCALLSELECT);
                      }
                      if (dwDigitNumEntries > kMaxList) refuse(LINEERR_INVALDIGITLIST);
                      if (dwMediaNumEntries > kMaxList) refuse(LINEERR_INVALMEDIALIST);
                      if (dwToneNumEntries > kMaxList) refuse(LINEERR_INVALTONELIST);
                      if (dwCallStateNumEntries > kMaxList) refuse(LINEERR_INVALCALLSTATELIST);
                      // A null list leaves what is there.
                      if (lpDigitList) control->digits.assign(lpDigitList, lpDigitList + dwDigitNumEntries);
                      if (lpMediaList) control->media.assign(lpMediaList, lpMediaList + dwMediaNumEntries);
                      if (lpToneList) control->tones.assign(lpToneList, lpToneList + dwToneNumEntries);
                      if (lpCallStateList)
                        control->states.assign(lpCallStateList, lpCallStateList + dwCallStateNumEntries);
                      pbx.log("   media control: " + std::to_string(control->digits.size()) + " digits, " +
                              std::to_string(control->media.size()) + " media, " +
                              std::to_string(control->tones.size()) + " tones, " +
                              std::to_string(control->states.size()) + " states");
                    });
}
