// The ledger of requests that the host has not answered: asynchronous ones that owe TAPI a completion, and callers
// that wait for a synchronous answer. Who takes an entry out completes it, so nothing is completed twice. Owner:
// Core. Any thread; entries are finished under the ledger's lock (memory copies only), completions are given by the
// event pump.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "proxy-tsp/objects.hpp"
#include "wire/calls.hpp"
#include "wire/clock.hpp"

namespace tsplink::proxy {

struct Answer {
  LONG result = 0;
  wire::Bytes outputs;
  std::uint64_t trace = 0;  // of the request, as logs name it
};

/// A request as the logs of both ends name it.
struct Named {
  wire::Function function{};
  std::uint64_t trace = 0;
};

/// A request whose function has returned dwRequestID to TAPI.
class AsyncRequest {
 public:
  virtual ~AsyncRequest() = default;
  /// Writes late outputs into TAPI's memory and names new calls; gives the result to report.
  virtual LONG finish(LONG result, std::span<const std::uint8_t> outputs) = 0;

  DRV_REQUESTID dwRequestID = 0;
  Named named;
  std::vector<std::shared_ptr<Line>> lines;  // that the request names or belongs to
  std::vector<std::shared_ptr<Phone>> phones;
  std::vector<std::shared_ptr<Call>> calls;
};

class Ledger {
 public:
  using Complete = std::function<void(const AsyncRequest&, LONG)>;  // posts the completion to the event pump
  /// What to do with a success that comes after its caller gave up.
  using Undo = std::function<void(const Answer&)>;

  Ledger(const wire::Clock& clock, Complete complete) : clock_(clock), complete_(std::move(complete)) {}

  void add_async(std::uint64_t id, std::unique_ptr<AsyncRequest> request);
  /// Takes a request back that could not be sent.
  std::unique_ptr<AsyncRequest> withdraw_async(std::uint64_t id);
  /// Calls `use` with a request that is still under way, before its completion is posted. False: it is over.
  bool while_pending(std::uint64_t id, const std::function<void(const AsyncRequest&)>& use);
  void add_wait(std::uint64_t id);
  /// Waits for the answer of `id`, at most until `until`; then `undo` waits for it instead. False: none came.
  bool wait(std::uint64_t id, wire::TimePoint until, Answer& answer, Undo undo);
  /// The same for an asynchronous request whose Reply tells what was decided, before its completion: also over as
  /// soon as the request is completed. False: neither came, and TAPI is owed nothing any more; a late success is
  /// undone.
  bool wait_accepted(std::uint64_t id, wire::TimePoint until, Answer& answer, Undo undo);

  /// From the link's thread, before any later event is looked at.
  void reply(std::uint64_t id, Answer answer);
  void completion(std::uint64_t id, LONG result, std::span<const std::uint8_t> outputs);

  /// Completes every request for which `belongs` holds with `result`.
  void fail(const std::function<bool(const AsyncRequest&)>& belongs, LONG line_result, LONG phone_result);
  /// The link is gone: everything fails, waiting callers get `result`.
  void fail_all(LONG line_result, LONG phone_result);

 private:
  struct Wait {
    bool done = false;
    Answer answer;
    std::condition_variable changed;
  };
  bool wait_answer(std::unique_lock<std::mutex>& lock, std::uint64_t id, wire::TimePoint until, Answer& answer);
  void finish(std::map<std::uint64_t, std::unique_ptr<AsyncRequest>>::iterator entry, LONG result,
              std::span<const std::uint8_t> outputs);

  const wire::Clock& clock_;
  Complete complete_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<AsyncRequest>> async_;
  std::map<std::uint64_t, std::shared_ptr<Wait>> waits_;
  std::map<std::uint64_t, Undo> late_;
  std::map<std::uint64_t, Undo> late_completions_;
};

}  // namespace tsplink::proxy
