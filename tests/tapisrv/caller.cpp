#include "caller.hpp"

#include <algorithm>
#include <cstring>

#include "constants.hpp"
#include "crash.hpp"
#include "text.hpp"

namespace tsplink::tapisim {

struct Caller::Attempt {
  const Function* function = nullptr;
  Section* section = nullptr;
  std::shared_ptr<Frame> frame;
  Request* request = nullptr;
  std::map<std::string, Object*> made;  // by parameter: lphdCall and htCall name the same object
  std::vector<Object*> about;
  DWORD total = 0;
  LONG result = 0;
  std::string canonical;  // the call with its inputs, taken before the provider can change an in/out block
};

namespace {

ObjectKind made_kind(ParamKind kind) {
  if (kind == ParamKind::new_line) return ObjectKind::line;
  if (kind == ParamKind::new_phone) return ObjectKind::phone;
  return kind == ParamKind::new_msp ? ObjectKind::msp : ObjectKind::call;
}

bool is_tapi_handle(ParamKind kind) {
  return kind == ParamKind::tapi_line || kind == ParamKind::tapi_call || kind == ParamKind::tapi_phone ||
         kind == ParamKind::tapi_msp;
}

// lineForward may decide against a consultation call; lineCompleteTransfer makes a call only as a
// conference.
bool handle_optional(const Function& function, const Frame& frame) {
  if (function.name == "lineForward") return true;
  return function.name == "lineCompleteTransfer" &&
         frame.arguments[static_cast<std::size_t>(function.find("dwTransferMode"))] != LINETRANSFERMODE_CONFERENCE;
}

bool makes_nothing(const Function& function, const Frame& frame) {
  return function.name == "lineCompleteTransfer" && handle_optional(function, frame);
}

bool registers(const Function& function) {
  return function.name == "lineOpen" || function.name == "lineSetDefaultMediaDetection";
}

bool closes(const Function& function) {
  return function.name == "lineClose" || function.name == "phoneClose" || function.name == "lineCloseCall" ||
         function.name == "lineCloseMSPInstance" || function.name == "providerFreeDialogInstance";
}

std::string completion_text(const World& world, const Request& request, LONG result) {
  std::string text = request.function->name + " " + World::mark(&request) + " completes " + result_text(result);
  const std::string late =
      result == 0 ? outputs_text(*request.function, *request.frame, true, world.comparison, 0) : std::string();
  return late.empty() ? text : text + ", " + late;
}

/// The provider's handles of what a request made: they are written by now, though the function may not have returned.
void take_handles(Request& request) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < request.function->params.size() && next < request.makes.size(); ++i) {
    if (!is_new_handle(request.function->params[i].kind)) continue;
    Object& object = *request.makes[next++];
    if (object.driver == 0) std::memcpy(&object.driver, request.frame->buffer[i]->data(), sizeof object.driver);
  }
}

void push_completion(World& world, Request& request, LONG result) {
  Happening happening;
  happening.request = &request;
  happening.object = request.about.empty() ? nullptr : request.about.front();
  happening.text = completion_text(world, request, result);
  world.push(request.section, std::move(happening));
}

}  // namespace

void complete(World& world, DWORD id, LONG result) {
  const auto found = world.by_id.find(id);
  Request* request = found == world.by_id.end() ? nullptr : found->second;
  const std::string name = request == nullptr ? "no request" : request->function->name;
  std::string line =
      "  ASYNC_COMPLETION(dwRequestID=" + hex_number(id) + " (" + name + "), lResult=" + result_text(result) + ")";
  const bool first = request != nullptr && request->progress != Progress::completed;
  if (first && result == 0) {
    const std::string late = outputs_text(*request->function, *request->frame, true, For::reader, 0);
    if (!late.empty()) line += ", " + late;
  }
  world.trace.line(line);
  const std::string what = "ASYNC_COMPLETION for request " + hex_number(id) + " (" + name + ")";
  if (world.phase == Phase::down)
    return world.breach(Rule::callback_after_shutdown, what + " came after providerShutdown");
  if (request == nullptr) return world.breach(Rule::completion_unknown, what + " names an id that TAPI never gave");
  if (request->progress == Progress::completed)
    return world.breach(Rule::completion_twice, what + " came a second time");
  if (request->progress == Progress::refused) {
    return world.breach(Rule::completion_after_refusal,
                        what + " came although the function returned " + result_text(request->result));
  }
  if (result > 0) world.breach(Rule::completion_positive, what + " carries the result " + std::to_string(result));
  request->completed_inside = request->progress == Progress::inside;
  request->progress = Progress::completed;
  request->result = result;
  if (result == 0) take_handles(*request);
  for (Object* made : request->makes) (result == 0 ? made->usable : made->failed) = true;
  world.coverage.ended(*request->function, *request->frame, result == 0 ? "success" : failure_name(result, true));
  check_frame(world, *request->function, *request->frame, result == 0, true);
  push_completion(world, *request, result);
}

std::string digits_text(World& world, Object* call, DWORD end_to_end) {
  if (call == nullptr) return {};
  const Function* function = find_function("lineGatherDigits");
  const auto argument = [function](const Frame& frame, std::string_view name) {
    return frame.arguments[static_cast<std::size_t>(function->find(name))];
  };
  const auto mine = std::find_if(call->gathers.begin(), call->gathers.end(), [&](const auto& frame) {
    return static_cast<DWORD>(argument(*frame, "dwEndToEndID")) == end_to_end;
  });
  if (mine == call->gathers.end()) return {};
  const auto frame = *mine;
  call->gathers.erase(mine);
  const Buffer* buffer = frame->buffer[static_cast<std::size_t>(function->find("lpsDigits"))];
  check_frame(world, *function, *frame, true, true);
  std::u16string units(buffer->size() / 2, u'\0');
  std::memcpy(units.data(), buffer->data(), units.size() * 2);
  return ", lpsDigits=" + in_quotes(to_utf8(units.c_str()));
}

void Caller::prepare(Attempt& attempt, const Arguments& arguments) {
  const std::lock_guard lock(world_.mutex);
  const Function& function = *attempt.function;
  for (const auto& [name, object] : arguments.objects) {
    (void)name;
    if (attempt.section == nullptr) attempt.section = object->section;
    attempt.about.push_back(object);
    if (object->line != nullptr && object->line != object) attempt.about.push_back(object->line);
  }
  if (attempt.section == nullptr) attempt.section = world_.provider;
  attempt.frame = build_frame(world_, function, arguments, *attempt.section, attempt.total);
  if (function.async) {
    attempt.request = world_.make_request(function);
    attempt.request->section = attempt.section;
    attempt.request->frame = attempt.frame;
    attempt.request->about = attempt.about;
  }
  const std::vector<Param>& params = function.params;
  std::vector<std::size_t> waiting;  // TAPI's handles that have not found their driver's twin yet
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (params[i].kind == ParamKind::request) attempt.frame->arguments[i] = attempt.request->id;
    if (is_tapi_handle(params[i].kind)) waiting.push_back(i);
    if (!is_new_handle(params[i].kind) || makes_nothing(function, *attempt.frame)) continue;
    Object* line = attempt.about.empty() ? nullptr : attempt.about.front()->line;
    Object* object = world_.make(made_kind(params[i].kind), attempt.section, line);
    object->maker = attempt.request;
    if (object->kind == ObjectKind::line) object->registering = 1;
    if (attempt.request != nullptr) {
      attempt.request->makes.push_back(object);
      attempt.request->about.push_back(object);
    }
    attempt.made[params[i].name] = object;
    if (waiting.empty()) continue;
    attempt.frame->arguments[waiting.front()] = object->tapi;
    attempt.made[params[waiting.front()].name] = object;
    waiting.erase(waiting.begin());
  }
  if (function.name == "lineGatherDigits" && !attempt.about.empty() &&
      attempt.frame->buffer[static_cast<std::size_t>(function.find("lpsDigits"))] != nullptr) {
    attempt.about.front()->gathers.push_back(attempt.frame);  // TAPI's until the message that ends it
  }
  if (registers(function) && !attempt.about.empty()) ++attempt.about.front()->registering;
}

void Caller::invoke(Attempt& attempt) {
  void* entry = module_.symbol("TSPI_" + attempt.function->name);
  struct Shared {
    LONG result = 0;
    std::shared_ptr<Frame> frame;
  };
  auto shared = std::make_shared<Shared>();
  shared->frame = attempt.frame;
  const Function* function = attempt.function;
  const auto enter = [function, entry, statement = world_.statement.load()](const Frame& frame) {
    const Inside inside(function->name.c_str(), statement);
    return function->invoke(entry, frame.arguments.data());
  };
  if (world_.callback_thread == std::this_thread::get_id()) {  // from inside a callback, on its thread
    attempt.result = enter(*shared->frame);
    return;
  }
  std::unique_lock<std::mutex> alone(one_at_a_time_, std::defer_lock);
  if (world_.nonreentrant) alone.lock();
  const bool finished = pool_.run([shared, enter] { shared->result = enter(*shared->frame); }, limit_);
  if (!finished) {
    world_.breach(Rule::blocks,
                  "TSPI_" + function->name + " has not returned within " + std::to_string(limit_.count()) + " ms");
    throw Stop("TSPI_" + function->name + " does not return, so the run cannot go on.");
  }
  attempt.result = shared->result;
}

void Caller::settle_new_objects(Attempt& attempt, bool success) {
  for (std::size_t i = 0; i < attempt.function->params.size(); ++i) {
    const Param& param = attempt.function->params[i];
    if (!is_new_handle(param.kind) || attempt.made.count(param.name) == 0) continue;
    Object* object = attempt.made[param.name];
    std::uintptr_t driver = 0;
    std::memcpy(&driver, attempt.frame->buffer[i]->data(), sizeof driver);
    object->registering = 0;
    if (!success) {
      object->failed = true;
      continue;
    }
    if (driver == 0 && handle_optional(*attempt.function, *attempt.frame)) {
      object->failed = true;
      continue;
    }
    if (driver == 0) {
      world_.breach(Rule::handle_not_written,
                    "TSPI_" + attempt.function->name + " returned success and left *" + param.name + " unwritten");
    } else if (const Object* twin = world_.find_driver(object->kind, driver); twin != nullptr && twin != object) {
      world_.breach(Rule::handle_reused, "TSPI_" + attempt.function->name + " gave the handle " + hex_number(driver) +
                                             " of " + World::name(twin) + " again");
    }
    object->driver = driver;
    if (attempt.request == nullptr) object->usable = true;
  }
}

void Caller::settle_request(Attempt& attempt) {
  Request& request = *attempt.request;
  const std::string name = "TSPI_" + attempt.function->name;
  if (attempt.result == 0) {
    world_.breach(Rule::async_zero, name + " returned 0");
  } else if (attempt.result > 0 && static_cast<DWORD>(attempt.result) != request.id) {
    world_.breach(Rule::async_other_id, name + " was given request " + hex_number(request.id) + " and returned " +
                                            hex_number(static_cast<DWORD>(attempt.result)));
  }
  if (attempt.result < 0 && request.completed_inside) {
    world_.breach(Rule::completion_after_refusal, name + " returned " + result_text(attempt.result) +
                                                      " although the request was completed inside it");
  }
  if (request.progress == Progress::completed) return;
  request.progress = attempt.result < 0 ? Progress::refused : Progress::accepted;
  if (attempt.result >= 0) return;
  request.result = attempt.result;
  push_completion(world_, request, attempt.result);
}

void Caller::settle(Attempt& attempt) {
  const std::lock_guard lock(world_.mutex);
  const Function& function = *attempt.function;
  if (!function.async && attempt.result > 0) {
    world_.breach(Rule::result_positive, "TSPI_" + function.name + " returned " + std::to_string(attempt.result));
  }
  const bool accepted = function.async ? attempt.result > 0 : attempt.result == 0;
  settle_new_objects(attempt, accepted);
  if (attempt.result < 0) {
    world_.coverage.ended(function, *attempt.frame, failure_name(attempt.result, false));
  } else if (!function.async) {
    world_.coverage.ended(function, *attempt.frame, lacks_room(attempt) ? "too-small" : "success");
  }
  if (!accepted && !attempt.about.empty()) std::erase(attempt.about.front()->gathers, attempt.frame);
  if (function.async) settle_request(attempt);
  check_frame(world_, function, *attempt.frame, !function.async && attempt.result == 0, false);
  if (registers(function) && !attempt.about.empty()) --attempt.about.front()->registering;
  world_.changed.notify_all();
}

void Caller::after_close(Attempt& attempt, const Arguments& arguments) {
  if (!closes(*attempt.function) || attempt.result != 0 || arguments.objects.empty()) return;
  const std::lock_guard lock(world_.mutex);
  Object* closed = arguments.objects.begin()->second;
  for (const auto& object : world_.objects) {
    if (object.get() == closed || (closed->kind == ObjectKind::line && object->line == closed)) object->closed = true;
  }
  const bool call = attempt.function->name == "lineCloseCall";
  if (call && closed->state != 0 && closed->state != LINECALLSTATE_IDLE) {
    world_.note(World::name(closed) + " was closed in " + constant_text("LINECALLSTATE", closed->state) +
                ", before LINECALLSTATE_IDLE");
  }
  if (closed->kind == ObjectKind::msp || closed->kind == ObjectKind::dialog) return;
  for (const auto& request : world_.requests) {
    if (request->progress != Progress::accepted) continue;
    for (const Object* object : request->about) {
      if (object != closed) continue;
      world_.breach(call ? Rule::completion_late_call : Rule::completion_late_line,
                    "TSPI_" + attempt.function->name + " returned while request " + hex_number(request->id) + " (" +
                        request->function->name + ") was not completed");
      break;
    }
  }
  if (!call) world_.emit_rest(closed->section);
}

void Caller::emit(Attempt& attempt, Show show) {
  if (show == Show::trace_only) return;
  const std::lock_guard lock(world_.mutex);
  std::string text = attempt.canonical;
  if (attempt.request == nullptr) {
    text += " = " + result_text(attempt.result);
    const std::string outputs =
        outputs_text(*attempt.function, *attempt.frame, false, world_.comparison, attempt.section->device);
    if (attempt.result == 0 && !outputs.empty()) text += ", " + outputs;
  }
  if (world_.callback_thread == std::this_thread::get_id() && world_.current != nullptr) {
    world_.current->text += " { " + text + " }";
    return;
  }
  world_.emit(attempt.section, text);
}

/// A structure that succeeded and says that it needs more room.
bool Caller::lacks_room(const Attempt& attempt) const {
  for (std::size_t i = 0; i < attempt.function->params.size(); ++i) {
    const Buffer* buffer = attempt.frame->buffer[i];
    const bool sized = attempt.function->params[i].kind == ParamKind::struct_out && buffer->size() >= 12;
    if (sized && dword_at(buffer->data(), 4) > buffer->size()) return true;
  }
  return false;
}

/// What TAPI asks for when the structure was too small; 0: enough.
DWORD Caller::wanted_size(const Attempt& attempt, const Arguments& arguments) const {
  for (std::size_t i = 0; i < attempt.function->params.size(); ++i) {
    const Param& param = attempt.function->params[i];
    if (param.kind != ParamKind::struct_out || arguments.values.count(param.name + ".dwTotalSize") != 0) continue;
    const Buffer& buffer = *attempt.frame->buffer[i];
    if (buffer.size() < 12) continue;
    const auto code = static_cast<std::uint32_t>(attempt.result);
    const bool too_small = code == LINEERR_STRUCTURETOOSMALL || code == PHONEERR_STRUCTURETOOSMALL;
    const DWORD needed = dword_at(buffer.data(), 4);
    if ((attempt.result == 0 || too_small) && needed > buffer.size() && needed < (1U << 24)) return needed;
  }
  return 0;
}

Outcome Caller::call(const Function& function, const Arguments& arguments, Section* section, Show show) {
  if (world_.broken && !world_.keep_going) throw Stop("a rule is broken");
  Outcome outcome;
  outcome.function = &function;
  if (!exports(function.name)) {
    outcome.exported = false;
    outcome.result =
        static_cast<LONG>(starts_with(function.name, "phone") ? PHONEERR_OPERATIONUNAVAIL : LINEERR_OPERATIONUNAVAIL);
    world_.trace.line(function.name + " is not exported, so TAPI answers " + result_text(outcome.result));
  }
  Attempt attempt;
  for (int tries = 0;; ++tries) {
    const DWORD total = attempt.total;
    attempt = Attempt{};
    attempt.function = &function;
    attempt.section = section;
    attempt.total = total;
    prepare(attempt, arguments);
    std::string text;
    {
      const std::lock_guard lock(world_.mutex);
      const auto inputs = [&](For reader) {
        return inputs_text(function, *attempt.frame, arguments, attempt.request, attempt.made,
                           attempt.section->device, reader);
      };
      text = world_.for_trace(inputs(For::reader));
      attempt.canonical = inputs(world_.comparison);
    }
    if (arguments.before) {
      std::vector<Object*> made;
      for (const auto& [name, object] : attempt.made) {
        if (starts_with(name, "lphd")) made.push_back(object);
      }
      arguments.before(made);
    }
    if (outcome.exported) {
      const auto token = world_.trace.begin(text);
      invoke(attempt);
      std::string result = attempt.request != nullptr && attempt.result > 0
                               ? "request " + hex_number(static_cast<DWORD>(attempt.result))
                               : result_text(attempt.result);
      if (attempt.result == 0) {
        const auto outputs = outputs_text(function, *attempt.frame, false, For::reader, attempt.section->device);
        if (!outputs.empty()) result += ", " + outputs;
      }
      world_.trace.end(token, function.name, result);
    } else {
      attempt.result = outcome.result;
    }
    settle(attempt);
    attempt.total = wanted_size(attempt, arguments);
    if (attempt.total == 0) break;
    if (tries == 4) {
      world_.breach(Rule::needed_unsteady, "TSPI_" + function.name + " asked for more room 5 times in a row");
      break;
    }
  }
  // The canonical order: what the script does is written where it does it.
  after_close(attempt, arguments);
  emit(attempt, show);
  if (world_.broken && !world_.keep_going) throw Stop("a rule is broken");
  outcome.result = attempt.result;
  outcome.request = attempt.request;
  outcome.frame = attempt.frame;
  for (std::size_t i = 0; i < function.params.size(); ++i) {
    const auto made = attempt.made.find(function.params[i].name);
    if (is_new_handle(function.params[i].kind) && made != attempt.made.end()) outcome.made.push_back(made->second);
  }
  return outcome;
}

}  // namespace tsplink::tapisim
