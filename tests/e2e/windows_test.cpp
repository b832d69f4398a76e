// What only Windows has: the host as a service, the proxy's settings in the registry. Skipped where the end concerned
// is no Windows build. Services and registry are those of the Wine prefix that the run has (tests/run.sh makes one).
#include <gtest/gtest.h>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

/// Runs one of Windows' own programs.
void run_wine(const std::vector<std::string>& words, const std::optional<int>& expected = 0) {
  const Folder folder;
  Process::Start start{{"/usr/bin/wine"}, {}};
  start.command.insert(start.command.end(), words.begin(), words.end());
  Process process(start, folder.path() / "wine");
  const auto status = process.wait();
  EXPECT_TRUE(status) << process.story();
  if (expected) {
    EXPECT_EQ(status, expected) << process.story();
  } else {
    EXPECT_NE(status, 0) << process.story();
  }
}

/// A path as Windows has it.
std::string drive_z(const fs::path& path) { return "Z:" + path.string(); }

// ---- The host as a service

class Service : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_windows(End::host)) GTEST_SKIP() << "the host is no Windows build";
  }
  void TearDown() override {
    if (is_windows(End::host)) run_host({"--remove-service"}).wait();
  }

  Process& run_host(const std::vector<std::string>& options) {
    auto command = program_of(End::host, "tsplink-host");
    command.insert(command.end(), options.begin(), options.end());
    process_ = std::make_unique<Process>(Process::Start{command, {}}, site_.file("options"));
    return *process_;
  }
  void install() {
    // Relative paths, since the service is started in another folder; in one whose name has spaces, since the service
    // manager has one text for program and options.
    const auto made = site_.host_configuration({{"level = \"info\"", "level = \"info\"\nfile = \"../host.log\""},
                                                {"port_file = \"port\"", "port_file = \"../port\""},
                                                {"policy = \"", "policy = \"../"}});
    const auto configuration = site_.file("\u00dcbung \u96fb\u8a71 x") / made.filename();
    fs::create_directories(configuration.parent_path());
    fs::rename(made, configuration);
    auto& process = run_host({"--install-service", "--config", drive_z(configuration)});
    EXPECT_EQ(process.wait(), 0) << process.story();
  }
  void start() {
    run_wine({"sc", "start", "tsplink-host"});
    // Nobody's child: looked for by what it does.
    Process waiter({{"/bin/sh", "-c", "until [ -s \"$0\" ]; do sleep 0.05; done", site_.file("port").string()}, {}},
                   site_.file("waiter"));
    EXPECT_EQ(waiter.wait(), 0) << "the service does not listen\n" << text_of(site_.file("host.log"));
  }
  /// Its last line: the port file goes first, while the providers are still ending.
  void expect_stopped() {
    Process waiter(
        {{"/bin/sh", "-c", "until grep -q 'Stopped[.]' \"$0\"; do sleep 0.05; done", site_.file("host.log").string()},
         {}},
        site_.file("waiter"));
    EXPECT_EQ(waiter.wait(), 0) << text_of(site_.file("host.log"));
    EXPECT_FALSE(fs::exists(site_.file("port")));
  }

  const std::string kEventSource = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\tsplink-host";
  const Site site_{};
  std::unique_ptr<Process> process_;
};

TEST_F(Service, IsInstalledStartedUsedStoppedAndRemoved) {
  install();
  install();  // again: it is changed
  run_wine({"reg", "query", kEventSource, "/v", "EventMessageFile"});
  start();
  const std::string scenario =
      "limit 60\nwait lines 1\nopen line 1 as l\n"
      "call lineMakeCall l lpszDestAddress=\"+4930987654\" lpCallParams.dwMediaMode=LINEMEDIAMODE_INTERACTIVEVOICE "
      "as "
      "c\nexpect completion 0 of c\nexpect LINE_CALLSTATE CONNECTED on c\ncall lineDrop c\nexpect completion 0\n"
      "expect LINE_CALLSTATE IDLE on c\nclose c\nclose l\n";
  site_.canonical({scenario, "desk1", site_.proxy_configuration("desk1", site_.port())});
  run_wine({"sc", "stop", "tsplink-host"});
  expect_stopped();
  auto& removing = run_host({"--remove-service"});
  EXPECT_EQ(removing.wait(), 0) << removing.story();
  run_wine({"sc", "start", "tsplink-host"}, std::nullopt);
  run_wine({"reg", "query", kEventSource}, std::nullopt);
}

TEST_F(Service, IsStoppedWhenItIsRemoved) {
  install();
  start();
  auto& removing = run_host({"--remove-service"});
  EXPECT_EQ(removing.wait(), 0) << removing.story();
  expect_stopped();
}

TEST_F(Service, IsNotInstalledWithAConfigurationThatItCannotRead) {
  auto& installing = run_host({"--install-service", "--config", drive_z(site_.file("nothing.toml"))});
  EXPECT_EQ(installing.wait(), 2) << installing.story();
  EXPECT_NE(installing.err().find("nothing.toml"), std::string::npos) << installing.story();
  run_wine({"sc", "start", "tsplink-host"}, std::nullopt);
}

TEST_F(Service, IsNotInstalledUnderAnAccountThatNeedsAPassword) {
  auto& installing =
      run_host({"--install-service", "--account", "CORP\\alice", "--config", drive_z(site_.host_configuration())});
  EXPECT_EQ(installing.wait(), 2) << installing.story();
  EXPECT_NE(installing.err().find("needs a password"), std::string::npos) << installing.story();
}

TEST_F(Service, ThatIsNotThereIsNotRemoved) {
  auto& removing = run_host({"--remove-service"});
  EXPECT_EQ(removing.wait(), 2) << removing.story();
  EXPECT_NE(removing.err().find("the service is not installed"), std::string::npos) << removing.story();
}

// ---- The proxy's settings

class Registry : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_windows(End::desktop)) GTEST_SKIP() << "the desktop is no Windows build";
    clear();
  }
  void TearDown() override {
    if (is_windows(End::desktop)) clear();
  }
  static void clear() {
    write_keys("[-HKEY_LOCAL_MACHINE\\SOFTWARE\\tsplink]\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\tsplink]\n");
  }
  static void write_keys(const std::string& text) {
    const Folder folder;
    const std::string all = "\ufeffWindows Registry Editor Version 5.00\n\n" + text;
    const auto wide = fs::path(std::u8string(all.begin(), all.end())).u16string();
    write(folder.path() / "keys.reg", std::string(reinterpret_cast<const char*>(wide.data()), wide.size() * 2));
    run_wine({"reg", "import", drive_z(folder.path() / "keys.reg")});
  }
  /// A machine's own settings that lack nothing but a host that is there.
  std::string local_keys() const {
    const auto file = [](const fs::path& path) {
      std::string text = drive_z(path);
      for (auto at = text.find('/'); at != std::string::npos; at = text.find('/', at + 2))
        text.replace(at, 1, "\\\\");
      return "\"" + text + "\"\n";
    };
    const auto& certificates = Site::certificates();
    return "[" + kLocal +
           "]\n\"machine\"=\"desk1\"\n\"call_deadline_ms\"=dword:0000ea60\n\"state\"=" + file(site_.file("state")) +
           "[" + kLocal + "\\host]\n\"address\"=\"localhost\"\n\"port\"=dword:00000001\n[" + kLocal +
           "\\tls]\n\"certificate\"=" + file(certificates / "desktop-desk1.crt") +
           "\"key\"=" + file(certificates / "desktop-desk1.key") +
           "\"authority\"=" + file(certificates / "authority.crt") + "[" + kLocal +
           "\\log]\n\"file\"=" + file(site_.file(kLog));
  }
  /// A desktop without TSPLINK_CONFIG.
  Play play(const std::string& scenario) const {
    return {.scenario = scenario, .module = module_of(End::desktop, "tsplink.tsp")};
  }

  const std::string kLocal = "HKEY_LOCAL_MACHINE\\SOFTWARE\\tsplink\\proxy";
  const std::string kLog = "\u00dcbung \u96fb\u8a71.log";
  const std::string kPolicy = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\tsplink\\proxy";
  const Site site_{};
};

TEST_F(Registry, GivesTheSettingsAndThePolicyComesFirst) {
  const auto host = site_.start_host();
  char port[9];
  std::snprintf(port, sizeof port, "%08x", static_cast<unsigned>(std::stoul(site_.port())));
  write_keys(local_keys() + "[" + kPolicy + "\\Host]\n\"Port\"=dword:" + port + "\n");
  EXPECT_FALSE(site_.canonical(play(Site::scenario("tapisrv/scenarios/learn.tap"))).empty());
  EXPECT_TRUE(host->says("Desktop desk1 (CN=desk1, 127.0.0.1) is connected")) << host->story();
  EXPECT_NE(
      text_of(site_.file(kLog))
          .find("settings from registry HKLM\\SOFTWARE\\tsplink\\proxy and HKLM\\SOFTWARE\\Policies\\tsplink\\proxy"),
      std::string::npos)
      << site_.logs();
}

TEST_F(Registry, HasTheClassOfAnMspOrTheLineHasNone) {
  const std::string msp = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\CLSID\\{5B0C7A11-52B1-4B7E-9C44-51AB0E57D0C7}";
  const auto host = site_.start_host();
  const auto configuration = site_.proxy_configuration("desk1", site_.port());
  const auto shows_msp = [&] {
    const auto trace = site_.canonical({Site::scenario("e2e/scenarios/capabilities.tap"), "desk1", configuration});
    EXPECT_NE(trace.find("dwDevCapFlags="), std::string::npos) << trace;
    return trace.find("LINEDEVCAPFLAGS_MSP") != std::string::npos;
  };
  EXPECT_TRUE(shows_msp());
  write_keys("[-" + msp + "]\n");
  EXPECT_FALSE(shows_msp());
  write_keys("[" + msp + "\\InprocServer32]\n@=\"simpbx_msp.dll\"\n");  // as it was
  EXPECT_TRUE(shows_msp());
}

TEST_F(Registry, NamesThePlaceOfAWrongValue) {
  write_keys(local_keys() + "[" + kPolicy + "]\n\"call_deadline_ms\"=\"soon\"\n");
  const auto desktop = site_.start(play("wait lines 1\n"));
  EXPECT_EQ(desktop->wait(), 1) << desktop->story();
  for (const char* part : {"registry HKLM\\SOFTWARE\\tsplink\\proxy and HKLM\\SOFTWARE\\Policies\\tsplink\\proxy",
                           "'call_deadline_ms' must be a number of milliseconds"}) {
    EXPECT_NE(desktop->err().find(part), std::string::npos) << part << "\n" << desktop->story();
  }
}

TEST_F(Registry, TakesNoPassphraseThatEveryUserCouldRead) {
  write_keys(local_keys() + "[" + kLocal + "\\tls]\n\"passphrase\"=\"secret\"\n");
  const auto desktop = site_.start(play("wait lines 1\n"));
  EXPECT_EQ(desktop->wait(), 1) << desktop->story();
  EXPECT_NE(desktop->err().find("every user of this machine can read a passphrase there"), std::string::npos)
      << desktop->story();
}

TEST_F(Registry, WithoutSettingsNamesTheFileThatIsMissing) {
  const auto desktop = site_.start(play("wait lines 1\n"));
  EXPECT_EQ(desktop->wait(), 1) << desktop->story();
  EXPECT_NE(desktop->err().find("\\tsplink\\proxy.toml: there is no such configuration file"), std::string::npos)
      << desktop->story();
}

}  // namespace
}  // namespace tsplink::e2e
