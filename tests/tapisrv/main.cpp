// tapisim: plays TAPISRV to a TSP. Options, the run, and the exit status: 0 all well, 1 a rule is broken or the
// scenario went another way, 2 the command line is wrong.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "callbacks.hpp"
#include "crash.hpp"
#include "events.hpp"
#include "functions.hpp"
#include "interpreter.hpp"
#include "provider.hpp"
#include "rules.hpp"
#include "scenario.hpp"
#include "text.hpp"
#include "trace.hpp"
#include "world.hpp"

namespace tsplink::tapisim {
namespace {

struct Settings {
  std::string module, scenario, canonical, coverage, trace, pbx, label = "desktop", describe;
  std::vector<std::string> msp, allow;
  unsigned time_limit = 60, repeat = 1, call_limit_ms = 10000, linger_ms = 100, callback_delay_us = 0;
  bool lines = false, phones = false, rules = false, keep_going = false, quiet = false, remote_view = false;

  bool canonical_on_screen() const { return canonical == "-"; }
  /// For everything but the canonical trace, which is to be compared as it comes.
  std::FILE* screen() const { return canonical_on_screen() ? stderr : stdout; }
};

void print_rules() {
  for (const auto& rule : rules()) {
    std::printf("%-26.*s %.*s (%.*s)\n", static_cast<int>(rule.name.size()), rule.name.data(),
                static_cast<int>(rule.sentence.size()), rule.sentence.data(), static_cast<int>(rule.source.size()),
                rule.source.data());
  }
}

void describe(const std::string& part) {
  for (const auto& function : functions()) {
    if (function.name.find(part) == std::string::npos) continue;
    std::printf("%s (%s):", function.name.c_str(), function.async ? "asynchronous" : "synchronous");
    for (const auto& param : function.params) {
      std::printf(" %s", param.name.c_str());
      if (param.structure != nullptr) std::printf(":%s", std::string(param.structure->name).c_str());
    }
    std::printf("\n");
  }
  for (const auto& event : events()) {
    if (!event.sent || event.name.find(part) == std::string_view::npos) continue;
    std::printf("%.*s (message):", static_cast<int>(event.name.size()), event.name.data());
    for (const auto& param : event.params) {
      if (param.name == "-") continue;
      std::printf(" %s%s", param.name.c_str(), param.group.empty() ? "" : (":" + param.group + "_").c_str());
    }
    std::printf("\n");
  }
}

void print_devices(Provider& provider, bool phone, std::FILE* screen) {
  int number = 0;
  for (const auto& device : provider.devices(phone)) {
    std::fprintf(screen, "%s %d: \"%s\", device %lu, %s\n", phone ? "phone" : "line", ++number, device->name.c_str(),
                 static_cast<unsigned long>(device->id), join(device->facts, ", ").c_str());
  }
}

std::map<std::string, std::string> msp_modules(const std::vector<std::string>& given) {
  std::map<std::string, std::string> out;
  for (const auto& one : given) {
    const std::size_t equal = one.find('=');
    if (equal == std::string::npos) throw std::runtime_error("--msp takes CLSID=PATH, not " + one + ".");
    out[one.substr(0, equal)] = one.substr(equal + 1);
  }
  return out;
}

struct Results {
  std::string canonical;
  std::string coverage;
};

void write_file(const std::string& name, const std::string& text) {
  if (name.empty()) return;
  std::ofstream out(name);
  out << text;
  if (!out.flush()) throw std::runtime_error("The file " + name + " cannot be written; check its folder.");
}

void write_results(const Settings& settings, const Results& all) {
  if (settings.canonical_on_screen()) {
    const auto written = std::fwrite(all.canonical.data(), 1, all.canonical.size(), stdout);
    if (written != all.canonical.size() || std::fflush(stdout) != 0)
      throw std::runtime_error("The canonical trace cannot be written to the standard output.");
  } else {
    write_file(settings.canonical, all.canonical);
  }
  write_file(settings.coverage, all.coverage);
}

/// One life of the provider. `all` gets its results; when it fails, the process ends here.
void run_once(const Settings& settings, Trace& trace, const Scenario& scenario, Results& all) {
  bool good = true;
  World world(trace, settings.keep_going);
  world.allowed = settings.allow;
  if (settings.remote_view) world.comparison = For::remote_comparison;
  world.comparing = !settings.canonical.empty();
  world.callback_delay_us = settings.callback_delay_us;
  set_root(&world);
  const tests::Module module(settings.module, tests::Module::AtTheEnd::unload);
  if (!module.symbol("TSPI_lineNegotiateTSPIVersion") && !module.symbol("TSPI_providerInit")) {
    // Nothing to diagnose: it is another file, not a faulty TSP.
    throw std::runtime_error("The module " + settings.module +
                             " is no TSP: it exports neither TSPI_lineNegotiateTSPIVersion nor TSPI_providerInit; "
                             "check the path.");
  }
  Caller caller(world, module, std::chrono::milliseconds(settings.call_limit_ms));
  Provider provider(caller);
  MspSide msp(caller, msp_modules(settings.msp), std::chrono::seconds(10));
  PbxClient pbx(settings.pbx);
  Interpreter interpreter(caller, provider, msp, pbx, std::chrono::milliseconds(settings.linger_ms));
  try {
    provider.start();
    if (settings.lines) print_devices(provider, false, settings.screen());
    if (settings.phones) print_devices(provider, true, settings.screen());
    interpreter.play(scenario);
  } catch (const std::exception& problem) {
    good = false;
    if (!world.broken || settings.keep_going) trace.line(std::string("FAILED: ") + problem.what());
    world.linger(std::chrono::milliseconds(settings.linger_ms));  // what comes next often says why
    if (!world.broken) std::fprintf(stderr, "tapisim: %s\n", problem.what());
  }
  for (const auto& breach : world.breaches()) std::fprintf(stderr, "tapisim: %s\n", breach.c_str());
  if (world.broken) good = false;
  all.canonical += world.canonical();
  {
    const std::lock_guard lock(world.mutex);
    all.coverage += world.coverage.text();
  }
  if (!good) {
    write_results(settings, all);
    // The provider's threads may still run, and nothing of theirs may be taken away: leave without any cleaning up.
    std::fflush(nullptr);
    std::_Exit(1);
  }
  set_root(nullptr);
}

void check_allowed(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const bool known =
        std::any_of(rules().begin(), rules().end(), [&](const RuleText& rule) { return rule.name == name; });
    if (!known) throw std::runtime_error("There is no rule " + name + " to allow; --rules lists them.");
  }
}

int run(const Settings& settings) {
  check_allowed(settings.allow);
  const Scenario scenario = settings.scenario.empty() ? Scenario() : read_scenario(settings.scenario);
  Interpreter::check(scenario);
  Trace trace(settings.label, settings.quiet ? nullptr : settings.screen(), settings.trace);
  Results all;
  for (unsigned i = 1; i <= settings.repeat; ++i) {
    if (settings.repeat > 1) all.canonical += "round " + std::to_string(i) + "\n";
    run_once(settings, trace, scenario, all);
  }
  write_results(settings, all);
  trace.line("done, no rule broken");
  return 0;
}

void watch(unsigned seconds) {
  std::thread([seconds] {
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    std::fprintf(stderr, "tapisim: The run took longer than --time-limit %u s.\n", seconds);
    std::fflush(nullptr);
    std::_Exit(1);
  }).detach();
}

int start(int argc, char** argv) {
  Settings settings;
  CLI::App app{
      "tapisim plays TAPISRV to a TSP, strictly: every broken rule is named and ends the run with status 1."};
  app.allow_windows_style_options(false);  // "/folder/file" is a path
  app.add_option("module", settings.module, "the TSP to load");
  app.add_option("scenario", settings.scenario, "what to do, see README.md; without one only start and shutdown");
  app.add_option("--canonical", settings.canonical,
                 "write the canonical trace to this file; -: to the standard output, and the rest to standard error");
  app.add_option("--coverage", settings.coverage, "write the functions and messages that were reached to this file");
  app.add_option("--trace", settings.trace, "write the trace to this file too");
  app.add_option("--msp", settings.msp, "CLSID=PATH: the module that plays the MSP of this CLSID; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--pbx", settings.pbx, "file with the control port of the simulated PBX");
  app.add_option("--time-limit", settings.time_limit, "seconds for the whole run")->capture_default_str();
  app.add_option("--label", settings.label, "the name in each trace line")->capture_default_str();
  app.add_option("--repeat", settings.repeat, "lives of the provider, one after the other")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  app.add_option("--call-limit-ms", settings.call_limit_ms, "how long one TSPI function may take")
      ->capture_default_str();
  app.add_option("--linger-ms", settings.linger_ms, "wait for late callbacks after shutdown or a failure")
      ->capture_default_str();
  app.add_option("--callback-delay-us", settings.callback_delay_us, "play a TAPISRV whose callbacks take this long");
  app.add_option("--allow", settings.allow, "a rule whose breach is only noted; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--lines", settings.lines, "list the lines with their main capabilities");
  app.add_flag("--phones", settings.phones, "list the phones with their main capabilities");
  app.add_flag("--rules", settings.rules, "list the rules that are enforced");
  auto* described = app.add_option("--describe", settings.describe,
                                   "list the functions and messages whose names have this in them, with their "
                                   "parameters; without it all")
                        ->type_name("PART")
                        ->expected(0, 1);
  app.add_flag("--keep-going", settings.keep_going, "name every breach instead of stopping at the first");
  app.add_flag("--remote-view", settings.remote_view,
               "leave out of the canonical trace what a desktop of another machine cannot have: device classes of "
               "hardware, icons");
  app.add_flag("--quiet", settings.quiet, "no trace on the screen");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (settings.rules) {
    print_rules();
    return 0;
  }
  if (described->count() != 0) {
    describe(settings.describe);
    return 0;
  }
  if (settings.module.empty()) {
    std::fprintf(stderr, "tapisim: Name the TSP to load; --help shows how.\n");
    return 2;
  }
#ifndef _WIN32
  std::signal(SIGPIPE, SIG_IGN);
#endif
  say_crashes();
  watch(settings.time_limit);
  return run(settings);
}

}  // namespace
}  // namespace tsplink::tapisim

int main(int argc, char** argv) {
  try {
    return tsplink::tapisim::start(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "tapisim: %s\n", problem.what());
    return 1;
  }
}
