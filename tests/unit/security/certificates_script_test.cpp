// deploy/certificates.sh: what it makes works, and what it makes bad is refused.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "pair.hpp"

namespace tsplink::security {
namespace {

class CertificatesScript : public testing::Test {
 protected:
  static int run(const std::string& arguments) {
    const std::string command =
        "'" TSPLINK_CERTIFICATES_SCRIPT "' " + arguments + " >'" + (folder().path() / "log").string() + "' 2>&1";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static std::string log() {
    std::ifstream file(folder().path() / "log");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  static Folder& folder() {
    static Folder made;
    return made;
  }

  static std::string place() { return (folder().path() / "with blank").string(); }

  static void SetUpTestSuite() {
    ASSERT_EQ(run("'" + place() + "' --host host.test 127.0.0.1 ::1 --desktop desk-1 desk_2 --bad"), 0) << log();
  }

  static IdentityFiles files(const std::string& name, bool revocations = false) {
    const std::filesystem::path at = place();
    return {at / (name + ".crt"),
            at / (name + ".key"),
            at / "authority.crt",
            revocations ? at / "bad" / "revocations.crl" : std::filesystem::path(),
            {}};
  }

  /// Both ends of one handshake: what the server says of the client, or the client of the server.
  static std::string handshake(const IdentityFiles& client, const IdentityFiles& server, const std::string& host) {
    Pair pair(Context::load(Side::Client, client), Context::load(Side::Server, server), host);
    pair.run();
    if (pair.open()) return "open";
    return pair.server.failure() + " / " + pair.client.failure();
  }
};

TEST_F(CertificatesScript, GoodCertificatesWork) {
  for (const char* desktop : {"desktop-desk-1", "desktop-desk_2"}) {
    for (const char* host : {"host.test", "127.0.0.1", "::1"}) {
      EXPECT_EQ(handshake(files(desktop, true), files("host", true), host), "open");
    }
  }
  EXPECT_TRUE(Context::load(Side::Server, files("host", true))->warnings().empty());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place())) {
    if (entry.path().extension() != ".key") continue;
    EXPECT_EQ(static_cast<unsigned>(entry.status().permissions()), 0600U) << entry.path();
  }
}

TEST_F(CertificatesScript, BadCertificatesAreRefused) {
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const IdentityFiles host = files("host", true), desktop = files("desktop-desk-1", true);
  for (const auto& [name, words] :
       {std::pair{"bad/revoked", "was revoked"}, std::pair{"bad/of-other-authority", "unknown authority"}}) {
    EXPECT_TRUE(has(handshake(files(name), host, "host.test"), words)) << handshake(files(name), host, "host.test");
    EXPECT_TRUE(has(handshake(desktop, files(name), "host.test"), words));
  }
  const std::string wrong = handshake(desktop, files("bad/wrong-name"), "host.test");
  EXPECT_TRUE(has(wrong, "it has wrong-name.invalid, wanted is host.test")) << wrong;
  for (const auto& [name, words] :
       {std::pair{"bad/expired", "expired on"}, std::pair{"bad/not-yet-valid", "not yet valid"}}) {
    try {
      Context::load(Side::Server, files(name));
      ADD_FAILURE() << name << " was loaded";
    } catch (const Error& error) {
      EXPECT_TRUE(has(error.what(), words)) << error.what();
    }
  }
}

TEST_F(CertificatesScript, AddsDesktopsAndOverwritesNothing) {
  ASSERT_EQ(run("'" + place() + "' --desktop later"), 0) << log();
  EXPECT_EQ(handshake(files("desktop-later"), files("host"), "host.test"), "open");
  EXPECT_NE(run("'" + place() + "' --desktop later"), 0);
  EXPECT_NE(log().find("--force"), std::string::npos) << log();
  EXPECT_NE(run("'" + place() + "' --host other.test"), 0);
  EXPECT_EQ(run("'" + place() + "' --desktop later --force --days 10"), 0) << log();
  EXPECT_EQ(handshake(files("desktop-later"), files("host"), "host.test"), "open");
  EXPECT_EQ(Context::load(Side::Client, files("desktop-later"))->warnings().size(), 1U);
  EXPECT_EQ(handshake(files("desktop-desk-1"), files("host"), "host.test"), "open");
}

TEST_F(CertificatesScript, UsageAndMistakes) {
  EXPECT_EQ(run("--help"), 0);
  EXPECT_NE(log().find("Usage:"), std::string::npos);
  EXPECT_NE(run(""), 0);
  const std::string other = "'" + (folder().path() / "other").string() + "' ";
  EXPECT_NE(run(other + "--unknown"), 0);
  EXPECT_NE(run(other + "--days 0"), 0);
  EXPECT_NE(run(other + "--desktop ../x"), 0);
  EXPECT_NE(run(other + "--host 'a b,DNS:c'"), 0);
  EXPECT_FALSE(std::filesystem::exists(folder().path() / "other"));
  EXPECT_EQ(run(other), 0) << log();
  EXPECT_TRUE(std::filesystem::exists(folder().path() / "other" / "desktop-desk-1.key"));
}

}  // namespace
}  // namespace tsplink::security
