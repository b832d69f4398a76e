// Folders with names that no code page has: everything that host and desktop read and write lies in one.
#include <gtest/gtest.h>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

TEST(Paths, BeyondAsciiWork) {
  const Site site;
  const auto folder = site.file("Übung 電話");
  fs::create_directory(folder);
  for (const char* name : {"host.crt", "host.key", "desktop-desk1.crt", "desktop-desk1.key", "authority.crt"})
    fs::copy_file(Site::certificates() / name, folder / name);
  const auto tls = [](const std::string& who) {
    return "[tls]\ncertificate = \"" + who + ".crt\"\nkey = \"" + who + ".key\"\nauthority = \"authority.crt\"\n";
  };
  write(folder / "Recht.toml", "[[grant]]\nto = \"*\"\nright = \"control\"\n");
  write(folder / "host.toml", "listen = \"127.0.0.1:0\"\nport_file = \"port\"\npolicy = \"Recht.toml\"\n" +
                                  tls("host") +
                                  "[log]\nfile = \"host.log\"\n[[provider]]\nname = \"simpbx\"\nmodule = \"" +
                                  module_of(End::host, "simpbx.tsp").string() + "\"\npermanent_id = 1\n");
  const auto host = site.run_host(folder / "host.toml");
  ASSERT_TRUE(host->until([&] { return !text_of(folder / "port").empty(); })) << host->story();
  const auto port = text_of(folder / "port");
  write(folder / "proxy.toml", "machine = \"Übung\"\nstate = \"state\"\n[[host]]\naddress = \"localhost\"\nport = " +
                                   port.substr(0, port.find('\n')) + "\n" + tls("desktop-desk1") +
                                   "[log]\nfile = \"proxy.log\"\n");
  site.canonical({Site::scenario("tapisrv/scenarios/learn.tap"), "desk1", folder / "proxy.toml"});
  EXPECT_FALSE(fs::is_empty(folder / "state"));
  EXPECT_NE(text_of(folder / "proxy.log").find("settings from"), std::string::npos);
  EXPECT_NE(text_of(folder / "host.log").find("Desktop \"Übung\" (CN=desk1, 127.0.0.1) is connected"),
            std::string::npos)
      << text_of(folder / "host.log");
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
}

}  // namespace
}  // namespace tsplink::e2e
