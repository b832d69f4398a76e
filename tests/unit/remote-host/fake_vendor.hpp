// A vendor TSP made of functions that a test sets one by one, and a worker that has it loaded.
// Owner: one test at a time, since a vendor's functions carry no context. Threads: the worker's.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>

#include "remote-host/worker/worker.hpp"

namespace tsplink::host::test {

namespace calls = wire::calls;

/// What the vendor was told, for its functions and for the test.
struct VendorState {
  std::mutex mutex;
  std::map<DWORD, HTAPILINE> lines;  // by device id
  HTAPIPHONE phone = nullptr;
  HPROVIDER provider = nullptr;
  LINEEVENT line_event = nullptr;
  PHONEEVENT phone_event = nullptr;
  ASYNC_COMPLETION completion = nullptr;
  DWORD base = 0;
  DWORD options = 0;  // given back by providerInit
  DWORD line_flags = 0;
  std::vector<std::string> log;
  DRV_REQUESTID request = 0;  // of the last lineMakeCall
  HTAPICALL call = nullptr;

  void note(const std::string& what) {
    std::lock_guard lock(mutex);
    log.push_back(what);
  }
  std::vector<std::string> noted() {
    std::lock_guard lock(mutex);
    return log;
  }
};
VendorState& vendor();

constexpr DWORD kLineHandles = 0x100;
inline HDRVLINE line_handle(DWORD number) { return reinterpret_cast<HDRVLINE>(DWORD_PTR{kLineHandles} + number); }
inline HDRVCALL call_handle(DWORD_PTR number) { return reinterpret_cast<HDRVCALL>(0x200 + number); }

/// A lambda with the calling convention of TSPI.
template <class Prototype, class Function>
struct Exported;
template <class... Arguments, class Function>
struct Exported<LONG(WINAPI*)(Arguments...), Function> {
  static LONG WINAPI call(Arguments... arguments) { return Function{}(arguments...); }
};

/// Two lines and a phone of version 2.2; functions by name, without TSPI_.
class FakeVendor {
 public:
  FakeVendor();
  /// `Function`: a lambda without captures.
  template <class C, class Function>
  void set(Function) {
    symbols_["TSPI_" + std::string(C::name)] =
        reinterpret_cast<void*>(&Exported<typename C::Prototype, Function>::call);
  }
  template <class C>
  void remove() {
    symbols_.erase("TSPI_" + std::string(C::name));
  }
  Module module() const {
    return {[symbols = symbols_](const char* name) {
              const auto found = symbols.find(name);
              return found == symbols.end() ? nullptr : found->second;
            },
            nullptr};
  }

 private:
  std::map<std::string, void*> symbols_;
};

/// Everything that a worker sent, in order.
class Outbox final : public wire::Channel {
 public:
  void send(wire::Buffer envelope) override {
    std::lock_guard lock(mutex_);
    envelopes_.push_back(std::move(envelope));
    changed_.notify_all();
  }
  std::vector<wire::Buffer> all() {
    std::lock_guard lock(mutex_);
    return envelopes_;
  }
  /// The first envelope that `wanted` accepts; nullptr after 20 s.
  wire::Buffer wait_for(const std::function<bool(const wire::fb::Envelope&)>& wanted) {
    std::unique_lock lock(mutex_);
    wire::Buffer found;
    changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const auto& each : envelopes_) {
        if (wanted(*wire::verified_envelope(*each))) {
          found = each;
          return true;
        }
      }
      return false;
    });
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<wire::Buffer> envelopes_;
};

struct Answer {
  bool completion = false;
  LONG result = 1;
  wire::Buffer buffer;
  std::span<const std::uint8_t> outputs;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest();
  ~WorkerTest() override;

  /// Starts the worker and reads its inventory.
  void start();
  template <class C>
  std::uint64_t request(const typename C::Inputs& inputs, std::uint32_t deadline_ms = 0) {
    const auto id = next_++;
    worker_->receive(wire::make_request(id, number_of<C>, deadline_ms, 1, wire::encode(inputs)));
    return id;
  }
  Answer await(std::uint64_t id);
  template <class C>
  Answer run(const typename C::Inputs& inputs) {
    return await(request<C>(inputs));
  }
  void open_line(std::size_t index = 0);
  std::uint64_t line(std::size_t index = 0) const { return inventory_.lines.at(index).id; }
  /// Waits until every request so far has returned from the vendor, then counts.
  std::size_t completions_of(std::uint64_t id);
  std::vector<const wire::fb::Event*> events();

  FakeVendor fake_;
  WorkerOptions options_;  // start() gives them
  Outbox outbox_;
  wire::ManualClock clock_;
  std::unique_ptr<Worker> worker_;
  wire::InventoryValues inventory_;
  std::uint64_t next_ = 1;
};

}  // namespace tsplink::host::test
