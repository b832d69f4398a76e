// tsplink-host: the program. Options, signals, exit status: 0 stopped in order, 2 refused to start.
#include <CLI/CLI.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <iostream>
#include <optional>

#include "remote-host/config.hpp"
#include "remote-host/host.hpp"
#include "remote-host/platform.hpp"

namespace {

constexpr int kRefused = 2;

constexpr std::chrono::milliseconds kStartPoll{20};
constexpr std::chrono::seconds kStartGivenUp{10};

/// Loads and starts everything in a thread of its own, since a vendor's driver may hang in that. True: then asked to
/// stop meanwhile.
bool start(std::optional<tsplink::host::Host>& host, const tsplink::host::Config& config) {
  using namespace tsplink::host;
  auto starting = std::async(std::launch::async, [&] { host.emplace(config).start(); });
  bool asked = false;
  while (!asked && starting.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    asked = stop_signal_within(kStartPoll);
  }
  if (asked) {
    log::info("Stopping as soon as the providers have started.");
    if (starting.wait_for(kStartGivenUp) != std::future_status::ready) {
      log::error("A provider's driver does not come back from its start; ending without it.");
      leave_at_once(1);
    }
  }
  starting.get();
  return asked;
}

int run(const std::string& file, bool check) {
  using namespace tsplink::host;
  const auto config = read_config(file);
  if (check) {
    Host host(config);
    std::cout << file << ": the configuration is valid.\n";
    return 0;
  }
  take_stop_signals();
  log::set_up(config.log_level, config.log_file);
  std::optional<Host> host;
  bool asked = start(host, config);
  while (!asked) asked = stop_signal_within(std::chrono::hours(1));
  log::info("Stopping.");
  const bool all = host->stop();
  log::info("Stopped.");
  if (!all) leave_at_once(0);  // a vendor's thread is still inside its module
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serves the lines and phones of telephony service providers on this machine to desktops.",
               "tsplink-host");
  std::string file;
  bool check = false;
  app.add_option("--config", file, "configuration file (TOML)")->type_name("FILE (needed)");
  app.add_flag("--check", check, "validate the configuration, load the modules, and exit");
  app.set_version_flag("--version", std::string("tsplink-host ") + TSPLINK_VERSION);
  try {
    app.parse(argc, argv);
    if (file.empty()) throw CLI::RequiredError("--config");  // after words that are no option
  } catch (const CLI::ParseError& failure) {
    return app.exit(failure) == 0 ? 0 : kRefused;
  }
  try {
    return run(file, check);
  } catch (const std::exception& failure) {
    std::cerr << "tsplink-host: " << failure.what() << '\n';
    return kRefused;
  }
}
