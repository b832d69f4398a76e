// The life of a provider as TAPISRV leads it: negotiation, providerEnumDevices, providerInit, the questions about
// every device, devices that come later by LINE_CREATE and PHONE_CREATE, providerShutdown. Owner: main. start,
// shutdown and wait_for come from scenario threads; created devices are handled on a thread of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "caller.hpp"

namespace tsplink::tapisim {

struct Device {
  bool phone = false;
  DWORD id = 0;
  std::string name;
  Section* section = nullptr;
  DWORD flags = 0;  // LINEDEVCAPFLAGS_
  DWORD line_states = 0, address_states = 0, phone_states = 0;
  DWORD button_modes = 0, button_states = 0;
  DWORD media_modes = 0;
  DWORD addresses = 0;
  Bytes clsid;                     // of the MSP, 16 bytes; empty without one
  std::vector<std::string> facts;  // for --lines and --phones
};

class Provider {
 public:
  explicit Provider(Caller& caller);
  ~Provider();
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  void start();
  void shutdown(std::chrono::milliseconds linger);
  bool running() const { return running_; }

  /// The number-th line or phone (from 1), or the one of that name; null when there is none.
  std::shared_ptr<const Device> find(bool phone, const std::string& which);
  std::vector<std::shared_ptr<const Device>> devices(bool phone);
  bool wait_for(bool phone, std::size_t count, std::chrono::milliseconds limit);

 private:
  void check_exports();
  Outcome must(const std::string& function, Arguments arguments);
  void ask_about(bool phone, DWORD id);
  void ask_line(Device& device);
  void ask_addresses(Device& device);
  void ask_phone(Device& device);
  bool negotiate(Device& device);
  void house_keeping();
  bool create(const PendingCreate& pending);

  Caller& caller_;
  World& world_;
  bool running_ = false;
  bool ending_ = false;  // under world_.mutex
  DWORD lines_ = 0, phones_ = 0, created_ = 0;
  std::vector<std::shared_ptr<const Device>> devices_;  // under world_.mutex
  std::thread house_keeper_;
};

}  // namespace tsplink::tapisim
