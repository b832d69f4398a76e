// tsplink-host: the program. Options, signals, exit status: 0 stopped in order, 2 refused to start.
#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

#include "remote-host/config.hpp"
#include "remote-host/host.hpp"
#include "remote-host/platform.hpp"

namespace {

constexpr int kRefused = 2;

int run(const std::string& file, bool check) {
  using namespace tsplink::host;
  const auto config = read_config(file);
  if (!check) {
    take_stop_signals();
    log::set_up(config.log_level, config.log_file);
  }
  Host host(config);
  if (check) {
    std::cout << file << ": the configuration is valid.\n";
    return 0;
  }
  host.start();
  wait_for_stop_signal();
  log::info("Stopping.");
  const bool all = host.stop();
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
  app.add_option("--config", file, "configuration file (TOML)")->required();
  app.add_flag("--check", check, "validate the configuration, load the modules, and exit");
  app.set_version_flag("--version", std::string("tsplink-host ") + TSPLINK_VERSION);
  try {
    app.parse(argc, argv);
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
