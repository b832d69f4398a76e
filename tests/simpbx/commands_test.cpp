// Control commands for tests: when completions come, which faults happen, raw events, waiting, counters.
#include <chrono>
#include <thread>

#include "tests/simpbx/commands.hpp"
#include "tests/simpbx/names.hpp"

namespace tsplink::simpbx {
namespace {

std::string completions(Pbx& pbx, const CommandLine& command) {
  const std::string& what = command.word(0, "hold, release, fail or status");
  if (what == "hold") {
    pbx.courier.hold();
  } else if (what == "release") {
    pbx.courier.release(command.number("count", 0));
  } else if (what == "fail") {
    const auto result = result_of(command.text("error", "LINEERR_OPERATIONFAILED"));
    if (!result || *result >= 0) throw CommandError("'error' must be a LINEERR_ or PHONEERR_ name or number.");
    pbx.courier.fail_next(*result, command.number("count", 1));
  } else if (what != "status") {
    throw CommandError("'completions' knows hold, release, fail and status.");
  }
  return "pending=" + std::to_string(pbx.courier.pending());
}

std::string fail(Pbx& pbx, const CommandLine& command) {
  const std::string& function = command.word(0, "a function's name, such as lineHold");
  const auto result = result_of(
      command.text("error", function.starts_with("phone") ? "PHONEERR_OPERATIONFAILED" : "LINEERR_OPERATIONFAILED"));
  if (!result || *result >= 0) throw CommandError("'error' must be a LINEERR_ or PHONEERR_ name or number.");
  const DWORD count = command.number("count", 1);
  if (count == 0) {
    pbx.faults.erase(function);
  } else {
    pbx.faults[function] = {*result, count};
  }
  return {};
}

/// Any event with any numbers; htLine=, htCall=, htPhone= replace the handles that line=, call=, phone= give.
std::string event(Pbx& pbx, const CommandLine& command) {
  const std::string& name = command.word(0, "a message's name or number");
  const auto message = message_of(name);
  if (!message) throw CommandError("'" + name + "' is no message of a TSP.");
  Callback callback;
  callback.message = *message;
  callback.p1 = command.wide_number("p1", 0);
  callback.p2 = command.wide_number("p2", 0);
  callback.p3 = command.wide_number("p3", 0);
  const unsigned times = command.number("count", 1);
  if (command.has("phone")) {
    callback.kind = Callback::Kind::phone;
    callback.scope.phone = command.phone(pbx);
    if (command.has("htPhone")) callback.device = command.wide_number("htPhone", 0);
  } else {
    callback.scope.call = command.call_if(pbx);
    callback.scope.line = callback.scope.call ? callback.scope.call->line : command.line(pbx);
    if (command.has("htLine")) callback.device = command.wide_number("htLine", 0);
    if (command.has("htCall")) callback.call_handle = command.wide_number("htCall", 0);
  }
  for (unsigned i = 0; i < times; ++i) pbx.courier.emit(callback);
  return {};
}

std::string complete(Pbx& pbx, const CommandLine& command) {
  Callback callback;
  callback.kind = Callback::Kind::completion;
  callback.message = command.number("request");
  callback.result = result_of(command.text("result", "0")).value_or(0);
  pbx.courier.emit(std::move(callback));
  return {};
}

/// LINE_CREATEDIALOGINSTANCE for the request of a lineDevSpecific that is held back, then
/// LINE_SENDDIALOGINSTANCEDATA.
std::string dialog(Pbx& pbx, const CommandLine& command) {
  const std::string& what = command.word(0, "create, send or close");
  Callback callback;
  callback.direct_line = pbx.create_line;
  if (!callback.direct_line) throw CommandError("TAPI has not enumerated the devices yet.");
  callback.bytes = std::make_shared<Bytes>(command.block());
  if (what == "create") {
    pbx.dialogs = pbx.new_handle();
    callback.message = static_cast<DWORD>(LINE_CREATEDIALOGINSTANCE);
    callback.kind = Callback::Kind::dialog;
    callback.device = number_of(pbx.hProvider);
    callback.call_handle = pbx.dialogs;  // hdDlgInst; the courier builds the structure on its stack
    callback.p1 = command.number("request", pbx.courier.newest());
    pbx.courier.emit(std::move(callback));
    return "dialog=" + hex(pbx.dialogs);
  }
  if (pbx.dialogs == 0) throw CommandError("There is no dialog; 'dialog create' makes one.");
  callback.message = static_cast<DWORD>(LINE_SENDDIALOGINSTANCEDATA);
  if (what == "send") {
    callback.p1 = reinterpret_cast<DWORD_PTR>(callback.bytes->data());
    callback.p2 = callback.bytes->size();
  }
  pbx.courier.emit(std::move(callback));
  return {};
}

/// True when everything that the command names has happened.
bool happened(Pbx& pbx, const CommandLine& command) {
  const auto least = [&command](const char* key, std::uint64_t value) {
    return !command.has(key) || value >= command.number(key);
  };
  const auto line_with = [&](const char* key) {
    const LinePtr line = command.has(key) ? pbx.line_by_number(command.number(key)) : nullptr;
    if (command.has(key) && !line) throw CommandError("There is no line " + command.text(key, "") + ".");
    return line;
  };
  if (command.has("calls") && pbx.calls.size() != command.number("calls")) return false;
  if (!least("delivered", pbx.courier.delivered()) || !least("pending", pbx.courier.pending())) return false;
  if (const LinePtr line = line_with("open"); line && !line->open) return false;
  if (const LinePtr line = line_with("detection"); line && !line->media_set) return false;
  if (const LinePtr line = line_with("msp"); line && !pbx.has_msp(*line)) return false;
  if (const std::string function = command.text("entered", ""); !function.empty()) {
    if (pbx.entered[function] < command.number("count", 1)) return false;
  }
  if (!command.has("call")) return true;
  const CallPtr call = pbx.call_by_number(command.number("call"));
  if (!call) return command.text("state", "") == "gone";
  if (command.has("state") && state_name(call->state) != command.text("state", "")) return false;
  if (command.yes("started", false) && !call->msp.started) return false;
  return least("received", call->msp.bytes_received) && least("echoed", call->msp.bytes_echoed);
}

/// Until `condition` holds; at most ms (or `otherwise`).
template <class Condition>
void await(Pbx& pbx, const CommandLine& command, DWORD otherwise, Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(command.number("ms", otherwise));
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until || pbx.courier.stopping()) {
      throw CommandError("It did not happen in time.");
    }
    pbx.mutex().unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    pbx.mutex().lock();
  }
}

/// Until everything named has happened.
std::string wait(Pbx& pbx, const CommandLine& command) {
  await(pbx, command, 5000, [&] { return happened(pbx, command); });
  return {};
}

/// Lets several scenarios wait for each other: until so many have come to the place of that name.
std::string meet(Pbx& pbx, const CommandLine& command) {
  auto& there = pbx.meetings[command.word(0, "the name of a place")];
  ++there;
  await(pbx, command, 25000, [&] { return there >= command.number("of", 3); });
  return {};
}

std::string status(Pbx& pbx, const CommandLine&) {
  return "calls=" + std::to_string(pbx.calls.size()) +
         " handles=" + std::to_string(pbx.line_handles.size() + pbx.call_handles.size() + pbx.phone_handles.size()) +
         " msp_instances=" + std::to_string(pbx.msp_instances.size()) +
         " pending=" + std::to_string(pbx.courier.pending()) +
         " delivered=" + std::to_string(pbx.courier.delivered()) + " reentered=" + std::to_string(pbx.reentered) +
         " habits=" + pbx.config.habits.text();
}

std::string entered(Pbx& pbx, const CommandLine& command) {
  if (!command.words().empty()) return "count=" + std::to_string(pbx.entered[command.words()[0]]);
  std::string text;
  for (const auto& [name, count] : pbx.entered)
    text += (text.empty() ? "" : " ") + name + "=" + std::to_string(count);
  return text;
}

std::string habits(Pbx& pbx, const CommandLine& command) {
  if (!command.words().empty()) {
    Habits wanted;
    wanted.add_list(command.words()[0]);
    pbx.config.habits = wanted;
  }
  return pbx.config.habits.text();
}

}  // namespace

void add_test_commands(Commands& c) {
  c["completions"] = {"hold|release|fail|status [count=N] [error=NAME]", completions};
  c["fail"] = {"FUNCTION [error=NAME] [count=N]", fail};
  c["event"] = {"MESSAGE line=N|call=N|phone=N [p1=N] [p2=N] [p3=N] [htLine=N] [htCall=N] [htPhone=N] [count=N]",
                event};
  c["complete"] = {"request=N [result=NAME]", complete};
  c["dialog"] = {"create|send|close [request=N] [hex=..|text=..]", dialog};
  c["wait"] = {
      "[calls=N] [delivered=N] [pending=N] [open=LINE] [detection=LINE] [msp=LINE] [entered=FUNCTION [count=N]] "
      "[call=N [state=NAME|gone] [started=yes] [received=BYTES] [echoed=BYTES]] [ms=N]",
      wait};
  c["meet"] = {"PLACE [of=N] [ms=N]", meet};
  c["status"] = {"", status};
  c["entered"] = {"[FUNCTION]", entered};
  c["habits"] = {"[LIST|none]", habits};
}

}  // namespace tsplink::simpbx
