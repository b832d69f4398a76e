#include "wire/schema.hpp"

#include "wire/calls.hpp"
#include "wire/events.hpp"

namespace tsplink::wire {

namespace {

const char* const kHead =
    "// The sheet of TSPI's functions as FlatBuffers: printed by tsplink_print_schema from wire/tspi_calls.def and\n"
    "// wire/tspi_events.def. Do not edit; wire/README.md says how to print it again. A field's id is its "
    "parameter's\n"
    "// position in tspi.h and never moves; a deprecated field keeps the place of a parameter that does not cross.\n"
    "// A block or text that is not there was a NULL pointer.\n"
    "namespace tsplink.wire.sheet;\n";

std::string_view name_of(Right right) {
  constexpr const char* names[] = {"Local", "Monitor", "Control", "MspData"};
  return names[static_cast<std::size_t>(right)];
}

std::string numbered_enum(std::string_view name, std::string_view comment, std::span<const std::string_view> values) {
  std::string text = "\n// " + std::string(comment) + "\nenum " + std::string(name) + ": ushort {\n";
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += "  " + std::string(values[i]) + " = " + std::to_string(i) + (i + 1 < values.size() ? ",\n" : "\n");
  }
  return text + "}\n";
}

std::string print() {
  std::string text = kHead;
  static constexpr std::string_view kFunctions[] = {
#define TSPI_CALL(function, ...) calls::function::name,
#include "wire/tspi_calls.def"
#undef TSPI_CALL
  };
  text += numbered_enum("Function", "Request.function of envelope.fbs", kFunctions);
  std::array<std::string_view, kEventCount> messages;
  for (std::uint16_t i = 0; i < kEventCount; ++i) messages[i] = event_description(i)->name;
  text += numbered_enum("Message", "Event.message of envelope.fbs", messages);
  for_each_call([&]<class C, Function F>() {
    text += "\n// " + std::to_string(static_cast<unsigned>(F)) + ", " + std::string(name_of(C::right)) +
            (C::asynchronous ? ", asynchronous" : "") + "\n";
    if constexpr (C::right == Right::Local) {
      text += "// " + std::string(C::name) + " never crosses.\n";
    } else {
      text += schema_tables<C>();
    }
  });
  return text;
}

}  // namespace

std::string schema_table(std::string_view name, std::span<const std::string_view> names,
                         std::span<const char* const> types) {
  std::string text = "table " + std::string(name) + " {\n";
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += "  " + std::string(names[i]) + ": " + (types[i] ? types[i] : "ubyte") + " (id: " + std::to_string(i) +
            (types[i] ? ");\n" : ", deprecated);\n");
  }
  return text + "}\n";
}

const std::string& schema_text() {
  static const std::string text = print();
  return text;
}

std::uint64_t sheet_hash() {
  static const std::uint64_t hash = [] {
    std::uint64_t value = 14695981039346656037ULL;
    for (const char c : schema_text()) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return value;
  }();
  return hash;
}

}  // namespace tsplink::wire
