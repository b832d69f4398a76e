#include "tests/simpbx/commands.hpp"

#include "tests/simpbx/control.hpp"

namespace tsplink::simpbx {
namespace {

const Commands& commands() {
  static const Commands* const table = [] {
    auto* all = new Commands;
    add_call_commands(*all);
    add_device_commands(*all);
    add_test_commands(*all);
    return all;
  }();
  return *table;
}

std::string help() {
  std::string text;
  for (const auto& [name, command] : commands()) {
    text += (text.empty() ? "" : " | ") + name + (*command.usage ? " " : "") + command.usage;
  }
  return text;
}

/// One word of the line, quotes taken away; `at` moves behind it.
std::string next_word(const std::string& line, std::size_t& at) {
  std::string word;
  bool quoted = false;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted && c == '\\' && at + 1 < line.size()) {
      word += line[++at];
    } else if (!quoted && (c == ' ' || c == '\t')) {
      break;
    } else {
      word += c;
    }
  }
  if (quoted) throw CommandError("A quotation mark is not closed.");
  return word;
}

}  // namespace

CommandLine::CommandLine(const std::string& line) {
  for (std::size_t at = 0;;) {
    at = line.find_first_not_of(" \t", at);
    if (at == std::string::npos) break;
    const bool text_first = line[at] == '"';
    const std::string word = next_word(line, at);
    const auto equals = text_first ? std::string::npos : word.find('=');
    if (verb_.empty()) {
      verb_ = word;
    } else if (equals == std::string::npos) {
      words_.push_back(word);
    } else {
      values_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
}

const std::string& CommandLine::word(std::size_t index, const char* meaning) const {
  if (index >= words_.size()) throw CommandError("'" + verb_ + "' needs " + meaning + ".");
  return words_[index];
}

std::string CommandLine::text(const std::string& key, const std::string& otherwise) const {
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : found->second;
}

DWORD_PTR CommandLine::wide_number(const std::string& key, DWORD_PTR otherwise) const {
  return has(key) ? parse_number(text(key, ""), key) : otherwise;
}

DWORD CommandLine::number(const std::string& key, std::optional<DWORD> otherwise) const {
  if (!has(key)) {
    if (otherwise) return *otherwise;
    throw CommandError("'" + verb_ + "' needs " + key + "=<number>.");
  }
  return static_cast<DWORD>(parse_number(text(key, ""), key));
}

bool CommandLine::yes(const std::string& key, bool otherwise) const {
  const std::string value = text(key, otherwise ? "yes" : "no");
  if (value != "yes" && value != "no") throw CommandError("'" + key + "' must be yes or no.");
  return value == "yes";
}

Bytes CommandLine::block() const {
  if (has("hex")) return parse_hex(text("hex", ""));
  const std::string plain = text("text", "");
  return Bytes(plain.begin(), plain.end());
}

LinePtr CommandLine::line(const Pbx& pbx) const {
  const LinePtr found = pbx.line_by_number(number("line"));
  if (!found) throw CommandError("There is no line " + text("line", "") + ".");
  return found;
}

CallPtr CommandLine::call(const Pbx& pbx) const {
  const CallPtr found = pbx.call_by_number(number("call"));
  if (!found) throw CommandError("There is no call " + text("call", "") + ".");
  return found;
}

CallPtr CommandLine::call_if(const Pbx& pbx) const { return has("call") ? call(pbx) : nullptr; }

PhonePtr CommandLine::phone(const Pbx& pbx) const {
  const PhonePtr found = pbx.phone_by_number(number("phone"));
  if (!found) throw CommandError("There is no phone " + text("phone", "") + ".");
  return found;
}

DWORD_PTR parse_number(const std::string& text, const std::string& what) {
  try {
    std::size_t end = 0;
    const unsigned long long value = std::stoull(text, &end, 0);
    if (end == text.size()) return static_cast<DWORD_PTR>(value);
  } catch (const std::logic_error&) {
  }
  throw CommandError("'" + what + "' must be a number, but is '" + text + "'.");
}

Bytes parse_hex(const std::string& text) {
  Bytes bytes;
  if (text.size() % 2 != 0) throw CommandError("Hexadecimal bytes need two digits each.");
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<BYTE>(parse_number("0x" + text.substr(i, 2), "hex")));
  }
  return bytes;
}

std::string run_command(Pbx& pbx, const std::string& line) {
  try {
    const CommandLine command(line);
    if (command.verb() == "help") return "ok " + help();
    const auto found = commands().find(command.verb());
    if (found == commands().end()) return "error There is no command '" + command.verb() + "'; 'help' lists them.";
    const std::unique_lock lock(pbx.mutex());
    pbx.log("== " + line);
    const std::string answer = found->second.run(pbx, command);
    return answer.empty() ? "ok" : "ok " + answer;
  } catch (const CommandError& failure) {
    return std::string("error ") + failure.what();
  } catch (const Refusal& refusal) {
    return "error The exchange refuses it: " + std::to_string(refusal.code) + ".";
  } catch (const std::exception& failure) {
    return std::string("error ") + failure.what();
  }
}

}  // namespace tsplink::simpbx
