// A provider's life: the order of TAPISRV's calls at start and end, devices that come and go.
#include <cstring>

#include "remote-host/log.hpp"
#include "remote-host/worker/core.hpp"
#include "remote-host/worker/side.hpp"
#include "wire/errors.hpp"

namespace tsplink::host {

namespace calls = wire::calls;

namespace {

constexpr DWORD kInitializeNegotiation = 0xFFFFFFFF;
constexpr DWORD kLowest = 0x00020000;
constexpr DWORD kHighest = 0x00030001;
constexpr DWORD kMostDevices = Registry::kDevicesPerWorker / 2;  // the other half is for devices that come later
constexpr DWORD kMostAddresses = 1024;

template <class T>
DWORD member(const wire::Bytes& bytes, std::size_t offset) {
  static_assert(sizeof(T) == sizeof(DWORD));
  DWORD value = 0;
  if (offset + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
#define TSPLINK_MEMBER(structure, name, bytes) member<decltype(structure::name)>(bytes, offsetof(structure, name))

DWORD vendor_permanent_id(const Device& device, const wire::DeviceValues& values) {
  return device.phone ? TSPLINK_MEMBER(PHONECAPS, dwPermanentPhoneID, values.caps)
                      : TSPLINK_MEMBER(LINEDEVCAPS, dwPermanentLineID, values.caps);
}

bool all_zero(const wire::Bytes& bytes) {
  for (const auto byte : bytes) {
    if (byte) return false;
  }
  return true;
}

/// Asks with more room until what is needed fits, as TAPI does; bounded, since some vendors never agree with
/// themselves.
template <class Ask>
wire::Bytes with_room(Ask&& ask) {
  std::uint32_t room = 2048;
  wire::Bytes last;
  for (int attempt = 0; attempt < 6; ++attempt) {
    const wire::Block block = ask(room);
    if (!block) return last;
    last = *block;
    std::uint32_t needed = 0;
    if (last.size() >= 2 * sizeof needed) std::memcpy(&needed, last.data() + sizeof needed, sizeof needed);
    if (needed <= room || room >= wire::kMaxBlock) break;
    room = std::min(needed, wire::kMaxBlock);
  }
  return last;
}

}  // namespace

Core::Core(WorkerOptions options, Vendor vendor, wire::Channel& out, const wire::Clock& clock,
           std::shared_ptr<PermanentIds> permanent)
    : options_(std::move(options)),
      vendor_(std::move(vendor)),
      out_(out),
      clock_(clock),
      permanent_(std::move(permanent)) {}

template <class C>
std::pair<LONG, typename C::Outputs> Core::ask(typename C::Inputs inputs) {
  TypedVendorCall<C> call(std::move(inputs));
  CallSide side(*this, C::name);
  call.hold(side);
  const Watched watched(*this, number_of<C>);
  const LONG result = call.invoke(vendor_);
  return {result, call.values(side)};
}

template <class C, class... Arguments>
LONG Core::call(Arguments... arguments) {
  const Watched watched(*this, number_of<C>);
  return vendor_.call<C>(arguments...);
}

void Core::start() {
  base_ = Registry::root().new_device_base(weak_from_this());
  provider_token_ = Registry::root().new_token(weak_from_this());
  const auto fail = [&](const char* function, LONG result) {
    throw Failure(Kind::Configuration, "Provider " + options_.name + ": " + function + " failed with " +
                                           wire::error_name(result) + "; see the provider's own documentation.");
  };
  DWORD version = 0;
  LONG result = call<calls::lineNegotiateTSPIVersion>(kInitializeNegotiation, kLowest, kHighest, LPDWORD{&version});
  if (result != 0) fail("TSPI_lineNegotiateTSPIVersion", result);
  if (version < kLowest || version > kHighest)
    fail("the version it chose", static_cast<LONG>(LINEERR_INCOMPATIBLEAPIVERSION));
  version_ = version;

  DWORD lines = 0;
  DWORD phones = 0;
  if (vendor_.has<calls::providerEnumDevices>()) {
    result = call<calls::providerEnumDevices>(options_.permanent_id, LPDWORD{&lines}, LPDWORD{&phones},
                                              reinterpret_cast<HPROVIDER>(static_cast<DWORD_PTR>(provider_token_)),
                                              &Registry::line_event, &Registry::phone_event);
    if (result != 0) fail("TSPI_providerEnumDevices", result);
  }
  lines = std::min(lines, kMostDevices);
  phones = std::min(phones, kMostDevices);
  DWORD vendor_options = 0;
  result = call<calls::providerInit>(version_, options_.permanent_id, base_, base_, DWORD_PTR{lines},
                                     DWORD_PTR{phones}, &Registry::completion, LPDWORD{&vendor_options});
  if (result != 0) fail("TSPI_providerInit", result);
  initialised_ = true;
  nonreentrant_ = (vendor_options & LINETSPIOPTION_NONREENTRANT) != 0;
  next_line_ = base_ + lines;
  next_phone_ = base_ + phones;

  wire::InventoryValues inventory;
  inventory.revision = ++revision_;
  for (DWORD i = 0; i < lines; ++i) add_device(false, base_ + i, inventory);
  for (DWORD i = 0; i < phones; ++i) add_device(true, base_ + i, inventory);
  permanent_->store();
  out_.send(wire::make_inventory(inventory));
}

void Core::add_device(bool phone, DWORD number, wire::InventoryValues& inventory) {
  Device device;
  device.id = random_id();
  device.phone = phone;
  device.number = number;
  DWORD version = 0;
  const LONG result = phone ? call<calls::phoneNegotiateTSPIVersion>(number, kLowest, kHighest, LPDWORD{&version})
                            : call<calls::lineNegotiateTSPIVersion>(number, kLowest, kHighest, LPDWORD{&version});
  device.version = version;
  const std::string what = (phone ? "phone " : "line ") + std::to_string(number - base_);
  if (result != 0 || version < kLowest || version > kHighest) {
    return log::warn("Provider " + options_.name + ": " + what + " agrees on no version of TSPI; it is left out.");
  }
  {
    std::lock_guard lock(mutex_);
    devices_.add(device);
    by_number_[{phone, number}] = device.id;
  }
  wire::DeviceValues values;
  values.arrived = !inventory.complete;
  if (describe(device, values)) {
    values.permanent = permanent_id(device, vendor_permanent_id(device, values));
    {
      std::lock_guard lock(mutex_);
      auto& known = *devices_.find(device.id);
      known.permanent = values.permanent;
      known.vendor_id = device.vendor_id;
    }
    (phone ? inventory.phones : inventory.lines).push_back(std::move(values));
    ++(phone ? phones_ : lines_);
    return;
  }
  log::warn("Provider " + options_.name + ": " + what + " does not tell its capabilities; it is left out.");
  std::lock_guard lock(mutex_);
  devices_.remove(device.id);
  by_number_.erase({phone, number});
}

bool Core::describe(const Device& device, wire::DeviceValues& values) {
  values.id = device.id;
  values.provider = options_.name;
  values.version = device.version;
  values.permanent = device.permanent;
  return device.phone ? describe_phone(device, values) : describe_line(device, values);
}

/// After a message that says so: desktops and rights go by what a device says of itself now. Its permanent id stays.
void Core::describe_again(std::uint64_t id) {
  Device device;
  {
    const std::lock_guard lock(mutex_);
    auto* known = devices_.find(id);
    if (!known || known->removed) return;
    known->describing = false;
    device = *known;
  }
  wire::InventoryValues change;
  change.complete = false;
  change.revision = ++revision_;
  wire::DeviceValues values;
  values.arrived = true;
  if (!describe(device, values)) return;
  (device.phone ? change.phones : change.lines).push_back(std::move(values));
  out_.send(wire::make_inventory(change));
}

bool Core::describe_line(const Device& device, wire::DeviceValues& values) {
  const auto id = device.id;
  values.caps = with_room([&](std::uint32_t room) {
    auto [result, outputs] = ask<calls::lineGetDevCaps>({id, device.version, 0, room});
    return result == 0 ? std::get<3>(outputs) : wire::Block();
  });
  if (values.caps.empty()) return false;
  if (vendor_.has<calls::lineGetExtensionID>()) {
    auto [result, outputs] = ask<calls::lineGetExtensionID>({id, device.version, {}});
    if (result == 0 && !all_zero(*std::get<2>(outputs))) values.extension = *std::get<2>(outputs);
  }
  const DWORD addresses = std::min(TSPLINK_MEMBER(LINEDEVCAPS, dwNumAddresses, values.caps), kMostAddresses);
  for (DWORD address = 0; address < addresses; ++address) {
    values.addresses.push_back(with_room([&](std::uint32_t room) {
      auto [result, outputs] = ask<calls::lineGetAddressCaps>({id, address, device.version, 0, room});
      return result == 0 ? std::get<4>(outputs) : wire::Block();
    }));
  }
  if ((TSPLINK_MEMBER(LINEDEVCAPS, dwDevCapFlags, values.caps) & LINEDEVCAPFLAGS_MSP) != 0 &&
      vendor_.has<calls::lineMSPIdentify>()) {
    auto [result, outputs] = ask<calls::lineMSPIdentify>({id, {}});
    if (result == 0) values.msp = *std::get<1>(outputs);
  }
  return true;
}

bool Core::describe_phone(const Device& device, wire::DeviceValues& values) {
  const auto id = device.id;
  values.caps = with_room([&](std::uint32_t room) {
    auto [result, outputs] = ask<calls::phoneGetDevCaps>({id, device.version, 0, room});
    return result == 0 ? std::get<3>(outputs) : wire::Block();
  });
  if (values.caps.empty()) return false;
  if (vendor_.has<calls::phoneGetExtensionID>()) {
    auto [result, outputs] = ask<calls::phoneGetExtensionID>({id, device.version, {}});
    if (result == 0 && !all_zero(*std::get<2>(outputs))) values.extension = *std::get<2>(outputs);
  }
  return true;
}

std::uint32_t Core::permanent_id(Device& device, DWORD vendor_id) {
  {
    // The first number that no device has which is there: one that comes again is the same.
    const std::lock_guard lock(mutex_);
    std::uint32_t nth = 0;
    while (!vendor_ids_.insert({device.phone, vendor_id, nth}).second) ++nth;
    device.vendor_id = {device.phone, vendor_id, nth};
  }
  return permanent_->of(options_.name, device.phone, vendor_id, std::get<2>(device.vendor_id));
}

void Core::create_device(bool phone, DWORD_PTR temporary) {
  if (!initialised_) return;
  const DWORD number = phone ? next_phone_ : next_line_;
  if (number - base_ >= Registry::kDevicesPerWorker) return;
  const LONG result = phone ? call<calls::providerCreatePhoneDevice>(temporary, number)
                            : call<calls::providerCreateLineDevice>(temporary, number);
  if (result != 0) {
    return log::warn("Provider " + options_.name + " announced a device and then refused to make it.");
  }
  ++(phone ? next_phone_ : next_line_);
  wire::InventoryValues change;
  change.complete = false;
  change.revision = ++revision_;
  add_device(phone, number, change);
  permanent_->store();
  if (!change.lines.empty() || !change.phones.empty()) out_.send(wire::make_inventory(change));
}

LONG Core::close_handle(bool phone, const void* handle) {
  return phone ? call<calls::phoneClose>(static_cast<HDRVPHONE>(handle))
               : call<calls::lineClose>(static_cast<HDRVLINE>(handle));
}

void Core::close_call(std::uint64_t id) {
  HDRVCALL handle = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (auto* call = calls_.find(id)) handle = std::exchange(call->handle, nullptr);  // once
  }
  if (handle) call<calls::lineCloseCall>(handle);
  std::lock_guard lock(mutex_);
  finish_all_of(0, id);
  forget_call(id);
}

/// On whichever thread comes first: the line's, or one that closes the line.
void Core::close_failed(std::uint64_t line) {
  std::vector<HDRVCALL> handles;
  {
    std::lock_guard lock(mutex_);
    if (auto* device = devices_.find(line)) handles.swap(device->failed);
  }
  for (const auto handle : handles) call<calls::lineCloseCall>(handle);
}

/// Under the lock: a line or phone that the vendor has closed, with all that hung on it.
void Core::close_device(std::uint64_t id) {
  finish_all_of(id, 0);
  for (const auto call : calls_.ids_where([&](const Call& each) { return each.line == id; })) forget_call(call);
  for (const auto msp : msps_.ids_where([&](const MspInstance& each) { return each.line == id; })) {
    Registry::root().release_token(msps_.find(msp)->token);
    msps_.remove(msp);
  }
  forget_dialogs(id);
  if (auto* device = devices_.find(id)) {
    if (device->token) Registry::root().release_token(device->token);
    devices_.set_token(*device, 0);
    device->handle = nullptr;
    device->opening = false;
    device->failed.clear();
  }
}

void Core::release(std::uint64_t id) {
  bool phone = false;
  const void* handle = nullptr;
  std::vector<std::uint64_t> open_calls;
  std::vector<HDRVMSPLINE> open_msps;
  std::vector<HDRVDIALOGINSTANCE> open_dialogs;
  {
    std::lock_guard lock(mutex_);
    const auto* device = devices_.find(id);
    if (!device) return;
    phone = device->phone;
    handle = device->token && !device->opening ? device->handle : nullptr;
    open_calls = calls_.ids_where([&](const Call& call) { return call.line == id; });
    for (const auto msp : msps_.ids_where([&](const MspInstance& each) { return each.line == id; })) {
      if (msps_.find(msp)->handle) open_msps.push_back(msps_.find(msp)->handle);
    }
    for (const auto dialog : dialogs_.ids_where([&](const Dialog& each) { return each.device == id; })) {
      open_dialogs.push_back(dialogs_.find(dialog)->handle);
    }
  }
  for (const auto dialog : open_dialogs) call<calls::providerFreeDialogInstance>(dialog);
  for (const auto msp : open_msps) call<calls::lineCloseMSPInstance>(msp);
  close_failed(id);
  for (const auto call : open_calls) close_call(call);
  if (handle) close_handle(phone, handle);
  std::lock_guard lock(mutex_);
  close_device(id);
}

void Core::remove_device(std::uint64_t id) {
  release(id);
  wire::InventoryValues change;
  {
    std::lock_guard lock(mutex_);
    auto* device = devices_.find(id);
    if (!device || device->removed) return;
    device->removed = true;
    by_number_.erase({device->phone, device->number});
    vendor_ids_.erase(device->vendor_id);
    wire::DeviceValues gone;
    gone.id = id;
    gone.provider = options_.name;
    gone.version = device->version;
    gone.arrived = false;
    change.complete = false;
    change.revision = ++revision_;
    (device->phone ? change.phones : change.lines).push_back(gone);
    --(device->phone ? phones_ : lines_);
  }
  out_.send(wire::make_inventory(change));
}

void Core::shut_down() {
  std::vector<std::uint64_t> ids;
  {
    std::lock_guard lock(mutex_);
    ids = devices_.ids_where([](const Device&) { return true; });
  }
  for (const auto id : ids) release(id);
  if (initialised_) call<calls::providerShutdown>(version_, options_.permanent_id);
  initialised_ = false;
  std::lock_guard lock(mutex_);
  closed_ = true;
  pending_.clear();
  buried_.clear();
  if (provider_token_) Registry::root().release_token(provider_token_);
}

}  // namespace tsplink::host
