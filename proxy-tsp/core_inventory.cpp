// The part of Core that takes inventories: which lines and phones there are, and how TAPI hears of it.
#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "proxy-tsp/core.hpp"

namespace tsplink::proxy {

namespace {

std::size_t size_of(const std::vector<wire::DeviceValues>& devices) {
  return std::accumulate(devices.begin(), devices.end(), std::size_t{0},
                         [](std::size_t sum, const auto& device) { return sum + wire::bytes_of(device); });
}

}  // namespace

std::shared_ptr<Device> Core::find_device(bool phone, std::uint32_t permanent) {
  const auto found = std::find_if(devices_.begin(), devices_.end(), [&](const auto& device) {
    return device->phone == phone && device->values()->permanent == permanent;
  });
  return found == devices_.end() ? nullptr : *found;
}

/// Nothing counts before an inventory's last part.
std::optional<wire::InventoryValues> Core::gathered(wire::InventoryValues part) {
  const auto take = [](auto& devices, auto& all) {
    std::move(devices.begin(), devices.end(), std::back_inserter(all));
  };
  take(part.lines, coming_.lines);
  take(part.phones, coming_.phones);
  coming_.revision = part.revision;
  coming_.complete = part.complete;
  std::size_t bytes = size_of(coming_.lines) + size_of(coming_.phones);
  if (!part.complete) {
    std::lock_guard lock(mutex_);
    for (const auto& device : devices_) bytes += wire::bytes_of(*device->values());
  }
  if (bytes > wire::kMaxInventory) {
    coming_ = {};
    throw Failure(Kind::TooLarge, "the host offers more lines and phones than a desktop can hold, " +
                                      std::to_string(wire::kMaxInventory >> 20) + " MiB of them");
  }
  if (part.more) return std::nullopt;
  return std::exchange(coming_, {});
}

void Core::on_inventory(const wire::fb::Inventory& inventory) {
  const auto whole = gathered(wire::read_inventory(inventory));
  if (!whole) return;
  const auto& values = *whole;
  std::vector<std::shared_ptr<Device>> come;
  std::vector<std::shared_ptr<Device>> gone;
  wire::InventoryValues stored;
  {
    std::lock_guard lock(mutex_);
    // A change of what is not known yet would pass for all there is.
    if (!values.complete && !inventoried_)
      throw Failure(Kind::Malformed, "the host sent a change before an inventory");
    if (values.complete) {
      for (const auto& device : devices_) device->present = false;
    }
    const auto take = [&](const wire::DeviceValues& now, bool phone) {
      auto device = find_device(phone, now.permanent);
      if (!device) {
        if (!values.complete && !now.arrived) return;
        device = std::make_shared<Device>(phone, now);
        devices_.push_back(device);
      }
      device->present = values.complete || now.arrived;
      if (device->present) device->set_values(now);
    };
    for (const auto& line : values.lines) take(line, false);
    for (const auto& phone : values.phones) take(phone, true);
    inventoried_ = true;
    gave_up_ = false;
    for (const auto& device : devices_) {
      if (device->present && !device->announced) come.push_back(device);
      if (!device->present) gone.push_back(device);
      device->announced = device->announced || device->present;
      if (device->present) (device->phone ? stored.phones : stored.lines).push_back(*device->values());
    }
    std::erase_if(devices_, [](const auto& device) { return !device->present; });
    stored.revision = values.revision;
  }
  inventory_came_.notify_all();
  if (values.complete) {
    log_(LogLevel::Info, "the host offers " + std::to_string(values.lines.size()) + " lines and " +
                             std::to_string(values.phones.size()) + " phones to this desktop");
  }
  for (const auto& device : come) announce(device);
  for (const auto& device : gone) withdraw(device);
  store_.save(std::move(stored));
}

void Core::announce(const std::shared_ptr<Device>& device) {
  pump_.post([this, device] {
    TapiSide tapi;
    {
      std::lock_guard lock(mutex_);
      tapi = tapi_;
    }
    const auto provider = reinterpret_cast<DWORD_PTR>(tapi.hProvider);
    if (device->phone && tapi.phone_create) {
      tapi.phone_create(HTAPIPHONE{}, PHONE_CREATE, provider, device->values()->permanent, 0);
    } else if (!device->phone && tapi.line_create) {
      tapi.line_create(HTAPILINE{}, HTAPICALL{}, LINE_CREATE, provider, device->values()->permanent, 0);
    }
  });
}

void Core::withdraw(const std::shared_ptr<Device>& device) {
  if (!device->known_to_tapi) return;
  pump_.post([this, device] {
    TapiSide tapi;
    {
      std::lock_guard lock(mutex_);
      tapi = tapi_;
    }
    if (device->phone && tapi.phone_create) {
      tapi.phone_create(HTAPIPHONE{}, PHONE_REMOVE, device->device_id, 0, 0);
    } else if (!device->phone && tapi.line_create) {
      tapi.line_create(HTAPILINE{}, HTAPICALL{}, LINE_REMOVE, device->device_id, 0, 0);
    }
  });
}

}  // namespace tsplink::proxy
