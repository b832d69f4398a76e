#include "provider.hpp"

#include "constants.hpp"
#include "text.hpp"

namespace tsplink::tapisim {
namespace {

constexpr DWORD kLow = 0x00020000, kHigh = 0x00030001;
constexpr DWORD kPermanentProvider = 7;
// Not 0, so that a provider that mistakes an index for a device id is found out.
constexpr DWORD kLineBase = 3, kPhoneBase = 5;

std::string version_text(DWORD version) {
  return std::to_string(version >> 16) + "." + std::to_string(version & 0xFFFF);
}

DWORD number_of(const Outcome& outcome, std::string_view name) {
  const auto value = output(*outcome.function, *outcome.frame, name);
  return value && value->number ? static_cast<DWORD>(*value->number) : 0;
}

std::string text_of(const Outcome& outcome, std::string_view name) {
  const auto value = output(*outcome.function, *outcome.frame, name);
  return value ? value->text : std::string("\"\"");
}

std::string unquoted(const std::string& text) { return text.size() < 2 ? text : text.substr(1, text.size() - 2); }

}  // namespace

Provider::Provider(Caller& caller) : caller_(caller), world_(caller.world()) {}

Provider::~Provider() {
  {
    const std::lock_guard lock(world_.mutex);
    ending_ = true;
  }
  world_.changed.notify_all();
  if (house_keeper_.joinable()) house_keeper_.join();
}

void Provider::check_exports() {
  for (const auto& function : functions()) {
    if (function.need == Need::basic && !caller_.exports(function.name)) {
      world_.breach(Rule::export_missing, "TSPI_" + function.name + " is not exported");
    }
  }
}

Outcome Provider::must(const std::string& function, Arguments arguments) {
  auto outcome = caller_.call(*find_function(function), arguments, world_.provider, Show::trace_only);
  if (outcome.result != 0) {
    world_.breach(Rule::init_failed, "TSPI_" + function + " answered " + result_text(outcome.result));
    throw Stop("the provider does not start");
  }
  return outcome;
}

void Provider::start() {
  check_exports();
  Arguments negotiate;
  negotiate.values = {{"dwDeviceID", hex_number(INITIALIZE_NEGOTIATION)},
                      {"dwLowVersion", hex_number(kLow)},
                      {"dwHighVersion", hex_number(kHigh)}};
  const DWORD version = number_of(must("lineNegotiateTSPIVersion", negotiate), "lpdwTSPIVersion");
  if (version < kLow || version > kHigh) {
    world_.breach(Rule::version, "lineNegotiateTSPIVersion answered version " + version_text(version));
  }
  {
    const std::lock_guard lock(world_.mutex);
    world_.provider->version = version;
    world_.phase = Phase::running;
    world_.provider_handle = 0x7001;
    ending_ = false;
  }
  Arguments enumerate;
  enumerate.values = {{"dwPermanentProviderID", std::to_string(kPermanentProvider)}};
  const Outcome found = must("providerEnumDevices", enumerate);
  lines_ = number_of(found, "lpdwNumLines");
  phones_ = number_of(found, "lpdwNumPhones");
  {
    const std::lock_guard lock(world_.mutex);
    world_.initialised = true;
  }
  Arguments init;
  init.values = {{"dwPermanentProviderID", std::to_string(kPermanentProvider)},
                 {"dwLineDeviceIDBase", std::to_string(kLineBase)},
                 {"dwPhoneDeviceIDBase", std::to_string(kPhoneBase)},
                 {"dwNumLines", std::to_string(lines_)},
                 {"dwNumPhones", std::to_string(phones_)}};
  {
    // TAPI has said them with this function, in which a device may go already.
    const std::lock_guard lock(world_.mutex);
    for (DWORD i = 0; i < lines_; ++i) world_.line_devices.push_back(kLineBase + i);
    for (DWORD i = 0; i < phones_; ++i) world_.phone_devices.push_back(kPhoneBase + i);
  }
  const DWORD options = number_of(must("providerInit", init), "lpdwTSPIOptions");
  if ((options & ~static_cast<DWORD>(LINETSPIOPTION_NONREENTRANT)) != 0) {
    world_.breach(Rule::options, "providerInit wrote " + hex_number(options) + " to *lpdwTSPIOptions");
  }
  world_.nonreentrant = options != 0;
  running_ = true;
  for (DWORD i = 0; i < lines_; ++i) ask_about(false, kLineBase + i);
  for (DWORD i = 0; i < phones_; ++i) ask_about(true, kPhoneBase + i);
  if (caller_.exports("providerUIIdentify")) {
    caller_.call(*find_function("providerUIIdentify"), {}, world_.provider, Show::trace_only);
  }
  {
    const std::lock_guard lock(world_.mutex);
    world_.emit(world_.provider, "providerInit = 0");
  }
  house_keeper_ = std::thread([this] { house_keeping(); });
}

void Provider::house_keeping() {
  while (true) {
    std::vector<PendingCreate> pending;
    {
      std::unique_lock lock(world_.mutex);
      world_.changed.wait(lock, [this] { return ending_ || !world_.creates.empty(); });
      if (ending_) return;
      pending.swap(world_.creates);
    }
    for (const auto& one : pending) {
      try {
        if (!create(one)) world_.note("the device of a CREATE message was refused by the provider");
      } catch (const std::exception&) {
        return;  // a rule is broken and reported; the scenario ends
      }
    }
  }
}

// Ids of devices that come later are not contiguous with the first ones.
bool Provider::create(const PendingCreate& pending) {
  const DWORD base = pending.phone ? kPhoneBase + phones_ : kLineBase + lines_;
  const DWORD id = base + 4 + 3 * created_++;
  Arguments arguments;
  arguments.values = {{"dwTempID", std::to_string(pending.temporary)}, {"dwDeviceID", std::to_string(id)}};
  const std::string name = pending.phone ? "providerCreatePhoneDevice" : "providerCreateLineDevice";
  if (caller_.call(*find_function(name), arguments, world_.provider, Show::trace_only).result != 0) return false;
  ask_about(pending.phone, id);
  return true;
}

void Provider::ask_about(bool phone, DWORD id) {
  auto device = std::make_shared<Device>();
  device->phone = phone;
  device->id = id;
  {
    const std::lock_guard lock(world_.mutex);
    device->section = world_.section_of(phone, id);
    auto& given = phone ? world_.phone_devices : world_.line_devices;
    if (std::find(given.begin(), given.end(), id) == given.end()) given.push_back(id);
  }
  if (!negotiate(*device)) return;
  if (phone) {
    ask_phone(*device);
  } else {
    ask_line(*device);
  }
  const std::lock_guard lock(world_.mutex);
  devices_.push_back(device);
  world_.changed.notify_all();
}

bool Provider::negotiate(Device& device) {
  const std::string kind = device.phone ? "phone" : "line";
  Arguments arguments;
  arguments.values = {{"dwLowVersion", hex_number(kLow)}, {"dwHighVersion", hex_number(kHigh)}};
  const auto outcome = caller_.call(*find_function(kind + "NegotiateTSPIVersion"), arguments, device.section);
  if (outcome.result != 0) {
    world_.note("no version agreed for this device, so applications do not see it");
    return false;
  }
  const DWORD version = number_of(outcome, "lpdwTSPIVersion");
  if (version < kLow || version > kHigh) {
    world_.breach(Rule::version, kind + "NegotiateTSPIVersion answered version " + version_text(version));
  }
  {
    const std::lock_guard lock(world_.mutex);
    device.section->version = version;
  }
  device.facts.push_back("TSPI " + version_text(version));
  const Function* ask = find_function(kind + "GetExtensionID");
  const auto id = caller_.call(*ask, {}, device.section);
  const auto value = id.result == 0 ? output(*ask, *id.frame, "lpExtensionID") : std::nullopt;
  if (value && value->bytes != Bytes(16, 0)) {
    Arguments extension;
    extension.values = {{"dwLowVersion", "0"}, {"dwHighVersion", "0xffffffff"}};
    caller_.call(*find_function(kind + "NegotiateExtVersion"), extension, device.section);
  }
  return true;
}

void Provider::ask_line(Device& device) {
  const auto caps = caller_.call(*find_function("lineGetDevCaps"), {}, device.section);
  if (caps.result != 0) return;
  device.name = unquoted(text_of(caps, "LineName"));
  device.flags = number_of(caps, "dwDevCapFlags");
  device.line_states = number_of(caps, "dwLineStates");
  device.media_modes = number_of(caps, "dwMediaModes");
  device.addresses = number_of(caps, "dwNumAddresses");
  device.facts.push_back("media " + text_of(caps, "dwMediaModes"));
  device.facts.push_back("features " + text_of(caps, "dwLineFeatures"));
  device.facts.push_back("flags " + text_of(caps, "dwDevCapFlags"));
  ask_addresses(device);
  if ((device.flags & LINEDEVCAPFLAGS_MSP) == 0) return;
  const auto msp = caller_.call(*find_function("lineMSPIdentify"), {}, device.section);
  if (msp.result != 0) return;
  device.clsid = output(*msp.function, *msp.frame, "pCLSID")->bytes;
  device.facts.push_back("MSP " + text_of(msp, "pCLSID"));
}

void Provider::ask_addresses(Device& device) {
  for (DWORD i = 0; i < device.addresses; ++i) {
    Arguments arguments;
    arguments.values = {{"dwAddressID", std::to_string(i)}};
    const auto caps = caller_.call(*find_function("lineGetAddressCaps"), arguments, device.section);
    if (caps.result != 0) continue;
    device.address_states |= number_of(caps, "dwAddressStates");
    device.facts.push_back("address " + std::to_string(i) + " " + text_of(caps, "Address"));
  }
}

void Provider::ask_phone(Device& device) {
  const auto caps = caller_.call(*find_function("phoneGetDevCaps"), {}, device.section);
  if (caps.result != 0) return;
  device.name = unquoted(text_of(caps, "PhoneName"));
  device.phone_states = number_of(caps, "dwPhoneStates");
  device.facts.push_back("states " + text_of(caps, "dwPhoneStates"));
  device.facts.push_back("hookswitch " + text_of(caps, "dwHookSwitchDevs"));
  device.facts.push_back(std::to_string(number_of(caps, "dwNumButtonLamps")) + " buttons");
}

std::vector<std::shared_ptr<const Device>> Provider::devices(bool phone) {
  const std::lock_guard lock(world_.mutex);
  std::vector<std::shared_ptr<const Device>> out;
  for (const auto& device : devices_) {
    if (device->phone == phone) out.push_back(device);
  }
  return out;
}

std::shared_ptr<const Device> Provider::find(bool phone, const std::string& which) {
  const auto all = devices(phone);
  const auto number = to_number(which);
  if (number && *number >= 1 && *number <= all.size()) return all[static_cast<std::size_t>(*number) - 1];
  for (const auto& device : all) {
    if (in_quotes(device->name) == which) return device;
  }
  return nullptr;
}

bool Provider::wait_for(bool phone, std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(world_.mutex);
  return world_.changed.wait_for(lock, limit, [&] {
    std::size_t have = 0;
    for (const auto& device : devices_) have += device->phone == phone ? 1U : 0U;
    return have >= count || (world_.broken && !world_.keep_going);
  });
}

void Provider::shutdown(std::chrono::milliseconds linger) {
  {
    const std::lock_guard lock(world_.mutex);
    ending_ = true;
    world_.changed.notify_all();
  }
  if (house_keeper_.joinable()) house_keeper_.join();
  Arguments arguments;
  arguments.values = {{"dwPermanentProviderID", std::to_string(kPermanentProvider)}};
  running_ = false;
  const auto outcome = caller_.call(*find_function("providerShutdown"), arguments, world_.provider, Show::trace_only);
  {
    const std::lock_guard lock(world_.mutex);
    world_.phase = Phase::down;
    world_.emit(world_.provider, "providerShutdown = " + result_text(outcome.result));
  }
  // A callback that comes now would reach freed code in TAPISRV: give a careless thread the time to show itself.
  world_.linger(linger);
}

}  // namespace tsplink::tapisim
