// What the simulated PBX consists of: lines with addresses, calls, phones, MSP instances. Plain data.
// Owner: the Pbx. Threads: any, with the Pbx's mutex held.
#pragma once

#include <tspi.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simpbx/text.hpp"

namespace tsplink::simpbx {

using Bytes = std::vector<BYTE>;

struct Line;
struct Call;
struct Phone;
using LinePtr = std::shared_ptr<Line>;
using CallPtr = std::shared_ptr<Call>;
using PhonePtr = std::shared_ptr<Phone>;

constexpr DWORD kTerminals = 2;  // a telephone set and a headset on each line
constexpr DWORD kNoDevice = 0xFFFFFFFF;

struct Forward {
  DWORD mode = 0;
  Text caller;
  DWORD country = 0;
  Text destination;
  DWORD caller_type = 0, destination_type = 0;  // LINEADDRESSTYPE_, from 3.1 on
};

struct Address {
  Text number;
  std::vector<Forward> forwards;
  DWORD rings_no_answer = 0;
  std::array<DWORD, kTerminals> terminals{};
};

/// What lineSetMediaControl asked for; each list stays until it is replaced.
struct MediaControl {
  std::vector<LINEMEDIACONTROLDIGIT> digits;
  std::vector<LINEMEDIACONTROLMEDIA> media;
  std::vector<LINEMEDIACONTROLTONE> tones;
  std::vector<LINEMEDIACONTROLCALLSTATE> states;
};

struct Completion {  // camp-on and its kin, made by lineCompleteCall
  DWORD mode = 0;
  DWORD message = 0;
  Text called;
};

/// One direction's record of the private exchange with the MSP half; see msp_protocol.hpp.
struct MspTraffic {
  std::uint32_t next_sequence = 1;
  std::uint64_t blocks_sent = 0, bytes_sent = 0;
  std::uint64_t blocks_received = 0, bytes_received = 0;
  std::uint64_t blocks_echoed = 0, bytes_echoed = 0;
  std::uint64_t mismatches = 0, foreign = 0;
  std::uint32_t last_sequence = 0;
  bool started = false;
};

struct Line {
  unsigned number = 0;  // from 1: the name in logs and on the control channel
  DWORD device_id = kNoDevice;
  DWORD permanent_id = 0;
  Text name;
  std::vector<Address> addresses;
  bool removed = false;

  // As TAPI opened it.
  bool open = false;
  std::uintptr_t handle = 0;
  HTAPILINE htLine = nullptr;
  LINEEVENT event = nullptr;
  DWORD version = 0;
  DWORD selected_ext = 0;
  DWORD line_states = 0, address_states = 0;
  DWORD media_modes = 0, conditional_modes = 0;
  bool media_set = false;     // lineSetDefaultMediaDetection was called since lineOpen
  bool announce_all = false;  // nobody asked for media modes within announce_unasked_ms
  DWORD hub_tracking = LINECALLHUBTRACKING_NONE;

  // The device's own.
  bool in_service = true, connected = true, message_waiting = false, locked = false;
  DWORD ring_mode = 0;
  std::array<DWORD, kTerminals> terminals{};
  MediaControl media_control;
  std::map<Text, Bytes> config;  // by device class
  std::map<DWORD, Completion> completions;
  Bytes dev_specific{'s', 'i', 'm', 'l'};
  MspTraffic msp;
};

struct Party {
  DWORD flags = LINECALLPARTYID_UNKNOWN;
  Text number, name;
};

struct Gather {
  bool active = false;
  DWORD end_to_end = 0, modes = 0;
  LPWSTR buffer = nullptr;  // TAPI's, valid until LINE_GATHERDIGITS
  DWORD wanted = 0, got = 0;
  Text terminators;
  DWORD first_timeout = 0, inter_timeout = 0;
  std::uint64_t generation = 0;  // a timer of an older gather does nothing
};

struct Call {
  unsigned number = 0;
  LinePtr line;
  DWORD address_id = 0;

  // As TAPI knows it.
  std::uintptr_t handle = 0;  // 0: TAPI holds no handle
  HTAPICALL htCall = nullptr;
  bool announced = false;   // events may name it
  bool announcing = false;  // a LINE_NEWCALL is on its way or waits for its retry
  bool closed = false;      // TAPI closed its handle while the call was up: not announced again on this lineOpen
  unsigned announce_tries = 0;

  DWORD state = 0, state_mode = 0;  // 0: made for TAPI but not begun, or its request failed
  SYSTEMTIME state_entry{};
  DWORD states_seen = 0;
  DWORD media = LINEMEDIAMODE_INTERACTIVEVOICE, bearer = LINEBEARERMODE_VOICE;
  DWORD min_rate = 0, max_rate = 64000;
  LINEDIALPARAMS dial_params{250, 80, 100, 1000};
  DWORD app_specific = 0;
  DWORD call_id = 0, related_id = 0;
  DWORD param_flags = 0, origin = 0, reason = LINECALLREASON_DIRECT;
  DWORD completion_id = 0, country = 0, trunk = 0xFFFFFFFF;
  Party caller, called, connected, redirection, redirecting;
  Text display;
  Bytes user_user, high_level, low_level, charging, dev_specific, call_data, send_flow, receive_flow;
  std::deque<Bytes> user_user_waiting;  // arrives when lineReleaseUserUserInfo asked for it
  DWORD treatment = LINECALLTREATMENT_SILENCE;
  bool secure = false;

  Text dialled;
  std::weak_ptr<Call> peer;        // the other end, when it is a line of this PBX
  std::weak_ptr<Call> consult;     // the consultation call started from this one
  std::weak_ptr<Call> parent;      // the call this one consults for
  std::weak_ptr<Call> conference;  // the conference it belongs to
  bool is_conference = false;
  DWORD no_answer_ms = 0;

  std::array<DWORD, kTerminals> terminals{};
  MediaControl media_control;
  Gather gather;
  bool generating = false;
  DWORD generate_end_to_end = 0;
  std::uint64_t generate_generation = 0;
  DWORD monitor_digits = 0, monitor_media = 0;
  std::map<DWORD, std::vector<LINEMONITORTONE>> tone_lists;
  MspTraffic msp;
};

struct MspInstance {
  unsigned number = 0;
  std::uintptr_t handle = 0;
  LinePtr line;
  DWORD address_id = 0;
  HTAPIMSPLINE htMSPLine = 0;
};

struct Hook {
  DWORD mode = PHONEHOOKSWITCHMODE_ONHOOK, volume = 0x8000, gain = 0x8000;
};

struct Button {
  DWORD mode = 0, function = 0, state = PHONEBUTTONSTATE_UP, lamp_modes = 0, lamp = PHONELAMPMODE_OFF;
  Text text;
  Bytes dev_specific;
};

struct Phone {
  unsigned number = 0;
  DWORD device_id = kNoDevice;
  DWORD permanent_id = 0;
  Text name;
  bool removed = false;

  bool open = false;
  std::uintptr_t handle = 0;
  HTAPIPHONE htPhone = nullptr;
  PHONEEVENT event = nullptr;
  DWORD version = 0, selected_ext = 0;
  DWORD states = 0, button_modes = 0, button_states = 0;

  bool connected = true, suspended = false;
  std::array<Hook, 3> hooks;  // handset, speaker, headset
  DWORD ring_mode = 0, ring_volume = 0x8000;
  std::vector<Text> display;  // rows of kDisplayColumns characters
  std::vector<Button> buttons;
  std::map<DWORD, Bytes> data;
  Bytes dev_specific{'s', 'i', 'm', 'p'};
};

constexpr DWORD kDisplayRows = 2, kDisplayColumns = 24, kRingModes = 4, kPhoneData = 2, kPhoneDataSize = 4096;

}  // namespace tsplink::simpbx
