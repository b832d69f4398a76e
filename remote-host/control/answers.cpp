#include "remote-host/control/answers.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "remote-host/control/commands.hpp"
#include "remote-host/log.hpp"
#include "security/certificate.hpp"
#include "wire/failure.hpp"

#ifndef TSPLINK_VERSION
#define TSPLINK_VERSION "0"
#endif

namespace tsplink::host::control {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::system_clock;
constexpr std::size_t kLongestReason = 200;

[[noreturn]] void refuse(const std::string& sentence) { throw Failure(Kind::Unavailable, sentence); }

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
Json time(Clock::time_point at) { return security::rfc3339(at); }

std::string id_text(std::uint64_t id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, id >>= 4U) *at = kDigits[id & 15U];
  return text;
}

Json desktops(const std::vector<InspectedUse>& uses) {
  auto all = Json::array();
  for (const auto& use : uses)
    all.push_back({{"machine", use.machine}, {"session", use.session}, {"right", use.right}});
  return all;
}

Json device(const DeviceFacts& facts) {
  return {{"kind", facts.phone ? "phone" : "line"},
          {"provider", facts.provider},
          {"name", facts.name},
          {"addresses", facts.addresses},
          {"permanent_id", facts.permanent}};
}

std::vector<DeviceFacts> facts_of(const Inspection& all) {
  std::vector<DeviceFacts> facts;
  for (const auto& each : all.devices) facts.push_back(each.facts);
  return facts;
}

std::string desktop(const InspectedSession& session) {
  return log::shown(session.machine) + " (" + session.subject + ", " + session.address + ")";
}

class Answerer {
 public:
  Answerer(Controlled& host, const Json& arguments, const wire::Clock& clock)
      : host_(host), arguments_(arguments), clock_(clock) {}

  Json status() {
    const auto facts = host_.facts();
    Json all = {
        {"version", TSPLINK_VERSION},
        {"state", facts.serving ? "serving" : "starting"},
        {"uptime_s", facts.uptime.count()},
        {"listen", facts.listen},
        {"providers", facts.providers.size()},
        {"policy", facts.policy},
        {"policy_taken", time(facts.policy_taken)},
        {"policy_problem", facts.policy_problem.empty() ? Json() : Json(facts.policy_problem)},
        {"certificate", facts.certificate},
        {"certificate_expires", time(facts.certificate_expires)},
        {"certificates_taken", time(facts.certificates_taken)},
        {"revocations", facts.revocations.empty() ? Json() : Json(facts.revocations)},
        {"certificates_problem", facts.certificates_problem.empty() ? Json() : Json(facts.certificates_problem)},
        {"log_level", log::name_of(log::level())}};
    if (facts.serving) {
      const auto now = host_.inspect();
      const auto phones =
          std::count_if(now.devices.begin(), now.devices.end(), [](const auto& each) { return each.facts.phone; });
      all["sessions"] = now.sessions.size();
      all["lines"] = now.devices.size() - static_cast<std::size_t>(phones);
      all["phones"] = phones;
      all["calls"] = now.calls.size();
    }
    return {{"status", all}};
  }

  Json sessions() {
    auto all = Json::array();
    for (const auto& each : host_.inspect().sessions) {
      all.push_back({{"number", each.number},
                     {"machine", each.machine},
                     {"subject", each.subject},
                     {"address", each.address},
                     {"since", since(each.since)},
                     {"opens", each.opens},
                     {"requests", each.requests},
                     {"id", std::to_string(each.id)}});
    }
    return {{"sessions", all}};
  }

  Json lines() {
    auto all = Json::array();
    for (const auto& each : host_.inspect().devices) {
      auto row = device(each.facts);
      row["state"] = each.state;
      row["calls"] = each.calls;
      row["desktops"] = desktops(each.desktops);
      all.push_back(row);
    }
    return {{"lines", all}};
  }

  Json calls() {
    auto all = Json::array();
    for (const auto& each : host_.inspect().calls) {
      constexpr std::string_view kConstant = "LINECALLSTATE_";
      const auto state = each.state.substr(each.state.empty() ? 0 : kConstant.size());
      Json row = {{"id", id_text(each.id)},
                  {"provider", each.provider},
                  {"line", each.line},
                  {"state", state.empty() ? Json() : Json(state)},
                  {"origin", nullptr},
                  {"since", since(each.since)},
                  {"desktops", desktops(each.desktops)}};
      if (each.direction != Direction::Unknown)
        row["origin"] = each.direction == Direction::Made ? "made here" : "incoming";
      all.push_back(row);
    }
    return {{"calls", all}};
  }

  Json providers() {
    const auto facts = host_.facts();
    const auto owed = facts.serving ? host_.inspect().owed : std::vector<std::size_t>();
    auto all = Json::array();
    for (std::size_t i = 0; i < facts.providers.size(); ++i) {
      const auto& each = facts.providers[i];
      all.push_back({{"name", each.name},
                     {"state", each.stuck    ? "stuck"
                               : each.uptime ? "running"
                                             : "starting"},
                     {"uptime_s", each.uptime ? Json(each.uptime->count()) : Json()},
                     {"lines", each.lines},
                     {"phones", each.phones},
                     {"requests", i < owed.size() ? Json(owed[i]) : Json()},
                     {"running", each.running},
                     {"stuck", each.stuck},
                     {"module", each.module}});
    }
    return {{"providers", all}};
  }

  Json policy_show() {
    const auto now = host_.inspect();
    Holder holder{text("as"), {}};
    if (const auto names = arguments_.find("names"); names != arguments_.end())
      holder.names = names->get<std::vector<std::string>>();
    auto devices = Json::array();
    for (const auto& each : now.devices) {
      const auto grant = now.policy->grant(holder, each.facts);
      if (!grant.exists()) continue;
      auto row = device(each.facts);
      row["right"] = grant.right == wire::Right::Control ? "control" : "monitor";
      row["msp_data"] = grant.msp_data;
      row["grants"] = now.policy->grants_for(holder, each.facts);
      devices.push_back(row);
    }
    auto unmatched = Json::array();
    for (const auto line : now.policy->grants_without(facts_of(now))) unmatched.push_back({{"line", line}});
    return {{"as", {{"subject", holder.subject}, {"names", holder.names}, {"policy", host_.facts().policy}}},
            {"devices", devices},
            {"unmatched", unmatched}};
  }

  Json kick() {
    const auto name = text("desktop");
    const auto reason = arguments_.contains("reason") ? text("reason") : "an administrator ended the session";
    const auto control = [](char each) { return static_cast<unsigned char>(each) < ' ' || each == '\x7f'; };
    if (reason.size() > kLongestReason || std::any_of(reason.begin(), reason.end(), control)) {
      refuse("A reason is at most " + std::to_string(kLongestReason) +
             " bytes without control characters; give a shorter one.");
    }
    const auto all = host_.inspect().sessions;
    std::vector<InspectedSession> found;
    const auto take = [&](auto&& wanted) { std::copy_if(all.begin(), all.end(), std::back_inserter(found), wanted); };
    take([&](const auto& each) { return std::to_string(each.number) == name; });
    if (found.empty()) take([&](const auto& each) { return each.machine == name; });
    if (found.empty()) refuse("No desktop \"" + name + "\" is connected; see tsplinkctl sessions.");
    if (found.size() > 1) {
      refuse(std::to_string(found.size()) + " desktops are named \"" + name +
             "\"; give the number of one, see tsplinkctl sessions.");
    }
    const auto& session = found.front();
    log::info("tsplinkctl ends the session of desktop " + desktop(session) + ": " + reason);
    log::audit({{"function", "kick"},
                {"result", "0"},
                {"note", reason},
                {"certificate", session.subject},
                {"machine", session.machine},
                {"address", session.address},
                {"session", std::to_string(session.id)}});
    host_.kick(session.id, reason);
    return message("The session of desktop " + desktop(session) + " is ended; it may connect again.");
  }

  Json reload() {
    host_.inspect();  // a host that still starts takes it later
    try {
      host_.reload();
    } catch (const std::exception& failure) {
      log::audit({{"function", "reload"}, {"result", "refused"}, {"note", failure.what()}});
      throw;
    }
    log::audit({{"function", "reload"}, {"result", "0"}});
    const auto now = host_.inspect();
    auto said = "Policy and certificates are in force: " + std::to_string(now.policy->size()) + " grants.";
    const auto unmatched = now.policy->grants_without(facts_of(now));
    for (const auto line : unmatched)
      said += " The one at line " + std::to_string(line) + " matches no line or phone there is.";
    return message(said);
  }

  Json log_level() {
    const auto level = log::level_named(text("level"));
    if (!level) refuse("A log level is trace, debug, info, warn or error; give one of these.");
    const auto before = log::level();
    log::info("tsplinkctl changes the log level to " + text("level") + ".");
    log::audit({{"function", "log level"}, {"result", "0"}, {"note", text("level")}});
    log::set_level(*level);
    return message("The log level is " + text("level") + ", it was " + std::string(log::name_of(before)) + ".");
  }

 private:
  static Json message(const std::string& text) { return {{"message", text}}; }
  std::string text(const char* name) const { return arguments_.at(name).get<std::string>(); }
  Json since(wire::TimePoint then) const {
    return time(Clock::now() - std::chrono::duration_cast<Clock::duration>(clock_.now() - then));
  }

  Controlled& host_;
  const Json& arguments_;
  const wire::Clock& clock_;
};

using Way = Json (Answerer::*)();
constexpr std::pair<std::string_view, Way> kWays[] = {
    {"status", &Answerer::status}, {"sessions", &Answerer::sessions},   {"lines", &Answerer::lines},
    {"calls", &Answerer::calls},   {"providers", &Answerer::providers}, {"policy show", &Answerer::policy_show},
    {"kick", &Answerer::kick},     {"reload", &Answerer::reload},       {"log level", &Answerer::log_level}};

/// By the table: what is needed is there, and nothing else.
void check(const Command& command, const Json& arguments) {
  for (const auto& [name, value] : arguments.items()) {
    const auto known = std::find_if(command.arguments.begin(), command.arguments.end(),
                                    [&, key = std::string_view(name)](const auto& each) { return key == each.name; });
    if (known == command.arguments.end())
      refuse("This host's " + std::string(command.words) + " takes no " + name + ".");
    const auto is_text = [](const Json& each) { return each.is_string(); };
    const bool right =
        known->list ? value.is_array() && std::all_of(value.begin(), value.end(), is_text) : value.is_string();
    if (!right) refuse("The argument " + name + " is not of the kind it should be.");
  }
  for (const auto& each : command.arguments) {
    if (each.needed && !arguments.contains(each.name))
      refuse(std::string(command.words) + " needs " + each.value + ".");
  }
}

Json answered(Controlled& host, const std::string& text, const wire::Clock& clock) {
  // Flat: what nests deeper is no request, and is not followed down.
  const auto flat = [](int depth, Json::parse_event_t, const Json&) {
    if (depth > 3) refuse("The request nests too deep.");
    return true;
  };
  const auto request = Json::parse(text, flat, false);
  if (!request.is_object() || !request.contains("command") || !request["command"].is_string())
    refuse("This is no request of tsplinkctl.");
  const auto words = request["command"].get<std::string>();
  const auto arguments = request.contains("arguments") ? request["arguments"] : Json::object();
  if (!arguments.is_object()) refuse("This is no request of tsplinkctl.");
  const auto* command = find_command(words);
  const auto* way =
      std::find_if(std::begin(kWays), std::end(kWays), [&](const auto& each) { return each.first == words; });
  if (!command || way == std::end(kWays)) {
    refuse("This host (version " TSPLINK_VERSION ") knows no such command; use the tsplinkctl that came with it.");
  }
  check(*command, arguments);
  Answerer answerer(host, arguments, clock);
  return (answerer.*way->second)();
}

}  // namespace

std::string refusal(const std::string& sentence) { return text_of({{"error", sentence}}); }

std::string answer(Controlled& host, const std::string& request, const wire::Clock& clock) {
  try {
    return text_of(answered(host, request, clock));
  } catch (const std::exception& failure) {
    return refusal(failure.what());
  }
}

}  // namespace tsplink::host::control
