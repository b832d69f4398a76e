// What an installation consists of, in a temporary folder: certificates, configurations, a host with a fresh
// simulated PBX, and desktops (tapisim with the proxy, or with the vendor's TSP directly). Owner: the test; one site
// each. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "process.hpp"
#include "tests/platform/files.hpp"

namespace tsplink::e2e {

/// The two ends, which may be of different builds: TSPLINK_E2E_HOST and TSPLINK_E2E_DESKTOP name the folders of their
/// programs, of Windows builds too. Without them: the folder of this executable.
enum class End { host, desktop };

bool is_windows(End end);
/// A module or a library of an end's build; `name` as Linux has it ("simpbx_msp.so").
fs::path module_of(End end, const std::string& name);
/// What starts a program of an end's build: its path, or that behind wine.
std::vector<std::string> program_of(End end, const std::string& name);
/// Ends a program in order: SIGTERM, or Ctrl-C for a Windows program.
void ask_to_end(const Process& process, End end);
/// Its exit status when it is asked a second time and ends at once.
int status_of_impatience(End end);
/// What a sentence about a key that others can read says to do.
std::string advice_on_keys(End end);

using Folder = tests::TemporaryFolder;

/// Texts put into a configuration in place of what it has: {"port = 1", "port = 2"}.
using Changes = std::vector<std::pair<std::string, std::string>>;

struct Play {
  std::string scenario = {};    // its text
  std::string name = "desk1";   // of its files, and the label in its trace
  fs::path configuration = {};  // of the proxy; empty: simpbx is loaded directly
  fs::path module = {};         // another one than these
};

class Site {
 public:
  /// The certificates are made once in a run: desk1 to desk3, and the bad ones.
  static const fs::path& certificates();
  /// A scenario of tests/, with time for a slow machine.
  static std::string scenario(const std::string& path_in_tests);

  /// Settings of the simulated PBX, as its README lists them; before anything is started.
  void set_pbx(const std::string& settings) const;
  /// The policy file of the hosts, which take a change while they run. Without one everybody may do everything.
  void set_policy(const std::string& grants) const;
  fs::path file(const std::string& name) const { return folder_.path() / name; }

  /// Writes a configuration and names its file.
  fs::path host_configuration(const Changes& changes = {}, const std::string& name = "host.toml") const;
  /// For a desktop; `port` is the host's. Each desktop has a state folder of its own, and a log NAME.log.
  fs::path proxy_configuration(const std::string& desktop, const std::string& port,
                               const Changes& changes = {}) const;

  std::unique_ptr<Process> run_host(const fs::path& configuration, const std::string& name = "host") const;
  /// Runs a host until it listens and its PBX does; records a failure if it does not.
  std::unique_ptr<Process> start_host(const Changes& changes = {}) const;
  std::string port() const;

  std::unique_ptr<Process> start(const Play& play) const;
  /// Runs it to its end, expects status 0 and gives back the canonical trace.
  std::string canonical(const Play& play) const;
  /// The trace that a desktop writes as it goes.
  fs::path trace(const std::string& name) const { return file(name + ".trace"); }
  /// What of TSPI a desktop reached (tapisim --coverage).
  fs::path coverage(const std::string& name) const { return file(name + ".coverage"); }

  /// For a failing test: the logs of all.
  std::string logs() const;

 private:
  std::map<std::string, std::string> pbx_environment() const;
  Folder folder_;
};

/// What diff(1) says of two traces, a sentence when there is no second one; empty when they are the same.
std::string difference(const std::string& direct, const std::string& proxied);
/// Fails with their difference.
void expect_same(const std::string& direct, const std::string& proxied);

}  // namespace tsplink::e2e
