#include "site.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace tsplink::e2e {

namespace {

constexpr char kMspClsid[] = "5B0C7A11-52B1-4B7E-9C44-51AB0E57D0C7";

std::string with(std::string text, const Changes& changes) {
  for (const auto& [old, put] : changes) {
    const auto at = text.find(old);
    if (at == std::string::npos) throw std::runtime_error("no '" + old + "' in the configuration");
    text.replace(at, old.size(), put);
  }
  return text;
}

std::string tls(const std::string& who) {
  const auto folder = Site::certificates().string();
  return "[tls]\ncertificate = \"" + folder + "/" + who + ".crt\"\nkey = \"" + folder + "/" + who +
         ".key\"\nauthority = \"" + folder + "/authority.crt\"\n";
}

std::unique_ptr<Folder> made_certificates() {
  auto folder = std::make_unique<Folder>();
  Process script({{std::string(E2E_SOURCES) + "/deploy/certificates.sh", (folder->path() / "made").string(), "--host",
                   "localhost", "--desktop", "desk1", "desk2", "desk3", "--bad"},
                  {}},
                 folder->path() / "script");
  if (script.wait() != 0) throw std::runtime_error(script.story());
  return folder;
}

}  // namespace

namespace {

fs::path folder_of(End end) {
  const char* named = std::getenv(end == End::host ? "TSPLINK_E2E_HOST" : "TSPLINK_E2E_DESKTOP");
  return named != nullptr ? fs::path(named) : tests::program_folder();
}

}  // namespace

bool is_windows(End end) { return fs::exists(folder_of(end) / "tapisim.exe"); }

fs::path module_of(End end, const std::string& name) {
  auto path = folder_of(end) / name;
  if (is_windows(end) && path.extension() == ".so") path.replace_extension(".dll");
  return path;
}

std::vector<std::string> program_of(End end, const std::string& name) {
  const auto path = folder_of(end) / name;
  if (!is_windows(end)) return {path.string()};
  return {"/usr/bin/wine", path.string() + ".exe"};
}

void ask_to_end(const Process& process, End end) { process.send(is_windows(end) ? SIGINT : SIGTERM); }
int status_of_impatience(End end) { return is_windows(end) ? 1 : 128 + SIGTERM; }
std::string advice_on_keys(End end) { return is_windows(end) ? "icacls" : "chmod 600"; }

const fs::path& Site::certificates() {
  static const auto folder = made_certificates();
  static const fs::path path = folder->path() / "made";
  return path;
}

std::string Site::scenario(const std::string& path_in_tests) {
  const auto file = fs::path(E2E_SOURCES) / "tests" / path_in_tests;
  const auto text = text_of(file);
  if (text.empty()) throw std::runtime_error("there is no scenario " + file.string());
  // All devices of simpbx, which also come one by one when the proxy learns of them.
  return "limit 60\nwait lines 4\nwait phones 2\n" + text;
}

fs::path Site::host_configuration(const Changes& changes, const std::string& name) const {
  const auto path = file(name);
  if (!fs::exists(file("policy.toml"))) set_policy("[[grant]]\nto = \"*\"\nright = \"control\"\n");
  write(path,
        with("listen = \"127.0.0.1:0\"\nport_file = \"port\"\npolicy = \"policy.toml\"\n" + tls("host") +
                 "[log]\nlevel = \"info\"\n[limits]\nhandshake_ms = 60000\nhello_ms = 60000\n"
                 "[[provider]]\nname = \"simpbx\"\nmodule = \"" +
                 module_of(End::host, "simpbx.tsp").string() + "\"\npermanent_id = 1\ndesktops_configure = true\n",
             changes));
  return path;
}

fs::path Site::proxy_configuration(const std::string& desktop, const std::string& port,
                                   const Changes& changes) const {
  const auto state = file(desktop + ".state");
  fs::create_directories(state);
  fs::permissions(state, fs::perms::owner_all);
  const auto path = file(desktop + ".toml");
  write(path,
        with("machine = \"" + desktop + "\"\nstate = \"" + state.string() +
                 "\"\ncall_deadline_ms = 60000\n[[host]]\naddress = \"localhost\"\nport = " + port + "\n" +
                 tls("desktop-" + desktop) +
                 "[dialogs]\nmodules = [\"simpbx.tsp\"]\n[log]\nlevel = \"info\"\nfile = \"" + desktop + ".log\"\n",
             changes));
  return path;
}

std::unique_ptr<Process> Site::run_host(const fs::path& configuration, const std::string& name) const {
  auto command = program_of(End::host, "tsplink-host");
  command.insert(command.end(), {"--config", configuration.string()});
  return std::make_unique<Process>(Process::Start{command, pbx_environment()}, file(name));
}

void Site::set_policy(const std::string& grants) const { write(file("policy.toml"), grants); }

void Site::set_pbx(const std::string& settings) const { write(file("simpbx.cfg"), settings); }

std::map<std::string, std::string> Site::pbx_environment() const {
  std::map<std::string, std::string> out{{"SIMPBX_CONTROL", file("pbx.port").string()},
                                         {"SIMPBX_LOG", file("pbx.log").string()}};
  if (fs::exists(file("simpbx.cfg"))) out["SIMPBX_CONFIG"] = file("simpbx.cfg").string();
  return out;
}

std::unique_ptr<Process> Site::start_host(const Changes& changes) const {
  auto host = run_host(host_configuration(changes));
  const bool up = host->until([this] { return !port().empty() && !text_of(file("pbx.port")).empty(); });
  EXPECT_TRUE(up) << host->story();
  return host;
}

std::string Site::port() const {
  const auto text = text_of(file("port"));
  return text.substr(0, text.find('\n'));
}

std::unique_ptr<Process> Site::start(const Play& play) const {
  const auto scenario = file(play.name + ".tap");
  write(scenario, play.scenario);
  fs::remove(trace(play.name));
  const bool direct = play.configuration.empty();
  auto module = play.module;
  if (module.empty()) module = module_of(End::desktop, direct ? "simpbx.tsp" : "tsplink.tsp");
  Process::Start start;
  start.command = program_of(End::desktop, "tapisim");
  start.command.insert(start.command.end(),
                       {module.string(), scenario.string(), "--label", play.name, "--msp",
                        std::string(kMspClsid) + "=" + module_of(End::desktop, "simpbx_msp.so").string(), "--trace",
                        trace(play.name).string(), "--canonical", file(play.name + ".canonical").string(),
                        "--coverage", coverage(play.name).string(), "--time-limit", "120", "--call-limit-ms", "70000",
                        "--quiet", "--pbx", file("pbx.port").string()});
  if (direct) {
    start.command.push_back("--remote-view");  // it is compared with a desktop's
    start.environment = pbx_environment();
  } else {
    start.environment = {{"TSPLINK_CONFIG", play.configuration.string()}};
  }
  return std::make_unique<Process>(start, file(play.name));
}

std::string Site::canonical(const Play& play) const {
  const auto desktop = start(play);
  EXPECT_EQ(desktop->wait(Seconds(130)), 0) << desktop->story() << logs();
  EXPECT_FALSE(desktop->left_any()) << desktop->story();
  return text_of(file(play.name + ".canonical"));
}

std::string Site::logs() const {
  std::string out;
  for (const char* name :
       {"host.err", "desk1.log", "desk2.log", "desk3.log", "desk1.trace", "desk2.trace", "desk3.trace"}) {
    const auto text = text_of(file(name));
    if (!text.empty())
      out +=
          std::string("\n-- ") + name + ":\n" + text.substr(text.size() - std::min<std::size_t>(text.size(), 4000));
  }
  return out;
}

std::string difference(const std::string& direct, const std::string& proxied) {
  if (proxied.empty()) return "There is no trace.";
  if (direct == proxied) return {};
  const Folder folder;
  write(folder.path() / "direct", direct);
  write(folder.path() / "proxied", proxied);
  Process diff({{"/usr/bin/diff", "--text", "-U5", "--label", "direct", "--label", "proxied",
                 (folder.path() / "direct").string(), (folder.path() / "proxied").string()},
                {}},
               folder.path() / "diff");
  diff.wait();
  return "The traces differ:\n" + diff.out() + diff.err();
}

void expect_same(const std::string& direct, const std::string& proxied) {
  const auto report = difference(direct, proxied);
  if (!report.empty()) ADD_FAILURE() << report;
}

}  // namespace tsplink::e2e
