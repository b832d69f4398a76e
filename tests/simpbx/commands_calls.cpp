// Control commands that play the far side of calls.
#include "tests/simpbx/commands.hpp"
#include "tests/simpbx/msp_protocol.hpp"
#include "tests/simpbx/names.hpp"

namespace tsplink::simpbx {
namespace {

std::string show(const Call& call) {
  return "call=" + std::to_string(call.number) + " line=" + std::to_string(call.line->number) +
         " state=" + state_name(call.state) + " known=" + (call.announced ? "yes" : "no") +
         " from=" + narrow(call.caller.number) + " to=" + narrow(call.called.number) + " media=" + hex(call.media) +
         " id=" + hex(call.call_id);
}

std::string list_calls(Pbx& pbx, const CommandLine&) {
  std::string text = std::to_string(pbx.calls.size()) + " calls";
  for (const auto& [number, call] : pbx.calls) text += "; " + show(*call);
  return text;
}

DWORD media(const CommandLine& command) {
  const std::string name = command.text("media", "interactivevoice");
  const auto value = media_of(name);
  if (!value) throw CommandError("'" + name + "' is no media mode; use a LINEMEDIAMODE_ name or a number.");
  return *value;
}

std::string incoming(Pbx& pbx, const CommandLine& command) {
  const LinePtr line = command.line(pbx);
  const DWORD address = command.number("address", 0);
  if (address >= line->addresses.size())
    throw CommandError("The line has no address " + std::to_string(address) + ".");
  if (!line->in_service || !line->connected) throw CommandError("The line is out of service.");
  Party from;
  from.number = wide(command.text("from", ""));
  from.name = wide(command.text("name", ""));
  from.flags = (from.number.empty() ? 0u : DWORD{LINECALLPARTYID_ADDRESS}) |
               (from.name.empty() ? 0u : DWORD{LINECALLPARTYID_NAME});
  if (from.flags == 0) from.flags = LINECALLPARTYID_BLOCKED;
  // LINEDEVSTATE_RINGING goes before the call, as a ringing line does.
  pbx.line_state(line, LINEDEVSTATE_RINGING, command.number("ring", 1), 0);
  line->ring_mode = command.number("ring", 1);
  const CallPtr call =
      pbx.incoming(line, address, from, media(command), command.number("reason", LINECALLREASON_DIRECT));
  const Bytes user_user = command.block();
  if (!user_user.empty()) pbx.far_user_user(call, user_user);
  return "call=" + std::to_string(call->number);
}

std::string answer(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call(pbx);
  if (!(call->state & (LINECALLSTATE_DIALING | LINECALLSTATE_PROCEEDING | LINECALLSTATE_RINGBACK))) {
    throw CommandError("The far side can only answer a call that rings there; this one is " +
                       state_name(call->state) + ".");
  }
  pbx.connect(call);
  return {};
}

std::string hangup(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call(pbx);
  if (call->state & (LINECALLSTATE_IDLE | LINECALLSTATE_DISCONNECTED))
    throw CommandError("The call has ended already.");
  pbx.far_end(call, command.number("mode", LINEDISCONNECTMODE_NORMAL));
  if (command.yes("idle", false)) pbx.set_state(call, LINECALLSTATE_IDLE);
  return {};
}

std::string busy(Pbx& pbx, const CommandLine& command) {
  pbx.set_state(command.call(pbx), LINECALLSTATE_BUSY, command.number("mode", LINEBUSYMODE_STATION));
  return {};
}

/// Any state, with any detail: for what no other command provokes.
std::string state(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call(pbx);
  const std::string& wanted = command.word(0, "a LINECALLSTATE_ name");
  for (DWORD bit = 1; bit <= LINECALLSTATE_UNKNOWN; bit <<= 1) {
    if (state_name(bit) != wanted) continue;
    pbx.set_state(call, bit, command.wide_number("mode", 0));
    return {};
  }
  throw CommandError("'" + wanted + "' is no call state.");
}

std::string digits(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call(pbx);
  const DWORD mode = command.number("mode", LINEDIGITMODE_DTMF);
  for (const WCHAR digit : wide(command.word(0, "digits"))) pbx.far_digit(call, digit, mode);
  return {};
}

std::string tone(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call(pbx);
  const DWORD frequency = command.number("frequency");
  unsigned heard = 0;
  for (const auto& [list, tones] : call->tone_lists) {
    for (const LINEMONITORTONE& t : tones) {
      if (t.dwFrequency1 != frequency && t.dwFrequency2 != frequency && t.dwFrequency3 != frequency) continue;
      pbx.call_event(call, LINE_MONITORTONE, t.dwAppSpecific, list, command.wide_number("tick", 1000));
      ++heard;
    }
  }
  return "heard=" + std::to_string(heard);
}

std::string heard_media(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call(pbx);
  const DWORD mode = media(command);
  const bool wanted = (call->monitor_media & mode) != 0;
  if (wanted) pbx.call_event(call, LINE_MONITORMEDIA, mode, 0, command.wide_number("tick", 1000));
  return wanted ? "heard=1" : "heard=0";
}

std::string callinfo(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call(pbx);
  DWORD states = command.number("states", 0);
  const auto party = [&](const char* key, Party& target, DWORD bit) {
    if (!command.has(key)) return;
    target = {LINECALLPARTYID_ADDRESS, wide(command.text(key, "")), {}};
    states |= bit;
  };
  party("caller", call->caller, LINECALLINFOSTATE_CALLERID);
  party("called", call->called, LINECALLINFOSTATE_CALLEDID);
  party("connected", call->connected, LINECALLINFOSTATE_CONNECTEDID);
  party("redirection", call->redirection, LINECALLINFOSTATE_REDIRECTIONID);
  party("redirecting", call->redirecting, LINECALLINFOSTATE_REDIRECTINGID);
  if (command.has("display")) call->display = wide(command.text("display", "")), states |= LINECALLINFOSTATE_DISPLAY;
  if (command.has("charging"))
    call->charging = parse_hex(command.text("charging", "")), states |= LINECALLINFOSTATE_CHARGINGINFO;
  if (command.has("devspecific"))
    call->dev_specific = parse_hex(command.text("devspecific", "")), states |= LINECALLINFOSTATE_DEVSPECIFIC;
  if (states == 0) throw CommandError("'callinfo' needs something to change, or states=<LINECALLINFOSTATE_ bits>.");
  pbx.call_info(call, states);
  return {};
}

std::string user_user_info(Pbx& pbx, const CommandLine& command) {
  pbx.far_user_user(command.call(pbx), command.block());
  return {};
}

std::string qos(Pbx& pbx, const CommandLine& command) {
  pbx.call_event(command.call(pbx), LINE_QOSINFO, command.wide_number("event", LINEEQOSINFO_NOQOS), media(command));
  return {};
}

HTAPIMSPLINE instance(const Pbx& pbx, const CommandLine& command, const LinePtr& line) {
  const DWORD wanted = command.number("instance", 0);  // 0: all; N: the N-th of the line
  DWORD at = 0;
  for (const auto& [handle, entry] : pbx.msp_instances) {
    if (entry.line == line && ++at == wanted) return entry.htMSPLine;
  }
  if (wanted != 0) throw CommandError("The line has no MSP instance " + std::to_string(wanted) + ".");
  return 0;
}

std::string msp(Pbx& pbx, const CommandLine& command) {
  const CallPtr call = command.call_if(pbx);
  const LinePtr line = call ? call->line : command.line(pbx);
  MspTraffic& traffic = call ? call->msp : line->msp;
  const std::string verb = command.words().empty() ? "send" : command.words()[0];
  if (verb == "status") return "msp " + traffic_text(traffic);
  if (verb == "start" && call) {
    pbx.start_streaming(call);
    return {};
  }
  if (verb == "raw") {
    pbx.send_msp(line, call, instance(pbx, command, line), command.block());
    return {};
  }
  if (verb != "send") throw CommandError("'msp' knows send, raw, start and status.");
  const DWORD size = command.number("size", 1024), blocks = command.number("blocks", 1);
  if (static_cast<std::uint64_t>(size) * blocks > (64u << 20))
    throw CommandError("More than 64 MiB at once are refused.");
  const std::string answer = pbx.send_pattern(line, call, instance(pbx, command, line), size,
                                              command.number("seed", 1), blocks, command.yes("echo", false));
  if (answer.starts_with("error ")) throw CommandError(answer.substr(6));
  return answer.substr(3);
}

}  // namespace

void add_call_commands(Commands& c) {
  c["calls"] = {"", list_calls};
  c["call"] = {"call=N", [](Pbx& pbx, const CommandLine& l) { return show(*l.call(pbx)); }};
  c["incoming"] = {"line=N from=NUMBER [name=TEXT] [media=MODE] [address=N] [reason=N] [ring=N] [hex=..]", incoming};
  c["answer"] = {"call=N", answer};
  c["hangup"] = {"call=N [mode=LINEDISCONNECTMODE] [idle=yes]", hangup};
  c["busy"] = {"call=N [mode=N]", busy};
  c["callstate"] = {"STATE call=N [mode=N]", state};
  c["digits"] = {"DIGITS call=N [mode=N]", digits};
  c["tone"] = {"call=N frequency=HZ", tone};
  c["media"] = {"call=N media=MODE", heard_media};
  c["callinfo"] = {
      "call=N [caller=..] [called=..] [connected=..] [display=..] [charging=HEX] [devspecific=HEX] [states=N]",
      callinfo};
  c["uui"] = {"call=N hex=..|text=..", user_user_info};
  c["qos"] = {"call=N event=N [media=MODE]", qos};
  c["msp"] = {"[send|raw|start|status] call=N|line=N [size=N] [seed=N] [blocks=N] [echo=yes] [instance=N] [hex=..]",
              msp};
}

}  // namespace tsplink::simpbx
