#include "callbacks.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "caller.hpp"
#include "constants.hpp"
#include "text.hpp"
#include "world.hpp"

namespace tsplink::tapisim {
namespace {

std::atomic<World*> root{nullptr};

/// Notices a callback that begins while another runs, and plays a slow TAPISRV where the options ask for one.
class Inside {
 public:
  Inside(World& world, const std::string& what) : world_(world) {
    if (world_.inside_callback.fetch_add(1) != 0) {
      world_.breach(Rule::callback_overlap, what + " came while another callback was still running");
    }
    world_.callback_thread = std::this_thread::get_id();
  }
  ~Inside() {
    if (world_.callback_delay_us != 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(world_.callback_delay_us));
    }
    world_.callback_thread = std::thread::id();
    world_.inside_callback.fetch_sub(1);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  World& world_;
};

struct Message {
  const Event* event = nullptr;
  std::uintptr_t object = 0, call = 0;
  std::array<std::uintptr_t, 3> p{};
};

std::string handle_text(World& world, std::uintptr_t handle) {
  const auto found = world.by_tapi.find(handle);
  if (found != world.by_tapi.end()) return World::mark(found->second);
  return handle == 0 ? "NULL" : hex_number(handle);
}

bool names_parent(const Event& event, const std::array<std::uintptr_t, 3>& p) {
  return event.value == LINE_CALLSTATE && p[0] == LINECALLSTATE_CONFERENCED;
}

std::string param_text(World& world, const Message& m, std::size_t i, For reader) {
  const EventParam& param = m.event->params[i];
  const std::uintptr_t value = m.p[i];
  const bool compare = reader != For::reader;
  if (!param.group.empty()) return constant_text(param.group, value);
  if (param.role == "new") return compare ? "given" : hex_number(value);
  if (param.role == "slot") return value == 0 ? "NULL" : "slot";
  if (param.role == "msp") return handle_text(world, value);
  if (param.role == "buffer") return block(reinterpret_cast<const void*>(value), m.p[i + 1]);
  if (param.role == "tick" || param.role == "temp") return compare ? "-" : std::to_string(value);
  if (param.role == "provider") return value == world.provider_handle ? "provider" : hex_number(value);
  if (param.role == "device") return compare ? "-" : std::to_string(value);
  if (param.role == "dialog") return value == 0 ? "NULL" : "parameters";
  if (param.role == "detail") {
    if (names_parent(*m.event, m.p)) return handle_text(world, value);
    const auto group = detail_group(static_cast<DWORD>(m.p[0]));
    return group.empty() || value == 0 ? std::to_string(value) : constant_text(group, value);
  }
  return value < 0x10000 ? std::to_string(value) : hex_number(value);
}

std::string message_text(World& world, const Message& m, For reader) {
  std::vector<std::string> parts;
  if (m.object != 0 || m.event->target == Target::line || m.event->target == Target::phone) {
    parts.push_back((m.event->target == Target::phone ? "htPhone=" : "htLine=") +
                    (m.object == world.provider_handle ? "provider" : handle_text(world, m.object)));
  }
  if (m.event->call != CallUse::none || m.call != 0) parts.push_back("htCall=" + handle_text(world, m.call));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& param = m.event->params[i];
    if (param.name == "-" && m.p[i] == 0) continue;
    parts.push_back((param.name == "-" ? "dwParam" + std::to_string(i + 1) : param.name) + "=" +
                    param_text(world, m, i, reader));
  }
  return std::string(m.event->name) + "(" + join(parts, ", ") + ")";
}

/// The line or phone of an event, or null after reporting what is wrong with it.
Object* check_object(World& world, const Message& m) {
  const auto found = world.by_tapi.find(m.object);
  const bool phone = m.event->target == Target::phone;
  const ObjectKind kind = phone ? ObjectKind::phone : ObjectKind::line;
  const std::string name(m.event->name);
  if (found == world.by_tapi.end() || found->second->kind != kind || found->second->failed) {
    world.breach(
        phone ? Rule::event_unknown_phone : Rule::event_unknown_line,
        name + " names " + (phone ? "htPhone " : "htLine ") + hex_number(m.object) + ", which TAPI never gave");
    return nullptr;
  }
  if (found->second->closed) {
    world.breach(Rule::event_after_close, name + " names " + World::name(found->second) + ", which is closed");
    return nullptr;
  }
  return found->second;
}

/// The call of an event; `good` is false after a report.
Object* check_call(World& world, const Message& m, Object* line, bool& good) {
  if (m.event->call == CallUse::none || (m.event->call == CallUse::maybe && m.call == 0)) return nullptr;
  const auto found = world.by_tapi.find(m.call);
  const std::string name(m.event->name);
  good = false;
  if (found == world.by_tapi.end() || found->second->kind != ObjectKind::call) {
    const bool own = m.call == 0 || world.find_driver(ObjectKind::call, m.call) != nullptr;
    world.breach(own ? Rule::newcall_first : Rule::event_unknown_call,
                 name + " names htCall " + hex_number(m.call) +
                     (own ? ", so that TAPI has not been told of this call" : ", which TAPI never gave"));
    return nullptr;
  }
  Object* call = found->second;
  const std::string call_name = World::name(call);
  if (call->closed) {
    world.breach(Rule::event_after_close, name + " names " + call_name + ", which is closed");
  } else if (!call->usable) {
    world.breach(Rule::event_before_completion,
                 name + " names " + call_name + " before " + call->maker->function->name + " is completed with 0");
  } else if (call->line != line) {
    world.breach(Rule::event_wrong_line, name + " names " + call_name + ", which belongs to another line");
  } else {
    good = true;
  }
  return call;
}

bool new_call(World& world, const Message& m, Object* line, Happening& happening) {
  auto* slot = reinterpret_cast<LPHTAPICALL>(m.p[1]);
  if (m.p[0] == 0 || slot == nullptr) {
    world.breach(Rule::newcall_handle, m.p[0] == 0 ? "LINE_NEWCALL came with the call handle 0"
                                                   : "LINE_NEWCALL came without a place for htCall");
    return false;
  }
  if (line->registering != 0) {
    *slot = nullptr;
    world.note(
        "LINE_NEWCALL during lineOpen or lineSetDefaultMediaDetection gets NULL: the line is not registered yet "
        "");
    return false;
  }
  if (world.overload > 0) {
    --world.overload;
    *slot = nullptr;
    world.note("LINE_NEWCALL gets NULL, as from an overloaded TAPI: the provider has to try again");
    return false;
  }
  if (const Object* twin = world.find_driver(ObjectKind::call, m.p[0])) {
    world.breach(Rule::handle_reused,
                 "LINE_NEWCALL gives the handle " + hex_number(m.p[0]) + " of " + World::name(twin) + " again");
  }
  Object* call = world.make(ObjectKind::call, line->section, line);
  call->driver = m.p[0];
  call->usable = true;
  *slot = reinterpret_cast<HTAPICALL>(call->tapi);
  happening.call = call;
  happening.text = "LINE_NEWCALL(htLine=" + World::mark(line) + ") gives " + World::mark(call);
  world.trace.line(world.for_trace("  TAPI answers htCall=" + World::mark(call)));
  return true;
}

void check_call_state(World& world, const Message& m, Object* call) {
  const auto state = static_cast<DWORD>(m.p[0]);
  const bool one = state != 0 && (state & (state - 1)) == 0;
  if (!one || m.p[0] > 0xFFFFFFFFU || starts_with(constant_text("LINECALLSTATE", state), "0x")) {
    world.breach(Rule::callstate_value, "LINE_CALLSTATE carries " + hex_number(m.p[0]));
  }
  if (names_parent(*m.event, m.p)) {
    const auto parent = world.by_tapi.find(m.p[1]);
    if (parent == world.by_tapi.end() || parent->second->kind != ObjectKind::call || parent->second->closed ||
        !parent->second->usable || parent->second == call) {
      world.breach(Rule::callstate_parent,
                   "LINECALLSTATE_CONFERENCED names " + hex_number(m.p[1]) + " as conference");
    }
  }
  if (call->state == LINECALLSTATE_IDLE) {
    world.note(World::name(call) + " gets a state after LINECALLSTATE_IDLE");
  }
  call->state = state;
  if (m.p[2] != 0) call->media = static_cast<DWORD>(m.p[2]);
}

void check_msp_data(World& world, const Message& m, const Object* line, Happening& happening) {
  if (m.p[1] != 0) {
    const auto* bytes = reinterpret_cast<const BYTE*>(m.p[1]);
    happening.data.assign(bytes, bytes + m.p[2]);
  }
  if (m.p[0] == 0) return;
  const auto found = world.by_tapi.find(m.p[0]);
  if (found == world.by_tapi.end() || found->second->kind != ObjectKind::msp || found->second->line != line ||
      found->second->closed) {
    world.breach(Rule::msp_unknown_token, "LINE_SENDMSPDATA names " + hex_number(m.p[0]));
  }
}

void create_or_remove(World& world, const Message& m) {
  const bool phone = m.event->value == PHONE_CREATE || m.event->value == PHONE_REMOVE;
  if (m.event->value == LINE_CREATE || m.event->value == PHONE_CREATE) {
    if (m.p[0] != world.provider_handle) {
      world.breach(Rule::create_provider, std::string(m.event->name) + " carries " + hex_number(m.p[0]));
      return;
    }
    world.creates.push_back({phone, m.p[1]});
  } else {
    const auto device = static_cast<DWORD>(m.p[0]);
    auto& known = phone ? world.phone_devices : world.line_devices;
    if (std::find(known.begin(), known.end(), device) == known.end()) {
      world.breach(Rule::remove_unknown, std::string(m.event->name) + " names device " + std::to_string(device));
      return;
    }
    std::erase_if(world.permanent_ids, [&](const auto& entry) {
      return entry.first.second == device && (entry.first.first.find("Phone") != std::string::npos) == phone;
    });
    world.gone.insert({phone, device});
    Happening happening;
    happening.event = m.event;
    happening.p = m.p;
    happening.text = std::string(m.event->name) + "(this device)";
    world.push(world.section_of(phone, device), std::move(happening));
  }
  world.changed.notify_all();
}

void dialog_instance(World& world, const Message& m) {
  auto* params = reinterpret_cast<TUISPICREATEDIALOGINSTANCEPARAMS*>(m.p[0]);
  const auto request = params == nullptr ? world.by_id.end() : world.by_id.find(params->dwRequestID);
  const bool pending = request != world.by_id.end() && (request->second->progress == Progress::inside ||
                                                        request->second->progress == Progress::accepted);
  if (!pending) {
    world.breach(Rule::dialog_request, "LINE_CREATEDIALOGINSTANCE came without a pending request");
    return;
  }
  Object* dialog = world.make(ObjectKind::dialog, request->second->section, nullptr);
  dialog->driver = reinterpret_cast<std::uintptr_t>(params->hdDlgInst);
  dialog->usable = true;
  params->htDlgInst = static_cast<HTAPIDIALOGINSTANCE>(dialog->tapi);
  Happening happening;
  happening.event = m.event;
  happening.object = dialog;
  const auto* data = static_cast<const BYTE*>(params->lpParams);
  if (data != nullptr) happening.data.assign(data, data + params->dwSize);
  happening.text = "LINE_CREATEDIALOGINSTANCE(dwRequestID=" + World::mark(request->second) +
                   ", data=" + block(data, params->dwSize) + ") gives " + World::mark(dialog);
  world.push(dialog->section, std::move(happening));
}

bool allowed_now(World& world, const std::string& what, bool create) {
  if (world.phase == Phase::down) {
    world.breach(Rule::callback_after_shutdown, what + " came after providerShutdown");
    return false;
  }
  if (!create && !world.initialised) {
    world.breach(Rule::callback_before_init, what + " came before providerInit");
    return false;
  }
  return true;
}

void deliver(World& world, const Message& m) {
  world.trace.line("  " + world.for_trace(message_text(world, m, For::reader)));
  world.coverage.came(*m.event, m.p);
  const bool create = m.event->target == Target::any;
  if (!allowed_now(world, std::string(m.event->name), create)) return;
  if (create) return create_or_remove(world, m);
  if (m.event->target == Target::provider) return dialog_instance(world, m);
  Happening happening;
  happening.event = m.event;
  happening.p = m.p;
  happening.text = message_text(world, m, world.comparison);
  if (m.event->target == Target::dialog) {
    const auto found = world.by_tapi.find(m.object);
    if (found == world.by_tapi.end() || found->second->kind != ObjectKind::dialog) {
      return world.breach(Rule::event_unknown_line, "LINE_SENDDIALOGINSTANCEDATA names no dialog instance");
    }
    happening.object = found->second;
    return world.push(found->second->section, std::move(happening));
  }
  Object* object = check_object(world, m);
  if (object == nullptr) return;
  bool good = true;
  happening.object = object;
  happening.call = check_call(world, m, object, good);
  if (!good) return;
  if (m.event->value == LINE_NEWCALL && !new_call(world, m, object, happening)) return;
  if (m.event->value == LINE_CALLSTATE) check_call_state(world, m, happening.call);
  if (m.event->value == LINE_SENDMSPDATA) check_msp_data(world, m, object, happening);
  if (m.event->value == LINE_GATHERDIGITS) {
    happening.text += digits_text(world, happening.call, static_cast<DWORD>(m.p[1]));
  }
  world.push(object->section, std::move(happening));
}

/// What the scenario wants done from inside the callback that was just noted.
void act(World& world) {
  std::vector<std::pair<Hook, Happening*>> due;
  {
    const std::lock_guard lock(world.mutex);
    due.swap(world.due);
  }
  for (auto& [hook, happening] : due) {
    world.current = happening;
    hook.act(*happening);
    world.current = nullptr;
    const std::lock_guard lock(world.mutex);
    happening->held = false;
    world.changed.notify_all();
  }
}

void note_event(World& world, bool phone, const Message& message, DWORD value) {
  const Event* event = message.event;
  const std::lock_guard lock(world.mutex);
  const bool wrong = event != nullptr && ((phone && event->target != Target::phone && event->target != Target::any) ||
                                          (!phone && event->target == Target::phone));
  if (event == nullptr || wrong) {
    world.breach(Rule::event_unknown_message, "The provider sent message " + std::to_string(value) + " by " +
                                                  (phone ? "PHONEEVENT" : "LINEEVENT"));
  } else if (!event->sent) {
    world.breach(Rule::event_not_of_tsp, "The provider sent " + std::string(event->name));
  } else {
    deliver(world, message);
  }
}

void on_event(bool phone, const Message& message, DWORD value) {
  World* world = root.load();
  if (world == nullptr) return;
  const Event* event = message.event;
  const Inside inside(*world, event == nullptr ? "Message " + std::to_string(value) : std::string(event->name));
  note_event(*world, phone, message, value);
  act(*world);
}

}  // namespace

void set_root(World* world) { root = world; }

void CALLBACK on_line_event(HTAPILINE htLine, HTAPICALL htCall, DWORD dwMsg, DWORD_PTR dwParam1, DWORD_PTR dwParam2,
                            DWORD_PTR dwParam3) {
  on_event(false,
           {find_event(dwMsg),
            reinterpret_cast<std::uintptr_t>(htLine),
            reinterpret_cast<std::uintptr_t>(htCall),
            {dwParam1, dwParam2, dwParam3}},
           dwMsg);
}

void CALLBACK on_phone_event(HTAPIPHONE htPhone, DWORD dwMsg, DWORD_PTR dwParam1, DWORD_PTR dwParam2,
                             DWORD_PTR dwParam3) {
  on_event(true, {find_event(dwMsg), reinterpret_cast<std::uintptr_t>(htPhone), 0, {dwParam1, dwParam2, dwParam3}},
           dwMsg);
}

void CALLBACK on_completion(DRV_REQUESTID dwRequestID, LONG lResult) {
  World* world = root.load();
  if (world == nullptr) return;
  const Inside inside(*world, "ASYNC_COMPLETION");
  const std::lock_guard lock(world->mutex);
  complete(*world, dwRequestID, lResult);
}

}  // namespace tsplink::tapisim
