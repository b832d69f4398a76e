#include "remote-host/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#ifdef _WIN32
#include <spdlog/sinks/win_eventlog_sink.h>
#endif

#include <memory>
#include <vector>

#include "wire/failure.hpp"

namespace tsplink::host::log {

namespace {

#ifdef _WIN32
bool event_log = false;
#endif

constexpr char kPattern[] = "%Y-%m-%d %H:%M:%S.%e %l %v";

std::shared_ptr<spdlog::logger> make(const std::filesystem::path& file) {
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.native());
  }
  std::vector<spdlog::sink_ptr> sinks = {sink};
#ifdef _WIN32
  if (event_log) {
    sinks.push_back(std::make_shared<spdlog::sinks::win_eventlog_sink_mt>("tsplink-host"));
    sinks.back()->set_level(spdlog::level::warn);
  }
#endif
  auto logger = std::make_shared<spdlog::logger>("tsplink-host", sinks.begin(), sinks.end());
  logger->set_pattern(kPattern);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

/// The one logger; an atomic pointer, since workers write while the program sets it up.
std::shared_ptr<spdlog::logger>& slot() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto first = make({});
    first->set_level(spdlog::level::warn);
    return first;
  }();
  return logger;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::Trace: return spdlog::level::trace;
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warn: return spdlog::level::warn;
    case Level::Error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void set_up(Level level, const std::filesystem::path& file) {
  try {
    auto logger = make(file);
    logger->set_level(level_of(level));
    std::atomic_store(&slot(), std::move(logger));
  } catch (const spdlog::spdlog_ex& failure) {
    throw Failure(Kind::Configuration, "The log file " + file.string() + " cannot be written (" + failure.what() +
                                           "); choose another log.file.");
  }
}

#ifdef _WIN32
void use_event_log() { event_log = true; }
#endif

void write(Level level, const std::string& line) {
  std::atomic_load(&slot())->log(level_of(level), spdlog::string_view_t(line));
}

namespace {
constexpr std::pair<Level, std::string_view> kNames[] = {{Level::Trace, "trace"},
                                                         {Level::Debug, "debug"},
                                                         {Level::Info, "info"},
                                                         {Level::Warn, "warn"},
                                                         {Level::Error, "error"}};
}

void set_level(Level level) { std::atomic_load(&slot())->set_level(level_of(level)); }

Level level() {
  const auto now = std::atomic_load(&slot())->level();
  for (const auto& [each, name] : kNames) {
    if (level_of(each) == now) return each;
  }
  return Level::Info;
}

std::optional<Level> level_named(std::string_view name) {
  for (const auto& [each, text] : kNames) {
    if (text == name) return each;
  }
  return std::nullopt;
}

std::string_view name_of(Level level) {
  for (const auto& [each, name] : kNames) {
    if (each == level) return name;
  }
  return {};
}

}  // namespace tsplink::host::log
