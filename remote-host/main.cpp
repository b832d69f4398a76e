// tsplink-host: the program. Options, signals, exit status: 0 stopped in order, 2 refused to start.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <iostream>

#include "remote-host/config.hpp"
#include "remote-host/host.hpp"
#include "remote-host/platform.hpp"
#ifdef _WIN32
#include "remote-host/service.hpp"
#endif

namespace {

constexpr int kRefused = 2;

struct Options {
  std::string file;
  bool check = false;
  bool install = false, remove = false, service = false;
  std::string account = "NT AUTHORITY\\NetworkService";
};

int run(const Options& options, const std::function<void()>& started) {
  using namespace tsplink::host;
  const auto config = read_config(options.file);
  if (!options.check) {
    take_stop_signals();
    log::set_up(config.log_level, config.log_file);
  }
  Host host(config);
  if (options.check) {
    std::cout << options.file << ": the configuration is valid.\n";
    return 0;
  }
  host.start();
  started();
  wait_for_stop_signal();
  log::info("Stopping.");
  const bool all = host.stop();
  log::info("Stopped.");
  if (!all) leave_at_once(0);  // a vendor's thread is still inside its module
  return 0;
}

#ifdef _WIN32
void add_service_options(CLI::App& app, Options& options) {
  auto* install =
      app.add_flag("--install-service", options.install, "register as a service that starts with Windows, and exit");
  app.add_option("--account", options.account, "account of the service")->needs(install)->capture_default_str();
  app.add_flag("--remove-service", options.remove, "stop and remove the service, and exit");
  app.add_flag("--service", options.service, "run under the service manager")->group("");
}

int run_or_serve(const Options& options) {
  using namespace tsplink::host;
  if (options.install) {
    read_config(options.file);  // a service that cannot start is found now
    install_service(options.file, options.account);
    std::cout << "The service tsplink-host is installed; start it with: sc start tsplink-host\n";
    return 0;
  }
  if (options.remove) {
    remove_service();
    std::cout << "The service tsplink-host is removed.\n";
    return 0;
  }
  if (!options.service) return run(options, [] {});
  return run_service([&](const std::function<void()>& started) {
    try {
      log::use_event_log();
      return run(options, started);
    } catch (const std::exception& failure) {
      log::error(failure.what());
      return kRefused;
    }
  });
}
#else
void add_service_options(CLI::App&, Options&) {}
int run_or_serve(const Options& options) {
  return run(options, [] {});
}
#endif

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serves the lines and phones of telephony service providers on this machine to desktops.",
               "tsplink-host");
  Options options;
  app.add_option("--config", options.file, "configuration file (TOML)");
  app.add_flag("--check", options.check, "validate the configuration, load the modules, and exit");
  app.set_version_flag("--version", std::string("tsplink-host ") + TSPLINK_VERSION);
  add_service_options(app, options);
  try {
    auto arguments = tsplink::host::program_arguments(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    if (options.file.empty() && !options.remove) throw CLI::RequiredError("--config");
  } catch (const CLI::ParseError& failure) {
    return app.exit(failure) == 0 ? 0 : kRefused;
  }
  try {
    return run_or_serve(options);
  } catch (const std::exception& failure) {
    std::cerr << "tsplink-host: " << failure.what() << '\n';
    return kRefused;
  }
}
