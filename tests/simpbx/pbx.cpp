#include "tests/simpbx/pbx.hpp"

#include "tests/simpbx/control.hpp"

namespace tsplink::simpbx {
namespace {

/// Handles look like 64-bit heap addresses, so that whoever narrows them is found out; never used twice.
constexpr std::uintptr_t kFirstHandle =
    sizeof(std::uintptr_t) == 8 ? static_cast<std::uintptr_t>(0x00007A5B40001000ULL) : std::uintptr_t{0x5B401000};
constexpr std::uintptr_t kHandleStep = 0x40;

std::string device_text(const Config& config, const char* kind, unsigned number, const char* what,
                        const std::string& otherwise) {
  const auto found = config.per_device.find(std::string(kind) + "." + std::to_string(number) + "." + what);
  return found == config.per_device.end() ? otherwise : found->second;
}

}  // namespace

Text number_text(std::uintptr_t number) { return wide(std::to_string(number)); }

Pbx::Pbx(Config configuration) : config(std::move(configuration)), courier(mutex_, config, log_file) {
  next_handle_ = config.habits.has(Habit::narrow_handles) ? 0x5B401000 : kFirstHandle;
  courier.new_call_answered = [this](const CallPtr& call) { bound(call); };
  for (unsigned i = 0; i < config.lines; ++i) add_line();
  for (unsigned i = 0; i < config.phones; ++i) add_phone();
}

Pbx::~Pbx() {
  const std::scoped_lock lock(mutex_);
  courier.stop();
}

std::uintptr_t Pbx::new_handle() {
  next_handle_ += kHandleStep;
  return next_handle_;
}

LinePtr Pbx::add_line() {
  auto line = std::make_shared<Line>();
  line->number = lines.empty() ? 1 : lines.rbegin()->first + 1;
  line->permanent_id = config.first_permanent_id + line->number;
  line->name =
      wide(device_text(config, "line", line->number, "name", config.line_name + " " + std::to_string(line->number)));
  for (unsigned i = 0; i < config.addresses_per_line; ++i) {
    Address address;
    const unsigned plain = config.first_address + (line->number - 1) * config.addresses_per_line + i;
    address.number = i > 0 ? number_text(plain)
                           : wide(device_text(config, "line", line->number, "address", std::to_string(plain)));
    line->addresses.push_back(std::move(address));
  }
  for (DWORD& modes : line->terminals) modes = LINETERMMODE_MEDIABIDIRECT | LINETERMMODE_RINGER;
  lines[line->number] = line;
  return line;
}

PhonePtr Pbx::add_phone() {
  auto phone = std::make_shared<Phone>();
  phone->number = phones.empty() ? 1 : phones.rbegin()->first + 1;
  phone->permanent_id = config.first_permanent_id + 0x800 + phone->number;
  phone->name = wide(
      device_text(config, "phone", phone->number, "name", config.phone_name + " " + std::to_string(phone->number)));
  phone->display.assign(kDisplayRows, Text(kDisplayColumns, WCHAR(' ')));
  const std::string keypad = "123456789*0#";
  for (const char key : keypad) {
    Button button;
    button.mode = PHONEBUTTONMODE_KEYPAD;
    button.function = PHONEBUTTONFUNCTION_NONE;
    button.lamp_modes = PHONELAMPMODE_DUMMY;
    button.lamp = PHONELAMPMODE_DUMMY;
    button.text = wide(std::string(1, key));
    phone->buttons.push_back(button);
  }
  const std::pair<DWORD, const char*> features[] = {{PHONEBUTTONFUNCTION_HOLD, "Hold"},
                                                    {PHONEBUTTONFUNCTION_TRANSFER, "Transfer"},
                                                    {PHONEBUTTONFUNCTION_CONFERENCE, "Conference"},
                                                    {PHONEBUTTONFUNCTION_MSGINDICATOR, "Messages"}};
  for (const auto& [function, text] : features) {
    Button button;
    button.mode = PHONEBUTTONMODE_FEATURE;
    button.function = function;
    button.lamp_modes = PHONELAMPMODE_OFF | PHONELAMPMODE_STEADY | PHONELAMPMODE_FLASH;
    button.text = wide(text);
    phone->buttons.push_back(button);
  }
  phones[phone->number] = phone;
  return phone;
}

void Pbx::need_initialized() const {
  if (!initialized) refuse(LINEERR_UNINITIALIZED);
}

LinePtr Pbx::line(HDRVLINE hdLine) const {
  const auto found = line_handles.find(number_of(hdLine));
  if (found == line_handles.end()) refuse(LINEERR_INVALLINEHANDLE);
  return found->second;
}

LinePtr Pbx::line_of_device(DWORD dwDeviceID) const {
  for (const auto& [number, line] : lines) {
    if (line->device_id == dwDeviceID && dwDeviceID != kNoDevice) {
      if (line->removed) refuse(LINEERR_NODEVICE);
      return line;
    }
  }
  refuse(LINEERR_BADDEVICEID);
}

CallPtr Pbx::call(HDRVCALL hdCall, DWORD refusal) const {
  const auto found = call_handles.find(number_of(hdCall));
  if (found == call_handles.end()) refuse(refusal);
  return found->second;
}

PhonePtr Pbx::phone(HDRVPHONE hdPhone) const {
  const auto found = phone_handles.find(number_of(hdPhone));
  if (found == phone_handles.end()) refuse(PHONEERR_INVALPHONEHANDLE);
  return found->second;
}

PhonePtr Pbx::phone_of_device(DWORD dwDeviceID) const {
  for (const auto& [number, phone] : phones) {
    if (phone->device_id == dwDeviceID && dwDeviceID != kNoDevice) {
      if (phone->removed) refuse(PHONEERR_NODEVICE);
      return phone;
    }
  }
  refuse(PHONEERR_BADDEVICEID);
}

Address& Pbx::address(Line& line, DWORD dwAddressID) const {
  if (dwAddressID >= line.addresses.size()) refuse(LINEERR_INVALADDRESSID);
  return line.addresses[dwAddressID];
}

void Pbx::need_state(const Call& call, DWORD states, DWORD refusal) {
  if (!(call.state & states)) refuse(refusal);
}

void Pbx::need_media(DWORD media) {
  if (media & ~kMediaModes) refuse(LINEERR_INVALMEDIAMODE);
}

CallPtr Pbx::call_by_number(unsigned number) const {
  const auto found = calls.find(number);
  return found == calls.end() ? nullptr : found->second;
}

LinePtr Pbx::line_by_number(unsigned number) const {
  const auto found = lines.find(number);
  return found == lines.end() || found->second->removed ? nullptr : found->second;
}

PhonePtr Pbx::phone_by_number(unsigned number) const {
  const auto found = phones.find(number);
  return found == phones.end() || found->second->removed ? nullptr : found->second;
}

LinePtr Pbx::line_by_address(const Text& number) const {
  for (const auto& [key, line] : lines) {
    if (line->removed) continue;
    for (const Address& address : line->addresses) {
      if (address.number == number) return line;
    }
  }
  return nullptr;
}

void Pbx::open_line(const LinePtr& line, HTAPILINE htLine, DWORD version, LINEEVENT event) {
  line->open = true;
  line->htLine = htLine;
  line->event = event;
  line->version = version;
  line->handle = has(Habit::app_handles) ? number_of(htLine) : new_handle();
  line->line_states = line->address_states = 0;  // nothing is on by default
  line->media_modes = line->conditional_modes = 0;
  line->media_set = line->announce_all = false;
  line->selected_ext = 0;
  line_handles[line->handle] = line;
  for (const auto& [number, call] : calls) {
    if (call->line == line) call->closed = false;
  }
  if (has(Habit::announce_early)) {
    line->announce_all = true;
    announce_all(line);
  } else if (config.announce_unasked_ms > 0) {
    courier.later(config.announce_unasked_ms, {line, nullptr, nullptr, nullptr}, [this, line] {
      if (line->media_set) return;
      line->announce_all = true;
      announce_all(line);
    });
  }
}

/// After this nothing about the line or its calls reaches TAPI; the calls themselves go on unless closedrop is set.
void Pbx::close_line(const LinePtr& line) {
  courier.end(line.get(), error(LINEERR_OPERATIONFAILED));
  line_handles.erase(line->handle);
  line->open = false;
  line->handle = 0;
  line->htLine = nullptr;
  line->event = nullptr;
  std::erase_if(msp_instances, [&line](const auto& entry) { return entry.second.line == line; });
  const auto all = calls;
  for (const auto& [number, call] : all) {
    if (call->line != line) continue;
    const bool gone = !(call->state & kLiveStates);
    stop_media(call);
    if (call->handle) call_handles.erase(call->handle);
    call->handle = 0;
    call->htCall = nullptr;
    call->announced = call->announcing = false;
    if (config.closedrop && !gone) drop(call);
    if (config.closedrop || gone) forget(call);
  }
}

/// Calls withheld for their media mode are announced when the mask grows; a moment later, since TAPI takes no
/// LINE_NEWCALL before lineSetDefaultMediaDetection has returned.
void Pbx::media_detection(const LinePtr& line, DWORD modes) {
  line->media_modes = modes;
  line->media_set = true;
  line->announce_all = false;
  courier.later(config.announce_after_ms, {line, nullptr, nullptr, nullptr}, [this, line] { announce_all(line); });
}

void Pbx::line_event(const LinePtr& line, LONG message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3) {
  Callback callback;
  callback.scope.line = line;
  callback.message = static_cast<DWORD>(message);
  callback.p1 = p1, callback.p2 = p2, callback.p3 = p3;
  courier.emit(std::move(callback));
}

void Pbx::call_event(const CallPtr& call, LONG message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3) {
  // A call that TAPI does not know yet is announced later, with the state it has then.
  if (!call->announced) return;
  Callback callback;
  callback.scope.line = call->line;
  callback.scope.call = call;
  callback.message = static_cast<DWORD>(message);
  callback.p1 = p1, callback.p2 = p2, callback.p3 = p3;
  courier.emit(std::move(callback));
}

void Pbx::phone_event(const PhonePtr& phone, LONG message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3) {
  Callback callback;
  callback.kind = Callback::Kind::phone;
  callback.scope.phone = phone;
  callback.message = static_cast<DWORD>(message);
  callback.p1 = p1, callback.p2 = p2, callback.p3 = p3;
  courier.emit(std::move(callback));
}

void Pbx::line_state(const LinePtr& line, DWORD states, DWORD_PTR p2, DWORD_PTR p3) {
  if (line->line_states & states) line_event(line, LINE_LINEDEVSTATE, states, p2, p3);
}

void Pbx::address_state(const LinePtr& line, DWORD address_id, DWORD states) {
  if (line->address_states & states) line_event(line, LINE_ADDRESSSTATE, address_id, states);
}

void Pbx::phone_state(const PhonePtr& phone, DWORD state, DWORD_PTR detail) {
  if (phone->states & state) phone_event(phone, PHONE_STATE, state, detail);
}

}  // namespace tsplink::simpbx
