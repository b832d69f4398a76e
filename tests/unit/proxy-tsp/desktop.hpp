// A desktop in memory: a Core, a TAPI that records what it is told, and a host made of the envelopes that the Core
// sent and the answers that a test gives. Owner: one test. Threads: the test's, and the Core's event pump for TAPI.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proxy-tsp/overrides.hpp"
#include "wire/events.hpp"

namespace tsplink::proxy::test {

namespace calls = wire::calls;

constexpr std::uint64_t kLineId = 0xAAAA000000000001;
constexpr std::uint64_t kPhoneId = 0xBBBB000000000001;
constexpr DWORD kLineBase = 3;
constexpr DWORD kPhoneBase = 5;

/// What TAPI was told, in order.
struct Told {
  enum Kind { Completion, LineEvent, PhoneEvent } kind;
  DWORD_PTR request_or_message = 0;
  LONG result = 0;
  DWORD_PTR htCall = 0;
  DWORD_PTR params[3] = {0, 0, 0};
  std::string data;  // of LINE_SENDMSPDATA, or the module's name of a dialog
};

/// The device of an inventory: a line, or a phone.
wire::DeviceValues device(std::uint64_t id, std::uint32_t permanent, bool phone = false);

class Desktop {
 public:
  explicit Desktop(CoreOptions options = {});
  ~Desktop();

  /// enumerate, init, connection up, inventory of one line and one phone.
  void start();
  void inventory(std::vector<wire::DeviceValues> lines, std::vector<wire::DeviceValues> phones, bool complete = true);
  HDRVLINE open_line();
  HDRVPHONE open_phone();
  /// LINE_NEWCALL from the host, taken by TAPI; the proxy's handle.
  HDRVCALL incoming(std::uint64_t id);

  /// A function as TAPI calls it.
  template <class C, class... Given>
  LONG run(wire::Function function, Given... arguments) {
    return enter<C>(&core(), function, arguments...);
  }
  /// Answers every synchronous request with `result` from now on (0 by default), except of functions in `silent`.
  void answer_with(LONG result) { result_ = result; }
  std::vector<wire::Function> silent;

  /// Waits until the host got a request of this function and gives it; fails the test after 20 s.
  struct Request {
    std::uint64_t id = 0;
    wire::Bytes arguments;
    std::uint32_t deadline_ms = 0;
  };
  Request await_request(wire::Function function);
  std::size_t requests(wire::Function function);

  template <class C>
  void complete(const Request& request, LONG result, const typename C::Outputs& outputs) {
    core().on_message(wire::make_completion(request.id, result, wire::encode(outputs)));
  }
  void event(wire::Message message, std::uint64_t call = 0, std::uint64_t p1 = 0, std::uint64_t p2 = 0,
             std::uint64_t p3 = 0, const std::string& data = {}, std::uint64_t device_id = kLineId);

  /// Waits until TAPI was told `count` things and gives them all.
  std::vector<Told> told(std::size_t count);
  std::vector<Told> told_so_far();
  /// What TAPI does inside its next event callback.
  void inside_next_event(std::function<void()> action);
  /// How many LINE_NEWCALL TAPI refuses with NULL from now on.
  void refuse_calls(int count) { refusals_ = count; }

  /// The log's lines that hold `part`.
  std::vector<std::string> logged(const std::string& part);

  Core& core() { return *core_; }
  bool up = true;

 private:
  friend void CALLBACK on_completion(DRV_REQUESTID, LONG);
  friend void CALLBACK on_line_event(HTAPILINE, HTAPICALL, DWORD, DWORD_PTR, DWORD_PTR, DWORD_PTR);
  friend void CALLBACK on_phone_event(HTAPIPHONE, DWORD, DWORD_PTR, DWORD_PTR, DWORD_PTR);
  bool send(wire::Buffer envelope);
  void tell(Told told);
  void on_line(HTAPICALL htCall, DWORD message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3);

  std::mutex log_mutex_;
  std::vector<std::string> log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<wire::Function, Request>> requests_;
  std::vector<Told> told_;
  std::deque<std::function<void()>> inside_;
  std::atomic<int> refusals_{0};
  std::atomic<LONG> result_{0};
  std::unique_ptr<Core> core_;
};

/// A request id that leads TAPI's completion back to `desktop`.
DRV_REQUESTID request_id(Desktop& desktop);

}  // namespace tsplink::proxy::test
