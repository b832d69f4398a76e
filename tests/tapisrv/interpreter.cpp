// Blocks, names, and the statements about devices, MSPs and the PBX; calls and expectations are in statements.cpp.
#include "interpreter.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>

#include "constants.hpp"
#include "options.hpp"
#include "text.hpp"

namespace tsplink::tapisim {

const Function* Interpreter::function_named(const std::string& name) {
  const Function* function = find_function(name);
  if (function == nullptr) throw std::runtime_error("TSPI has no function " + name + "; --describe lists them");
  return function;
}

const Event* Interpreter::event_named(const std::string& name) {
  const Event* event = find_event(std::string_view(name));
  if (event == nullptr || !event->sent)
    throw std::runtime_error("a TSP sends no message " + name + "; --describe lists them");
  return event;
}

/// A statement that cannot be right, before any call is made.
void Interpreter::check(const Scenario& block) {
  constexpr std::string_view kVerbs[] = {"parallel", "repeat", "open",  "close",    "call", "read",
                                         "inside",   "expect", "msp",   "pbx",      "wait", "shutdown",
                                         "print",    "check",  "limit", "overload", "set"};
  for (const auto& statement : block) {
    const auto& words = statement.words;
    const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string(); };
    try {
      if (std::find(std::begin(kVerbs), std::end(kVerbs), words[0]) == std::end(kVerbs))
        throw std::runtime_error("\"" + words[0] + "\" is no statement; README.md lists them");
      const auto name = word(0) == "expect" && word(1) == "no" ? word(2) : word(1);
      const bool known = name.empty() || name.find('$') != std::string::npos || name == "completion";
      if ((words[0] == "call" || words[0] == "read") && !known) function_named(name);
      if ((words[0] == "expect" || words[0] == "inside") && !known) event_named(name);
    } catch (const std::exception& problem) {
      throw Stop(sentence(statement, problem.what()));
    }
    for (const auto& inner : statement.blocks) check(inner);
  }
}

std::string Interpreter::sentence(const Statement& statement, const std::string& problem) {
  const bool stopped = !problem.empty() && (problem.back() == '.' || problem.back() == '?');
  return "Scenario line " + std::to_string(statement.line) + ": " + problem + (stopped ? "" : ".");
}

void Interpreter::play(const Scenario& scenario) {
  Run run;
  play_block(scenario, run);
  finish();
}

void Interpreter::play_block(const Scenario& block, Run& run) {
  for (const auto& statement : block) {
    run.line = world_.statement = statement.line;
    try {
      play_one(statement, run);
    } catch (const Stop&) {
      throw;
    } catch (const std::out_of_range&) {
      throw Stop("Scenario line " + std::to_string(statement.line) + ": a word is missing after \"" +
                 join(statement.words, " ") + "\"; README.md lists the statements.");
    } catch (const std::exception& problem) {
      throw Stop(sentence(statement, problem.what()));
    }
  }
}

void Interpreter::play_one(const Statement& statement, Run& run) {
  const std::string& verb = statement.words[0];
  check_hooks();
  if (verb == "parallel") return play_parallel(statement, run);
  if (verb == "repeat") {
    constexpr std::uint64_t kMost = 1'000'000;
    const auto times = parse_number(substitute(statement.words.at(1), run));
    if (times > kMost) throw std::runtime_error("repeat takes " + std::to_string(kMost) + " rounds at most");
    const auto outer = run.counters;
    for (std::uint64_t i = 1; i <= times; ++i) {
      run.counters["i"] = std::to_string(i);
      play_block(statement.blocks[0], run);
    }
    run.counters = outer;
    return;
  }
  std::vector<std::string> words;
  for (const auto& word : statement.words) words.push_back(substitute(word, run));
  if (verb == "open") return open(words);
  if (verb == "close") return close(living(words.at(1)));
  if (verb == "call" || verb == "read") return call(words, run);
  if (verb == "inside") return inside(words, run);
  if (verb == "expect") return expect(words, run);
  if (verb == "msp") return msp(words, run);
  if (verb == "pbx") return pbx(words);
  if (verb == "wait") return wait(words, run);
  if (verb == "shutdown") return finish();
  if (verb == "print") return world_.trace.line(join({words.begin() + 1, words.end()}, " "));
  if (verb == "check") {
    if (words.at(1) != words.at(2)) throw std::runtime_error(words[1] + " is not " + words[2]);
  } else if (verb == "limit") {
    run.limit = seconds(words.at(1));
  } else if (verb == "set") {
    const std::lock_guard lock(mutex_);
    texts_[words.at(1)] = words.at(2);
  } else if (verb == "overload") {
    const std::lock_guard lock(world_.mutex);
    const auto count = parse_number(words.size() > 1 ? words[1] : "1");
    if (count > 1000) throw std::runtime_error("overload takes 1000 calls at most");
    world_.overload += static_cast<int>(count);
  }
}

void Interpreter::play_parallel(const Statement& statement, const Run& run) {
  std::vector<std::exception_ptr> failures(statement.blocks.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < statement.blocks.size(); ++i) {
    threads.emplace_back([this, i, &statement, &failures, own = run]() mutable {
      try {
        play_block(statement.blocks[i], own);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

std::string Interpreter::substitute(const std::string& word, const Run& run) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '$') {
      out.push_back(word[i]);
      continue;
    }
    if (i + 1 < word.size() && word[i + 1] == '$') {  // "$$" is a dollar
      out.push_back(word[++i]);
      continue;
    }
    std::string name;
    while (i + 1 < word.size() &&
           (std::isalnum(static_cast<unsigned char>(word[i + 1])) != 0 || word[i + 1] == '_' || word[i + 1] == '.')) {
      name.push_back(word[++i]);
    }
    const auto counter = run.counters.find(name);
    const std::lock_guard lock(mutex_);
    const auto text = texts_.find(name);
    if (counter == run.counters.end() && text == texts_.end()) {
      throw std::runtime_error("$" + name + " has no value yet");
    }
    out += counter != run.counters.end() ? counter->second : text->second;
  }
  return out;
}

Binding Interpreter::lookup(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end()) throw std::runtime_error("nothing is called \"" + name + "\"");
  return found->second;
}

Object* Interpreter::object(const std::string& name) {
  Object* found = lookup(name).object;
  if (found == nullptr) throw std::runtime_error("\"" + name + "\" names a request, not a line, phone or call");
  return found;
}

/// One that TAPI would still hand over.
Object* Interpreter::living(const std::string& name) {
  Object* found = object(name);
  const std::lock_guard lock(world_.mutex);
  if (found->closed) throw std::runtime_error("\"" + name + "\" is closed");
  if (found->failed && found->driver == 0)
    throw std::runtime_error("\"" + name + "\" was never made: its request was refused");
  return found;
}

bool Interpreter::is_object(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  return found != names_.end() && found->second.object != nullptr;
}

void Interpreter::bind(const std::string& name, Binding binding) {
  if (name.empty()) return;
  const std::lock_guard lock(mutex_);
  names_[name] = binding;
  promised_.erase(name);
  named_.notify_all();
}

void Interpreter::promise(const std::string& name) {
  const std::lock_guard lock(mutex_);
  names_.erase(name);
  promised_.insert(name);
}

/// Waits for a name that something inside a callback is to make.
Binding Interpreter::awaited(const std::string& name, std::chrono::milliseconds limit) {
  {
    std::unique_lock lock(mutex_);
    named_.wait_for(lock, limit, [&] { return promised_.count(name) == 0; });
  }
  return lookup(name);
}

void Interpreter::must_succeed_if_there(const Outcome& outcome) {
  const auto code = static_cast<std::uint32_t>(outcome.result);
  if (code != LINEERR_OPERATIONUNAVAIL && code != PHONEERR_OPERATIONUNAVAIL) must_succeed(outcome);
}

void Interpreter::must_succeed(const Outcome& outcome) {
  if (outcome.result != 0) {
    throw std::runtime_error(outcome.function->name + " answered " + result_text(outcome.result));
  }
}

void Interpreter::open(const std::vector<std::string>& words) {
  const bool phone = words.at(1) == "phone";
  if (!provider_.running()) throw std::runtime_error("the provider is shut down");
  const auto device = provider_.find(phone, words.at(2));
  if (device == nullptr) throw std::runtime_error("there is no " + words[1] + " " + words[2]);
  const Options given = options(words, 3);
  if (!given.plain.empty()) throw std::runtime_error("\"" + given.plain[0] + "\" says nothing to open");
  {
    const std::lock_guard lock(world_.mutex);
    device->section->used = true;
  }
  const std::string name = given.get("as").empty() ? words[2] : given.get("as");
  if (phone) return open_phone(*device, name);
  open_line(*device, name, given);
}

void Interpreter::open_line(const Device& device, const std::string& name, const Options& given) {
  const auto opened = caller_.call(*find_function("lineOpen"), {}, device.section);
  must_succeed(opened);
  bind(name, {opened.made.at(0), nullptr});
  Arguments states;
  states.objects = {{"hdLine", opened.made[0]}};
  states.values = {{"dwLineStates", std::to_string(device.line_states)},
                   {"dwAddressStates", std::to_string(device.address_states)}};
  must_succeed(caller_.call(*find_function("lineSetStatusMessages"), states));
  const std::string media = given.pair("media");
  const auto modes = media.empty() ? device.media_modes : parse_number(media);
  if (modes == 0) return;
  Arguments detection;
  detection.objects = states.objects;
  detection.values = {{"dwMediaModes", std::to_string(modes)}};
  must_succeed_if_there(caller_.call(*find_function("lineSetDefaultMediaDetection"), detection));
}

void Interpreter::open_phone(const Device& device, const std::string& name) {
  const auto opened = caller_.call(*find_function("phoneOpen"), {}, device.section);
  must_succeed(opened);
  bind(name, {opened.made.at(0), nullptr});
  Arguments states;
  states.objects = {{"hdPhone", opened.made[0]}};
  states.values = {{"dwPhoneStates", std::to_string(device.phone_states)},
                   {"dwButtonModes", "PHONEBUTTONMODE_CALL|PHONEBUTTONMODE_FEATURE|PHONEBUTTONMODE_KEYPAD"},
                   {"dwButtonStates", "PHONEBUTTONSTATE_UP|PHONEBUTTONSTATE_DOWN"}};
  must_succeed_if_there(caller_.call(*find_function("phoneSetStatusMessages"), states));
}

// TAPI's order: MSP calls, calls, MSP instances, the line itself.
void Interpreter::close(Object* object) {
  std::vector<Object*> calls, instances;
  {
    const std::lock_guard lock(world_.mutex);
    for (const auto& other : world_.objects) {
      if (other->closed || other->failed || other->line != object || other.get() == object) continue;
      (other->kind == ObjectKind::msp ? instances : calls).push_back(other.get());
    }
  }
  auto close_one = [this](const std::string& function, const std::string& parameter, Object* closing) {
    Arguments arguments;
    arguments.objects = {{parameter, closing}};
    must_succeed(caller_.call(*find_function(function), arguments));
  };
  if (object->kind == ObjectKind::call) {
    msp_.end_call(object);
    return close_one("lineCloseCall", "hdCall", object);
  }
  if (object->kind == ObjectKind::phone) return close_one("phoneClose", "hdPhone", object);
  if (object->kind == ObjectKind::msp) {
    msp_.remove(object);
    return close_one("lineCloseMSPInstance", "hdMSPLine", object);
  }
  if (object->kind == ObjectKind::dialog) return close_one("providerFreeDialogInstance", "hdDlgInst", object);
  for (Object* call : calls) close(call);
  for (Object* instance : instances) close(instance);
  close_one("lineClose", "hdLine", object);
}

void Interpreter::msp(const std::vector<std::string>& words, Run& run) {
  const std::string& what = words.at(1);
  if (what == "create") {
    Object* line = object(words.at(2));
    const Options given = options(words, 3);
    Arguments arguments;
    arguments.objects = {{"hdLine", line}};
    arguments.values = {{"dwAddressID", given.get("address").empty() ? "0" : given.get("address")}};
    const auto made = caller_.call(*find_function("lineCreateMSPInstance"), arguments);
    must_succeed(made);
    Bytes clsid;
    for (const auto& device : provider_.devices(false)) {
      if (device->section == line->section) clsid = device->clsid;
    }
    msp_.add(made.made.at(0), clsid);
    return bind(given.get("as"), {made.made[0], nullptr});
  }
  Object* instance = object(words.at(2));
  if (what == "close") return close(instance);
  if (what == "command") {
    const Object* call = words.size() > 4 ? object(words[3]) : nullptr;
    const std::string& text = words.back();
    const bool quotes = text.size() >= 2 && text.front() == '"';
    return msp_.command(instance, call, quotes ? text.substr(1, text.size() - 2) : text);
  }
  if (what != "expect") throw std::runtime_error("msp knows create, command, expect and close");
  std::string part = words.at(3);
  if (part.size() >= 2 && part.front() == '"') part = part.substr(1, part.size() - 2);
  const std::string text = msp_.expect(instance, part, run.limit);
  if (world_.broken && !world_.keep_going) throw Stop("a rule is broken");
  const std::lock_guard lock(world_.mutex);
  world_.emit_beside(instance->section, "events of " + World::mark(instance), text);
}

void Interpreter::pbx(const std::vector<std::string>& words) {
  std::vector<std::string> command(words.begin() + 1, words.end());
  std::string name;
  if (command.size() > 2 && command[command.size() - 2] == "as") {
    name = command.back();
    command.resize(command.size() - 2);
  }
  const std::string line = join(command, " ");
  const std::string answer = pbx_.command(line);
  world_.trace.line("pbx: " + line + " -> " + answer);
  if (!starts_with(answer, "ok")) throw std::runtime_error("the PBX answered \"" + answer + "\" to \"" + line + "\"");
  const std::lock_guard lock(mutex_);
  for (const auto& word : tapisim::words(answer)) {
    const std::size_t equal = word.find('=');
    if (equal != std::string::npos && !name.empty())
      texts_[name + "." + word.substr(0, equal)] = word.substr(equal + 1);
  }
}

void Interpreter::wait(const std::vector<std::string>& words, Run& run) {
  const std::string& what = words.at(1);
  if (what == "no") return wait_until_gone(words.at(2) == "phone", words.at(3), run);
  if (what != "lines" && what != "phones") throw std::runtime_error("wait knows lines, phones and no");
  const bool phone = what == "phones";
  const auto count = static_cast<std::size_t>(parse_number(words.at(2)));
  if (count > 100'000) throw std::runtime_error(words[2] + " is no number of " + what);
  if (!provider_.wait_for(phone, count, run.limit)) {
    throw std::runtime_error("there are " + std::to_string(provider_.devices(phone).size()) + " " + words[1] +
                             " after " + std::to_string(run.limit.count() / 1000) + " s, not " + words[2]);
  }
}

void Interpreter::wait_until_gone(bool phone, const std::string& which, Run& run) {
  const auto device = provider_.find(phone, which);
  const std::string name = std::string(phone ? "phone " : "line ") + which;
  if (device == nullptr) throw std::runtime_error("there was no " + name);
  std::unique_lock lock(world_.mutex);
  const bool gone = world_.changed.wait_for(lock, run.limit, [&] {
    return world_.gone.count({phone, device->id}) != 0 || (world_.broken && !world_.keep_going);
  });
  if (!gone) throw std::runtime_error(name + " is still there");
}

void Interpreter::check_hooks() {
  const std::lock_guard lock(world_.mutex);
  if (!world_.hook_problem.empty()) throw std::runtime_error(world_.hook_problem);
}

void Interpreter::finish() {
  if (!provider_.running()) return;
  std::vector<Object*> open;
  {
    const std::lock_guard lock(world_.mutex);
    for (const auto& object : world_.objects) {
      const bool device = object->kind == ObjectKind::line || object->kind == ObjectKind::phone;
      if (device && object->usable && !object->closed && !object->failed) open.push_back(object.get());
    }
  }
  for (Object* object : open) close(object);
  provider_.shutdown(linger_);
  check_hooks();
  const std::lock_guard lock(world_.mutex);
  if (!world_.hooks.empty()) throw Stop("What this waits for did not come: " + world_.hooks.front().what + ".");
  for (const auto& section : world_.sections) {
    for (const auto& happening : section->happenings) {
      if (happening.request == nullptr || happening.claimed || happening.request->result == 0) continue;
      throw Stop("The scenario did not ask what became of " + happening.request->function->name + " in line " +
                 std::to_string(happening.request->line) + ", which ended in " +
                 result_text(happening.request->result) + "; \"expect completion\" asks.");
    }
  }
}

}  // namespace tsplink::tapisim
