#include "proxy-tsp/core.hpp"

#include <algorithm>
#include <random>

#include "wire/log_text.hpp"

namespace tsplink::proxy {

namespace {

std::uint64_t random_number() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

template <class T>
std::shared_ptr<T> required(std::shared_ptr<T> object, const char* what, LONG code) {
  if (!object) throw Failure(Kind::NoSuchObject, std::string("no such ") + what, code);
  return object;
}

// A function's failure is logged where it leaves for TAPI: the sentence carries what both ends know the request by.
[[noreturn]] void not_sent(const Named& named) {
  throw Failure(Kind::LinkDown, "no connection to the host" + wire::trace_field(named.trace));
}
[[noreturn]] void not_answered(const Named& named) {
  throw Failure(Kind::DeadlinePassed, "the host did not answer in time" + wire::trace_field(named.trace));
}

template <class Handle>
std::uintptr_t number(Handle handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}

/// For completions of what was pending at the shutdown: TAPI may wait in a callback for the thread that shuts us
/// down.
constexpr std::chrono::seconds kLastWords{2};

}  // namespace

Core::Core(CoreOptions options, Uplink uplink, Log log)
    : options_(std::move(options)),
      uplink_(std::move(uplink)),
      log_(std::move(log)),
      pump_(*options_.clock),
      ledger_(*options_.clock,
              [this](const AsyncRequest& request, LONG result) {
                pump_.post([this, id = request.dwRequestID, named = request.named, result] {
                  log_result(named, result);
                  ASYNC_COMPLETION completion{};
                  {
                    std::lock_guard lock(mutex_);
                    completion = tapi_.completion;
                  }
                  if (completion) completion(id, result);
                });
              }),
      store_(options_.state, [this](const std::string& problem) { log_(LogLevel::Error, problem); }) {}

Core::~Core() { shutdown(); }

// --- life of the provider ------------------------------------------------------------------------------------------

void Core::enumerate(const TapiSide& tapi, DWORD& lines, DWORD& phones) {
  std::lock_guard lock(mutex_);
  lines = phones = 0;
  if (initialized_) return;  // TAPI has the provider twice
  tapi_ = tapi;
  devices_.clear();
  std::string problem;
  const auto stored = store_.load(problem);
  if (!problem.empty()) log_(LogLevel::Warning, problem);
  const auto add = [&](const wire::DeviceValues& values, bool phone) {
    auto device = std::make_shared<Device>(phone, values);
    device->announced = true;
    devices_.push_back(std::move(device));
  };
  if (stored) {
    for (const auto& values : stored->lines) add(values, false);
    for (const auto& values : stored->phones) add(values, true);
  }
  lines = static_cast<DWORD>(std::count_if(devices_.begin(), devices_.end(), [](auto& d) { return !d->phone; }));
  phones = static_cast<DWORD>(devices_.size()) - lines;
}

void Core::init(DWORD line_base, DWORD phone_base, DWORD lines, DWORD phones, ASYNC_COMPLETION completion) {
  std::lock_guard lock(mutex_);
  if (initialized_) return;
  initialized_ = true;
  gave_up_ = false;
  tapi_.completion = completion;
  DWORD line = 0;
  DWORD phone = 0;
  for (const auto& device : devices_) {
    auto& index = device->phone ? phone : line;
    if (index == (device->phone ? phones : lines)) continue;
    device->device_id = (device->phone ? phone_base : line_base) + index++;
    device->known_to_tapi = true;
  }
  pump_.start(options_.life.owner ? options_.life.owner() : nullptr);
}

void Core::shutdown() {
  {
    std::lock_guard lock(mutex_);
    initialized_ = false;
    started_.clear();
    inventoried_ = false;
  }
  inventory_came_.notify_all();
  ledger_.fail_all(LINEERR_OPERATIONFAILED, PHONEERR_OPERATIONFAILED);
  pump_.drain(kLastWords);
  pump_.stop();
  store_.finish();
  std::lock_guard lock(mutex_);
  tapi_ = {};
  // A callback may still be running, if it is what shut us down.
  const auto close = [](auto& objects) {
    for (const auto& object : objects.select([](const auto&) { return true; })) object->closed = true;
  };
  close(lines_);
  close(phones_);
  close(calls_);
  close(dialogs_);
  lines_.clear();
  phones_.clear();
  calls_.clear();
  msps_.clear();
  dialogs_.clear();
  devices_.clear();
}

void Core::started(DWORD provider) {
  std::lock_guard lock(mutex_);
  started_.insert(provider);
}

bool Core::ended(DWORD provider) {
  std::lock_guard lock(mutex_);
  return started_.erase(provider) == 0 || started_.empty();
}

LONG Core::create_device(bool phone, DWORD_PTR temporary, DWORD device_id) {
  std::lock_guard lock(mutex_);
  const auto device = find_device(phone, static_cast<std::uint32_t>(temporary));
  if (!device) return phone ? PHONEERR_BADDEVICEID : LINEERR_BADDEVICEID;
  device->device_id = device_id;
  device->known_to_tapi = true;
  return 0;
}

// --- requests ------------------------------------------------------------------------------------------------------

wire::Buffer Core::request(std::uint64_t id, const Named& named, std::span<const std::uint8_t> arguments,
                           std::chrono::milliseconds deadline) const {
  const auto function = static_cast<std::uint16_t>(named.function);
  log_(LogLevel::Debug, "request " + std::to_string(id) + " " + std::string(wire::function_info(function)->name) +
                            wire::trace_field(named.trace));
  return wire::make_request(id, function, static_cast<std::uint32_t>(deadline.count()), named.trace, arguments);
}

void Core::log_result(const Named& named, LONG result) const {
  const auto* info = wire::function_info(static_cast<std::uint16_t>(named.function));
  log_(LogLevel::Debug,
       std::string(info->name) + " ended with " + wire::error_name(result) + wire::trace_field(named.trace));
}

void Core::post(wire::Function function, std::span<const std::uint8_t> arguments,
                std::unique_ptr<AsyncRequest> pending) {
  const auto id = next_request();
  const Named named{function, random_number()};
  pending->named = named;
  ledger_.add_async(id, std::move(pending));
  if (uplink_(request(id, named, arguments, std::chrono::milliseconds(0)))) return;
  // If the entry is gone, the link went down meanwhile and the completion is on its way: then the request was
  // accepted.
  if (ledger_.withdraw_async(id)) not_sent(named);
}

Answer Core::ask(wire::Function function, std::span<const std::uint8_t> arguments, Ledger::Undo undo) {
  const auto id = next_request();
  const Named named{function, random_number()};
  Answer answer;
  const auto until = options_.clock->now() + options_.call_deadline;  // from when it is sent
  ledger_.add_wait(id);
  if (!uplink_(request(id, named, arguments, options_.call_deadline))) {
    ledger_.wait(id, options_.clock->now(), answer, {});
    not_sent(named);
  }
  if (!ledger_.wait(id, until, answer, std::move(undo))) not_answered(named);
  answer.trace = named.trace;
  if (answer.result > 0) answer.result = LINEERR_OPERATIONFAILED;  // a synchronous function has no request id
  log_result(named, answer.result);
  return answer;
}

Answer Core::post_and_hear(wire::Function function, std::span<const std::uint8_t> arguments,
                           std::unique_ptr<AsyncRequest> pending, Ledger::Undo undo) {
  const auto id = next_request();
  const Named named{function, random_number()};
  pending->named = named;
  const auto until = options_.clock->now() + options_.call_deadline;
  ledger_.add_wait(id);
  ledger_.add_async(id, std::move(pending));
  Answer answer;
  if (!uplink_(request(id, named, arguments, options_.call_deadline)) && ledger_.withdraw_async(id)) {
    ledger_.wait(id, options_.clock->now(), answer, {});
    not_sent(named);
  }
  if (!ledger_.wait_accepted(id, until, answer, std::move(undo))) not_answered(named);
  answer.trace = named.trace;
  return answer;
}

void Core::tell(wire::Function function, std::span<const std::uint8_t> arguments) {
  uplink_(request(next_request(), {function, random_number()}, arguments, options_.call_deadline));
}

// --- objects -------------------------------------------------------------------------------------------------------

std::shared_ptr<Line> Core::line(HDRVLINE handle) {
  std::lock_guard lock(mutex_);
  return required(lines_.by_handle(number(handle)), "line handle", LINEERR_INVALLINEHANDLE);
}

std::shared_ptr<Phone> Core::phone(HDRVPHONE handle) {
  std::lock_guard lock(mutex_);
  return required(phones_.by_handle(number(handle)), "phone handle", PHONEERR_INVALPHONEHANDLE);
}

std::shared_ptr<Call> Core::call(HDRVCALL handle) {
  std::lock_guard lock(mutex_);
  return required(calls_.by_handle(number(handle)), "call handle", LINEERR_INVALCALLHANDLE);
}

std::shared_ptr<MspInstance> Core::msp(HDRVMSPLINE handle) {
  std::lock_guard lock(mutex_);
  return required(msps_.by_handle(number(handle)), "MSP handle", LINEERR_INVALPOINTER);
}

std::shared_ptr<Dialog> Core::dialog(HDRVDIALOGINSTANCE handle) {
  std::lock_guard lock(mutex_);
  return required(dialogs_.by_handle(number(handle)), "dialog", LINEERR_INVALPARAM);
}

std::shared_ptr<Device> Core::provider_device() {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Device> found;
  for (const auto& device : devices_) {
    if (found && found->values()->provider != device->values()->provider) {
      throw Failure(Kind::Unavailable,
                    "the host offers several providers, and a dialog's question names none of them");
    }
    found = device;
  }
  return required(found, "provider", LINEERR_INVALPARAM);
}

std::shared_ptr<Device> Core::device(bool phone, DWORD device_id) {
  std::lock_guard lock(mutex_);
  for (const auto& device : devices_) {
    if (device->phone == phone && device->known_to_tapi && device->device_id == device_id) return device;
  }
  throw Failure(Kind::NoSuchObject, "no such device", phone ? PHONEERR_BADDEVICEID : LINEERR_BADDEVICEID);
}

std::uint64_t Core::device_host_id(const std::shared_ptr<Device>& device) {
  std::unique_lock lock(mutex_);
  // TAPISRV's start asks for every device: they share one wait, or an absent host would cost the sum.
  if (!wire::wait_until(*options_.clock, inventory_came_, lock, options_.clock->now() + options_.call_deadline,
                        [&] { return inventoried_ || gave_up_ || !initialized_; })) {
    gave_up_ = true;
    inventory_came_.notify_all();
  }
  if (!inventoried_) throw Failure(Kind::LinkDown, "no connection to the host");
  if (!device->present) {
    throw Failure(Kind::NoSuchObject, "the host no longer offers this device",
                  device->phone ? PHONEERR_NODEVICE : LINEERR_NODEVICE);
  }
  return device->values()->id;
}

std::uint64_t Core::id_of(const std::shared_ptr<Call>& call) {
  const std::uint64_t id = call->id;
  if (!id) throw Failure(Kind::NoSuchObject, "the call does not exist at the host", LINEERR_INVALCALLHANDLE);
  return id;
}

namespace {

/// The host knows a line or phone by one id: a second one would take the events of the first.
template <class Objects>
void refuse_second(const Objects& objects, std::uint64_t id, DWORD error) {
  const auto there = objects.by_id(id);
  if (there && there->open) throw Failure(Kind::Unavailable, "the device is open already", static_cast<LONG>(error));
}

}  // namespace

std::shared_ptr<Line> Core::add_line(const std::shared_ptr<Device>& device, HTAPILINE htLine, LINEEVENT event,
                                     DWORD version) {
  auto line = std::make_shared<Line>();
  std::lock_guard lock(mutex_);
  refuse_second(lines_, device->values()->id, LINEERR_ALLOCATED);
  line->handle = next_handle_ += 16;
  line->id = device->values()->id;
  line->device = device;
  line->htLine = htLine;
  line->event = event;
  line->version = version;
  lines_.add(line);
  return line;
}

std::shared_ptr<Phone> Core::add_phone(const std::shared_ptr<Device>& device, HTAPIPHONE htPhone, PHONEEVENT event,
                                       DWORD version) {
  auto phone = std::make_shared<Phone>();
  std::lock_guard lock(mutex_);
  refuse_second(phones_, device->values()->id, PHONEERR_ALLOCATED);
  phone->handle = next_handle_ += 16;
  phone->id = device->values()->id;
  phone->device = device;
  phone->htPhone = htPhone;
  phone->event = event;
  phone->version = version;
  phones_.add(phone);
  return phone;
}

std::shared_ptr<Call> Core::add_call(const std::shared_ptr<Line>& line, HTAPICALL htCall) {
  auto call = std::make_shared<Call>();
  std::lock_guard lock(mutex_);
  call->handle = next_handle_ += 16;
  call->line = line;
  call->htCall = htCall;
  calls_.add(call);
  return call;
}

std::shared_ptr<MspInstance> Core::add_msp(const std::shared_ptr<Line>& line, HTAPIMSPLINE token) {
  auto msp = std::make_shared<MspInstance>();
  std::lock_guard lock(mutex_);
  msp->handle = next_handle_ += 16;
  msp->line = line;
  msp->token = token;
  msps_.add(msp);
  return msp;
}

DWORD Core::add_gather(Call& call, Gather gather) {
  constexpr std::size_t kMost = 16;  // of one call; a vendor may say nothing of those that a new one ends
  std::lock_guard lock(mutex_);
  gather.number = ++gathers_;
  if (call.gathers.size() == kMost) call.gathers.pop_front();
  call.gathers.push_back(gather);
  return gather.number;
}

void Core::drop_gather(Call& call, DWORD number) {
  std::lock_guard lock(mutex_);
  std::erase_if(call.gathers, [&](const Gather& each) { return each.number == number; });
}

DWORD Core::device_with(bool phone, std::uint32_t permanent) {
  std::lock_guard lock(mutex_);
  const auto device = find_device(phone, permanent);
  return device && device->present && device->known_to_tapi ? device->device_id.load() : wire::kNoDevice;
}

void Core::name_call(std::uintptr_t minted, std::uint64_t id) {
  std::shared_ptr<Call> call;
  {
    std::lock_guard lock(mutex_);
    call = calls_.by_handle(minted);
    if (!call) return;
    if (!id) return calls_.remove(call);  // the function made none
    calls_.name(call, id);
  }
  pump_.post([call] { call->announced = true; });
}

void Core::name_msp(std::uintptr_t minted, std::uint64_t id) {
  std::lock_guard lock(mutex_);
  if (const auto msp = msps_.by_handle(minted)) msps_.name(msp, id);
}

void Core::remove(const std::shared_ptr<Line>& line) {
  std::lock_guard lock(mutex_);
  lines_.remove(line);
  for (const auto& call : calls_.select([&](const Call& c) { return c.line == line; })) calls_.remove(call);
  for (const auto& msp : msps_.select([&](const MspInstance& m) { return m.line == line; })) msps_.remove(msp);
}

void Core::remove(const std::shared_ptr<Phone>& phone) {
  std::lock_guard lock(mutex_);
  phones_.remove(phone);
}

void Core::remove(const std::shared_ptr<Call>& call) {
  std::lock_guard lock(mutex_);
  calls_.remove(call);
}

void Core::remove(const std::shared_ptr<MspInstance>& msp) {
  std::lock_guard lock(mutex_);
  msps_.remove(msp);
}

void Core::remove(const std::shared_ptr<Dialog>& dialog) {
  std::lock_guard lock(mutex_);
  dialogs_.remove(dialog);
}

void Core::quiesce(const std::function<bool(const AsyncRequest&)>& belongs) {
  ledger_.fail(belongs, LINEERR_OPERATIONFAILED, PHONEERR_OPERATIONFAILED);
  if (!pump_.drain(options_.call_deadline)) {
    log_(LogLevel::Warning, "TAPI did not return from a callback while an object was closed");
  }
}

}  // namespace tsplink::proxy
