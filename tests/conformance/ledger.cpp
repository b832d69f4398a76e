#include "ledger.hpp"

#include <algorithm>
#include <sstream>

#include "events.hpp"
#include "text.hpp"

namespace tsplink::conformance {

using tapisim::Function;
using tapisim::Need;
using tapisim::Param;
using tapisim::ParamKind;

namespace {

/// Life of the provider and the like: the proxy's own answers. Dialogs cross.
bool is_provider(const Function& function) {
  return tapisim::starts_with(function.name, "provider") && function.name.find("Dialog") == std::string::npos;
}

bool among(const std::string& name, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* each) { return name == each; });
}

/// Parameters that carry a value of the scenario's; the others are TAPI's own handles, procedures and room for
/// outputs.
bool is_value(const Param& param) {
  switch (param.kind) {
    case ParamKind::request:
    case ParamKind::tapi_line:
    case ParamKind::tapi_call:
    case ParamKind::tapi_phone:
    case ParamKind::tapi_msp:
    case ParamKind::provider:
    case ParamKind::line_proc:
    case ParamKind::phone_proc:
    case ParamKind::completion_proc:
    case ParamKind::window:
    case ParamKind::icon: return false;
    default: return true;
  }
}

template <class Predicate>
bool has_param(const Function& function, Predicate&& wanted) {
  return std::any_of(function.params.begin(), function.params.end(), wanted);
}

std::string joined(const std::set<std::string>& words) {
  return tapisim::join(std::vector<std::string>(words.begin(), words.end()), " ");
}

const std::vector<tapisim::Event>& sent_events() {
  static const auto kSent = [] {
    std::vector<tapisim::Event> out;
    for (const auto& event : tapisim::events()) {
      if (event.sent) out.push_back(event);
    }
    return out;
  }();
  return kSent;
}

/// Numbers of the parameters that a message has.
std::set<std::string> parameters_of(const tapisim::Event& event) {
  std::set<std::string> out;
  for (std::size_t i = 0; i < event.params.size(); ++i) {
    if (event.params[i].name != "-") out.insert(std::to_string(i + 1));
  }
  return out;
}

std::vector<std::string> missing_of(const std::set<std::string>& wanted, const std::set<std::string>& have) {
  std::vector<std::string> out;
  std::set_difference(wanted.begin(), wanted.end(), have.begin(), have.end(), std::back_inserter(out));
  return out;
}

}  // namespace

std::vector<std::string> failures_of(const Function& function) {
  std::vector<std::string> out;
  const auto add = [&](const char* failure, bool possible) {
    if (possible && never(function, failure).empty()) out.emplace_back(failure);
  };
  add("bad-handle", has_param(function, [](const Param& p) { return tapisim::is_handle_in(p.kind); }));
  add("bad-device", has_param(function, [](const Param& p) {
        return p.kind == ParamKind::line_device || p.kind == ParamKind::phone_device;
      }));
  add("too-small", has_param(function, [](const Param& p) { return p.kind == ParamKind::struct_out; }));
  add("refused", true);
  add("failed", function.async);
  add("unavailable", true);
  return out;
}

std::string never(const Function& function, const std::string& failure) {
  const auto& name = function.name;
  if (is_provider(function)) return "answered by the proxy itself";
  if (failure == "bad-handle" || failure == "bad-device" || failure == "too-small") {
    if (name == "providerFreeDialogInstance") return "TSPI has no error for an unknown dialog";
    return name == "lineCloseMSPInstance" ? "TSPI has no error for an unknown MSP instance" : "";
  }
  if (among(name,
            {"lineClose", "lineCloseCall", "lineCloseMSPInstance", "phoneClose", "providerFreeDialogInstance"})) {
    return "closing succeeds on the desktop whatever the vendor says";
  }
  if (among(name, {"lineNegotiateTSPIVersion", "phoneNegotiateTSPIVersion", "lineGetExtensionID",
                   "phoneGetExtensionID", "lineMSPIdentify"})) {
    return "answered from the inventory";
  }
  if (failure == "unavailable") {
    if (function.need != Need::optional && function.need != Need::msp) return "a provider without it is none";
    if (among(name, {"phoneOpen", "phoneGetDevCaps"})) return "a provider without it has no phones";
    if (name == "lineReceiveMSPData") return "without the other functions of an MSP there is no instance to name";
    if (name == "lineSetDefaultMediaDetection") return "asked for by every opening";
  }
  return "";
}

void Ledger::add(const std::string& text, const std::string& scenario) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    auto& reached = reached_[line.substr(0, colon)];
    for (const auto& param : tapisim::words(line.substr(colon + 1))) reached.parameters.insert(param);
    reached.scenarios.insert(scenario);
  }
}

std::vector<std::string> Ledger::missing_of(const Function& function) const {
  std::vector<std::string> out;
  const auto find = [&](const std::string& how) { return reached_.find("function " + function.name + " " + how); };
  const auto success = find("success");
  if (success == reached_.end()) {
    out.emplace_back("success");
  } else {
    std::set<std::string> wanted;
    for (const auto& param : function.params) {
      if (is_value(param) && !is_provider(function)) wanted.insert(param.name);
    }
    for (const auto& param : conformance::missing_of(wanted, success->second.parameters)) out.push_back(param);
  }
  for (const auto& failure : failures_of(function)) {
    if (find(failure) == reached_.end()) out.push_back(failure);
  }
  return out;
}

std::vector<std::string> Ledger::missing() const {
  std::vector<std::string> out;
  for (const auto& function : tapisim::functions()) {
    const auto lacks = missing_of(function);
    if (!lacks.empty()) out.push_back(function.name + ": " + tapisim::join(lacks, " "));
  }
  for (const auto& event : sent_events()) {
    const auto found = reached_.find("message " + std::string(event.name));
    const auto lacks = found == reached_.end()
                           ? std::vector<std::string>{"never sent"}
                           : conformance::missing_of(parameters_of(event), found->second.parameters);
    if (!lacks.empty()) out.push_back(std::string(event.name) + ": " + tapisim::join(lacks, " "));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::size_t Ledger::functions() const {
  const auto& all = tapisim::functions();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [this](const Function& each) { return missing_of(each).empty(); }));
}

std::size_t Ledger::messages() const {
  std::size_t covered = 0;
  for (const auto& event : sent_events()) {
    const auto found = reached_.find("message " + std::string(event.name));
    if (found == reached_.end()) continue;
    if (conformance::missing_of(parameters_of(event), found->second.parameters).empty()) ++covered;
  }
  // The completion is the 29th: every asynchronous function that succeeded had one.
  const bool completed = std::any_of(tapisim::functions().begin(), tapisim::functions().end(), [this](const auto& f) {
    return f.async && reached_.count("function " + f.name + " success") != 0;
  });
  return covered + (completed ? 1 : 0);
}

std::string Ledger::list() const {
  std::string out;
  for (const auto& function : tapisim::functions()) {
    out += function.name + "\n";
    std::vector<std::string> hows = failures_of(function);
    hows.insert(hows.begin(), "success");
    for (const auto& how : hows) {
      const auto found = reached_.find("function " + function.name + " " + how);
      out += "  " + how + ": " + (found == reached_.end() ? "not covered" : joined(found->second.scenarios)) + "\n";
    }
    for (const char* failure : {"bad-handle", "bad-device", "too-small", "refused", "failed", "unavailable"}) {
      const auto why = never(function, failure);
      if (!why.empty() && !is_provider(function)) out += "  " + std::string(failure) + ": never, " + why + "\n";
    }
  }
  for (const auto& event : sent_events()) {
    const auto found = reached_.find("message " + std::string(event.name));
    out += std::string(event.name) + ": " +
           (found == reached_.end() ? "not covered" : joined(found->second.scenarios)) + "\n";
  }
  return out;
}

}  // namespace tsplink::conformance
