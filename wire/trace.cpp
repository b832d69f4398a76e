#include "wire/trace.hpp"

#include <algorithm>
#include <cstdio>

#include "wire/codec.hpp"
#include "wire/envelopes.hpp"
#include "wire/errors.hpp"
#include "wire/events.hpp"
#include "wire/log_text.hpp"
#include "wire/tapi.hpp"

namespace tsplink::wire {

namespace {

constexpr std::size_t kMaxShownText = 64;  // characters of one text

void escaped(std::string& line, std::uint32_t c) {
  char code[16];
  if (c == '"' || c == '\\') {
    line += '\\';
    line += static_cast<char>(c);
  } else if (c >= 0x20 && c < 0x7F) {
    line += static_cast<char>(c);
  } else {
    std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
    line += code;
  }
}

template <class Text>
std::string quoted(const Text& text) {
  std::string line = "\"";
  std::size_t shown = 0;
  for (const auto c : text) {
    if (shown++ == kMaxShownText) break;
    escaped(line, static_cast<std::make_unsigned_t<std::remove_cvref_t<decltype(c)>>>(c));
  }
  line += '"';
  if (text.size() > kMaxShownText) line += "... (" + std::to_string(text.size()) + " characters)";
  return line;
}
std::string quoted(const std::u16string& text) {
  return quoted(std::basic_string_view(reinterpret_cast<const char16_t*>(text.data()), text.size()));
}
std::string quoted(const flatbuffers::String* text) { return text ? quoted(text->string_view()) : "none"; }

std::string number(std::uint64_t value) {
  if (value < 0x10000) return std::to_string(value);
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string id_text(std::uint64_t id) {
  if (id == 0) return "none";
  char text[24];
  std::snprintf(text, sizeof text, "#%llx", static_cast<unsigned long long>(id));
  return text;
}

std::string size_text(std::size_t size) { return std::to_string(size) + (size == 1 ? " byte" : " bytes"); }

void field(std::string& line, std::string_view name, const std::string& value) {
  line += ' ';
  line += name;
  line += '=';
  line += value;
}

// --- names of a message's first parameter --------------------------------------------------------------------------

struct Named {
  std::uint32_t value;
  const char* name;
};
#define TSPLINK_NAMED(name) \
  { name, #name }
constexpr Named kCallStates[] = {
    TSPLINK_NAMED(LINECALLSTATE_IDLE),           TSPLINK_NAMED(LINECALLSTATE_OFFERING),
    TSPLINK_NAMED(LINECALLSTATE_ACCEPTED),       TSPLINK_NAMED(LINECALLSTATE_DIALTONE),
    TSPLINK_NAMED(LINECALLSTATE_DIALING),        TSPLINK_NAMED(LINECALLSTATE_RINGBACK),
    TSPLINK_NAMED(LINECALLSTATE_BUSY),           TSPLINK_NAMED(LINECALLSTATE_SPECIALINFO),
    TSPLINK_NAMED(LINECALLSTATE_CONNECTED),      TSPLINK_NAMED(LINECALLSTATE_PROCEEDING),
    TSPLINK_NAMED(LINECALLSTATE_ONHOLD),         TSPLINK_NAMED(LINECALLSTATE_CONFERENCED),
    TSPLINK_NAMED(LINECALLSTATE_ONHOLDPENDCONF), TSPLINK_NAMED(LINECALLSTATE_ONHOLDPENDTRANSFER),
    TSPLINK_NAMED(LINECALLSTATE_DISCONNECTED),   TSPLINK_NAMED(LINECALLSTATE_UNKNOWN),
};
constexpr Named kLineStates[] = {
    TSPLINK_NAMED(LINEDEVSTATE_RINGING),      TSPLINK_NAMED(LINEDEVSTATE_CONNECTED),
    TSPLINK_NAMED(LINEDEVSTATE_DISCONNECTED), TSPLINK_NAMED(LINEDEVSTATE_INSERVICE),
    TSPLINK_NAMED(LINEDEVSTATE_OUTOFSERVICE), TSPLINK_NAMED(LINEDEVSTATE_MAINTENANCE),
    TSPLINK_NAMED(LINEDEVSTATE_OPEN),         TSPLINK_NAMED(LINEDEVSTATE_CLOSE),
    TSPLINK_NAMED(LINEDEVSTATE_REINIT),       TSPLINK_NAMED(LINEDEVSTATE_CAPSCHANGE),
    TSPLINK_NAMED(LINEDEVSTATE_REMOVED),
};
constexpr Named kPhoneStates[] = {
    TSPLINK_NAMED(PHONESTATE_CONNECTED), TSPLINK_NAMED(PHONESTATE_DISCONNECTED), TSPLINK_NAMED(PHONESTATE_DISPLAY),
    TSPLINK_NAMED(PHONESTATE_LAMP),      TSPLINK_NAMED(PHONESTATE_RINGMODE),     TSPLINK_NAMED(PHONESTATE_SUSPEND),
    TSPLINK_NAMED(PHONESTATE_RESUME),    TSPLINK_NAMED(PHONESTATE_CAPSCHANGE),   TSPLINK_NAMED(PHONESTATE_REMOVED),
};
#undef TSPLINK_NAMED

std::span<const Named> names_of(std::uint32_t message) {
  if (message == LINE_CALLSTATE) return kCallStates;
  if (message == LINE_LINEDEVSTATE) return kLineStates;
  if (message == PHONE_STATE) return kPhoneStates;
  return {};
}

std::string first_parameter(std::uint32_t message, std::uint64_t value) {
  const auto name = name_of_first_parameter(message, value);
  return name.empty() ? "1=" + number(value) : std::string(name);
}

// --- one kind of frame each ----------------------------------------------------------------------------------------

using Lines = std::string (*)(std::span<const std::uint8_t>);

template <class C, class Values>
std::string decoded(std::span<const std::uint8_t> bytes) {
  try {
    return detail::trace_values<C>(decode<Values>(bytes));
  } catch (const Failure&) {
    return " malformed values of " + size_text(bytes.size());
  }
}

template <class C>
std::string request_values(std::span<const std::uint8_t> bytes) {
  return decoded<C, typename C::Inputs>(bytes);
}
template <class C>
std::string reply_values(std::span<const std::uint8_t> bytes) {
  return decoded<C, typename C::Outputs>(bytes);
}

constexpr Lines kRequests[] = {
#define TSPI_CALL(function, ...) request_values<calls::function>,
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};
constexpr Lines kReplies[] = {
#define TSPI_CALL(function, ...) reply_values<calls::function>,
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};

std::string line_of(const fb::Request& request) {
  std::string line = "Request " + std::to_string(request.id());
  const auto* info = function_info(request.function());
  if (!info) {
    line += " unknown function " + std::to_string(request.function()) + ", " +
            size_text(span_of(request.arguments()).size());
  } else if (info->right == Right::Local) {
    line += " " + std::string(info->name) + ", which never crosses";
  } else {
    line += " " + std::string(info->name) + kRequests[request.function()](span_of(request.arguments()));
  }
  field(line, "deadline", std::to_string(request.deadline_ms()));
  return line + trace_field(request.trace());
}

std::string shots(const fb::Snapshot* snapshot) {
  if (!snapshot) return "";
  return " call_info=" + size_text(span_of(snapshot->call_info()).size()) +
         " call_status=" + size_text(span_of(snapshot->call_status()).size());
}

template <class Answer>
std::string answer(const char* kind, const Answer& frame, std::optional<Function> function) {
  std::string line = std::string(kind) + " " + std::to_string(frame.id());
  const auto* info = function ? function_info(static_cast<std::uint16_t>(*function)) : nullptr;
  if (info) line += " " + std::string(info->name);
  line += " -> ";
  line += frame.result() > 0 ? std::to_string(frame.result()) : error_name(frame.result());
  const auto outputs = span_of(frame.outputs());
  if (info && !outputs.empty()) {
    line += kReplies[static_cast<std::uint16_t>(*function)](outputs);
  } else if (!outputs.empty()) {
    field(line, "outputs", size_text(outputs.size()));
  }
  return line;
}

std::string line_of(const fb::Event& event) {
  const auto* description = event_description(event.message());
  std::string line = "Event ";
  line += description ? std::string(description->name) : "unknown message " + std::to_string(event.message());
  if (event.device()) field(line, "device", id_text(event.device()));
  if (event.call()) field(line, "call", id_text(event.call()));
  const std::uint64_t params[] = {event.param1(), event.param2(), event.param3()};
  for (int i = 0; i < 3; ++i) {
    const auto role = description ? description->roles[static_cast<std::size_t>(i)] : EventRole::Number;
    const auto name = std::to_string(i + 1);
    if (role == EventRole::NewCall || role == EventRole::LineDevice || role == EventRole::PhoneDevice ||
        role == EventRole::NewDevice ||
        (role == EventRole::CallStateDetail && params[0] == LINECALLSTATE_CONFERENCED)) {
      field(line, name, id_text(params[i]));
    } else if (role == EventRole::Number || role == EventRole::EventTag || role == EventRole::CallStateDetail ||
               role == EventRole::MspInstance) {
      line += i == 0 && description ? " " + first_parameter(description->message, params[i])
                                    : " " + name + "=" + number(params[i]);
    }
  }
  if (event.data()) field(line, "data", size_text(event.data()->size()));
  return line + shots(event.snapshot());
}

std::string line_of(const fb::Hello& hello) {
  std::string line =
      "Hello protocol=" + std::to_string(hello.protocol_low()) + ".." + std::to_string(hello.protocol_high());
  field(line, "sheet", id_text(hello.sheet()));
  field(line, "product", quoted(hello.product()));
  field(line, "machine", quoted(hello.machine()));
  field(line, "pointer_bits", std::to_string(hello.pointer_bits()));
  return line + (span_of(hello.resume_token()).empty() ? " new" : " resumes");
}

std::string line_of(const fb::Welcome& welcome) {
  std::string line = "Welcome protocol=" + std::to_string(welcome.protocol());
  field(line, "sheet", id_text(welcome.sheet()));
  field(line, "product", quoted(welcome.product()));
  field(line, "session", id_text(welcome.session()));
  field(line, "heartbeat", std::to_string(welcome.heartbeat_ms()));
  field(line, "max_frame", std::to_string(welcome.max_frame()));
  return line;
}

std::string line_of(const fb::Inventory& inventory) {
  std::string line = std::string("Inventory ") + (inventory.complete() ? "complete" : "change");
  field(line, "revision", std::to_string(inventory.revision()));
  field(line, "lines", std::to_string(inventory.lines() ? inventory.lines()->size() : 0));
  field(line, "phones", std::to_string(inventory.phones() ? inventory.phones()->size() : 0));
  if (inventory.more()) line += " more";
  return line;
}

std::string line_of(const fb::Envelope& envelope, std::optional<Function> function) {
  if (!envelope.body()) return "frame without a body";
  switch (envelope.body_type()) {
    case fb::Body::Hello: return line_of(*envelope.body_as_Hello());
    case fb::Body::Welcome: return line_of(*envelope.body_as_Welcome());
    case fb::Body::Request: return line_of(*envelope.body_as_Request());
    case fb::Body::Reply: return answer("Reply", *envelope.body_as_Reply(), function);
    case fb::Body::Completion: {
      const auto& completion = *envelope.body_as_Completion();
      return answer("Completion", completion, function) + shots(completion.snapshot());
    }
    case fb::Body::Event: return line_of(*envelope.body_as_Event());
    case fb::Body::Inventory: return line_of(*envelope.body_as_Inventory());
    case fb::Body::Ack: return "Ack";
    case fb::Body::Ping: return "Ping stamp=" + number(envelope.body_as_Ping()->stamp());
    case fb::Body::Pong: return "Pong stamp=" + number(envelope.body_as_Pong()->stamp());
    case fb::Body::Bye: {
      const auto& bye = *envelope.body_as_Bye();
      return "Bye reason=" + quoted(bye.reason()) + (bye.refused() ? " refused" : "");
    }
    default: return "frame of unknown kind " + std::to_string(static_cast<unsigned>(envelope.body_type()));
  }
}

}  // namespace

namespace detail {
void trace_value(std::string& line, std::string_view name, std::uint32_t value) { field(line, name, number(value)); }
void trace_value(std::string& line, std::string_view name, std::uint64_t id) { field(line, name, id_text(id)); }
void trace_value(std::string& line, std::string_view name, const Block& block) {
  field(line, name, block ? size_text(block->size()) : "NULL");
}
void trace_value(std::string& line, std::string_view name, const Utf16& text) {
  field(line, name, text ? quoted(*text) : "NULL");
}
}  // namespace detail

std::string_view name_of_first_parameter(std::uint32_t message, std::uint64_t value) {
  for (const auto& named : names_of(message)) {
    if (named.value == value) return named.name;
  }
  return {};
}

std::string trace_frame(std::span<const std::uint8_t> envelope, std::optional<Function> function) {
  const auto* frame = verified_envelope(envelope);
  std::string line = frame ? line_of(*frame, function) : "malformed frame of " + size_text(envelope.size());
  if (line.size() > kMaxTraceLine) line.replace(kMaxTraceLine - 3, std::string::npos, "...");
  return line;
}

}  // namespace tsplink::wire
