// What the host tells its administrator, one line a fact. Whoever has something to say calls it; any thread.
// Before set_up() lines of level Warn and above go to standard error.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tsplink::host::log {

enum class Level { Trace, Debug, Info, Warn, Error };

/// `file` empty: standard error. Throws Failure(Configuration) when the file cannot be written.
void set_up(Level level, const std::filesystem::path& file);
#ifdef _WIN32
/// From set_up() on, lines of level Warn and above go to Windows' event log too.
void use_event_log();
#endif
void write(Level level, const std::string& line);

/// From now on, of the log that set_up() made.
void set_level(Level level);
Level level();
/// As configurations have it: "trace" to "error".
std::optional<Level> level_named(std::string_view name);
std::string_view name_of(Level level);

inline void debug(const std::string& line) { write(Level::Debug, line); }
inline void info(const std::string& line) { write(Level::Info, line); }
inline void warn(const std::string& line) { write(Level::Warn, line); }
inline void error(const std::string& line) { write(Level::Error, line); }

}  // namespace tsplink::host::log
