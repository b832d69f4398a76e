#include "remote-host/worker/side.hpp"

#include <algorithm>

#include "wire/errors.hpp"

namespace tsplink::host {

namespace {

template <class Handle>
Handle as_handle(std::uintptr_t number) {
  return reinterpret_cast<Handle>(number);
}

[[noreturn]] void no_such(wire::Object object, bool phone, const char* what) {
  const auto family = phone ? wire::Family::Phone : wire::Family::Line;
  throw Failure(Kind::NoSuchObject, what, wire::to_error(Kind::NoSuchObject, family, object));
}

}  // namespace

DWORD CallSide::device(std::uint64_t id, bool phone) {
  std::lock_guard lock(core_.mutex_);
  auto* device = core_.devices_.find(id);
  if (!device || device->phone != phone || device->removed) {
    no_such(wire::Object::DeviceId, phone, "a device that is not there");
  }
  device_ = id;
  version_ = device->version;
  return device->number;
}

const void* CallSide::device_handle(std::uint64_t id, bool phone) {
  std::lock_guard lock(core_.mutex_);
  auto* device = core_.devices_.find(id);
  if (!device || device->phone != phone || !device->token || device->opening) {
    no_such(wire::Object::Device, phone, "a device that is not open");
  }
  device_ = id;
  version_ = device->version;
  return device->handle;
}

HDRVLINE CallSide::line(std::uint64_t id) { return static_cast<HDRVLINE>(device_handle(id, false)); }
HDRVPHONE CallSide::phone(std::uint64_t id) { return static_cast<HDRVPHONE>(device_handle(id, true)); }

HDRVCALL CallSide::call(std::uint64_t id) {
  std::lock_guard lock(core_.mutex_);
  auto* call = core_.calls_.find(id);
  if (!call || !call->handle) no_such(wire::Object::Call, phone_function_, "a call that is not there");
  device_ = call->line;
  if (const auto* line = core_.devices_.find(call->line)) version_ = line->version;
  return call->handle;
}

HDRVMSPLINE CallSide::msp_line(std::uint64_t id) {
  std::lock_guard lock(core_.mutex_);
  auto* msp = core_.msps_.find(id);
  if (!msp || !msp->handle) no_such(wire::Object::Device, phone_function_, "an MSP instance that is not there");
  return msp->handle;
}

HDRVDIALOGINSTANCE CallSide::dialog(std::uint64_t id) {
  std::lock_guard lock(core_.mutex_);
  const auto* dialog = core_.dialogs_.find(id);
  if (!dialog) throw Failure(Kind::NoSuchObject, "a dialog that is not there", static_cast<LONG>(LINEERR_INVALPARAM));
  return dialog->handle;
}

DWORD_PTR CallSide::dialog_object(DWORD type, std::uint64_t id) {
  switch (type) {
    case TUISPIDLL_OBJECT_LINEID: return device(id, false);
    case TUISPIDLL_OBJECT_PHONEID: return device(id, true);
    case TUISPIDLL_OBJECT_PROVIDERID: return core_.options_.permanent_id;
    case TUISPIDLL_OBJECT_DIALOGINSTANCE: return reinterpret_cast<DWORD_PTR>(dialog(id));
    default: wire::malformed("a dialog's question", "dwObjectType", "is none that there is");
  }
}

HTAPICALL CallSide::call_token() {
  std::lock_guard lock(core_.mutex_);
  Call call;
  call.id = random_id();
  call.line = device_;
  call.token = Registry::root().new_token(core_.weak_from_this());
  call.pending = true;
  made_calls_.push_back(call.id);
  const DWORD token = call.token;
  core_.calls_.add(std::move(call));
  return as_handle<HTAPICALL>(token);
}

DWORD CallSide::open_token(bool phone) {
  std::lock_guard lock(core_.mutex_);
  auto* device = core_.devices_.find(device_);
  if (!device || device->phone != phone) no_such(wire::Object::DeviceId, phone, "a device that is not there");
  if (device->token) {
    throw Failure(Kind::Internal, "a device is opened twice",
                  static_cast<LONG>(phone ? PHONEERR_ALLOCATED : LINEERR_ALLOCATED));
  }
  const DWORD token = Registry::root().new_token(core_.weak_from_this());
  core_.devices_.set_token(*device, token);
  device->opening = true;
  opened_ = true;
  return token;
}

HTAPILINE CallSide::line_token() { return as_handle<HTAPILINE>(open_token(false)); }
HTAPIPHONE CallSide::phone_token() { return as_handle<HTAPIPHONE>(open_token(true)); }

HTAPIMSPLINE CallSide::msp_token() {
  std::lock_guard lock(core_.mutex_);
  MspInstance msp;
  msp.id = random_id();
  msp.line = device_;
  msp.token = Registry::root().new_token(core_.weak_from_this());
  made_msp_ = msp.id;
  return static_cast<HTAPIMSPLINE>(core_.msps_.add(msp).token);
}

std::uint64_t CallSide::bind_call(HTAPICALL token, HDRVCALL handle) {
  std::lock_guard lock(core_.mutex_);
  auto* call = core_.calls_.by_token(reinterpret_cast<DWORD_PTR>(token));
  if (!call) return 0;
  call->handle = handle;
  return call->id;
}

void CallSide::bind_device(DWORD_PTR token, const void* handle) {
  std::lock_guard lock(core_.mutex_);
  auto* device = core_.devices_.by_token(token);
  if (!device) return;
  device->handle = handle;
  device->opening = false;
}

void CallSide::bind_line(HTAPILINE token, HDRVLINE handle) {
  bind_device(reinterpret_cast<DWORD_PTR>(token), handle);
}
void CallSide::bind_phone(HTAPIPHONE token, HDRVPHONE handle) {
  bind_device(reinterpret_cast<DWORD_PTR>(token), handle);
}

std::uint64_t CallSide::bind_msp_line(HTAPIMSPLINE token, HDRVMSPLINE handle) {
  std::lock_guard lock(core_.mutex_);
  auto* msp = core_.msps_.by_token(token);
  if (!msp) return 0;
  msp->handle = handle;
  return msp->id;
}

std::uint32_t CallSide::permanent_of(bool phone, DWORD device) {
  std::lock_guard lock(core_.mutex_);
  const auto known = core_.by_number_.find({phone, device});
  const auto* found = known == core_.by_number_.end() ? nullptr : core_.devices_.find(known->second);
  return found ? found->permanent : wire::kNoDevice;
}

std::uint32_t CallSide::permanent_of_line(std::size_t index, std::size_t count) {
  // One element for each of the provider's own lines or, where it is longer than that, for each line of "the system".
  const bool own = count <= core_.base_ || core_.base_ == 0;
  return permanent_of(false, static_cast<DWORD>(own ? core_.base_ + index : index));
}

std::uint32_t CallSide::call_id(std::uint32_t vendors) {
  const auto& scope = core_.options_.call_ids;
  return scope ? scope->of(vendors) : vendors;
}

DRV_REQUESTID CallSide::request_id() {
  request_ = Registry::root().new_request(core_.weak_from_this());
  return request_;
}

void CallSide::undo() {
  std::lock_guard lock(core_.mutex_);
  for (const auto id : made_calls_) core_.forget_call(id);
  made_calls_.clear();
  if (auto* msp = core_.msps_.find(made_msp_)) {
    Registry::root().release_token(msp->token);
    core_.msps_.remove(made_msp_);
  }
  if (auto* device = core_.devices_.find(device_); device && opened_) {
    Registry::root().release_token(device->token);
    core_.devices_.set_token(*device, 0);
    device->opening = false;
    device->handle = nullptr;
    for (const auto id : core_.calls_.ids_where([&](const Call& call) { return call.line == device_; })) {
      core_.forget_call(id);
    }
  }
  if (request_) Registry::root().release_request(request_);
}

}  // namespace tsplink::host
