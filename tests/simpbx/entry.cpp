#include "tests/simpbx/entry.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <thread>

#include "tests/simpbx/control.hpp"
#include "tests/simpbx/names.hpp"

namespace tsplink::simpbx {
namespace {

struct Root {
  std::mutex mutex;
  std::shared_ptr<Pbx> pbx;
  std::atomic<bool> shut_down{false};  // read under the PBX's lock, which must not wait for this one
};

/// Never destroyed: TAPI may still be inside when a process ends, and nothing may happen when a module is unloaded.
Root& root() {
  static auto* const instance = new Root;
  return *instance;
}

std::shared_ptr<Pbx> current_pbx() {
  {
    const std::scoped_lock lock(root().mutex);
    if (root().pbx) return root().pbx;
  }
  // Made and ended without the root's lock, which is taken inside the PBX's own. Whoever comes second takes the
  // first's.
  auto made = std::make_shared<Pbx>(load_config());
  const std::scoped_lock lock(root().mutex);
  if (!root().pbx) root().pbx.swap(made);
  return root().pbx;
}

/// The PBX's lock, unless this thread holds it already (the habit locked_callback calls TAPI with it held).
class EntryLock {
 public:
  explicit EntryLock(Pbx& pbx) : lock_(pbx.mutex(), std::defer_lock) {
    if (!pbx.courier.lock_is_mine()) lock_.lock();
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

template <class Map, class Key, class Text>
std::string found(const Map& map, Key key, Text text) {
  const auto at = map.find(static_cast<typename Map::key_type>(key));
  return at == map.end() ? std::string() : text(*at->second);
}

std::string line_text(const Line& line) { return "line " + std::to_string(line.number); }
std::string phone_text(const Phone& phone) { return "phone " + std::to_string(phone.number); }

/// What a parameter names, in the PBX' own words: handles and ids are different for each who asks.
std::string object_text(const Pbx& pbx, std::string_view function, const Argument& argument) {
  const auto name = argument.name();
  const auto value = argument.value();
  if (name == "hdLine") return found(pbx.line_handles, value, line_text);
  if (name == "hdPhone") return found(pbx.phone_handles, value, phone_text);
  if (name == "hdMSPLine") {
    const auto at = pbx.msp_instances.find(static_cast<std::uintptr_t>(value));
    return at == pbx.msp_instances.end() ? std::string() : "MSP of " + line_text(*at->second.line);
  }
  if (name.starts_with("hd")) {
    return found(pbx.call_handles, value, [](const Call& call) {
      return "call " + std::to_string(call.number) + " of " + line_text(*call.line);
    });
  }
  if (name != "dwDeviceID") return {};
  if (function.starts_with("phone")) {
    for (const auto& [number, phone] : pbx.phones) {
      if (phone->device_id == value) return phone_text(*phone);
    }
    return {};
  }
  for (const auto& [number, line] : pbx.lines) {
    if (line->device_id == value) return line_text(*line);
  }
  return {};
}

std::string about_text(const Pbx& pbx, std::string_view function, Arguments arguments) {
  std::string out;
  for (const Argument& argument : arguments) {
    const auto text = object_text(pbx, function, argument);
    if (!text.empty()) out += (out.empty() ? " [" : ", ") + text;
  }
  return out.empty() ? out : out + "]";
}

LONG general_failure(const char* name, DWORD line_code, DWORD phone_code) {
  return error(std::string_view(name).starts_with("phone") ? phone_code : line_code);
}

/// Somebody else is in the provider although it said NONREENTRANT (rule 5.3).
void note_entry(Pbx& pbx, const char* name, int others) {
  if (others == 0 || !pbx.has(Habit::nonreentrant) || pbx.courier.on_callback_thread()) return;
  ++pbx.reentered;
  pbx.log(std::string("!! ") + name + " was entered while another function was running, in spite of NONREENTRANT");
}

void linger(Pbx& pbx, unsigned ms) {
  pbx.mutex().unlock();
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  pbx.mutex().lock();
}

/// A fault that the control channel ordered for this function.
void ordered_fault(Pbx& pbx, const char* name) {
  const auto found = pbx.faults.find(name);
  if (found == pbx.faults.end()) return;
  const LONG code = found->second.first;
  if (--found->second.second == 0) pbx.faults.erase(found);
  throw Refusal{code};
}

void complete_refused(Pbx& pbx, DRV_REQUESTID request, LONG code) {
  pbx.courier.submit({request, {}, [code]() -> LONG { return code; }});
}

LONG guarded(Pbx& pbx, const char* name, Answer answer, DRV_REQUESTID request,
             const std::function<LONG(Pbx&)>& body) {
  try {
    ++pbx.entered[name];
    if (pbx.config.linger_ms > 0) linger(pbx, pbx.config.linger_ms);
    if (!pbx.faults.empty()) ordered_fault(pbx, name);
    return body(pbx);
  } catch (const Refusal& refusal) {
    const bool complete = pbx.has(Habit::error_then_id) || pbx.has(Habit::refuse_late);
    if (answer == Answer::sync || !complete || request == 0) return refusal.code;
    complete_refused(pbx, request, refusal.code);
    return static_cast<LONG>(request);
  } catch (const std::bad_alloc&) {
    return general_failure(name, LINEERR_NOMEM, PHONEERR_NOMEM);
  } catch (const std::exception& failure) {
    pbx.log(std::string("!! ") + name + ": " + failure.what());
    return general_failure(name, LINEERR_OPERATIONFAILED, PHONEERR_OPERATIONFAILED);
  }
}

}  // namespace

std::string Argument::text() const {
  std::string result = std::string(name_) + "=";
  switch (kind_) {
    case Kind::number: return result + (value_ > 0xFFFF ? hex(value_) : std::to_string(value_));
    case Kind::pointer: return result + (value_ ? hex(value_) : "NULL");
    case Kind::text:
      return result +
             (value_ ? "\"" + narrow(reinterpret_cast<LPCWSTR>(static_cast<std::uintptr_t>(value_))) + "\"" : "NULL");
    case Kind::bytes: {
      if (!value_) return result + "NULL";
      constexpr DWORD kShown = 16;  // the rest as a hash
      const auto* bytes = reinterpret_cast<const BYTE*>(static_cast<std::uintptr_t>(value_));
      return result + "[" + std::to_string(size_) + ":" + hex_bytes(bytes, std::min(size_, kShown)) +
             (size_ > kShown ? ".." + hex(fnv1a(bytes, size_)) + "]" : "]");
    }
  }
  return result;
}

LONG enter(const char* name, Answer answer, DRV_REQUESTID request, Arguments arguments,
           const std::function<LONG(Pbx&)>& body) {
  std::shared_ptr<Pbx> pbx;
  try {
    pbx = current_pbx();
  } catch (const std::exception& failure) {
    Log("pbx").write(std::string("!! ") + failure.what());
    return general_failure(name, LINEERR_OPERATIONFAILED, PHONEERR_OPERATIONFAILED);
  }
  std::string shown, about;
  if (pbx->log_file.enabled()) {  // made now: TAPI's buffers may hold something else afterwards
    for (const Argument& argument : arguments) shown += (shown.empty() ? "" : ", ") + argument.text();
  }
  const int others = pbx->inside.fetch_add(1);
  const EntryLock lock(*pbx);
  if (pbx->log_file.enabled()) about = about_text(*pbx, name, arguments);  // before they are closed
  note_entry(*pbx, name, others);
  const LONG result = guarded(*pbx, name, answer, request, body);
  pbx->inside.fetch_sub(1);
  if (pbx->log_file.enabled())
    pbx->log(std::string("<- ") + name + "(" + shown + ") = " + result_name(result) + about);
  return result;
}

HICON some_icon() {
#ifdef _WIN32
  return LoadIconW(nullptr, MAKEINTRESOURCEW(32512));  // IDI_APPLICATION
#else
  return reinterpret_cast<HICON>(static_cast<std::uintptr_t>(0x1C04));
#endif
}

Bytes copy_bytes(const void* bytes, DWORD size) {
  if (!bytes || size == 0) return {};
  const auto* first = static_cast<const BYTE*>(bytes);
  return Bytes(first, first + size);
}

void leave_pbx() {
  std::shared_ptr<Pbx> ended;
  const std::scoped_lock lock(root().mutex);
  root().pbx.swap(ended);
  root().shut_down = true;
}

bool was_shut_down() { return root().shut_down; }

}  // namespace tsplink::simpbx
