#include "desktop.hpp"

#include <algorithm>
#include <map>

namespace tsplink::proxy::test {

namespace {

// A completion names nothing but the request; its owner is found here.
std::mutex owners_mutex;
std::map<DRV_REQUESTID, Desktop*> owners;
DRV_REQUESTID next_request = 1;

// Provider-level events come without a line, so the HPROVIDER they carry leads back; LINE_REMOVE carries only a
// device.
Desktop* provider_owner = nullptr;

constexpr DWORD_PTR kCallHandles = 0x7000;
std::atomic<DWORD_PTR> next_call{kCallHandles};

}  // namespace

DRV_REQUESTID request_id(Desktop& desktop) {
  std::lock_guard lock(owners_mutex);
  owners[next_request] = &desktop;
  return next_request++;
}

void CALLBACK on_completion(DRV_REQUESTID dwRequestID, LONG lResult) {
  Desktop* owner = nullptr;
  {
    std::lock_guard lock(owners_mutex);
    owner = owners.at(dwRequestID);
  }
  Told told{};
  told.kind = Told::Completion;
  told.request_or_message = dwRequestID;
  told.result = lResult;
  owner->tell(std::move(told));
}

void CALLBACK on_line_event(HTAPILINE htLine, HTAPICALL htCall, DWORD dwMsg, DWORD_PTR p1, DWORD_PTR p2,
                            DWORD_PTR p3) {
  const bool of_provider = !htLine || dwMsg == static_cast<DWORD>(LINE_SENDDIALOGINSTANCEDATA);  // a dialog's handle
  auto* owner = of_provider ? provider_owner : reinterpret_cast<Desktop*>(const_cast<HTAPILINE__*>(htLine));
  owner->on_line(htCall, dwMsg, p1, p2, p3);
}

void CALLBACK on_phone_event(HTAPIPHONE htPhone, DWORD dwMsg, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3) {
  auto* owner = htPhone ? reinterpret_cast<Desktop*>(const_cast<HTAPIPHONE__*>(htPhone)) : provider_owner;
  Told told{};
  told.kind = Told::PhoneEvent;
  told.request_or_message = dwMsg;
  told.params[0] = p1;
  told.params[1] = p2;
  told.params[2] = p3;
  owner->tell(std::move(told));
}

wire::DeviceValues device(std::uint64_t id, std::uint32_t permanent, bool phone) {
  wire::DeviceValues values;
  values.id = id;
  values.permanent = permanent;
  values.provider = "test";
  values.version = TAPI_CURRENT_VERSION;
  values.caps.resize(phone ? sizeof(PHONECAPS) : sizeof(LINEDEVCAPS));
  const DWORD size = static_cast<DWORD>(values.caps.size());
  for (const std::size_t at : {0U, 4U, 8U}) std::memcpy(values.caps.data() + at, &size, sizeof size);
  return values;
}

Desktop::Desktop(CoreOptions options)
    : core_(std::make_unique<Core>(
          std::move(options), [this](wire::Buffer envelope) { return send(std::move(envelope)); },
          [this](LogLevel, const std::string& line) {
            const std::lock_guard lock(log_mutex_);
            log_.push_back(line);
          })) {}

std::vector<std::string> Desktop::logged(const std::string& part) {
  const std::lock_guard lock(log_mutex_);
  std::vector<std::string> found;
  std::copy_if(log_.begin(), log_.end(), std::back_inserter(found),
               [&](const auto& line) { return line.find(part) != std::string::npos; });
  return found;
}

Desktop::~Desktop() { core_->shutdown(); }

void Desktop::start() {
  provider_owner = this;
  DWORD lines = 0;
  DWORD phones = 0;
  core().enumerate({reinterpret_cast<HPROVIDER>(this), on_line_event, on_phone_event, {}}, lines, phones);
  core().init(kLineBase, kPhoneBase, lines, phones, on_completion);
  inventory({device(kLineId, 11)}, {device(kPhoneId, 21, true)});
  if (lines == 0) {
    told(2);  // LINE_CREATE and PHONE_CREATE
    core().create_device(false, 11, kLineBase);
    core().create_device(true, 21, kPhoneBase);
    std::lock_guard lock(mutex_);
    told_.clear();
  }
}

void Desktop::inventory(std::vector<wire::DeviceValues> lines, std::vector<wire::DeviceValues> phones,
                        bool complete) {
  wire::InventoryValues values;
  values.complete = complete;
  values.lines = std::move(lines);
  values.phones = std::move(phones);
  core().on_message(wire::make_inventory(values));
}

HDRVLINE Desktop::open_line() {
  HDRVLINE hdLine{};
  EXPECT_EQ(run<calls::lineOpen>(wire::Function::lineOpen, kLineBase, reinterpret_cast<HTAPILINE>(this), &hdLine,
                                 DWORD{TAPI_CURRENT_VERSION}, on_line_event),
            0);
  return hdLine;
}

HDRVPHONE Desktop::open_phone() {
  HDRVPHONE hdPhone{};
  EXPECT_EQ(run<calls::phoneOpen>(wire::Function::phoneOpen, kPhoneBase, reinterpret_cast<HTAPIPHONE>(this), &hdPhone,
                                  DWORD{TAPI_CURRENT_VERSION}, on_phone_event),
            0);
  return hdPhone;
}

HDRVCALL Desktop::incoming(std::uint64_t id) {
  const auto before = told_so_far().size();
  event(wire::Message::kLINE_NEWCALL, 0, id);
  return reinterpret_cast<HDRVCALL>(told(before + 1).back().params[0]);
}

bool Desktop::send(wire::Buffer envelope) {
  if (!up) return false;
  const auto* request = wire::verified_envelope(*envelope)->body_as_Request();
  const auto function = static_cast<wire::Function>(request->function());
  const auto arguments = wire::span_of(request->arguments());
  Request seen{request->id(), wire::Bytes(arguments.begin(), arguments.end()), request->deadline_ms()};
  const bool answered = !wire::function_info(request->function())->asynchronous &&
                        std::find(silent.begin(), silent.end(), function) == silent.end();
  {
    std::lock_guard lock(mutex_);
    requests_.emplace_back(function, seen);
  }
  changed_.notify_all();
  if (answered) core().on_message(wire::make_reply(seen.id, result_, {}));
  return true;
}

Desktop::Request Desktop::await_request(wire::Function function) {
  std::unique_lock lock(mutex_);
  Request found;
  const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
    const auto at = std::find_if(requests_.rbegin(), requests_.rend(), [&](auto& r) { return r.first == function; });
    if (at == requests_.rend()) return false;
    found = at->second;
    return true;
  });
  EXPECT_TRUE(came) << "no request of function " << static_cast<int>(function);
  return found;
}

std::size_t Desktop::requests(wire::Function function) {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(requests_.begin(), requests_.end(), [&](auto& r) { return r.first == function; }));
}

void Desktop::event(wire::Message message, std::uint64_t call, std::uint64_t p1, std::uint64_t p2, std::uint64_t p3,
                    const std::string& data, std::uint64_t device_id) {
  wire::EventValues values;
  values.message = static_cast<std::uint16_t>(message);
  values.device = device_id;
  values.call = call;
  values.params[0] = p1;
  values.params[1] = p2;
  values.params[2] = p3;
  values.data.assign(data.begin(), data.end());
  values.has_data = !data.empty();
  core().on_message(wire::make_event(values));
}

void Desktop::on_line(HTAPICALL htCall, DWORD message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3) {
  Told told{};
  told.kind = Told::LineEvent;
  told.request_or_message = message;
  told.htCall = reinterpret_cast<DWORD_PTR>(htCall);
  told.params[0] = p1;
  told.params[1] = p2;
  told.params[2] = p3;
  if (message == static_cast<DWORD>(LINE_CREATEDIALOGINSTANCE)) {
    auto& dialog = *reinterpret_cast<TUISPICREATEDIALOGINSTANCEPARAMS*>(p1);
    dialog.htDlgInst = static_cast<HTAPIDIALOGINSTANCE>(0x77);
    told.params[0] = dialog.dwRequestID;
    told.params[1] = reinterpret_cast<DWORD_PTR>(dialog.hdDlgInst);
    for (const auto* letter = dialog.lpszUIDLLName; *letter; ++letter) told.data += static_cast<char>(*letter);
  }
  if (message == static_cast<DWORD>(LINE_SENDMSPDATA)) told.data.assign(reinterpret_cast<const char*>(p2), p3);
  if (message == static_cast<DWORD>(LINE_NEWCALL)) {
    auto* slot = reinterpret_cast<LPHTAPICALL>(p2);
    if (refusals_-- > 0) {
      *slot = nullptr;
    } else {
      *slot = reinterpret_cast<HTAPICALL>(next_call++);
      told.htCall = reinterpret_cast<DWORD_PTR>(*slot);
    }
  }
  tell(std::move(told));
}

void Desktop::tell(Told told) {
  std::function<void()> action;
  {
    std::lock_guard lock(mutex_);
    if (!inside_.empty()) {
      action = std::move(inside_.front());
      inside_.pop_front();
    }
  }
  if (action) action();
  {
    std::lock_guard lock(mutex_);
    told_.push_back(std::move(told));
  }
  changed_.notify_all();
}

std::vector<Told> Desktop::told(std::size_t count) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return told_.size() >= count; }))
      << "TAPI was told " << told_.size() << " things instead of " << count;
  return told_;
}

std::vector<Told> Desktop::told_so_far() {
  core().pump().drain(std::chrono::seconds(20));
  std::lock_guard lock(mutex_);
  return told_;
}

void Desktop::inside_next_event(std::function<void()> action) {
  std::lock_guard lock(mutex_);
  inside_.push_back(std::move(action));
}

}  // namespace tsplink::proxy::test
