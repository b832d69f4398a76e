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

constexpr std::size_t kMostAnswers = 64;  // of one line or phone

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
  if (at.answers.size() >= kMostAnswers) at.answers.clear();
  auto& kept = at.answers[{request.function, Bytes(request.arguments.begin(), request.arguments.end())}];
  if (kept && kept->acts == worker.acts && now - kept->asked < worker.rules.shared_answers &&
      kept->given.insert(request.session).second) {
    if (!kept->outputs) {
      kept->joined.push_back(expect(at.worker, request, [this](Pending& pending, LONG result, Span outputs) {
        tell(pending, result, outputs);
      }));
      return;
    }
    Pending pending;
    pending.from = request;
    pending.worker = at.worker;
    const auto answer = kept;
    return tell(pending, 0, *answer->outputs);
  }
  const auto answer = kept = std::make_shared<Answer>();
  answer->given.insert(request.session);
  answer->asked = now;
  answer->acts = worker.acts;
  forward(request, [this, answer, arguments = Bytes(request.arguments.begin(), request.arguments.end())](
                       Pending& pending, LONG result, Span outputs) {
    const auto joined = std::exchange(answer->joined, {});
    if (result == 0) {
      answer->outputs.emplace(outputs.begin(), outputs.end());
      for (const auto id : joined) answered(id, result, outputs);
    } else {  // perhaps of this one request only: the others ask for themselves
      if (const auto station = stations_.find(pending.from.device); station != stations_.end())
        std::erase_if(station->second.answers, [&](const auto& each) { return each.second == answer; });
      for (const auto id : joined) send_pending(id, arguments);
    }
    tell(pending, result, outputs);
  });
}

/// Takes note of a call's own number; the one of the call that it comes from.
std::uint32_t Broker::learn_number(std::uint64_t id, std::uint16_t function, Span outputs) {
  const auto numbers = numbers_in(function, outputs);
  if (auto* call = find_call(id); call && numbers.own) call->number = numbers.own;
  return numbers.related;
}

/// Whether a call is on a line of the asked driver that exists for the desktop.
bool Broker::is_shown(const CallState& call, const Pending& asked) const {
  const auto line = stations_.find(call.line);
  return line != stations_.end() && line->second.worker == asked.worker &&
         grant_of(asked.from.session, call.line).exists();
}

/// A desktop's answer, without the number of a call on a line that does not exist for it.
void Broker::tell(Pending& pending, LONG result, Span outputs) {
  const auto& from = pending.from;
  if (result != 0 || !tells_numbers(from.function)) return respond(pending, result, outputs);
  const auto related = learn_number(from.call, from.function, outputs);
  const auto hidden = [&](const auto& each) {
    return each.second.worker == pending.worker && !each.second.phone && !grant_of(from.session, each.first).exists();
  };
  if (!related || std::none_of(stations_.begin(), stations_.end(), hidden)) {
    return respond(pending, result, outputs);
  }
  // The vendor is asked for the numbers that nobody has asked for yet.
  struct Asked {
    Pending pending;
    Bytes outputs;
    std::size_t open = 1;
  };
  const auto asked = std::make_shared<Asked>(Asked{pending, Bytes(outputs.begin(), outputs.end())});
  const auto one_less = [this, asked, related] {
    if (--asked->open != 0) return;
    const auto& request = asked->pending.from;
    if (!grant_of(request.session, request.device).exists()) {
      return respond(asked->pending, operation_failed(calls::lineGetCallInfo::name));
    }
    const bool shown = std::any_of(calls_.begin(), calls_.end(), [&](const auto& each) {
      return each.second.number == related && is_shown(each.second, asked->pending);
    });
    respond(asked->pending, 0, shown ? asked->outputs : without_related(request.function, asked->outputs));
  };
  for (const auto& [id, call] : calls_) {
    if (call.number || call.closing || !is_shown(call, pending)) continue;
    ++asked->open;
    ask<calls::lineGetCallInfo>(pending.worker, {id, static_cast<DWORD>(sizeof(LINECALLINFO))},
                                [this, id = id, one_less](Pending& own, LONG failure, Span info) {
                                  if (failure == 0) learn_number(id, own.from.function, info);
                                  one_less();
                                });
  }
  one_less();
}

}  // namespace tsplink::host
