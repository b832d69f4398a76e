// The part of Core that the link's thread enters: answers, events and inventories, and how events reach TAPI.
#include <algorithm>
#include <cstring>

#include "proxy-tsp/core.hpp"
#include "wire/codec.hpp"
#include "wire/events.hpp"

namespace tsplink::proxy {

namespace {

// TAPI answers LINE_NEWCALL with a NULL call while it is overloaded: asked again soon, then less often.
constexpr std::chrono::milliseconds kFirstRetry{20};
constexpr std::chrono::milliseconds kLastRetry{250};
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
  {
    std::lock_guard lock(mutex_);
    inventoried_ = false;
    for (const auto& device : devices_) device->present = false;
    calls = calls_.select([](const Call& c) { return c.id != 0; });
    lines = lines_.select([](const Line& line) { return line.open; });
    phones = phones_.select([](const Phone& phone) { return phone.open; });
    for (const auto& call : calls) call->id = 0;
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
  if (!description || description->scope == wire::Scope::Provider ||
      description->scope == wire::Scope::PhoneProvider || description->scope == wire::Scope::Dialog) {
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
  const auto data = wire::span_of(event.data());
  delivery.data.assign(data.begin(), data.end());
  deliver(std::move(delivery));
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
        if (delivery.params[0] == LINECALLSTATE_CONFERENCED) {
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
  call.gathers.erase(call.gathers.begin(), std::next(mine));  // a new one ends those before it
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

// --- inventory -----------------------------------------------------------------------------------------------------

std::shared_ptr<Device> Core::find_device(bool phone, std::uint32_t permanent) {
  const auto found = std::find_if(devices_.begin(), devices_.end(), [&](const auto& device) {
    return device->phone == phone && device->values()->permanent == permanent;
  });
  return found == devices_.end() ? nullptr : *found;
}

void Core::on_inventory(const wire::fb::Inventory& inventory) {
  const auto values = wire::read_inventory(inventory);
  std::vector<std::shared_ptr<Device>> come;
  std::vector<std::shared_ptr<Device>> gone;
  wire::InventoryValues stored;
  {
    std::lock_guard lock(mutex_);
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
  for (const auto& device : come) announce(device);
  for (const auto& device : gone) withdraw(device);
  if (const auto problem = store_.save(stored); !problem.empty()) log_(LogLevel::Error, problem);
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
