// What a worker knows and does, shared by its tasks and by the vendor's callbacks: objects, requests under way, the
// protocol of completions, events. Owner: Worker, and every task that runs; callbacks hold it while they run.
// Threads: receive() from one thread, on_... from any of the vendor's, the rest on the worker's strands. The lock is
// never held while the vendor is called.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "remote-host/worker/call_ids.hpp"
#include "remote-host/worker/objects.hpp"
#include "remote-host/worker/permanent_ids.hpp"
#include "remote-host/worker/registry.hpp"
#include "remote-host/worker/strands.hpp"
#include "wire/clock.hpp"
#include "wire/events.hpp"

namespace tsplink::host {

struct WorkerOptions {
  std::string name;                         // of the provider
  DWORD permanent_id = 1;                   // dwPermanentProviderID
  unsigned slot_bytes = sizeof(HTAPICALL);  // written into LINE_NEWCALL's slot; 4 for drivers that narrow handles
  wire::Duration begin_bound =
      std::chrono::seconds(10);  // a request that dials and was not begun by then is not begun
  wire::Duration watchdog = std::chrono::seconds(30);
  std::optional<CallIds> call_ids;  // none: as the vendor counts them
};

/// The vendor's functions that have not returned.
struct Activity {
  std::size_t running = 0;
  std::size_t stuck = 0;  // of those, for longer than the watchdog's bound
};

class CallSide;

class Core final : public CallbackSink, public std::enable_shared_from_this<Core> {
 public:
  Core(WorkerOptions options, Vendor vendor, wire::Channel& out, const wire::Clock& clock,
       std::shared_ptr<PermanentIds> permanent);

  // Life, life.cpp. On the provider's strand.
  void start();
  void shut_down();

  // Requests, requests.cpp.
  void receive(wire::Buffer request);
  /// Logs the vendor calls that run longer than the bound, each once; how many were new.
  std::size_t watch();
  /// Any thread.
  Activity activity() const;

  // The vendor's callbacks.
  void on_completion(DWORD request, LONG result) override;
  void on_event(bool phone, DWORD_PTR device, DWORD_PTR call, DWORD message, const DWORD_PTR (&params)[3]) override;

  Strands& strands() { return *strands_; }
  const WorkerOptions& options() const { return options_; }
  std::size_t lines() const { return lines_; }
  std::size_t phones() const { return phones_; }

 private:
  friend class CallSide;

  /// An asynchronous request that the vendor was given.
  struct Pending {
    DWORD request = 0;
    std::uint64_t wire_id = 0;
    std::uint64_t trace = 0;
    std::uint16_t function = 0;
    std::uint64_t device = 0;
    std::uint64_t call = 0;           // the first call that it names
    std::vector<std::uint64_t> made;  // calls that it starts
    std::shared_ptr<VendorCall> vendor_call;
    bool in_vendor = true;   // its function has not returned
    bool has_early = false;  // a completion came before that
    LONG early = 0;
  };
  /// A request on its way to the vendor.
  struct Job {
    wire::Buffer buffer;  // keeps `arguments` alive
    std::uint64_t id = 0;
    std::uint64_t trace = 0;
    std::uint16_t function = 0;
    wire::TimePoint arrived{};
    std::uint32_t deadline_ms = 0;
    std::span<const std::uint8_t> arguments;
    std::uint64_t device = 0;
    std::uint64_t call = 0;
    std::uint64_t msp = 0;
    std::uint64_t dialog = 0;
  };
  struct Running {
    std::uint16_t function;
    std::uint64_t trace;
    wire::TimePoint since;
    bool reported = false;
  };
  /// Marks a vendor call as running for the watchdog.
  class Watched {
   public:
    Watched(Core& core, std::uint16_t function, std::uint64_t trace = 0);
    ~Watched();
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

   private:
    Core& core_;
    std::uint64_t number_ = 0;
  };

  // life.cpp
  template <class C>
  std::pair<LONG, typename C::Outputs> ask(typename C::Inputs inputs);
  template <class C, class... Arguments>
  LONG call(Arguments... arguments);
  void add_device(bool phone, DWORD number, wire::InventoryValues& inventory);
  bool describe(const Device& device, wire::DeviceValues& values);
  bool describe_line(const Device& device, wire::DeviceValues& values);
  bool describe_phone(const Device& device, wire::DeviceValues& values);
  void describe_again(std::uint64_t id);
  void create_device(bool phone, DWORD_PTR temporary);
  void remove_device(std::uint64_t id);
  std::uint32_t permanent_id(Device& device, DWORD vendor_id);
  void release(std::uint64_t id);
  void close_device(std::uint64_t id);
  void close_call(std::uint64_t id);
  void close_failed(std::uint64_t line);
  LONG close_handle(bool phone, const void* handle);

  // requests.cpp
  std::uint64_t strand_of(std::uint64_t device) const;
  void run(const Job& job);
  void run_now(const Job& job, VendorCall& call, CallSide& side, const std::shared_ptr<VendorCall>& keep);
  void run_later(const Job& job, const std::shared_ptr<VendorCall>& call, CallSide& side);
  bool too_late(const Job& job) const;
  void prepare_close(const Job& job);
  void finish_close(const Job& job);
  /// A debug line about a request.
  void say(const char* what, std::uint16_t function, LONG result, std::uint64_t trace) const;
  void answer(std::uint64_t id, std::uint16_t function, LONG result, std::span<const std::uint8_t> outputs = {});

  // completions.cpp; all under the lock
  void finish(const std::shared_ptr<Pending>& pending, LONG result, bool vendor_still_writes = false);
  void finish_all_of(std::uint64_t device, std::uint64_t call);
  void bury(const std::shared_ptr<Pending>& pending);
  void returned(const std::shared_ptr<Pending>& pending, LONG result);
  /// Runs what a callback of the device brings, behind a completion that is held until its function returns. False:
  /// it is dropped.
  bool in_order(std::uint64_t device, std::function<void()> step);
  void let_go(std::uint64_t device);

  // events.cpp; under the lock
  bool resolve(const wire::EventDescription& message, DWORD_PTR device, DWORD_PTR call, wire::EventValues& event);
  bool translate(const wire::EventDescription& message, const DWORD_PTR (&params)[3], wire::EventValues& event);
  bool new_call(DWORD_PTR handle, DWORD_PTR slot, wire::EventValues& event);
  void new_dialog(TUISPICREATEDIALOGINSTANCEPARAMS& params);
  void forget_dialog(std::uint64_t id);
  void forget_dialogs(std::uint64_t device);
  void send_event(const wire::EventValues& event);
  Call* waits_for(const wire::EventValues& event);
  void drop(std::string_view message, const char* why, const Pending* request = nullptr);
  void forget_call(std::uint64_t id);

  const WorkerOptions options_;
  const Vendor vendor_;
  wire::Channel& out_;
  const wire::Clock& clock_;
  const std::shared_ptr<PermanentIds> permanent_;
  std::unique_ptr<Strands> strands_ = std::make_unique<Strands>();

  DWORD provider_token_ = 0;
  DWORD base_ = 0;
  DWORD next_line_ = 0;
  DWORD next_phone_ = 0;
  std::uint32_t version_ = 0;
  std::atomic<bool> nonreentrant_{false};
  bool initialised_ = false;
  std::atomic<std::size_t> lines_{0};
  std::atomic<std::size_t> phones_{0};
  std::atomic<std::uint64_t> revision_{0};

  std::mutex mutex_;
  bool closed_ = false;
  Table<Device> devices_;
  std::map<std::pair<bool, DWORD>, std::uint64_t> by_number_;
  std::set<VendorId> vendor_ids_;  // of the devices that are there
  Table<Call> calls_;
  Table<MspInstance> msps_;
  Table<Dialog> dialogs_;
  std::unordered_map<DWORD, std::shared_ptr<Pending>> pending_;
  std::unordered_map<DWORD, std::shared_ptr<Pending>> buried_;  // answered, but the vendor may still write
  std::set<std::pair<std::string, std::string>> dropped_;

  mutable std::mutex running_mutex_;
  std::map<std::uint64_t, Running> running_;
  std::uint64_t next_running_ = 0;
};

}  // namespace tsplink::host
