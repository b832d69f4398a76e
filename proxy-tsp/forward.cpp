#include "proxy-tsp/forward.hpp"

#include <algorithm>

#include "wire/faults.hpp"

namespace tsplink::proxy {

namespace {

[[noreturn]] void lost(const char* what) {
  throw Failure(Kind::LinkDown, std::string("the ") + what + " ended with the connection to the host");
}

}  // namespace

std::uint64_t DesktopCall::line(HDRVLINE handle) {
  const auto line = core_.line(handle);
  if (!line->id) lost("line");
  version_ = line->version;
  device_ = line->device;
  lines_.push_back(line);
  return line->id;
}

std::uint64_t DesktopCall::phone(HDRVPHONE handle) {
  const auto phone = core_.phone(handle);
  if (!phone->id) lost("phone");
  version_ = phone->version;
  device_ = phone->device;
  phones_.push_back(phone);
  return phone->id;
}

std::uint64_t DesktopCall::call(HDRVCALL handle) {
  const auto call = core_.call(handle);
  version_ = call->line->version;
  device_ = call->line->device;
  calls_.push_back(call);
  lines_.push_back(call->line);
  return core_.id_of(call);
}

std::uint64_t DesktopCall::msp_line(HDRVMSPLINE handle) {
  const auto msp = core_.msp(handle);
  lines_.push_back(msp->line);
  return msp->id;
}

std::uint64_t DesktopCall::dialog(HDRVDIALOGINSTANCE handle) {
  const std::uint64_t id = core_.dialog(handle)->id;
  if (!id) lost("dialog");
  return id;
}

std::uint64_t DesktopCall::dialog_object(DWORD type, DWORD_PTR object) {
  switch (type) {
    case TUISPIDLL_OBJECT_LINEID: return line_device(static_cast<DWORD>(object));
    case TUISPIDLL_OBJECT_PHONEID: return phone_device(static_cast<DWORD>(object));
    case TUISPIDLL_OBJECT_PROVIDERID: return core_.device_host_id(core_.provider_device());
    case TUISPIDLL_OBJECT_DIALOGINSTANCE: return dialog(reinterpret_cast<HDRVDIALOGINSTANCE>(object));
    default: throw Failure(Kind::NoSuchObject, "a dialog asks about an unknown kind of object", LINEERR_INVALPARAM);
  }
}

std::uint64_t DesktopCall::line_device(DWORD device) {
  device_ = core_.device(false, device);
  return core_.device_host_id(device_);
}

std::uint64_t DesktopCall::phone_device(DWORD device) {
  device_ = core_.device(true, device);
  return core_.device_host_id(device_);
}

std::uint64_t DesktopCall::new_call(HTAPICALL htCall, LPHDRVCALL slot) {
  if (lines_.empty()) throw Failure(Kind::NoSuchObject, "a new call without a line", LINEERR_INVALLINEHANDLE);
  const auto call = core_.add_call(lines_.front(), htCall);
  *slot = reinterpret_cast<HDRVCALL>(call->handle);
  calls_.push_back(call);
  minted_calls_.push_back(call);
  return call->handle;
}

void DesktopCall::call_named(std::uint64_t minted, std::uint64_t id) {
  core_.name_call(static_cast<std::uintptr_t>(minted), id);
}

std::uint64_t DesktopCall::new_msp_line(HTAPIMSPLINE token, LPHDRVMSPLINE slot) {
  const auto msp = core_.add_msp(lines_.front(), token);
  *slot = reinterpret_cast<HDRVMSPLINE>(msp->handle);
  minted_msps_.push_back(msp);
  return msp->handle;
}

void DesktopCall::msp_line_named(std::uint64_t minted, std::uint64_t id) {
  core_.name_msp(static_cast<std::uintptr_t>(minted), id);
}

LONG DesktopCall::store(const wire::StructureDescription& description, std::span<const std::uint8_t> source,
                        void* destination, std::uint32_t version, std::uint32_t source_version) {
  return core_.store(device_.get(), description, source, destination, version, source_version);
}

void DesktopCall::unmint() {
  for (const auto& call : minted_calls_) core_.remove(call);
  for (const auto& msp : minted_msps_) core_.remove(msp);
}

void DesktopCall::note_in(AsyncRequest& request) const {
  request.lines = lines_;
  request.phones = phones_;
  request.calls = calls_;
}

bool Core::msp_registered(const Device& device) const {
  if (!options_.msp_registered) return true;
  const auto values = device.values();
  GUID clsid{};
  if (values->msp.size() != sizeof clsid) return false;
  std::memcpy(&clsid, values->msp.data(), sizeof clsid);
  return options_.msp_registered(clsid);
}

std::optional<std::uint32_t> Core::own_device(LPCWSTR device_class) const {
  std::u16string name;
  for (; device_class && *device_class && name.size() < 64; ++device_class) {
    name.push_back(static_cast<char16_t>(*device_class));
  }
  const auto found = options_.device_classes.find(wire::folded_class(name));
  if (found == options_.device_classes.end()) return std::nullopt;
  return found->second;
}

LONG Core::store(const Device* device, const wire::StructureDescription& description,
                 std::span<const std::uint8_t> source, void* destination, std::uint32_t version,
                 std::uint32_t source_version) {
  const auto rewrites = [&](wire::Rewrite what) {
    return std::any_of(description.rewrites.begin(), description.rewrites.end(),
                       [&](const wire::RewriteField& each) { return each.what == what; });
  };
  wire::Bytes mine;
  if (rewrites(wire::Rewrite::DeviceClasses)) {
    mine.assign(source.begin(), source.end());
    wire::remove_hardware_classes(description, mine,
                                  [&](const auto& name) { return options_.device_classes.count(name) != 0; });
    source = mine;
  }
  if (!source_version && device) source_version = device->values()->version;
  const LONG result = wire::store_output(description, source, destination, version, source_version);
  if (result != 0 || !device) return result;
  auto* bytes = static_cast<std::uint8_t*>(destination);
  const auto fixed = wire::fixed_size(description, version);
  for (const auto& rewrite : description.rewrites) {
    auto* field = bytes + rewrite.field.at;
    if (rewrite.field.at + rewrite.field.size > fixed) continue;
    switch (rewrite.what) {
      case wire::Rewrite::LineDeviceId: {
        if (wire::has(wire::Fault::host_device_id)) break;
        const DWORD id = device->device_id;
        std::memcpy(field, &id, sizeof id);
        break;
      }
      case wire::Rewrite::PermanentLineId:
      case wire::Rewrite::PermanentPhoneId: {
        const DWORD permanent = device->values()->permanent;
        std::memcpy(field, &permanent, sizeof permanent);
        break;
      }
      case wire::Rewrite::PermanentLineGuid:
      case wire::Rewrite::PermanentPhoneGuid: {
        // Two hosts may run copies of one vendor's configuration: the permanent id tells their devices apart.
        const bool none = std::all_of(field, field + rewrite.field.size, [](std::uint8_t byte) { return byte == 0; });
        const DWORD permanent = device->values()->permanent;
        if (!none) std::memcpy(field, &permanent, sizeof permanent);
        break;
      }
      case wire::Rewrite::MspFlag: {
        if (msp_registered(*device)) break;
        DWORD flags = 0;
        std::memcpy(&flags, field, sizeof flags);
        flags &= ~DWORD{LINEDEVCAPFLAGS_MSP};
        std::memcpy(field, &flags, sizeof flags);
        break;
      }
      case wire::Rewrite::CallId:  // the host has done it, for all desktops alike
      case wire::Rewrite::DeviceClasses: break;
    }
  }
  return result;
}

}  // namespace tsplink::proxy
