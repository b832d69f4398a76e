// What people get wrong: each is answered by one sentence that names it, a status that is not 0, within a bound.
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <regex>
#include <set>
#include <sstream>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

/// `text` is one line that has all `parts`, which are regular expressions. It may come again, at another time.
/// Paths are compared as Linux writes them.
void expect_one_sentence(std::string text, const std::vector<std::string>& parts) {
  std::replace(text.begin(), text.end(), '\\', '/');
  const std::regex stamp("^[0-9-]+ [0-9:.]+ ");
  std::set<std::string> sentences;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) sentences.insert(std::regex_replace(line, stamp, ""));
  EXPECT_EQ(sentences.size(), 1U) << text;
  for (const auto& part : parts)
    EXPECT_TRUE(std::regex_search(text, std::regex(part))) << part << "\nis not in\n" << text;
}

void expect_refusal(Process& process, const std::vector<std::string>& parts) {
  const auto status = process.wait();
  ASSERT_TRUE(status) << "it still runs: " << process.story();
  EXPECT_TRUE(*status == 1 || *status == 2) << process.story();
  EXPECT_FALSE(process.left_any()) << process.story();
  expect_one_sentence(process.err(), parts);
}

/// A copy of a key, readable by all.
fs::path open_key(const Site& site, const std::string& who) {
  const auto copy = site.file("open.key");
  fs::copy_file(Site::certificates() / (who + ".key"), copy);
  fs::permissions(copy, static_cast<fs::perms>(0644));
  return copy;
}

std::string tls_key(const std::string& who) { return (Site::certificates() / (who + ".key")).string(); }

// ---- The host

struct BadHost {
  const char* name;
  Changes changes;  // "@bin" in a text is the folder of the build, "@msp" the MSP of simpbx
  std::vector<std::string> says;
};

void PrintTo(const BadHost& one, std::ostream* out) { *out << one.name; }

class BadHostInput : public testing::TestWithParam<BadHost> {};

TEST_P(BadHostInput, IsRefusedInOneSentence) {
  const Site site;
  auto changes = GetParam().changes;
  for (auto& [old, put] : changes) {
    for (auto* text : {&old, &put}) {
      if (const auto at = text->find("@bin"); at != std::string::npos)
        text->replace(at, 4, module_of(End::host, "").parent_path().string());
      if (const auto at = text->find("@msp"); at != std::string::npos)
        text->replace(at, 4, module_of(End::host, "simpbx_msp.so").string());
    }
  }
  const auto host = site.run_host(site.host_configuration(changes));
  expect_refusal(*host, GetParam().says);
  EXPECT_FALSE(fs::exists(site.file("port")));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadHostInput,
    testing::Values(
        BadHost{"MalformedToml", {{"[log]", "[log"}}, {"/host\\.toml:8:"}},
        BadHost{"AnUnknownKey", {{"level = ", "levle = "}}, {"/host\\.toml:9:", "log\\.levle"}},
        BadHost{"AnUnknownSection", {{"[log]\nlevel", "[lgo]\nlevel"}}, {"/host\\.toml:8:", "lgo"}},
        BadHost{"AWrongType", {{"permanent_id = 1", "permanent_id = \"1\""}}, {"/host\\.toml:16:", "permanent_id"}},
        BadHost{"AMissingModule",
                {{"@bin/simpbx.tsp", "/nowhere/vendor.tsp"}},
                {"/nowhere/vendor\\.tsp", "provider\\.module"}},
        BadHost{"AModuleThatIsNoTsp", {{"@bin/simpbx.tsp", "@msp"}}, {"/simpbx_msp\\.(so|dll)", "TSPI_|TSP"}},
        BadHost{"AModuleThatIsNoModule", {{"@bin/simpbx.tsp", "/etc/passwd"}}, {"/etc/passwd"}},
        BadHost{"AMissingKey", {{"host.key", "lost.key"}}, {"/lost\\.key"}}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(HostRefuses, AMissingConfiguration) {
  const Site site;
  const auto host = site.run_host(site.file("nothing.toml"));
  expect_refusal(*host, {"/nothing\\.toml"});
}

TEST(HostRefuses, AKeyThatOthersCanRead) {
  const Site site;
  const auto host = site.run_host(site.host_configuration({{tls_key("host"), open_key(site, "host").string()}}));
  expect_refusal(*host, {"/open\\.key", advice_on_keys(End::host)});
}

/// A port that is taken as long as the object lives.
class Taken {
 public:
  Taken() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, generic, size), 0);
    EXPECT_EQ(listen(socket_, 1), 0);
    EXPECT_EQ(getsockname(socket_, generic, &size), 0);
    port_ = std::to_string(ntohs(address.sin_port));
  }
  ~Taken() { close(socket_); }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  const std::string& port() const { return port_; }

 private:
  int socket_;
  std::string port_;
};

TEST(HostRefuses, APortInUse) {
  const Site site;
  const Taken taken;
  const auto host = site.run_host(site.host_configuration(
      {{"127.0.0.1:0", "127.0.0.1:" + taken.port()}, {"level = \"info\"", "level = \"warn\""}}));
  expect_refusal(*host, {"port " + taken.port() + " on 127\\.0\\.0\\.1 is in use"});
  EXPECT_FALSE(fs::exists(site.file("port")));
  // Nor was the vendor's driver woken, which would be a second one at the PBX.
  EXPECT_FALSE(fs::exists(site.file("pbx.log"))) << text_of(site.file("pbx.log"));
}

TEST(HostRefuses, APortFileThatIsNoFile) {
  const Site site;
  fs::create_directory(site.file("folder"));
  const auto host = site.run_host(site.host_configuration(
      {{"port_file = \"port\"", "port_file = \"folder\""}, {"level = \"info\"", "level = \"error\""}}));
  expect_refusal(*host, {"/folder is there and no ordinary file", "port_file"});
  EXPECT_TRUE(fs::exists(site.file("folder")));
}

// ---- tapisim

TEST(TapisimRefuses, AMissingModule) {
  const Site site;
  const auto desktop = site.start({.scenario = "shutdown\n", .module = "/nowhere/vendor.tsp"});
  expect_refusal(*desktop, {"/nowhere/vendor\\.tsp"});
}

TEST(TapisimRefuses, AMediaProviderWithoutItsClass) {
  const Site site;
  auto command = program_of(End::desktop, "tapisim");
  write(site.file("end.tap"), "shutdown\n");
  command.insert(command.end(), {module_of(End::desktop, "simpbx.tsp").string(), site.file("end.tap").string(),
                                 "--msp", "/nowhere/media.so"});
  Process tapisim({command, {}}, site.file("tapisim"));
  expect_refusal(tapisim, {"--msp takes CLSID=PATH, not /nowhere/media\\.so"});
}

/// In one sentence that names the module, not in one for each export that it lacks.
TEST(TapisimRefuses, AModuleThatIsNoTsp) {
  const Site site;
  const auto desktop = site.start({.scenario = "shutdown\n", .module = module_of(End::desktop, "simpbx_msp.so")});
  expect_refusal(*desktop, {"simpbx_msp\\.(so|dll)", "TSPI_|TSP"});
}

TEST(TapisimRefuses, AMissingScenario) {
  const Site site;
  auto command = program_of(End::desktop, "tapisim");
  command.insert(command.end(), {module_of(End::desktop, "simpbx.tsp").string(), site.file("nothing.tap").string()});
  Process tapisim({command, {}}, site.file("tapisim"));
  expect_refusal(tapisim, {"/nothing\\.tap"});
}

TEST(TapisimRefuses, AMalformedScenario) {
  const Site site;
  const auto desktop = site.start({"wait lines 1\nrepeat 3\nprint x\n"});
  expect_refusal(*desktop, {"line 2: the block is not closed"});
}

TEST(TapisimRefuses, AnUnknownStatement) {
  const Site site;
  const auto desktop = site.start({"wait lines 1\nopne line 1 as l\n"});
  expect_refusal(*desktop, {"line 2: \"opne\" is no statement"});
}

// ---- The proxy: TAPI knows a number only, so the sentence is in the log

/// What the proxy says of an error, by log file and standard error.
std::string complaints(const Site& site, const Process& desktop) {
  std::string lines;
  std::istringstream all(text_of(site.file("desk1.log")) + desktop.err());
  for (std::string line; std::getline(all, line);) {
    if (line.find(" error ") != std::string::npos || line.find(" warning ") != std::string::npos)
      lines += line + "\n";
  }
  return lines;
}

void expect_proxy_refuses(const Site& site, const fs::path& configuration, const std::vector<std::string>& parts) {
  const auto desktop = site.start({"limit 60\nwait lines 1\nopen line 1 as l\n", "desk1", configuration});
  const auto status = desktop->wait();
  ASSERT_TRUE(status) << "it still runs: " << desktop->story();
  EXPECT_EQ(*status, 1) << desktop->story();
  EXPECT_NE(desktop->err().find("LINEERR_OPERATIONFAILED"), std::string::npos) << desktop->story();
  expect_one_sentence(complaints(site, *desktop), parts);
}

TEST(ProxyRefuses, AMissingConfiguration) {
  const Site site;
  expect_proxy_refuses(site, site.file("nothing.toml"), {"/nothing\\.toml", "TSPLINK_CONFIG"});
}

TEST(ProxyRefuses, AMalformedConfiguration) {
  const Site site;
  expect_proxy_refuses(site, site.proxy_configuration("desk1", "1", {{"[[host]]", "[[host]"}}),
                       {"/desk1\\.toml, line 4"});
}

TEST(ProxyRefuses, AnUnknownKey) {
  const Site site;
  expect_proxy_refuses(site, site.proxy_configuration("desk1", "1", {{"port = ", "prot = "}}),
                       {"/desk1\\.toml, line 6", "prot"});
}

TEST(ProxyRefuses, HardwareThatNoDesktopGives) {
  const Site site;
  expect_proxy_refuses(site,
                       site.proxy_configuration("desk1", "1", {{"[log]", "[device_classes]\n\"comm\" = 1\n[log]"}}),
                       {"/desk1\\.toml, line 14", "'comm' is not wave/in"});
}

TEST(ProxyRefuses, AMissingKey) {
  const Site site;
  const auto configuration = site.proxy_configuration("desk1", "1", {{"desktop-desk1.key", "lost.key"}});
  expect_proxy_refuses(site, configuration, {"/lost\\.key"});
}

TEST(ProxyRefuses, NoKeyAtAll) {
  const Site site;
  const auto configuration = site.proxy_configuration("desk1", "1", {{"\nkey = ", "\n#key = "}});
  expect_proxy_refuses(site, configuration, {"no key file is configured", "/desktop-desk1\\.crt"});
}

TEST(ProxyRefuses, AKeyThatOthersCanRead) {
  const Site site;
  const auto key = open_key(site, "desktop-desk1").string();
  expect_proxy_refuses(site, site.proxy_configuration("desk1", "1", {{tls_key("desktop-desk1"), key}}),
                       {"/open\\.key", advice_on_keys(End::desktop)});
}

/// The line is known from an earlier day, today the host is not there: lineOpen fails after its deadline.
TEST(ProxyRefuses, AHostThatIsNotThere) {
  const Site site;
  std::string port;
  {
    const auto host = site.start_host();
    port = site.port();
    site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", site.proxy_configuration("desk1", port)});
  }
  fs::remove(site.file("desk1.log"));
  const auto configuration =
      site.proxy_configuration("desk1", port, {{"call_deadline_ms = 60000", "call_deadline_ms = 2000"}});
  expect_proxy_refuses(site, configuration, {"localhost:" + port, "is the host's service running"});
}

}  // namespace
}  // namespace tsplink::e2e
