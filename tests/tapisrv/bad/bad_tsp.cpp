// A tiny TSP with two lines (the second comes by LINE_CREATE) and a phone. It behaves well, unless the environment
// variable BAD_HABIT names a rule of tapisim's: then it breaks exactly that one. "rule:way" is another way to break
// it, where tapisim looks in more than one place. tour.tap walks through all of it.
#include <tspi.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#define EXPORT extern "C" __attribute__((visibility("default"))) LONG

namespace {

constexpr LONG kUnavailable = static_cast<LONG>(LINEERR_OPERATIONUNAVAIL);
constexpr LONG kFailed = static_cast<LONG>(LINEERR_OPERATIONFAILED);

bool habit(const char* rule) {  // or rule:way
  const char* chosen = std::getenv("BAD_HABIT");
  return chosen != nullptr && std::strcmp(chosen, rule) == 0;
}

struct Line {
  HTAPILINE ht = nullptr;
  LINEEVENT event = nullptr;
  DWORD waiting = 0;  // a request that stays open until the line is closed
};

struct Call {
  HTAPICALL ht = nullptr;
  Line* line = nullptr;
  DWORD waiting = 0;
};

/// All of the provider's state, and the one thread that calls TAPI.
struct Provider {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> actions;
  bool running = false, ending = false;
  std::thread thread;
  ASYNC_COMPLETION completion = nullptr;
  LINEEVENT create = nullptr;
  HPROVIDER handle = nullptr;
  DWORD line_base = 0;
  Line lines[2];
  HTAPIPHONE phone = nullptr;
  PHONEEVENT phone_event = nullptr;
  DWORD phone_waiting = 0;  // as a line's
  std::map<std::uintptr_t, Call> calls;
  std::uintptr_t next_call = 0x500;

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return ending || !actions.empty(); });
      if (actions.empty()) return;
      auto action = std::move(actions.front());
      actions.pop_front();
      lock.unlock();
      action();
      lock.lock();
    }
  }
  void post(std::function<void()> action) {
    const std::lock_guard lock(mutex);
    actions.push_back(std::move(action));
    changed.notify_all();
  }
};

Provider& provider();

/// TAPI is called from one thread only (rule callback_overlap): runs there what a closing function has to finish.
void finish(const std::function<void()>& action) {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  provider().post([&] {
    action();
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
}

Provider& provider() {
  static Provider* one = new Provider;  // outlives every thread of the process
  return *one;
}

Line& line_of(HDRVLINE line) { return provider().lines[reinterpret_cast<std::uintptr_t>(line) - 0x100]; }
Call& call_of(HDRVCALL call) { return provider().calls[reinterpret_cast<std::uintptr_t>(call)]; }

void event(const Line& line, HTAPICALL call, DWORD message, DWORD_PTR p1 = 0, DWORD_PTR p2 = 0, DWORD_PTR p3 = 0) {
  line.event(line.ht, call, message, p1, p2, p3);
}

void state(const Call& call, DWORD value, DWORD_PTR detail = 0) {
  event(*call.line, call.ht, LINE_CALLSTATE, value, detail, LINEMEDIAMODE_INTERACTIVEVOICE);
}

LONG later(DWORD request, LONG result = 0, std::function<void()> then = nullptr) {
  provider().post([=] {
    provider().completion(request, result);
    if (then) then();
  });
  return static_cast<LONG>(request);
}

LONG fill(BYTE* data, DWORD fixed, const char* text, DWORD size_at) {
  auto* header = reinterpret_cast<DWORD*>(data);
  const auto length = static_cast<DWORD>((std::strlen(text) + 1) * 2);
  if (header[0] < fixed) return static_cast<LONG>(LINEERR_STRUCTURETOOSMALL);
  header[1] = fixed + length;
  header[2] = fixed;
  if (header[0] < header[1]) return 0;
  header[2] = header[1];
  header[size_at / 4] = length;
  header[size_at / 4 + 1] = fixed;
  for (DWORD i = 0; i < length / 2; ++i) data[fixed + 2 * i] = static_cast<BYTE>(text[i]);
  return 0;
}

void ring(Line& line) {
  auto& p = provider();
  const std::uintptr_t hd = habit("newcall_handle") ? 0 : ++p.next_call;
  Call& call = p.calls[hd];
  call.line = &line;
  if (habit("newcall_first")) state(call, LINECALLSTATE_OFFERING);
  event(line, nullptr, LINE_NEWCALL, hd, habit("newcall_handle:place") ? 0 : reinterpret_cast<DWORD_PTR>(&call.ht));
  if (call.ht == nullptr) return;
  if (HTAPICALL again = nullptr; habit("handle_reused:newcall"))
    event(line, nullptr, LINE_NEWCALL, hd, reinterpret_cast<DWORD_PTR>(&again));
  if (habit("event_unknown_call")) event(line, reinterpret_cast<HTAPICALL>(0x999999), LINE_CALLINFO, 1);
  if (habit("event_wrong_line")) event(p.lines[1], call.ht, LINE_CALLINFO, 1);
  if (!habit("no_state")) state(call, habit("callstate_value") ? 3 : LINECALLSTATE_OFFERING, 0);
}

void dialog(const Line& line, DWORD request) {
  TUISPICREATEDIALOGINSTANCEPARAMS params{};
  params.dwRequestID = habit("dialog_request") ? 0x12 : request;
  event(line, nullptr, LINE_CREATEDIALOGINSTANCE, reinterpret_cast<DWORD_PTR>(&params));
}

void overlap(const Line& line) {
  std::thread other([&line] { event(line, nullptr, LINE_LINEDEVSTATE, LINEDEVSTATE_RINGING, 1, 0); });
  event(line, nullptr, LINE_LINEDEVSTATE, LINEDEVSTATE_RINGING, 1, 1);
  other.join();
}

/// What lineDevSpecific asks for by a word.
void obey(const std::string& word, Line& line, DWORD request) {
  if (word == "ring") {
    ring(line);
  } else if (word == "mix") {
    if (habit("event_unknown_message")) event(line, nullptr, 0x5555);
    if (habit("event_unknown_message:phone"))
      provider().phone_event(provider().phone, LINE_LINEDEVSTATE, LINEDEVSTATE_RINGING, 1, 0);
    if (habit("event_not_of_tsp")) event(line, nullptr, LINE_REPLY, 1, 0);
    if (habit("callback_overlap")) overlap(line);
    if (habit("completion_unknown")) provider().completion(0x70707070, 0);
    if (habit("event_unknown_line"))
      line.event(reinterpret_cast<HTAPILINE>(0x888888), nullptr, LINE_LINEDEVSTATE, 1, 0, 0);
    if (habit("event_unknown_line:dialog"))
      line.event(reinterpret_cast<HTAPILINE>(0x888888), nullptr, LINE_SENDDIALOGINSTANCEDATA, 0, 0, 0);
    if (habit("event_unknown_phone"))
      provider().phone_event(reinterpret_cast<HTAPIPHONE>(0x777), PHONE_STATE, 1, 0, 0);
    if (habit("create_provider")) event(line, nullptr, LINE_CREATE, 0x1234, 5);
    if (habit("remove_unknown")) line.event(nullptr, nullptr, LINE_REMOVE, 0x4321, 0, 0);
    const BYTE data[] = {1, 2, 3};
    event(line, nullptr, LINE_SENDMSPDATA, habit("msp_unknown_token") ? 0x6666 : 0, reinterpret_cast<DWORD_PTR>(data),
          3);
    dialog(line, request);
  } else if (word == "conference") {
    auto& calls = provider().calls;
    const auto parent = habit("callstate_parent") ? 0x3333 : reinterpret_cast<DWORD_PTR>(calls.begin()->second.ht);
    state(calls.rbegin()->second, LINECALLSTATE_CONFERENCED, parent);
  }
}

}  // namespace

EXPORT TSPI_lineNegotiateTSPIVersion(DWORD device, DWORD, DWORD high, LPDWORD version) {
  *version = habit(device == INITIALIZE_NEGOTIATION ? "version:provider" : "version") ? 0x00010003 : high;
  return 0;
}
EXPORT TSPI_providerEnumDevices(DWORD, LPDWORD lines, LPDWORD phones, HPROVIDER handle, LINEEVENT create,
                                PHONEEVENT) {
  *lines = 1;
  *phones = 1;
  provider().handle = handle;
  provider().create = create;
  if (habit("callback_before_init")) create(nullptr, nullptr, LINE_LINEDEVSTATE, 1, 0, 0);
  return habit("result_positive") ? 1 : 0;
}
EXPORT TSPI_providerInit(DWORD, DWORD, DWORD line_base, DWORD, DWORD_PTR, DWORD_PTR, ASYNC_COMPLETION completion,
                         LPDWORD options) {
  auto& p = provider();
  *options = habit("options") ? 4 : 0;
  if (habit("init_failed")) return kFailed;
  p.completion = completion;
  p.line_base = line_base;
  p.ending = false;
  p.thread = std::thread([&p] { p.work(); });
  p.post([&p] { p.create(nullptr, nullptr, LINE_CREATE, reinterpret_cast<DWORD_PTR>(p.handle), 77, 0); });
  return 0;
}
EXPORT TSPI_providerCreateLineDevice(DWORD_PTR, DWORD) { return 0; }
EXPORT TSPI_providerShutdown(DWORD, DWORD) {
  auto& p = provider();
  {
    const std::lock_guard lock(p.mutex);
    p.ending = true;
    p.changed.notify_all();
  }
  p.thread.join();
  if (habit("callback_after_shutdown")) {
    std::thread([&p] {
      while (true) {
        p.create(nullptr, nullptr, LINE_CREATE, reinterpret_cast<DWORD_PTR>(p.handle), 78, 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }).detach();
  }
  return 0;
}

EXPORT TSPI_lineGetDevCaps(DWORD device, DWORD, DWORD, LPLINEDEVCAPS caps) {
  static DWORD asked = 0;
  caps->dwNumAddresses = 1;
  caps->dwPermanentLineID = habit("permanent_id")            ? 0
                            : habit("permanent_id:changing") ? ++asked
                            : habit("permanent_id:shared")   ? 9
                                                             : 100 + device;
  caps->dwMediaModes = LINEMEDIAMODE_INTERACTIVEVOICE;
  if (habit("output_overrun")) std::memset(reinterpret_cast<BYTE*>(caps) + caps->dwTotalSize, 0x77, 4);
  const LONG result =
      fill(reinterpret_cast<BYTE*>(caps), sizeof *caps, "Line", offsetof(LINEDEVCAPS, dwLineNameSize));
  if (habit("total_size_changed")) caps->dwTotalSize = 4096;
  if (habit("used_over_total")) caps->dwUsedSize = caps->dwTotalSize + 8;
  if (habit("used_too_small")) caps->dwUsedSize = 12;
  if (habit("needed_under_used")) caps->dwNeededSize = caps->dwUsedSize - 4;
  if (habit("needed_unsteady")) caps->dwNeededSize = caps->dwTotalSize + 4;
  if (habit("output_missing:structure")) caps->dwUsedSize = caps->dwNeededSize = 0;
  if (habit("field_outside:fixed_part")) caps->dwProviderInfoSize = 8, caps->dwProviderInfoOffset = 4;
  if (habit("field_outside")) caps->dwProviderInfoSize = 8, caps->dwProviderInfoOffset = caps->dwUsedSize - 4;
  return result;
}
EXPORT TSPI_lineGetAddressCaps(DWORD, DWORD, DWORD, DWORD, LPLINEADDRESSCAPS caps) {
  return fill(reinterpret_cast<BYTE*>(caps), sizeof *caps, "12", offsetof(LINEADDRESSCAPS, dwAddressSize));
}
EXPORT TSPI_lineOpen(DWORD device, HTAPILINE ht, LPHDRVLINE line, DWORD, LINEEVENT proc) {
  const std::size_t index = device == provider().line_base ? 0 : 1;
  provider().lines[index] = {ht, proc, 0};
  if (habit("blocks")) std::this_thread::sleep_for(std::chrono::seconds(30));
  if (!habit("handle_not_written")) {
    *line = reinterpret_cast<HDRVLINE>(0x100 + (habit("handle_reused") ? 0 : index));
  }
  return 0;
}
EXPORT TSPI_lineClose(HDRVLINE hd) {
  Line& line = line_of(hd);
  finish([&line] {
    if (line.waiting != 0 && !habit("completion_late_line")) provider().completion(line.waiting, kFailed);
  });
  line.waiting = 0;
  if (habit("event_after_close:call") && &line == &provider().lines[0]) {
    finish([] { state(provider().calls.begin()->second, LINECALLSTATE_IDLE); });
  }
  if (habit("event_after_close") && &line == &provider().lines[1]) {
    finish([] { event(provider().lines[0], nullptr, LINE_LINEDEVSTATE, LINEDEVSTATE_RINGING, 1, 0); });
  }
  return 0;
}
EXPORT TSPI_lineSetStatusMessages(HDRVLINE, DWORD, DWORD) { return 0; }
EXPORT TSPI_lineSetDefaultMediaDetection(HDRVLINE, DWORD) { return 0; }
EXPORT TSPI_lineGetNumAddressIDs(HDRVLINE, LPDWORD count) {
  if (habit("crash")) std::abort();
  if (!habit("output_missing")) *count = 1;
  return 0;
}
EXPORT TSPI_lineCreateMSPInstance(HDRVLINE, DWORD, HTAPIMSPLINE, LPHDRVMSPLINE msp) {
  *msp = reinterpret_cast<HDRVMSPLINE>(0x900);
  return 0;
}
EXPORT TSPI_lineCloseMSPInstance(HDRVMSPLINE) { return 0; }

EXPORT TSPI_lineDevSpecific(DRV_REQUESTID request, HDRVLINE hd, DWORD, HDRVCALL, LPVOID params, DWORD size) {
  const std::string word(static_cast<const char*>(params), size);
  provider().post([request, hd, word] {
    if (word == "mix") obey(word, line_of(hd), request);
    provider().completion(request, 0);
    if (word != "mix") obey(word, line_of(hd), request);
  });
  return static_cast<LONG>(request);
}
EXPORT TSPI_lineAnswer(DRV_REQUESTID request, HDRVCALL hd, LPCSTR, DWORD) {
  const LONG result = habit("completion_positive") ? 5 : 0;
  if (habit("completion_after_refusal")) {
    finish([request] { provider().completion(request, 0); });
    return kFailed;
  }
  later(request, result, [hd, request] {
    if (habit("completion_twice")) provider().completion(request, 0);
    state(call_of(hd), LINECALLSTATE_CONNECTED, LINECONNECTEDMODE_ACTIVE);
  });
  if (habit("async_zero")) return 0;
  return static_cast<LONG>(request) + (habit("async_other_id") ? 1 : 0);
}
EXPORT TSPI_lineHold(DRV_REQUESTID request, HDRVCALL hd) {
  call_of(hd).waiting = request;
  return static_cast<LONG>(request);
}
EXPORT TSPI_lineSetLineDevStatus(DRV_REQUESTID request, HDRVLINE hd, DWORD, DWORD) {
  line_of(hd).waiting = request;
  return habit("completion_after_refusal:later") ? kFailed : static_cast<LONG>(request);
}
EXPORT TSPI_lineCloseCall(HDRVCALL hd) {
  Call& call = call_of(hd);
  finish([&call] {
    if (call.waiting != 0 && !habit("completion_late_call")) provider().completion(call.waiting, kFailed);
  });
  call.waiting = 0;
  return 0;
}
EXPORT TSPI_lineMakeCall(DRV_REQUESTID request, HDRVLINE hd, HTAPICALL ht, LPHDRVCALL call, LPCWSTR, DWORD,
                         LPLINECALLPARAMS const) {
  auto& p = provider();
  const std::uintptr_t value = ++p.next_call;
  p.calls[value] = {ht, &line_of(hd), 0};
  *call = reinterpret_cast<HDRVCALL>(value);
  const Call made = p.calls[value];
  if (habit("event_before_completion")) p.post([made] { state(made, LINECALLSTATE_DIALING); });
  return later(request, 0, [made] { state(made, LINECALLSTATE_DIALING); });
}
EXPORT TSPI_lineDrop(DRV_REQUESTID request, HDRVCALL hd, LPCSTR, DWORD) {
  return later(request, 0, [hd] { state(call_of(hd), LINECALLSTATE_IDLE); });
}
EXPORT TSPI_lineGetCallInfo(HDRVCALL, LPLINECALLINFO info) {
  return fill(reinterpret_cast<BYTE*>(info), sizeof *info, "12", offsetof(LINECALLINFO, dwCallerIDSize));
}

EXPORT TSPI_phoneNegotiateTSPIVersion(DWORD, DWORD, DWORD high, LPDWORD version) {
  *version = habit("version:phone") ? 0x00010003 : high;
  return 0;
}
EXPORT TSPI_phoneGetDevCaps(DWORD, DWORD, DWORD, LPPHONECAPS caps) {
  caps->dwPermanentPhoneID = 200;
  return fill(reinterpret_cast<BYTE*>(caps), sizeof *caps, "Phone", offsetof(PHONECAPS, dwPhoneNameSize));
}
EXPORT TSPI_phoneOpen(DWORD, HTAPIPHONE ht, LPHDRVPHONE phone, DWORD, PHONEEVENT proc) {
  provider().phone = ht;
  provider().phone_event = proc;
  *phone = reinterpret_cast<HDRVPHONE>(0x300);
  return 0;
}
EXPORT TSPI_phoneClose(HDRVPHONE) {
  auto& p = provider();
  finish([&p] {
    if (p.phone_waiting != 0 && !habit("completion_late_line:phone"))
      p.completion(p.phone_waiting, static_cast<LONG>(PHONEERR_OPERATIONFAILED));
  });
  p.phone_waiting = 0;
  return 0;
}
EXPORT TSPI_phoneSetVolume(DRV_REQUESTID request, HDRVPHONE, DWORD, DWORD) {
  provider().phone_waiting = request;
  return static_cast<LONG>(request);
}
EXPORT TSPI_phoneSetLamp(DRV_REQUESTID request, HDRVPHONE, DWORD, DWORD) { return later(request); }

// The rest of the Basic Telephony list, which this provider has and does not support.
EXPORT TSPI_lineDial(DRV_REQUESTID, HDRVCALL, LPCWSTR, DWORD) { return kUnavailable; }
EXPORT TSPI_lineGetAddressID(HDRVLINE, LPDWORD, DWORD, LPCWSTR, DWORD) { return kUnavailable; }
EXPORT TSPI_lineGetAddressStatus(HDRVLINE, DWORD, LPLINEADDRESSSTATUS) { return kUnavailable; }
EXPORT TSPI_lineGetCallStatus(HDRVCALL, LPLINECALLSTATUS) { return kUnavailable; }
EXPORT TSPI_lineGetDevConfig(DWORD, LPVARSTRING, LPCWSTR) { return kUnavailable; }
EXPORT TSPI_lineGetID(HDRVLINE, DWORD, HDRVCALL, DWORD, LPVARSTRING, LPCWSTR, HANDLE) { return kUnavailable; }
EXPORT TSPI_lineGetIcon(DWORD, LPCWSTR, LPHICON) { return kUnavailable; }
EXPORT TSPI_lineGetLineDevStatus(HDRVLINE, LPLINEDEVSTATUS) { return kUnavailable; }
EXPORT TSPI_lineSetAppSpecific(HDRVCALL, DWORD) { return kUnavailable; }
#ifndef WITHOUT_DEV_CONFIG  // the habit export_missing is a build of its own
EXPORT TSPI_lineSetDevConfig(DWORD, LPVOID const, DWORD, LPCWSTR) { return kUnavailable; }
#endif
