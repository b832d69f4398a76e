#include "world.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "text.hpp"

namespace tsplink::tapisim {
namespace {

constexpr char kObjectMark = '\x01';
constexpr char kRequestMark = '\x02';
constexpr char kMarkEnd = '\x03';

/// Replaces every mark by what the callbacks say.
template <class ObjectName, class RequestName>
std::string resolve(const std::string& text, ObjectName object_name, RequestName request_name) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != kObjectMark && text[i] != kRequestMark) {
      out.push_back(text[i]);
      continue;
    }
    const std::size_t end = text.find(kMarkEnd, i);
    const auto index = static_cast<std::size_t>(std::strtoull(text.c_str() + i + 1, nullptr, 10));
    out += text[i] == kObjectMark ? object_name(index) : request_name(index);
    i = end;
  }
  return out;
}

}  // namespace

std::string_view kind_name(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::line: return "line";
    case ObjectKind::call: return "call";
    case ObjectKind::phone: return "phone";
    case ObjectKind::msp: return "msp";
    case ObjectKind::dialog: return "dialog";
  }
  return "object";
}

World::World(Trace& trace_to, bool keep_going_on) : trace(trace_to), keep_going(keep_going_on) {
  sections.push_back(std::make_unique<Section>());
  provider = sections.back().get();
  provider->name = "provider";
  provider->used = true;
}

Object* World::make(ObjectKind kind, Section* section, Object* line) {
  auto object = std::make_unique<Object>();
  object->index = objects.size();
  object->kind = kind;
  object->number = ++numbers_[kind];
  object->tapi = next_handle_;
  next_handle_ += 0x11;  // never given twice, below 2^31, not a multiple that could hide truncation
  object->section = section;
  object->line = kind == ObjectKind::line ? object.get() : line;
  by_tapi[object->tapi] = object.get();
  objects.push_back(std::move(object));
  return objects.back().get();
}

Request* World::make_request(const Function& function) {
  auto request = std::make_unique<Request>();
  request->id = next_request_++;
  request->number = static_cast<int>(requests.size());
  request->function = &function;
  by_id[request->id] = request.get();
  requests.push_back(std::move(request));
  return requests.back().get();
}

Section* World::section_of(bool phone, DWORD device) {
  const std::string kind = phone ? "phone" : "line";
  int count = 0;
  for (const auto& section : sections) {
    if (!starts_with(section->name, kind + " ")) continue;
    ++count;
    if (section->device == device) return section.get();
  }
  sections.push_back(std::make_unique<Section>());
  sections.back()->name = kind + " " + std::to_string(count + 1);
  sections.back()->number = count + 1;
  sections.back()->device = device;
  return sections.back().get();
}

Object* World::find_driver(ObjectKind kind, std::uintptr_t driver) {
  for (const auto& object : objects) {
    if (object->kind == kind && object->driver == driver && !object->closed && !object->failed) return object.get();
  }
  return nullptr;
}

void World::push(Section* section, Happening happening) {
  section->happenings.push_back(std::move(happening));
  auto& pushed = section->happenings.back();  // a deque: it stays where it is
  const auto hook = std::find_if(hooks.begin(), hooks.end(), [&](const Hook& each) { return each.wanted(pushed); });
  if (hook != hooks.end()) {
    pushed.held = true;
    due.emplace_back(std::move(*hook), &pushed);
    hooks.erase(hook);
  }
  if (listener != nullptr) listener->happened(section->happenings.back());
  changed.notify_all();
}

std::string World::name(const Object* object) {
  return std::string(kind_name(object->kind)) + std::to_string(object->number);
}

std::string World::mark(const Object* object) {
  return object == nullptr ? "NULL" : kObjectMark + std::to_string(object->index) + kMarkEnd;
}

std::string World::mark(const Request* request) { return kRequestMark + std::to_string(request->number) + kMarkEnd; }

std::string World::for_trace(const std::string& text) const {
  return resolve(
      text, [this](std::size_t index) { return name(objects[index].get()); },
      [this](std::size_t index) { return hex_number(requests[index]->id); });
}

std::string World::for_comparison(Section* section, const std::string& text) {
  auto name = [section](const void* thing, const std::string& kind) {
    std::string& given = section->names[thing];
    if (given.empty()) given = kind + std::to_string(++section->counters[kind]);
    return given;
  };
  return resolve(
      text,
      [&](std::size_t index) { return name(objects[index].get(), std::string(kind_name(objects[index]->kind))); },
      [&](std::size_t index) { return name(requests[index].get(), "request"); });
}

void World::emit(Section* section, const std::string& text) {
  section->canonical.push_back(for_comparison(section, text));
}

void World::emit_beside(Section* section, const std::string& stream, const std::string& text) {
  section->beside[stream].push_back(text);
}

void World::emit_until(Section* section, std::size_t index) {
  for (; section->emitted < section->happenings.size() && section->emitted <= index; ++section->emitted) {
    const auto& happening = section->happenings[section->emitted];
    if (happening.request == nullptr || happening.request->result == 0) emit(section, happening.text);
  }
}

void World::emit_rest(Section* section) {
  for (auto i = section->emitted; i < section->happenings.size(); ++i) {
    const auto& rest = section->happenings[i];
    if (rest.event == nullptr || !comparing) continue;
    note(std::string(rest.event->name) + " came after the last that the scenario expects, so its place is luck");
  }
  emit_until(section, section->happenings.size());
}

std::string World::canonical() {
  std::string out;
  const std::lock_guard lock(mutex);
  // By kind and number: devices that turn up while others are asked about come in any order.
  std::vector<Section*> sorted;
  for (const auto& section : sections) sorted.push_back(section.get());
  std::sort(sorted.begin() + 1, sorted.end(), [](const Section* a, const Section* b) {
    return std::pair(a->name[0], a->number) < std::pair(b->name[0], b->number);
  });
  for (Section* section : sorted) {
    if (!section->used) continue;
    out += section->name + "\n";
    for (const auto& line : section->canonical) out += "  " + line + "\n";
    for (const auto& [stream, lines] : section->beside) {
      out += "  " + for_comparison(section, stream) + "\n";
      for (const auto& line : lines) out += "    " + for_comparison(section, line) + "\n";
    }
  }
  return out;
}

void World::breach(Rule rule, const std::string& detail) {
  const RuleText& text = text_of(rule);
  const std::string where =
      statement == 0 ? "" : ", while line " + std::to_string(statement) + " of the scenario ran";
  const std::string sentence = "RULE BROKEN " + std::string(text.name) + ": " + detail + where +
                               ". The rule: " + std::string(text.sentence) + " (" + std::string(text.source) + ").";
  for (const auto& name : allowed) {
    if (name == text.name) return note(sentence);
  }
  trace.line(sentence);
  {
    const std::lock_guard lock(breach_mutex_);
    breaches_.push_back(sentence);
  }
  broken = true;
  changed.notify_all();
}

void World::linger(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex);
  changed.wait_for(lock, time, [this] { return broken && !keep_going; });
}

std::vector<std::string> World::breaches() const {
  const std::lock_guard lock(breach_mutex_);
  return breaches_;
}

}  // namespace tsplink::tapisim
