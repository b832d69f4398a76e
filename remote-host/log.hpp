// What the host tells its administrator, one line a fact, and its audit. Whoever has something to say calls it; any
// thread, and none waits for a disk or a pipe: lines are queued, and a thread for each output writes them. Before
// set_up() lines of level Warn and above go to standard error at once.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/log_text.hpp"

namespace tsplink::host::log {

enum class Level : std::uint8_t { Trace, Debug, Info, Warn, Error };
/// As settings name them.
constexpr std::array<std::string_view, 5> kLevels{"trace", "debug", "info", "warn", "error"};

enum class To : std::uint8_t { Stderr, Stdout, File, Journal };
constexpr std::array<std::string_view, 4> kTargets{"stderr", "stdout", "file", "journal"};

enum class Format : std::uint8_t { Text, Json };
constexpr std::array<std::string_view, 2> kFormats{"text", "json"};

struct Output {
  To to = To::Stderr;
  Format format = Format::Text;
  std::filesystem::path file;               // of To::File
  std::uint32_t rotate_bytes = 16U << 20U;  // a file that would grow over it is put aside; 0: never
  std::uint32_t rotate_files = 10;          // that are put aside: host.1.log is the youngest, the oldest go
  bool mask_numbers = false;                // of fields that are dialled numbers
};

struct Settings {
  Level level = Level::Info;
  Output log;
  std::optional<Output> audit;  // none: audit lines go to the log, whatever its level
};

/// A part of a line that programs look for: `name=value` at its end, or a member of its JSON object.
struct Field {
  std::string_view name;  // a literal
  std::string value;
  bool number = false;  // that somebody dialled
};
using Fields = std::vector<Field>;

/// Of every line about a request; 0: the host asks by itself, and the line has none.
inline Fields trace(std::uint64_t id) { return id ? Fields{{"trace", wire::trace_id(id)}} : Fields(); }

/// From now on; what was queued before is written first. Throws Failure(Configuration) when a file cannot be written
/// or there is no journal; then everything stays as it was.
void set_up(const Settings& settings);
/// Lines of level Warn and above, as formatted() gives them, go to `tell` too: at once before set_up(), later with
/// the log's other lines; one at a time. Before set_up().
void tell_also(std::function<void(Level, const std::string&)> tell);
/// What is written; of set_up(), until set_level() says otherwise.
Level level();
void set_level(Level level);
/// As settings name it.
inline std::string_view name_of(Level level) { return kLevels.at(static_cast<std::size_t>(level)); }
std::optional<Level> level_named(std::string_view name);
inline bool enabled(Level at) { return at >= level(); }

void write(Level level, std::string line, Fields fields = {});
/// One control action. Written whatever the level is.
void audit(Fields fields);
/// Waits until everything said so far is written. False: an output did not take it in that time.
bool flush(std::chrono::milliseconds bound = std::chrono::seconds(2));

inline void debug(std::string line, Fields fields = {}) { write(Level::Debug, std::move(line), std::move(fields)); }
inline void info(std::string line, Fields fields = {}) { write(Level::Info, std::move(line), std::move(fields)); }
inline void warn(std::string line, Fields fields = {}) { write(Level::Warn, std::move(line), std::move(fields)); }
inline void error(std::string line, Fields fields = {}) { write(Level::Error, std::move(line), std::move(fields)); }

/// A name that somebody else chose, for a line: in quotes unless it is plain, so that it passes for nothing else.
std::string shown(std::string_view name);

/// A dialled number that shows its length and its last two characters; nothing of one that is shorter than four.
std::string masked(std::string_view number);

struct Line {
  std::chrono::system_clock::time_point time;
  Level level = Level::Info;
  std::string text;
  Fields fields;
};
/// Text: what stands behind time and level. JSON: one object with "time" (UTC), "level", "message" and the fields,
/// all of them texts. Both without control characters, at most kMostText of each text.
std::string formatted(const Line& line, Format format, bool mask_numbers);
constexpr std::size_t kMostText = 4096;

}  // namespace tsplink::host::log
