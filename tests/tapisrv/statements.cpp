// The statements `call`, `read` and `expect`.
#include <algorithm>
#include <thread>

#include "constants.hpp"
#include "interpreter.hpp"
#include "options.hpp"
#include "text.hpp"

namespace tsplink::tapisim {
namespace {

bool keyword(const std::string& word) {
  return word == "as" || word == "on" || word == "of" || word == "within" || word == "fails" || word == "address";
}

const Param* input_named(const Function& function, const std::string& name) {
  const std::string first = name.substr(0, name.find_first_of(".["));
  const int index = function.find(first);
  return index < 0 ? nullptr : &function.params[static_cast<std::size_t>(index)];
}

bool is_input(const Param& param, const std::string& name) {
  if (param.kind == ParamKind::struct_out || param.kind == ParamKind::struct_late) {
    return name == param.name + ".dwTotalSize";
  }
  return param.kind != ParamKind::out_number && param.kind != ParamKind::out_text &&
         param.kind != ParamKind::late_number && param.kind != ParamKind::fixed_out &&
         param.kind != ParamKind::out_bytes && param.kind != ParamKind::icon;
}

LONG code_of(const std::string& text) { return static_cast<LONG>(static_cast<std::uint32_t>(parse_number(text))); }

constexpr char kAny[] = "any";  // any error will do

std::string wanted_text(const std::string& wanted) {
  return wanted.empty() ? "0" : wanted == kAny ? "an error" : result_text(code_of(wanted));
}

ObjectKind kind_of(ParamKind kind) {
  switch (kind) {
    case ParamKind::line: return ObjectKind::line;
    case ParamKind::phone: return ObjectKind::phone;
    case ParamKind::msp: return ObjectKind::msp;
    case ParamKind::dialog: return ObjectKind::dialog;
    default: return ObjectKind::call;
  }
}

}  // namespace

/// A scenario waits for no longer than a day.
std::chrono::milliseconds Interpreter::seconds(const std::string& text) {
  constexpr std::uint64_t kMost = 24ULL * 60 * 60;
  const auto number = parse_number(text);
  if (number > kMost) throw std::runtime_error(text + " is more than " + std::to_string(kMost) + " seconds");
  return std::chrono::seconds(number);
}

Interpreter::Options Interpreter::options(const std::vector<std::string>& words, std::size_t from) {
  Options out;
  for (std::size_t i = from; i < words.size(); ++i) {
    const std::size_t equal = words[i].find('=');
    if (keyword(words[i]) && i + 1 < words.size()) {
      out.after[words[i]] = words[i + 1];
      ++i;
    } else if (equal != std::string::npos && words[i].front() != '"') {
      out.pairs[words[i].substr(0, equal)] = words[i].substr(equal + 1);
    } else if (words[i] != "gives") {
      out.plain.push_back(words[i]);
    }
  }
  return out;
}

/// TAPI hands over no handle that is closed or of another kind, and some where there must be one: who wants to see
/// what a provider does with such says NULL or a number.
void Interpreter::add_objects(const Function& function, const Options& given, Arguments& arguments) {
  std::size_t next = 0;
  const Param* needed = nullptr;
  bool named = false;
  for (const auto& param : function.params) {
    if (!is_handle_in(param.kind)) continue;
    std::string name = given.pair(param.name);
    if (name.empty() && next < given.plain.size()) name = given.plain[next++];
    if (needed == nullptr) needed = &param;
    named = named || !name.empty();
    if (name.empty() || name == "NULL" || to_number(name)) continue;
    Object* found = living(name);
    if (found->kind != kind_of(param.kind)) {
      throw std::runtime_error(function.name + " needs a " + std::string(kind_name(kind_of(param.kind))) + " for " +
                               param.name + ", and \"" + name + "\" is a " + std::string(kind_name(found->kind)));
    }
    arguments.objects[param.name] = found;
  }
  if (needed != nullptr && !named) {
    throw std::runtime_error(function.name + " needs a " + std::string(kind_name(kind_of(needed->kind))) + " for " +
                             needed->name + "; name it (or NULL) behind the function");
  }
  // The one parameter that may be a handle or a number.
  const auto asked = given.pair("dwObjectID");
  if (is_object(asked)) arguments.objects["dwObjectID"] = object(asked);
  if (next < given.plain.size()) throw std::runtime_error("\"" + given.plain[next] + "\" fits no parameter");
}

void Interpreter::call(const std::vector<std::string>& words, Run& run) {
  const Function* function = function_named(words.at(1));
  Options given = options(words, 2);
  Arguments arguments;
  Section* section = nullptr;
  if (!given.get("on").empty()) {  // functions that name a device by its id
    const bool phone =
        starts_with(function->name, "phone") || given.pair("dwObjectType") == "TUISPIDLL_OBJECT_PHONEID";
    const auto device = provider_.find(phone, given.get("on"));
    if (device == nullptr) throw std::runtime_error("there is no device " + given.get("on"));
    section = device->section;
  }
  add_objects(*function, given, arguments);
  Options checks;
  for (const auto& [name, value] : given.pairs) {
    const Param* param = input_named(*function, name);
    const bool structure = param != nullptr && param->kind == ParamKind::struct_in;
    if (structure && value != "NULL" && (name == param->name || starts_with(name, param->name + "["))) {
      throw std::runtime_error(param->name + " is a structure; write " + param->name + ".FIELD=value");
    }
    if (param != nullptr && is_input(*param, name)) {
      if (arguments.objects.count(name) == 0) arguments.values[name] = value;
    } else {
      checks.pairs[name] = value;
    }
  }
  if (function->async) {
    if (!given.get("fails").empty()) {
      throw std::runtime_error(function->name + " is asynchronous: what it ends in is for \"expect completion " +
                               given.get("fails") + "\"");
    }
    if (!checks.pairs.empty()) {
      throw std::runtime_error(function->name + " has no parameter " + checks.pairs.begin()->first + " (--describe " +
                               function->name + " lists them); outputs are for \"expect completion\"");
    }
  }
  const bool makes_call = function->name == "lineMakeCall";
  if (makes_call) {
    arguments.before = [this](const std::vector<Object*>& made) {
      for (Object* call : made) msp_.create_call(call);
    };
  }
  if (function->name == "lineCloseCall" && arguments.objects.count("hdCall") != 0) {
    msp_.end_call(arguments.objects["hdCall"]);
  }
  const Outcome outcome = caller_.call(*function, arguments, section);
  if (outcome.request != nullptr) {
    run.last = outcome.request;
    run.last->line = run.line;
  }
  const auto names = split(given.get("as"), ',');
  for (std::size_t i = 0; i < names.size(); ++i) {
    bind(names[i], {i < outcome.made.size() ? outcome.made[i] : nullptr, outcome.request});
  }
  if (function->async) return;  // a refusal counts as a completion, so that both are told apart by nobody
  const std::string failure = given.get("fails");
  const LONG wanted = failure.empty() || failure == kAny ? 0 : code_of(failure);
  if (failure == kAny ? outcome.result >= 0 : outcome.result != wanted) {
    throw std::runtime_error(function->name + " answered " + result_text(outcome.result) + " instead of " +
                             wanted_text(failure));
  }
  check_outputs(*function, *outcome.frame, checks);
}

void Interpreter::check_outputs(const Function& function, const Frame& frame, const Options& checks) {
  for (const auto& [name, expected] : checks.pairs) {
    const auto value = output(function, frame, name);
    if (!value) throw std::runtime_error(function.name + " has no parameter or output " + name);
    if (!expected.empty() && expected.front() == '?') {
      const std::lock_guard lock(mutex_);
      texts_[expected.substr(1)] = value->text;
    } else if (!equals(*value, expected)) {
      throw std::runtime_error(function.name + " gave " + name + "=" + value->text + " instead of " + expected);
    }
  }
}

void Interpreter::expect(const std::vector<std::string>& words, Run& run) {
  const std::string& what = words.at(1);
  Options given = options(words, 2);
  if (what == "no") return expect_none(given, run);
  if (what == "completion") return expect_completion(given, run);
  expect_event(*event_named(what), given, run);
}

void Interpreter::expect_completion(const Options& given, Run& run) {
  Request* request = given.get("of").empty() ? run.last : awaited(given.get("of"), run.limit).request;
  if (request == nullptr) throw std::runtime_error("there is no request to wait for");
  const bool any = !given.plain.empty() && given.plain[0] == kAny;
  const LONG wanted = given.plain.empty() || any ? 0 : code_of(given.plain[0]);
  {
    std::unique_lock lock(world_.mutex);
    const auto ended = [request] {
      return request->progress == Progress::completed || request->progress == Progress::refused;
    };
    world_.changed.wait_for(lock, run.limit, [&] { return ended() || (world_.broken && !world_.keep_going); });
    if (world_.broken && !world_.keep_going) throw Stop("a rule is broken");
    if (!ended()) throw std::runtime_error(request->function->name + " is not completed after the limit of waiting");
    Section* section = request->section;
    for (std::size_t i = 0; i < section->happenings.size(); ++i) {
      if (section->happenings[i].request != request) continue;
      section->happenings[i].claimed = true;
      if (request->result == 0) {
        world_.emit_until(section, i);
      } else {  // at once or by completion: its place among the callbacks says nothing
        world_.emit(section, section->happenings[i].text);
      }
    }
  }
  if (any ? request->result >= 0 : request->result != wanted) {
    throw std::runtime_error(request->function->name + " ended in " + result_text(request->result) + " instead of " +
                             wanted_text(given.plain.empty() ? "" : given.plain[0]));
  }
  check_outputs(*request->function, *request->frame, given);
  // TAPI closes a call whose lineMakeCall failed by completion, and not one that was refused.
  if (std::find(given.plain.begin(), given.plain.end(), "unclosed") != given.plain.end()) return;
  if (request->result == 0 || request->progress == Progress::refused || request->function->name != "lineMakeCall") {
    return;
  }
  Arguments arguments;
  arguments.objects = {{"hdCall", request->makes.at(0)}};
  msp_.end_call(request->makes[0]);
  caller_.call(*find_function("lineCloseCall"), arguments, nullptr, Show::trace_only);
}

/// Refuses a word that no parameter of the message has as a constant, and a name that none has: it would be waited
/// for in vain.
void Interpreter::check_words(const Event& event, const Options& given) {
  for (const auto& word : given.plain) {
    bool known = false;
    const auto of = [&](const std::string& group) {
      return !group.empty() && constant_value(starts_with(word, group + "_") ? word : group + "_" + word).has_value();
    };
    for (const auto& param : event.params) {
      for (DWORD bit = 1; param.role == "detail" && bit != 0 && !known; bit <<= 1U)
        known = of(std::string(detail_group(bit)));
      known = known || of(param.group);
    }
    if (!known) throw std::runtime_error("\"" + word + "\" is no constant of " + std::string(event.name));
  }
  for (const auto& [name, value] : given.pairs) {
    const bool known = std::any_of(event.params.begin(), event.params.end(),
                                   [wanted = name](const auto& one) { return one.name == wanted; });
    if (!known) {
      throw std::runtime_error(std::string(event.name) + " has no parameter " + name + "; --describe " +
                               std::string(event.name) + " lists them");
    }
  }
}

bool Interpreter::matches(const Happening& happening, const Event& event, const Options& given) {
  if (happening.event != &event || happening.claimed || happening.held) return false;
  const auto& params = event.params;
  for (const auto& word : given.plain) {  // constants of whichever parameter has them
    bool fits = false;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string group = params[i].role == "detail"
                                    ? std::string(detail_group(static_cast<DWORD>(happening.p[0])))
                                    : params[i].group;
      if (group.empty()) continue;
      const auto value = constant_value(starts_with(word, group + "_") ? word : group + "_" + word);
      if (value && (happening.p[i] & *value) == *value && *value != 0) fits = true;
    }
    if (!fits) return false;
  }
  for (const auto& pair : given.pairs) {
    const std::string &name = pair.first, &expected = pair.second;  // clang 14 captures no structured binding
    const auto param = std::find_if(params.begin(), params.end(), [&](const auto& one) { return one.name == name; });
    const auto i = static_cast<std::size_t>(param - params.begin());
    if (param->role == "buffer") {
      if (parse_bytes(expected, false) != happening.data) return false;
    } else if ((is_object(expected) ? object(expected)->tapi : parse_number(expected)) != happening.p[i]) {
      return false;
    }
  }
  return true;
}

/// "inside MESSAGE .. on NAME call FUNCTION ..": before the next callback like that returns.
void Interpreter::inside(const std::vector<std::string>& words, const Run& run) {
  const auto verb =
      std::find_if(words.begin(), words.end(), [](const auto& w) { return w == "call" || w == "read"; });
  const Event* event = words.size() > 1 ? find_event(std::string_view(words[1])) : nullptr;
  if (event == nullptr || verb == words.end()) {
    throw std::runtime_error("write: inside MESSAGE [CONSTANT] on NAME call FUNCTION ..");
  }
  if (std::find(verb, words.end(), "providerShutdown") != words.end()) {
    throw std::runtime_error("providerShutdown waits for the callback that it would be called from");
  }
  for (const auto& name : split(options({verb, words.end()}, 2).get("as"), ',')) promise(name);
  const auto given = std::make_shared<Options>(options({words.begin(), verb}, 2));
  check_words(*event, *given);
  const Object* target = object(given->get("on"));
  const std::vector<std::string> wanted(verb, words.end());
  Hook hook;
  hook.what = join(words, " ");
  hook.wanted = [this, event, given, target](const Happening& happening) {
    if (target->kind == ObjectKind::call ? happening.call != target : happening.object != target) return false;
    return matches(happening, *event, *given);
  };
  hook.act = [this, wanted, own = run](Happening& happening) mutable {
    try {
      bind("it", {happening.call != nullptr ? happening.call : happening.object, nullptr});
      call(wanted, own);
    } catch (const std::exception& problem) {
      const std::lock_guard lock(world_.mutex);
      world_.hook_problem = "from inside a callback: " + std::string(problem.what());
    }
  };
  const std::lock_guard lock(world_.mutex);
  world_.hooks.push_back(std::move(hook));
}

std::string Interpreter::unclaimed(const Section* section) {
  std::vector<std::string> came;
  for (const auto& happening : section->happenings) {
    if (!happening.claimed) came.push_back(world_.for_trace(happening.text));
  }
  if (came.empty()) return "nothing else came on " + section->name;
  if (came.size() > 8) came.erase(came.begin(), came.end() - 8);
  return "unclaimed on " + section->name + ": " + join(came, "; ");
}

void Interpreter::expect_event(const Event& event, const Options& given, Run& run) {
  if (given.get("on").empty()) throw std::runtime_error("say on which line, phone or call");
  check_words(event, given);
  const Object* target = object(given.get("on"));
  auto limit = run.limit;
  if (!given.get("within").empty()) limit = seconds(given.get("within"));
  Object* call = nullptr;
  {
    std::unique_lock lock(world_.mutex);
    Section* section = target->section;
    std::size_t index = 0;
    const auto find = [&] {
      for (index = 0; index < section->happenings.size(); ++index) {
        const auto& happening = section->happenings[index];
        if (target->kind == ObjectKind::call && happening.call != target) continue;
        if (matches(happening, event, given)) return true;
      }
      return world_.broken && !world_.keep_going;
    };
    const bool found = world_.changed.wait_for(lock, limit, find);
    if (world_.broken && !world_.keep_going) throw Stop("a rule is broken");
    if (!found) {
      std::string wanted = join(given.plain, " ");
      for (const auto& [name, value] : given.pairs) wanted += (wanted.empty() ? "" : " ") + name + "=" + value;
      throw std::runtime_error(std::string(event.name) + (wanted.empty() ? "" : " ") + wanted + " did not come on " +
                               given.get("on") + " within " + std::to_string(limit.count() / 1000) + " s; " +
                               unclaimed(section));
    }
    auto& happening = section->happenings[index];
    happening.claimed = true;
    call = happening.call;
    world_.emit_until(section, index);
    bind(given.get("as"), {call != nullptr ? call : happening.object, nullptr});
  }
  if (event.value != LINE_NEWCALL) return;
  // TAPI tells an application of the call by its first state (documentation of LINE_CALLSTATE); until then the
  // provider may still be inside LINE_NEWCALL. The MSP makes its call before.
  {
    std::unique_lock lock(world_.mutex);
    const auto known = [&] { return call->state != 0 || call->closed || (world_.broken && !world_.keep_going); };
    if (!world_.changed.wait_for(lock, limit, known)) {
      throw std::runtime_error("no LINE_CALLSTATE came for the new call within " +
                               std::to_string(limit.count() / 1000) + " s, so that no application hears of it");
    }
  }
  if (!msp_.wait_created(call)) throw std::runtime_error("the MSP made no call object for the new call");
}

void Interpreter::expect_none(const Options& given, Run& run) {
  const Event* event = given.plain.empty() ? nullptr : find_event(std::string_view(given.plain[0]));
  if (event == nullptr || given.get("on").empty() || given.get("within").empty()) {
    throw std::runtime_error("write: expect no MESSAGE [CONSTANT] on NAME within SECONDS");
  }
  Options rest = given;
  rest.plain.erase(rest.plain.begin());
  check_words(*event, rest);
  const Object* target = object(given.get("on"));
  (void)run;
  std::unique_lock lock(world_.mutex);
  const bool came = world_.changed.wait_for(lock, seconds(given.get("within")), [&] {
    return std::any_of(target->section->happenings.begin(), target->section->happenings.end(),
                       [&](const Happening& happening) {
                         if (target->kind == ObjectKind::call && happening.call != target) return false;
                         return matches(happening, *event, rest);
                       });
  });
  if (came) throw std::runtime_error(std::string(event->name) + " came on " + given.get("on"));
}

}  // namespace tsplink::tapisim
