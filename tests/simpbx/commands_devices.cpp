// Control commands that play the hardware: lines and phones that come, go, fail and are used by hand.
#include "tests/simpbx/commands.hpp"
#include "tests/simpbx/names.hpp"

namespace tsplink::simpbx {
namespace {

std::string list_lines(Pbx& pbx, const CommandLine&) {
  std::string text = std::to_string(pbx.lines.size()) + " lines";
  for (const auto& [number, line] : pbx.lines) {
    text += "; line=" + std::to_string(number) + " address=" + narrow(line->addresses[0].number) +
            " device=" + (line->device_id == kNoDevice ? "none" : std::to_string(line->device_id)) +
            " open=" + (line->open ? "yes" : "no") + " media=" + hex(line->media_modes) +
            " inservice=" + (line->in_service ? "yes" : "no") + (line->removed ? " removed" : "");
  }
  return text;
}

std::string list_phones(Pbx& pbx, const CommandLine&) {
  std::string text = std::to_string(pbx.phones.size()) + " phones";
  for (const auto& [number, phone] : pbx.phones) {
    text += "; phone=" + std::to_string(number) + " open=" + (phone->open ? "yes" : "no") +
            " ring=" + std::to_string(phone->ring_mode) + " handset=" + hex(phone->hooks[0].mode) + " display=\"" +
            narrow(phone->display[0]) + "|" + narrow(phone->display[1]) + "\"" + (phone->removed ? " removed" : "");
  }
  return text;
}

/// Out of service is an outage: OUTOFSERVICE and DISCONNECTED, then INSERVICE and CONNECTED.
std::string line_state(Pbx& pbx, const CommandLine& command) {
  const LinePtr line = command.line(pbx);
  const std::string& what = command.word(0, "a state, such as outofservice");
  const auto tell = [&](bool Line::*flag, bool value, DWORD states) {
    (*line).*flag = value;
    pbx.line_state(line, states);
  };
  if (what == "outofservice") {
    tell(&Line::in_service, false, LINEDEVSTATE_OUTOFSERVICE);
  } else if (what == "inservice") {
    tell(&Line::in_service, true, LINEDEVSTATE_INSERVICE);
  } else if (what == "disconnected") {
    tell(&Line::connected, false, LINEDEVSTATE_DISCONNECTED);
  } else if (what == "connected") {
    tell(&Line::connected, true, LINEDEVSTATE_CONNECTED);
  } else if (what == "msgwaiton") {
    tell(&Line::message_waiting, true, LINEDEVSTATE_MSGWAITON);
  } else if (what == "msgwaitoff") {
    tell(&Line::message_waiting, false, LINEDEVSTATE_MSGWAITOFF);
  } else if (what == "ringing") {
    line->ring_mode = command.number("mode", 1);
    pbx.line_state(line, LINEDEVSTATE_RINGING, line->ring_mode, command.wide_number("count", 0));
  } else {
    pbx.line_state(line, static_cast<DWORD>(parse_number(what, "state")), command.wide_number("p2", 0),
                   command.wide_number("p3", 0));
  }
  return {};
}

std::string address_state(Pbx& pbx, const CommandLine& command) {
  pbx.address_state(command.line(pbx), command.number("address", 0), command.number("states"));
  return {};
}

/// LINE_DEVSPECIFIC, LINE_DEVSPECIFICFEATURE, LINE_DEVSPECIFICEX or, with call=, the call's two.
std::string devspecific(Pbx& pbx, const CommandLine& command) {
  DWORD_PTR p[3] = {0, 0, 0};
  for (std::size_t i = 0; i < 3 && i < command.words().size(); ++i)
    p[i] = parse_number(command.words()[i], "parameter");
  const std::string kind = command.text("kind", "plain");
  if (command.has("phone")) {
    pbx.phone_event(command.phone(pbx), PHONE_DEVSPECIFIC, p[0], p[1], p[2]);
  } else if (const CallPtr call = command.call_if(pbx)) {
    pbx.call_event(call, kind == "feature" ? LINE_CALLDEVSPECIFICFEATURE : LINE_CALLDEVSPECIFIC, p[0], p[1], p[2]);
  } else {
    const LONG message = kind == "feature" ? LINE_DEVSPECIFICFEATURE
                         : kind == "ex"    ? LINE_DEVSPECIFICEX
                                           : LINE_DEVSPECIFIC;
    pbx.line_event(command.line(pbx), message, p[0], p[1], p[2]);
  }
  return {};
}

void announce_device(Pbx& pbx, LONG message, bool phone, DWORD_PTR p1, DWORD_PTR p2) {
  Callback callback;
  callback.message = static_cast<DWORD>(message);
  callback.p1 = p1, callback.p2 = p2;
  if (phone) {
    callback.kind = Callback::Kind::phone;
    callback.direct_phone = pbx.create_phone;
  } else {
    callback.direct_line = pbx.create_line;
  }
  if (!callback.direct_line && !callback.direct_phone) throw CommandError("TAPI has not enumerated the devices yet.");
  pbx.courier.emit(std::move(callback));
}

std::string create(Pbx& pbx, const CommandLine& command) {
  const std::string& what = command.word(0, "'line' or 'phone'");
  const auto provider = number_of(pbx.hProvider);
  if (what == "line") {
    const LinePtr line = pbx.add_line();
    announce_device(pbx, LINE_CREATE, false, provider, line->number);
    return "line=" + std::to_string(line->number);
  }
  if (what != "phone") throw CommandError("'create' needs 'line' or 'phone'.");
  const PhonePtr phone = pbx.add_phone();
  announce_device(pbx, PHONE_CREATE, true, provider, phone->number);
  return "phone=" + std::to_string(phone->number);
}

std::string remove(Pbx& pbx, const CommandLine& command) {
  if (command.has("phone")) {
    const PhonePtr phone = command.phone(pbx);
    phone->removed = true;
    if (phone->device_id != kNoDevice) announce_device(pbx, PHONE_REMOVE, true, phone->device_id, 0);
    return {};
  }
  const LinePtr line = command.line(pbx);
  line->removed = true;
  if (line->device_id != kNoDevice) announce_device(pbx, LINE_REMOVE, false, line->device_id, 0);
  return {};
}

/// The administrator of the switch gives a line or phone another name: its capabilities are other ones now.
std::string rename(Pbx& pbx, const CommandLine& command) {
  if (command.has("phone")) {
    const PhonePtr phone = command.phone(pbx);
    phone->name = wide(command.text("name", ""));
    pbx.phone_state(phone, PHONESTATE_CAPSCHANGE);
    return {};
  }
  const LinePtr line = command.line(pbx);
  line->name = wide(command.text("name", ""));
  pbx.line_state(line, LINEDEVSTATE_CAPSCHANGE);
  return {};
}

/// LINE_CLOSE and PHONE_CLOSE are requests: everything pending is completed first.
std::string close(Pbx& pbx, const CommandLine& command) {
  if (command.has("phone")) {
    const PhonePtr phone = command.phone(pbx);
    pbx.courier.end(phone.get(), error(PHONEERR_OPERATIONFAILED));
    pbx.phone_event(phone, PHONE_CLOSE, 0);
    return {};
  }
  const LinePtr line = command.line(pbx);
  pbx.courier.end(line.get(), error(LINEERR_OPERATIONFAILED));
  pbx.line_event(line, LINE_CLOSE, 0);
  return {};
}

std::string button(Pbx& pbx, const CommandLine& command) {
  const PhonePtr phone = command.phone(pbx);
  const DWORD id = command.number("id");
  if (id >= phone->buttons.size()) throw CommandError("The phone has no button " + std::to_string(id) + ".");
  Button& pressed = phone->buttons[id];
  const std::string how = command.text("state", "press");
  const auto tell = [&](DWORD state) {
    pressed.state = state;
    if ((phone->button_modes & pressed.mode) && (phone->button_states & state)) {
      pbx.phone_event(phone, PHONE_BUTTON, id, pressed.mode, state);
    }
  };
  if (how != "up") tell(PHONEBUTTONSTATE_DOWN);
  if (how != "down") tell(PHONEBUTTONSTATE_UP);
  return {};
}

/// The user lifts or replaces the handset, another speaker, or the switch does something to the phone.
std::string phone_state(Pbx& pbx, const CommandLine& command) {
  const PhonePtr phone = command.phone(pbx);
  const std::string& what = command.word(0, "a state, such as offhook");
  if (what == "offhook" || what == "onhook") {
    phone->hooks[0].mode = what == "offhook" ? PHONEHOOKSWITCHMODE_MICSPEAKER : PHONEHOOKSWITCHMODE_ONHOOK;
    pbx.phone_state(phone, PHONESTATE_HANDSETHOOKSWITCH, phone->hooks[0].mode);
  } else if (what == "connected" || what == "disconnected") {
    phone->connected = what == "connected";
    pbx.phone_state(phone, phone->connected ? PHONESTATE_CONNECTED : PHONESTATE_DISCONNECTED);
  } else if (what == "suspend" || what == "resume") {
    phone->suspended = what == "suspend";
    pbx.phone_state(phone, phone->suspended ? PHONESTATE_SUSPEND : PHONESTATE_RESUME);
  } else if (what == "ring") {
    phone->ring_mode = command.number("mode", 1);
    pbx.phone_state(phone, PHONESTATE_RINGMODE, phone->ring_mode);
  } else if (what == "display") {
    Text row = wide(command.text("text", ""));
    row.resize(kDisplayColumns, WCHAR(' '));
    phone->display[command.number("row", 0) % kDisplayRows] = row;
    pbx.phone_state(phone, PHONESTATE_DISPLAY);
  } else {
    pbx.phone_state(phone, static_cast<DWORD>(parse_number(what, "state")), command.wide_number("detail", 0));
  }
  return {};
}

}  // namespace

void add_device_commands(Commands& c) {
  c["lines"] = {"", list_lines};
  c["phones"] = {"", list_phones};
  c["state"] = {
      "outofservice|inservice|disconnected|connected|msgwaiton|msgwaitoff|ringing|BITS line=N [p2=N] [p3=N]",
      line_state};
  c["addressstate"] = {"line=N states=BITS [address=N]", address_state};
  c["devspecific"] = {"P1 P2 P3 line=N|call=N|phone=N [kind=plain|feature|ex]", devspecific};
  c["create"] = {"line|phone", create};
  c["remove"] = {"line=N|phone=N", remove};
  c["rename"] = {"line=N|phone=N name=TEXT", rename};
  c["close"] = {"line=N|phone=N", close};
  c["button"] = {"phone=N id=N [state=press|down|up]", button};
  c["phonestate"] = {
      "offhook|onhook|connected|disconnected|suspend|resume|ring|display|BITS phone=N [detail=N] [text=..]",
      phone_state};
}

}  // namespace tsplink::simpbx
