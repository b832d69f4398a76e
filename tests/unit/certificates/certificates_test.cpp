// `tsplinkctl certificates` as its user meets it: what is printed, made and answered.
#include "remote-host/ctl/certificates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "security/authority.hpp"
#include "security/context.hpp"
#include "tests/platform/files.hpp"

namespace tsplink::ctl {
namespace {

namespace fs = std::filesystem;

struct Answer {
  int status = 0;
  std::string out, refusal;
};

class Certificates : public testing::Test {
 protected:
  /// `certificates`, the words, and --dir; as the program's main() does it.
  Answer run(std::vector<std::string> words, std::chrono::days from_now = std::chrono::days(0)) const {
    words.insert(words.begin(), "certificates");
    words.insert(words.end(), {"--dir", place.string()});
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    Answer answer;
    std::ostringstream out;
    const CertificatesOutput output{out, std::chrono::system_clock::now() + from_now};
    CLI::App program("control", "tsplinkctl");
    add_certificates(program, output, answer.status);
    try {
      program.parse(words);
    } catch (const CLI::ParseError& failure) {
      std::ostringstream help, error;
      answer.status = program.exit(failure, help, error) == 0 ? 0 : 2;
      out << help.str();
      answer.refusal = error.str();
    } catch (const std::exception& failure) {
      answer.status = 2;
      answer.refusal = failure.what();
    }
    answer.out = out.str();
    return answer;
  }

  fs::path write(const std::string& name, const std::string& text) const {
    const auto file = folder.path() / name;
    std::ofstream(file, std::ios::binary) << text;
    tests::let_read(file, false);
    return file;
  }

  tests::TemporaryFolder folder;
  fs::path place = folder.path() / "pki";
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(Certificates, FromAnAuthorityToARevocation) {
  EXPECT_EQ(run({"init", "--organization", "Example"}).status, 0);
  const Answer host = run({"host", "pbx.example", "192.0.2.10"});
  EXPECT_TRUE(has(host.out, "CN=tsplink host  pbx.example 192.0.2.10")) << host.out << host.refusal;
  EXPECT_EQ(run({"host", "standby.example", "--name", "standby"}).status, 0);
  const Answer desktops = run({"desktop", "desk1", "desk2", "--organization", "Example"});
  EXPECT_TRUE(has(desktops.out, "CN=desk2,O=Example")) << desktops.out << desktops.refusal;
  EXPECT_EQ(run({"renew", "host", "desk1"}).status, 0);
  const Answer revoked = run({"revoke", "desk1"});
  EXPECT_TRUE(has(revoked.out, "Revocation list 2, valid until")) << revoked.out << revoked.refusal;
  EXPECT_TRUE(has(revoked.out, "it holds there within seconds")) << revoked.out;
  const auto context =
      security::Context::load(security::Side::Server, {place / "host-standby.crt", place / "host-standby.key",
                                                       place / "authority.crt", place / "revocations.crl", ""});
  EXPECT_TRUE(context->warnings().empty());

  const Answer list = run({"list"});
  for (const char* part :
       {"NAME ", "desktop-desk1  desktop    revoked ", "desktop-desk2  desktop    good ", "replaced"}) {
    EXPECT_TRUE(has(list.out, part)) << list.out;
  }
  const Answer json = run({"list", "--json"});
  for (const char* part :
       {R"("name" : "desktop-desk2")", R"("state" : "revoked")", R"("number" : "2")", R"("192.0.2.10")"}) {
    EXPECT_TRUE(has(json.out, part)) << json.out;
  }
}

TEST_F(Certificates, ExpiringIsForAMonitor) {
  ASSERT_EQ(run({"init"}).status, 0);
  ASSERT_EQ(run({"desktop", "short", "--days", "40"}).status, 0);
  ASSERT_EQ(run({"desktop", "long"}).status, 0);
  EXPECT_EQ(run({"expiring"}).status, 0);
  const Answer soon = run({"expiring"}, std::chrono::days(15));
  EXPECT_EQ(soon.status, 1);
  EXPECT_TRUE(has(soon.out, "desktop-short") && !has(soon.out, "desktop-long")) << soon.out;
  ASSERT_EQ(run({"renew", "short"}).status, 0);
  EXPECT_EQ(run({"expiring"}, std::chrono::days(15)).status, 0) << "what was renewed needs nothing";
  const Answer list = run({"expiring", "--within", "400"});
  EXPECT_EQ(list.status, 1);
  EXPECT_TRUE(has(list.out, "The revocation list ends within 400 days")) << list.out;
}

TEST_F(Certificates, WhatIsRefusedIsOneSentence) {
  const auto refused = [&](const std::vector<std::string>& words, const std::string& part) {
    const Answer answer = run(words);
    EXPECT_EQ(answer.status, 2) << part;
    EXPECT_TRUE(has(answer.refusal, part)) << answer.refusal;
  };
  refused({"list"}, "there is no authority in");
  EXPECT_FALSE(fs::exists(place)) << "looking makes no folder";
  ASSERT_EQ(run({"init"}).status, 0);
  refused({"init"}, "is there already");
  refused({"desktop", "../x"}, "may have letters");
  refused({"desktop", "a", "--days", "0"}, "--days");
  refused({"desktop", "a", "b", "--common-name", "c"}, "name one only");
  refused({"renew", "nobody"}, "was never issued");
  refused({"renew", "nobody", "--ask-key-passphrase"}, "--new-key");
  refused({"desktop"}, "NAME is required");
  refused({"frobnicate"}, "");
  const Answer half = run({"desktop", "good", "b/d"});
  EXPECT_EQ(half.status, 2);
  EXPECT_TRUE(has(half.out, "CN=good")) << "what was made before a refusal is shown: " << half.out;
}

TEST_F(Certificates, PassphrasesComeFromFiles) {
  const std::string mine = write("mine", "correct horse\n").string(), wrong = write("wrong", "x\n").string();
  const std::string desk = write("desk", "battery staple\n").string();
  ASSERT_EQ(run({"init", "--passphrase-file", mine}).status, 0);
  EXPECT_TRUE(has(run({"desktop", "a", "--passphrase-file", wrong}).refusal, "passphrase for key file"));
  const Answer made = run({"desktop", "a", "--passphrase-file", mine, "--key-passphrase-file", desk});
  EXPECT_EQ(made.status, 0) << made.refusal;
  const auto context = security::Context::load(
      security::Side::Client, {place / "desktop-a.crt", place / "desktop-a.key", place / "authority.crt",
                               place / "revocations.crl", "battery staple"});
  EXPECT_EQ(context->own().common_name, "a");
  EXPECT_EQ(run({"list"}).status, 0) << "looking needs no passphrase";
}

TEST_F(Certificates, HelpHasAnExampleForEachVerb) {
  const std::string help = run({"--help"}).out;
  for (const char* verb : {"init", "host", "desktop", "renew", "revoke", "revocations", "list", "expiring"}) {
    EXPECT_TRUE(has(help, std::string("  tsplinkctl certificates ") + verb + " --dir pki")) << help;
    EXPECT_TRUE(has(run({verb, "--help"}).out, std::string("tsplinkctl certificates ") + verb + " --dir pki"));
  }
}

}  // namespace
}  // namespace tsplink::ctl
