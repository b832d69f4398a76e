// The commands of tsplinkctl, described once: its options and help, what a host accepts, the tables and the JSON come
// from here. Constants; any thread.
#pragma once

#include <span>
#include <string_view>

namespace tsplink::host::control {

struct Argument {
  const char* name;   // in the request
  const char* value;  // for help
  const char* help;   // nullptr: no option, tsplinkctl gives it by itself
  bool plain = true;  // stands without its name on the command line, else behind "--name"
  bool needed = true;
  bool list = false;  // of texts, else a text
};

enum class Show { Plain, Duration };  // a duration is a number of seconds

struct Column {
  const char* key;      // in JSON
  const char* heading;  // in the table
  Show show = Show::Plain;
};

/// One part of an answer.
struct Part {
  const char* key;
  bool list;  // of objects: a table; else one object
  std::span<const Column> columns;
  const char* title = nullptr;  // over the table
  bool quiet = false;           // nothing is shown if it is empty
};

struct Command {
  const char* words;
  const char* help;
  std::span<const Argument> arguments;
  std::span<const Part> parts;  // none: a sentence, "message"
  bool local = false;           // no host is asked
};

std::span<const Command> commands();
/// nullptr: there is none.
const Command* find_command(std::string_view words);

}  // namespace tsplink::host::control
