// The part of Core that the link's thread enters: answers and events, and how events reach TAPI.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "proxy-tsp/core.hpp"
#include "wire/capabilities.hpp"
#include "wire/codec.hpp"
#include "wire/events.hpp"
#include "wire/faults.hpp"
#include "wire/log_text.hpp"

namespace tsplink::proxy {

namespace {

// TAPI answers LINE_NEWCALL with a NULL call while it is overloaded: asked again soon, then less often.
constexpr std::chrono::milliseconds kFirstRetry{20};
constexpr std::chrono::milliseconds kLastRetry{250};

constexpr std::size_t kMostUntaken = 16 * 1024 * 1024;  // events that TAPI has not taken, in bytes
constexpr std::chrono::seconds kGiveUp{30};

std::uint64_t param(const wire::fb::Event& event, std::size_t index) {
  return index == 0 ? event.param1() : index == 1 ? event.param2() : event.param3();
}

}  // namespace

void Core::on_message(const wire::Buffer& buffer) {
  const auto* envelope = wire::verified_envelope(*buffer);
  if (!envelope) return;
  if (const auto* reply = envelope->body_as_Reply()) {
    const auto outputs = wire::span_of(reply->outputs());
    ledger_.reply(reply->id(), Answer{reply->result(), wire::Bytes(outputs.begin(), outputs.end())});
  } else if (const auto* completion = envelope->body_as_Completion()) {
    ledger_.completion(completion->id(), completion->result(), wire::span_of(completion->outputs()));
  } else if (const auto* event = envelope->body_as_Event()) {
    on_event(*event);
  } else if (const auto* inventory = envelope->body_as_Inventory()) {
    on_inventory(*inventory);
  } else {
    log_(LogLevel::Warning, "the host sent a frame that a desktop does not take; it was ignored");
  }
}

void Core::on_down(const std::string& reason) {
  log_(LogLevel::Warning, "connection to the host lost: " + reason);
  std::vector<std::shared_ptr<Line>> lines;
  std::vector<std::shared_ptr<Phone>> phones;
  std::vector<std::shared_ptr<Call>> calls;
  std::vector<std::shared_ptr<Dialog>> dialogs;
  {
    std::lock_guard lock(mutex_);
    inventoried_ = false;
    coming_ = {};
    for (const auto& device : devices_) device->present = false;
    calls = calls_.select([](const Call& c) { return c.id != 0; });
    lines = lines_.select([](const Line& line) { return line.open; });
    phones = phones_.select([](const Phone& phone) { return phone.open; });
    for (const auto& call : calls) calls_.unname(call);
    dialogs = dialogs_.select([](const Dialog& dialog) { return dialog.id != 0; });
    for (const auto& dialog : dialogs) dialogs_.unname(dialog);
    // Those that are just being opened too: their functions fail, and TAPI hears nothing of them.
    const auto lost = [](auto& devices) {
      for (const auto& device : devices.select([](const auto&) { return true; })) {
        device->id = 0;
        device->open = false;  // asked to be closed once, however often the link goes
      }
    };
    lost(lines_);
    lost(phones_);
  }
  ledger_.fail_all(LINEERR_OPERATIONFAILED, PHONEERR_OPERATIONFAILED);
  const auto number_of = [](wire::Message message) { return static_cast<std::uint16_t>(message); };
  for (const auto& call : calls) {
    pump_.post([this, call, message = number_of(wire::Message::kLINE_CALLSTATE)] {
      Delivery idle{.line = call->line,
                    .phone = {},
                    .call = call,
                    .conference = {},
                    .message = message,
                    .params = {LINECALLSTATE_IDLE, 0, 0},
                    .data = {}};
      if (call->announced) deliver_to_tapi(idle);
    });
  }
  for (const auto& dialog : dialogs) send_to_dialog(dialog, std::nullopt);  // it ends: nobody answers its questions
  for (const auto& line : lines) {
    deliver({.line = line,
             .phone = {},
             .call = {},
             .conference = {},
             .message = number_of(wire::Message::kLINE_CLOSE),
             .data = {}});
  }
  for (const auto& phone : phones) {
    deliver({.line = {},
             .phone = phone,
             .call = {},
             .conference = {},
             .message = number_of(wire::Message::kPHONE_CLOSE),
             .data = {}});
  }
}

// --- events --------------------------------------------------------------------------------------------------------

std::shared_ptr<Call> Core::call_of_event(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  return id ? calls_.by_id(id) : nullptr;
}

bool Core::objects_of(const wire::fb::Event& event, Delivery& delivery) {
  const auto* description = wire::event_description(event.message());
  {
    std::lock_guard lock(mutex_);
    if (wire::is_phone(description->scope)) {
      delivery.phone = phones_.by_id(event.device());
      return delivery.phone != nullptr;
    }
    delivery.line = lines_.by_id(event.device());
  }
  if (!delivery.line) return false;
  delivery.call = call_of_event(event.call());
  return description->scope == wire::Scope::Line || delivery.call ||
         (description->scope == wire::Scope::LineOrCall && event.call() == 0);
}

void Core::on_event(const wire::fb::Event& event) {
  const auto* description = wire::event_description(event.message());
  if (event.message() == static_cast<std::uint16_t>(wire::Message::kLINE_CREATEDIALOGINSTANCE)) {
    return on_dialog(event);
  }
  if (description && description->scope == wire::Scope::Dialog) {
    std::shared_ptr<Dialog> dialog;
    {
      std::lock_guard lock(mutex_);
      dialog = dialogs_.by_id(event.call());
    }
    if (!dialog) return;  // ended here meanwhile
    const auto data = wire::span_of(event.data());
    return send_to_dialog(dialog, event.data() ? std::optional(wire::Bytes(data.begin(), data.end())) : std::nullopt);
  }
  if (!description || description->scope == wire::Scope::Provider ||
      description->scope == wire::Scope::PhoneProvider) {
    log_(LogLevel::Debug, "the host sent a message that this desktop does not take");
    return;
  }
  Delivery delivery;
  delivery.message = event.message();
  if (!objects_of(event, delivery)) return;  // closed here meanwhile
  for (std::size_t i = 0; i < 3; ++i) {
    delivery.params[i] = param(event, i);
    switch (description->roles[i]) {
      case wire::EventRole::NewCall: {
        if (call_of_event(delivery.params[i])) return;  // announced before
        delivery.call = add_call(delivery.line, HTAPICALL{});
        std::lock_guard lock(mutex_);
        calls_.name(delivery.call, delivery.params[i]);
        break;
      }
      case wire::EventRole::CallStateDetail:
        if (event.param1() == LINECALLSTATE_CONFERENCED) delivery.conference = call_of_event(delivery.params[i]);
        break;
      case wire::EventRole::MspInstance: {
        if (delivery.params[i] == 0) break;
        std::lock_guard lock(mutex_);
        const auto msp = msps_.by_id(delivery.params[i]);
        if (!msp) return;  // closed here meanwhile
        delivery.params[i] = msp->token;
        break;
      }
      default: break;
    }
  }
  if (wire::tells_new_capabilities(event.message(), event.param1(), event.param2())) {
    (delivery.phone ? delivery.phone->device : delivery.line->device)->outdated = true;
  }
  const auto data = wire::span_of(event.data());
  delivery.weight = weigh(sizeof delivery + data.size());
  delivery.data.assign(data.begin(), data.end());
  deliver(std::move(delivery));
}

/// As long as the result lives. Throws when a desktop whose TAPI takes nothing would be filled: with the link's end
/// its lines and calls are set right again.
std::shared_ptr<void> Core::weigh(std::size_t bytes) const {
  if (untaken_->fetch_add(bytes) + bytes > kMostUntaken) {
    *untaken_ -= bytes;
    throw Failure(Kind::TooLarge, "TAPI on this desktop takes no events: more than " +
                                      std::to_string(kMostUntaken >> 20) + " MiB of them wait");
  }
  return {nullptr, [untaken = untaken_, bytes](void*) { *untaken -= bytes; }};
}

void Core::deliver(Delivery delivery) {
  pump_.post([this, delivery = std::move(delivery)]() mutable { deliver_to_tapi(delivery); });
}

void Core::deliver_to_tapi(Delivery& delivery) {
  const auto* description = wire::event_description(delivery.message);
  if (delivery.phone) {
    if (delivery.phone->closed) return;
    delivery.phone->event(delivery.phone->htPhone, description->message, static_cast<DWORD_PTR>(delivery.params[0]),
                          static_cast<DWORD_PTR>(delivery.params[1]), static_cast<DWORD_PTR>(delivery.params[2]));
    return;
  }
  if (delivery.line->closed || (delivery.call && delivery.call->closed)) return;
  if (delivery.call && description->message == static_cast<DWORD>(LINE_NEWCALL)) {
    announce_call(delivery.call, options_.clock->now());
    return;
  }
  if (delivery.call && !delivery.call->announced) {
    auto& waiting = delivery.call->waiting;
    waiting.push_back(std::move(delivery));
    return;
  }
  DWORD_PTR params[3];
  for (std::size_t i = 0; i < 3; ++i) {
    params[i] = static_cast<DWORD_PTR>(delivery.params[i]);
    switch (description->roles[i]) {
      case wire::EventRole::CallStateDetail:
        if (delivery.params[0] == LINECALLSTATE_CONFERENCED && !wire::has(wire::Fault::host_conference)) {
          params[i] = delivery.conference ? reinterpret_cast<DWORD_PTR>(delivery.conference->htCall) : 0;
        }
        break;
      case wire::EventRole::GatherEnd:
        if (!fill_gathered(delivery)) return;
        break;
      case wire::EventRole::Data: params[i] = reinterpret_cast<DWORD_PTR>(delivery.data.data()); break;
      case wire::EventRole::DataSize: params[i] = delivery.data.size(); break;
      default: break;
    }
  }
  delivery.line->event(delivery.line->htLine, delivery.call ? delivery.call->htCall : HTAPICALL{},
                       description->message, params[0], params[1], params[2]);
}

/// Puts the digits into TAPI's buffer, and the application's dwEndToEndID into the message. False: nobody on this
/// desktop gathers them.
bool Core::fill_gathered(Delivery& delivery) {
  auto& call = *delivery.call;
  std::lock_guard lock(mutex_);
  const auto mine = std::find_if(call.gathers.begin(), call.gathers.end(), [&](const Gather& each) {
    return each.number == static_cast<DWORD>(delivery.params[1]);
  });
  if (mine == call.gathers.end()) return false;
  const auto size = std::min(mine->capacity, delivery.data.size() / sizeof(WCHAR));
  if (size != 0) std::memcpy(mine->digits, delivery.data.data(), size * sizeof(WCHAR));
  if (size < mine->capacity) mine->digits[size] = 0;
  delivery.params[1] = mine->end_to_end;
  // A new one ends those before it, of which a vendor need not speak. One that is cancelled is itself such a one, and
  // of two that began at once it may be either.
  const bool ended = delivery.params[0] == LINEGATHERTERM_CANCEL;
  call.gathers.erase(ended ? mine : call.gathers.begin(), std::next(mine));
  return true;
}

void Core::announce_call(const std::shared_ptr<Call>& call, wire::TimePoint since) {
  if (call->closed || call->line->closed) return;
  HTAPICALL htCall{};
  call->line->event(call->line->htLine, HTAPICALL{}, LINE_NEWCALL, call->handle, reinterpret_cast<DWORD_PTR>(&htCall),
                    0);
  if (htCall) {
    call->htCall = htCall;
    call->announced = true;
    auto waiting = std::move(call->waiting);
    for (auto& delivery : waiting) deliver_to_tapi(delivery);
    return;
  }
  const auto now = options_.clock->now();
  if (now - since > kGiveUp) {
    log_(LogLevel::Warning, "TAPI took no LINE_NEWCALL for 30 s; the call stays unknown to this desktop");
    call->closed = true;
    remove(call);
    tell(wire::Function::lineCloseCall, wire::encode(wire::calls::lineCloseCall::Inputs{call->id}));
    return;
  }
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - since);
  pump_.post_at(now + std::clamp(waited, kFirstRetry, kLastRetry),
                [this, call, since] { announce_call(call, since); });
}

// --- dialogs -------------------------------------------------------------------------------------------------------

namespace {

/// The name without its folder: a module of this machine is meant, wherever the vendor has its own.
std::string module_name(const std::u16string& path) {
  const auto at = path.find_last_of(u"\\/:");
  std::string name;
  for (const char16_t letter : at == std::u16string::npos ? path : path.substr(at + 1)) {
    name += letter > u' ' && letter < 0x7F ? static_cast<char>(letter) : '?';
  }
  return name;
}

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

/// As Windows compares file names.
bool same_module(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void Core::on_dialog(const wire::fb::Event& event) {
  wire::DialogValues values;
  try {
    values = wire::read_dialog(event);
  } catch (const Failure& failure) {
    return log_(LogLevel::Warning, std::string("the host asks for a dialog: ") + failure.what());
  }
  const auto module = module_name(values.module);
  const auto& allowed = options_.dialog_modules;
  if (std::none_of(allowed.begin(), allowed.end(), [&](const auto& each) { return same_module(module, each); })) {
    std::string trace;
    ledger_.while_pending(values.request,
                          [&](const AsyncRequest& asked) { trace = wire::trace_field(asked.named.trace); });
    log_(LogLevel::Warning, "a vendor's dialog needs the module '" + module + "'" +
                                ", which [dialogs] modules does not allow; the vendor is told that it has ended" +
                                trace);
    return tell(wire::Function::providerFreeDialogInstance,
                wire::encode(wire::calls::providerFreeDialogInstance::Inputs{values.id}));
  }
  values.module.assign(module.begin(), module.end());
  const auto dialog = std::make_shared<Dialog>();
  dialog->id = values.id;
  {
    std::lock_guard lock(mutex_);
    dialog->handle = next_handle_ += 16;
    dialogs_.add(dialog);
  }
  // Before the request's completion, which is posted under the same lock.
  const bool pending = ledger_.while_pending(values.request, [&](const AsyncRequest& asked) {
    pump_.post(
        [this, dialog, values, request = asked.dwRequestID]() mutable { create_dialog(dialog, values, request); });
  });
  if (!pending) refuse_dialog(dialog);
}

void Core::create_dialog(const std::shared_ptr<Dialog>& dialog, wire::DialogValues& values, DRV_REQUESTID request) {
  TapiSide tapi;
  {
    std::lock_guard lock(mutex_);
    tapi = tapi_;
  }
  const std::basic_string<WCHAR> module(values.module.begin(), values.module.end());
  TUISPICREATEDIALOGINSTANCEPARAMS params{};
  params.dwRequestID = request;
  params.hdDlgInst = reinterpret_cast<HDRVDIALOGINSTANCE>(dialog->handle);
  params.lpszUIDLLName = module.c_str();
  params.lpParams = values.parameters.empty() ? nullptr : values.parameters.data();
  params.dwSize = static_cast<DWORD>(values.parameters.size());
  if (tapi.line_create) {
    tapi.line_create(reinterpret_cast<HTAPILINE>(tapi.hProvider), HTAPICALL{}, LINE_CREATEDIALOGINSTANCE,
                     reinterpret_cast<DWORD_PTR>(&params), 0, 0);
  }
  dialog->htDlgInst = params.htDlgInst;
  if (dialog->htDlgInst == HTAPIDIALOGINSTANCE{}) refuse_dialog(dialog);
}

/// The vendor learns that nobody shows it.
void Core::refuse_dialog(const std::shared_ptr<Dialog>& dialog) {
  const std::uint64_t id = dialog->id;
  remove(dialog);
  if (!id) return;
  tell(wire::Function::providerFreeDialogInstance, wire::encode(wire::calls::providerFreeDialogInstance::Inputs{id}));
}

/// Without data: it shall close.
void Core::send_to_dialog(const std::shared_ptr<Dialog>& dialog, std::optional<wire::Bytes> data) {
  pump_.post([this, dialog, data = std::move(data)]() mutable {
    LINEEVENT tell_tapi{};
    {
      std::lock_guard lock(mutex_);
      tell_tapi = tapi_.line_create;
    }
    if (dialog->closed || dialog->htDlgInst == HTAPIDIALOGINSTANCE{} || !tell_tapi) return;
    if (data && data->capacity() == 0) data->reserve(1);  // an empty block is not none
    tell_tapi(reinterpret_cast<HTAPILINE>(static_cast<std::uintptr_t>(dialog->htDlgInst)), HTAPICALL{},
              LINE_SENDDIALOGINSTANCEDATA, data ? reinterpret_cast<DWORD_PTR>(data->data()) : 0,
              data ? data->size() : 0, 0);
  });
}

}  // namespace tsplink::proxy
