// Commands of the control channel: how a line is taken apart, and the table of what there is.
// Owner: control.cpp's connections. Threads: any; a command runs with the Pbx's mutex held.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/simpbx/pbx.hpp"

namespace tsplink::simpbx {

/// A command cannot be carried out; the text is the sentence after "error ".
struct CommandError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `verb word key=value key="quoted text"`; a backslash in quotes takes the next character as it is.
class CommandLine {
 public:
  explicit CommandLine(const std::string& line);

  const std::string& verb() const { return verb_; }
  const std::vector<std::string>& words() const { return words_; }
  /// The n-th word after the verb; throws when it is missing.
  const std::string& word(std::size_t index, const char* meaning) const;
  bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key, const std::string& otherwise) const;
  DWORD number(const std::string& key, std::optional<DWORD> otherwise = std::nullopt) const;
  /// 64 bits, for the device-specific parameters of events.
  DWORD_PTR wide_number(const std::string& key, DWORD_PTR otherwise) const;
  bool yes(const std::string& key, bool otherwise) const;
  /// "hex=.." or "text=.."; empty when neither is there.
  Bytes block() const;

  LinePtr line(const Pbx& pbx) const;     // line=N
  CallPtr call(const Pbx& pbx) const;     // call=N
  PhonePtr phone(const Pbx& pbx) const;   // phone=N
  CallPtr call_if(const Pbx& pbx) const;  // null when no call= is there

 private:
  std::string verb_;
  std::vector<std::string> words_;
  std::map<std::string, std::string> values_;
};

DWORD_PTR parse_number(const std::string& text, const std::string& what);
Bytes parse_hex(const std::string& text);

struct Command {
  const char* usage;
  std::function<std::string(Pbx&, const CommandLine&)> run;  // the text after "ok", may be empty
};
using Commands = std::map<std::string, Command>;

void add_call_commands(Commands& commands);
void add_device_commands(Commands& commands);
void add_test_commands(Commands& commands);

}  // namespace tsplink::simpbx
