// What desktops read of a line, phone or call: many ask the same at the same time, and the vendor is asked once.
// Nobody gets one answer twice, so that a desktop that asks again hears the vendor again; and none serves after an
// event of its line or phone, after a request that may have changed something at its driver, or when it is old.
#include <algorithm>
#include <cstring>
#include <utility>

#include "remote-host/broker/broker.hpp"

namespace tsplink::host {

namespace calls = wire::calls;

namespace {

// What is kept of one line or phone.
constexpr std::size_t kMostAnswers = 16;
constexpr std::size_t kLongestQuestion = 1024;
constexpr std::size_t kLongestAnswer = 8 * 1024;
constexpr std::size_t kMostNumbers = 256;

using Bytes = wire::Bytes;
using Span = std::span<const std::uint8_t>;

/// The numbers by which a vendor tells its calls apart: a call's own and that of the one it comes from; 0: none.
struct CallNumbers {
  std::uint32_t own = 0;
  std::uint32_t related = 0;
};

bool tells_numbers(std::uint16_t function) {
  return function == number_of<calls::lineGetCallInfo> || function == number_of<calls::lineGetCallIDs>;
}

std::uint32_t number_at(const Bytes& info, std::size_t at) {
  std::uint32_t number = 0;
  if (info.size() >= at + sizeof number) std::memcpy(&number, info.data() + at, sizeof number);
  return number;
}

CallNumbers numbers_in(std::uint16_t function, Span outputs) {
  if (outputs.empty()) return {};
  if (function == number_of<calls::lineGetCallIDs>) {
    using C = calls::lineGetCallIDs;
    const auto values = wire::decode<C::Outputs>(outputs);
    return {std::get<C::position("lpdwCallID")>(values), std::get<C::position("lpdwRelatedCallID")>(values)};
  }
  using C = calls::lineGetCallInfo;
  const auto info = std::get<C::position("lpCallInfo")>(wire::decode<C::Outputs>(outputs)).value_or(Bytes());
  return {number_at(info, offsetof(LINECALLINFO, dwCallID)),
          number_at(info, offsetof(LINECALLINFO, dwRelatedCallID))};
}

Bytes without_related(std::uint16_t function, Span outputs) {
  if (function == number_of<calls::lineGetCallIDs>) {
    using C = calls::lineGetCallIDs;
    auto values = wire::decode<C::Outputs>(outputs);
    std::get<C::position("lpdwRelatedCallID")>(values) = 0;
    return wire::encode(values);
  }
  using C = calls::lineGetCallInfo;
  auto values = wire::decode<C::Outputs>(outputs);
  auto& info = std::get<C::position("lpCallInfo")>(values).value();
  std::memset(info.data() + offsetof(LINECALLINFO, dwRelatedCallID), 0, sizeof(DWORD));
  return wire::encode(values);
}

}  // namespace

void Broker::read(const Request& request) {
  auto& at = station(request.device);
  const auto& worker = workers_[at.worker];
  const auto now = options_.clock->now();
  const Done told = [this](Pending& pending, LONG result, Span outputs) { tell(pending, result, outputs); };
  if (worker.rules.shared_answers == wire::Duration::zero() || request.arguments.size() > kLongestQuestion) {
    return forward(request, told);
  }
  const Question question{request.function, Bytes(request.arguments.begin(), request.arguments.end())};
  if (const auto found = at.answers.find(question); found != at.answers.end()) {
    const auto kept = found->second;
    const bool serves = kept->acts == worker.acts && now - kept->asked < worker.rules.shared_answers &&
                        (kept->outputs || kept->deadline_ms >= request.deadline_ms);
    if (serves && kept->given.insert(request.session).second) {
      if (!kept->outputs) return kept->joined.push_back(expect(at.worker, request, told));
      Pending pending;
      pending.from = request;
      pending.worker = at.worker;
      return tell(pending, 0, *kept->outputs);
    }
    at.answers.erase(found);
    drop_answer(question, *kept);
  }
  if (at.answers.size() >= kMostAnswers) drop_answers(at);
  const auto answer = std::make_shared<Answer>();
  answer->given.insert(request.session);
  answer->deadline_ms = request.deadline_ms;
  answer->asked = now;
  answer->acts = worker.acts;
  at.answers[question] = answer;
  forward(request, [this, answer](Pending& pending, LONG result, Span outputs) {
    const auto joined = std::exchange(answer->joined, {});
    if (result == 0 && outputs.size() <= kLongestAnswer) {
      answer->outputs.emplace(outputs.begin(), outputs.end());
    } else if (const auto line = stations_.find(pending.from.device); line != stations_.end()) {
      std::erase_if(line->second.answers, [&](const auto& each) { return each.second == answer; });
    }
    for (const auto id : joined) answered(id, result, outputs);
    tell(pending, result, outputs);
  });
}

/// Who has joined the question asks for itself: it may hear first of what has happened meanwhile.
void Broker::drop_answer(const Question& question, Answer& answer) {
  for (const auto id : std::exchange(answer.joined, {})) {
    const auto pending = pending_.find(id);
    if (pending == pending_.end()) continue;
    if (pending->second.answered) {
      answered(id, operation_failed(wire::function_info(question.first)->name), {});
    } else {
      send_pending(id, question.second);
    }
  }
}

void Broker::drop_answers(Station& station) {
  for (const auto& [question, answer] : std::exchange(station.answers, {})) drop_answer(question, *answer);
}

/// A desktop's answer, without the number of a call on a line that does not exist for it. A number is known to be on
/// a line once somebody has read it there, as TAPI does when a call comes.
void Broker::tell(Pending& pending, LONG result, Span outputs) {
  const auto& from = pending.from;
  if (outputs.empty() || !tells_numbers(from.function)) return respond(pending, result, outputs);
  const auto numbers = numbers_in(from.function, outputs);
  if (const auto line = stations_.find(from.device); numbers.own && line != stations_.end()) {
    auto& known = line->second.numbers;
    if (std::find(known.begin(), known.end(), numbers.own) == known.end()) known.push_back(numbers.own);
    if (known.size() > kMostNumbers) known.pop_front();
  }
  if (!numbers.related) return respond(pending, result, outputs);
  bool hides = false;
  bool shows = false;
  for (const auto& [id, line] : stations_) {
    if (line.phone || line.worker != pending.worker) continue;
    if (!grant_of(from.session, id).exists()) {
      hides = true;
    } else {
      shows = shows || std::find(line.numbers.begin(), line.numbers.end(), numbers.related) != line.numbers.end();
    }
  }
  if (shows || !hides) return respond(pending, result, outputs);
  respond(pending, result, without_related(from.function, outputs));
}

}  // namespace tsplink::host
