// The proxy's heart: devices, handles, requests under way, and the event pump. An ordinary object, many to a process;
// it knows neither sockets nor TLS, only an Uplink to send envelopes and the three on_* functions by which they come.
// Owner: Provider (or a test). Threads: TAPI's threads call the functions that forward.hpp and overrides.hpp use;
// one thread at a time, the link's, calls on_message and on_down; TAPI is called by the event pump alone.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "proxy-tsp/event_pump.hpp"
#include "proxy-tsp/inventory.hpp"
#include "proxy-tsp/objects.hpp"
#include "proxy-tsp/pending.hpp"
#include "wire/calls.hpp"
#include "wire/clock.hpp"
#include "wire/errors.hpp"

namespace tsplink::proxy {

/// Sends one envelope to the host; false: no connection, nothing was sent.
using Uplink = std::function<bool(wire::Buffer)>;

enum class LogLevel { Debug, Info, Warning, Error };
using Log = std::function<void(LogLevel, const std::string&)>;

/// What providerInit and providerShutdown mean beyond the core; a test has none.
struct Life {
  std::function<LONG()> connect;  // starts connecting and returns at once; an error if that cannot even be tried
  std::function<void()> end;      // ends the connection, then shutdown()
  std::function<std::shared_ptr<void>()> owner;  // of the core, whom a shutdown from inside a callback does not end
};

struct CoreOptions {
  std::chrono::milliseconds call_deadline{5000};  // a synchronous function's wait, connecting included
  std::filesystem::path state;                    // folder of the stored inventory; empty: none is kept
  std::string ui_module;                          // of a vendor, for providerUIIdentify
  std::vector<std::string> dialog_modules;        // that vendors may have loaded into applications here
  /// Hardware of this desktop that applications shall use with lines and phones: device numbers by folded class.
  std::map<std::u16string, std::uint32_t> device_classes;
  /// Whether an MSP can be made here; empty: each can.
  std::function<bool(const GUID&)> msp_registered;
  const wire::Clock* clock = &wire::Clock::steady();
  Life life;
};

/// What TAPI gave in providerEnumDevices and providerInit.
struct TapiSide {
  HPROVIDER hProvider{};
  LINEEVENT line_create{};
  PHONEEVENT phone_create{};
  ASYNC_COMPLETION completion{};
};

class Core {
 public:
  Core(CoreOptions options, Uplink uplink, Log log);
  ~Core();

  // --- life of the provider; TAPI's threads
  void enumerate(const TapiSide& tapi, DWORD& lines, DWORD& phones);
  void init(DWORD line_base, DWORD phone_base, DWORD lines, DWORD phones, ASYNC_COMPLETION completion);
  void shutdown();
  /// TAPI may have this provider twice, under two permanent ids: all devices are the first one's, and only the last
  /// shutdown ends it.
  void started(DWORD provider);
  bool ended(DWORD provider);  // whether that was the last
  LONG create_device(bool phone, DWORD_PTR temporary, DWORD device_id);

  // --- the link's thread
  void on_message(const wire::Buffer& envelope);
  void on_down(const std::string& reason);

  // --- requests; TAPI's threads
  /// Sends a request that ends with a completion. Throws Failure(LinkDown).
  void post(wire::Function function, std::span<const std::uint8_t> arguments, std::unique_ptr<AsyncRequest> request);
  /// Sends a request and waits for its reply, at most the deadline. Throws Failure(LinkDown or DeadlinePassed).
  Answer ask(wire::Function function, std::span<const std::uint8_t> arguments, Ledger::Undo undo = {});
  /// Sends a request that ends with a completion and waits until the host tells what its function had decided when it
  /// returned, or the completion came. Throws as ask(); then TAPI gets no completion.
  Answer post_and_hear(wire::Function function, std::span<const std::uint8_t> arguments,
                       std::unique_ptr<AsyncRequest> request, Ledger::Undo undo);
  /// Sends a request whose answer nobody waits for.
  void tell(wire::Function function, std::span<const std::uint8_t> arguments);

  // --- objects; any thread. Throw Failure with the TSPI error when there is none
  std::shared_ptr<Line> line(HDRVLINE handle);
  std::shared_ptr<Phone> phone(HDRVPHONE handle);
  std::shared_ptr<Call> call(HDRVCALL handle);
  std::shared_ptr<MspInstance> msp(HDRVMSPLINE handle);
  std::shared_ptr<Dialog> dialog(HDRVDIALOGINSTANCE handle);
  /// A device of the only provider that the host offers here.
  std::shared_ptr<Device> provider_device();
  std::shared_ptr<Device> device(bool phone, DWORD device_id);
  /// The host's id of a device; waits for the first connection, at most the deadline.
  std::uint64_t device_host_id(const std::shared_ptr<Device>& device);
  std::uint64_t id_of(const std::shared_ptr<Call>& call);

  std::shared_ptr<Line> add_line(const std::shared_ptr<Device>& device, HTAPILINE htLine, LINEEVENT event,
                                 DWORD version);
  std::shared_ptr<Phone> add_phone(const std::shared_ptr<Device>& device, HTAPIPHONE htPhone, PHONEEVENT event,
                                   DWORD version);
  /// The host has opened it. False: the link was lost since, and nothing is open.
  template <class T>
  bool opened(T& device) {
    std::lock_guard lock(mutex_);
    return device.open = device.id != 0;
  }
  std::shared_ptr<Call> add_call(const std::shared_ptr<Line>& line, HTAPICALL htCall);
  std::shared_ptr<MspInstance> add_msp(const std::shared_ptr<Line>& line, HTAPIMSPLINE token);
  /// Gives the number that the host knows it by.
  DWORD add_gather(Call& call, Gather gather);
  void drop_gather(Call& call, DWORD number);
  /// The id of the device with a permanent id, wire::kNoDevice if TAPI has none here.
  DWORD device_with(bool phone, std::uint32_t permanent);
  void name_call(std::uintptr_t minted, std::uint64_t id);
  void name_msp(std::uintptr_t minted, std::uint64_t id);
  void remove(const std::shared_ptr<Line>& line);
  void remove(const std::shared_ptr<Phone>& phone);
  void remove(const std::shared_ptr<Call>& call);
  void remove(const std::shared_ptr<MspInstance>& msp);
  void remove(const std::shared_ptr<Dialog>& dialog);

  /// Ends an object for TAPI: its requests complete, its events stop, and both before this returns.
  void quiesce(const std::function<bool(const AsyncRequest&)>& belongs);
  LONG store(const Device* device, const wire::StructureDescription& description,
             std::span<const std::uint8_t> source, void* destination, std::uint32_t version,
             std::uint32_t source_version = 0);
  void log(LogLevel level, const std::string& sentence) const { log_(level, sentence); }
  EventPump& pump() { return pump_; }
  /// The module that providerUIIdentify names; empty: none.
  const std::string& ui_module() const { return options_.ui_module; }
  const Life& life() const { return options_.life; }
  /// The device of this desktop that stands for a class of the vendor's hardware; empty: none does.
  std::optional<std::uint32_t> own_device(LPCWSTR device_class) const;

 private:
  void on_event(const wire::fb::Event& event);
  void on_inventory(const wire::fb::Inventory& inventory);
  std::optional<wire::InventoryValues> gathered(wire::InventoryValues part);
  void announce(const std::shared_ptr<Device>& device);
  void withdraw(const std::shared_ptr<Device>& device);
  bool objects_of(const wire::fb::Event& event, Delivery& delivery);
  void on_dialog(const wire::fb::Event& event);
  void create_dialog(const std::shared_ptr<Dialog>& dialog, wire::DialogValues& values, DRV_REQUESTID request);
  void refuse_dialog(const std::shared_ptr<Dialog>& dialog);
  void send_to_dialog(const std::shared_ptr<Dialog>& dialog, std::optional<wire::Bytes> data);
  bool msp_registered(const Device& device) const;
  std::shared_ptr<void> weigh(std::size_t bytes) const;
  void deliver(Delivery delivery);
  void deliver_to_tapi(Delivery& delivery);
  bool fill_gathered(Delivery& delivery);
  void announce_call(const std::shared_ptr<Call>& call, wire::TimePoint since);
  std::shared_ptr<Call> call_of_event(std::uint64_t id);
  std::shared_ptr<Device> find_device(bool phone, std::uint32_t permanent);
  std::uint64_t next_request() { return ++request_; }
  wire::Buffer request(std::uint64_t id, const Named& named, std::span<const std::uint8_t> arguments,
                       std::chrono::milliseconds deadline) const;
  void log_result(const Named& named, LONG result) const;

  const CoreOptions options_;
  const Uplink uplink_;
  const Log log_;
  EventPump pump_;
  Ledger ledger_;
  InventoryStore store_;
  std::atomic<std::uint64_t> request_{0};

  std::mutex mutex_;  // guards what follows; never held while TAPI, the uplink or the ledger is called
  std::condition_variable inventory_came_;
  TapiSide tapi_;
  bool initialized_ = false;
  std::set<DWORD> started_;   // permanent ids of the provider
  bool inventoried_ = false;  // the host's inventory came in this connection
  bool gave_up_ = false;      // somebody waited for it in vain: nobody waits again until the host is there
  std::vector<std::shared_ptr<Device>> devices_;
  wire::InventoryValues coming_;  // the parts so far of one that comes; the link's thread
  std::shared_ptr<std::atomic<std::size_t>> untaken_ = std::make_shared<std::atomic<std::size_t>>(0);  // bytes
  std::uintptr_t next_handle_ = 0x1000;
  DWORD gathers_ = 0;  // that ever were
  ObjectMap<Line> lines_;
  ObjectMap<Phone> phones_;
  ObjectMap<Call> calls_;
  ObjectMap<MspInstance> msps_;
  ObjectMap<Dialog> dialogs_;
};

}  // namespace tsplink::proxy
