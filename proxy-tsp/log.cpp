#include "proxy-tsp/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <mutex>
#include <vector>

#ifdef _WIN32
#include <windows.h>
#endif

#include "proxy-tsp/configuration.hpp"
#include "wire/log_text.hpp"

namespace tsplink::proxy {

namespace {

/// For the one who looks for a log that is not there: standard error, and a debugger where a service has no other.
void say_aloud(const std::string& sentence) {
  std::fprintf(stderr, "tsplink.tsp: %s\n", sentence.c_str());
#ifdef _WIN32
  OutputDebugStringA(("tsplink.tsp: " + sentence + "\n").c_str());
#endif
}

/// A Windows service has no standard error that anybody sees: if the folder of the proxy's files is there, so is a
/// log.
void add_default_file([[maybe_unused]] std::vector<spdlog::sink_ptr>& sinks) {
#ifdef _WIN32
  std::error_code error;
  if (!std::filesystem::is_directory(default_folder(), error)) return;
  try {
    sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>((default_folder() / "proxy.log").native()));
  } catch (const spdlog::spdlog_ex& failure) {
    say_aloud(std::string("the log cannot be written: ") + failure.what());
  }
#endif
}

}  // namespace

Log make_log(const std::string& level, const std::filesystem::path& file) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off) {
    throw Failure(Kind::Configuration, "log level '" + level + "' is none of debug, info, warn and error");
  }
  std::vector<spdlog::sink_ptr> sinks;
  try {
    if (file.empty()) {
      sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
      add_default_file(sinks);
    } else {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.native()));
    }
  } catch (const spdlog::spdlog_ex&) {
    throw Failure(Kind::Configuration,
                  file.string() + ": the log file cannot be written; check folder and permissions");
  }
  auto logger = std::make_shared<spdlog::logger>("tsplink.tsp", sinks.begin(), sinks.end());
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %n: %v");
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::trace);
  logger->set_error_handler([said = std::make_shared<std::once_flag>()](const std::string& why) {
    std::call_once(*said, [&] { say_aloud("the log cannot be written any more: " + why); });
  });
  return [logger](LogLevel at, const std::string& sentence) {
    static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                            spdlog::level::warn, spdlog::level::err};
    logger->log(kLevels[static_cast<std::size_t>(at)], "{}", wire::printable(sentence));
  };
}

}  // namespace tsplink::proxy
