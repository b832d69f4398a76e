// tsplink-host: the program. Options, signals, exit status: 0 stopped in order, 1 stopped while a driver hung in its
// start, 2 refused to start.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <optional>

#include "remote-host/config.hpp"
#include "remote-host/host.hpp"
#include "remote-host/platform.hpp"
#include "remote-host/worker/permanent_ids.hpp"
#ifdef _WIN32
#include "remote-host/service.hpp"
#endif
#include "wire/failure.hpp"
#include "wire/system.hpp"

namespace {

constexpr int kRefused = 2;

struct Options {
  std::string file;
  bool check = false;
  std::string import_ids, export_ids;
  bool install = false, remove = false, service = false;
  std::string account;
};

void say(const std::exception& failure) { std::cerr << "tsplink-host: " << failure.what() << '\n'; }

/// Around a vendor's thread that does not come back: unwinding, and the end of its module, may wait for it.
[[noreturn]] void leave(const tsplink::host::Stages& stages, int status) {
  tsplink::host::log::flush();
  stages.leaving(status);
  tsplink::host::leave_at_once(status);
}

constexpr std::chrono::milliseconds kStartPoll{20};
constexpr std::chrono::seconds kStartGivenUp{10};

/// Loads and starts everything in a thread of its own, since a vendor's driver may hang in that. True: then asked to
/// stop meanwhile.
bool start(std::optional<tsplink::host::Host>& host, const tsplink::host::Config& config,
           const tsplink::host::Stages& stages) {
  using namespace tsplink::host;
  auto starting =
      std::async(std::launch::async, [&] { host.emplace(config, tsplink::wire::Clock::steady()).start(); });
  bool asked = false;
  while (!asked && starting.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    asked = stop_signal_within(kStartPoll);
  }
  if (asked) {
    log::info("Stopping as soon as the providers have started.");
    if (starting.wait_for(kStartGivenUp) != std::future_status::ready) {
      log::error("A provider's driver does not come back from its start; ending without it.");
      leave(stages, 1);
    }
  }
  starting.get();
  return asked;
}

/// The table of permanent ids goes to a standby host, or comes from one.
int exchange_ids(const Options& options, const tsplink::host::Config& config) {
  using namespace tsplink;
  if (config.permanent_ids.empty()) {
    throw Failure(Kind::Configuration,
                  options.file + ": permanent_ids is missing; name the file that keeps the table.");
  }
  if (!options.export_ids.empty()) {
    const auto to = wire::path_of(options.export_ids);
    const host::PermanentIds ids(config.site, config.permanent_ids);
    try {
      const host::PermanentIds before(config.site, to);  // perhaps an earlier export; nothing else is overwritten
    } catch (const Failure&) {
      throw Failure(Kind::Configuration,
                    options.export_ids + " is there already and is no table of ids; name another file.");
    }
    if (ids.size() == 0) {
      throw Failure(Kind::Configuration,
                    config.permanent_ids.string() + " has no ids yet; let the host run once, then export them.");
    }
    ids.write(to);
    std::cout << ids.size() << " permanent ids are in " << options.export_ids << ".\n";
    return 0;
  }
  const auto taken = host::PermanentIds(config.site, config.permanent_ids).add(wire::path_of(options.import_ids));
  std::cout << taken << " new permanent ids are taken; a running tsplink-host learns of them when it starts again.\n";
  return 0;
}

/// However the host ends, what it said is written.
struct LogFlushed {
  LogFlushed() = default;
  LogFlushed(const LogFlushed&) = delete;
  LogFlushed& operator=(const LogFlushed&) = delete;
  ~LogFlushed() { tsplink::host::log::flush(); }
};

int run(const Options& options, const tsplink::host::Stages& stages) {
  using namespace tsplink::host;
  const auto config = read_config(tsplink::wire::path_of(options.file));
  if (!options.import_ids.empty() || !options.export_ids.empty()) return exchange_ids(options, config);
  if (options.check) {
    const Host host(config, tsplink::wire::Clock::steady());
    std::cout << options.file << ": the configuration is valid.\n";
    return 0;
  }
  if (!options.service) take_stop_signals();
  keep_files_private();
  log::set_up(config.log);
  const LogFlushed flushed;
  std::optional<Host> host;
  bool asked = false;
  try {
    asked = start(host, config, stages);
  } catch (const std::exception& failure) {
    if (!host || host->stop()) throw;
    log::error(failure.what());
    if (!options.service) say(failure);
    leave(stages, kRefused);
  }
  if (!asked) stages.started();
  while (!asked) asked = stop_signal_within(std::chrono::hours(1));
  log::info("Stopping.");
  const bool all = host->stop();
  log::info("Stopped.");
  if (!all) leave(stages, 0);
  return 0;
}

#ifdef _WIN32
void add_service_options(CLI::App& app, Options& options) {
  auto* install =
      app.add_flag("--install-service", options.install, "register as a service that starts with Windows, and exit");
  app.add_option("--account", options.account,
                 "account of the service: a built-in, virtual or managed one, which needs no password "
                 "[NT AUTHORITY\\NetworkService]")
      ->needs(install);
  app.add_flag("--remove-service", options.remove, "stop and remove the service, and exit");
  app.add_flag("--service", options.service, "run under the service manager")->group("");
}

int run_or_serve(const Options& options) {
  using namespace tsplink::host;
  if (options.install) {
    const auto file = tsplink::wire::path_of(options.file);
    read_config(file);  // a service that cannot start is found now
    install_service(file, options.account);
    std::cout << "The service tsplink-host is installed; start it with: sc.exe start tsplink-host\n";
    return 0;
  }
  if (options.remove) {
    remove_service();
    std::cout << "The service tsplink-host is removed.\n";
    return 0;
  }
  if (!options.service) return run(options, {});
  return run_service([&](const Stages& stages) {
    try {
      return run(options, stages);
    } catch (const std::exception& failure) {
      log::error(failure.what());
      log::flush();
      return kRefused;
    }
  });
}
#else
void add_service_options(CLI::App&, Options&) {}
int run_or_serve(const Options& options) { return run(options, {}); }
#endif

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serves the lines and phones of telephony service providers on this machine to desktops.",
               "tsplink-host");
  tsplink::host::show_no_boxes();
  tsplink::host::use_utf8_output();
  app.allow_windows_style_options(false);  // "/folder/file" is a path
  Options options;
  app.add_option("--config", options.file, "configuration file (TOML)")->type_name("FILE (needed)");
  app.add_flag("--check", options.check, "validate the configuration, load the modules, and exit");
  auto* out = app.add_option("--export-ids", options.export_ids,
                             "write the table of permanent ids for a standby host, and exit")
                  ->type_name("FILE");
  app.add_option("--import-ids", options.import_ids, "take another host's table of permanent ids, and exit")
      ->type_name("FILE")
      ->excludes(out);
  app.set_version_flag("--version", std::string("tsplink-host ") + TSPLINK_VERSION);
  add_service_options(app, options);
  try {
    auto arguments = tsplink::host::program_arguments(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    if (options.file.empty() && !options.remove)
      throw CLI::RequiredError("--config");  // after words that are no option
    return run_or_serve(options);
  } catch (const CLI::ParseError& failure) {
    return app.exit(failure) == 0 ? 0 : kRefused;
  } catch (const std::exception& failure) {
    say(failure);
    return kRefused;
  }
}
