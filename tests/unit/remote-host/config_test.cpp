// What an administrator may get wrong, and the sentence for it.
#include <gtest/gtest.h>

#include <fstream>

#include "remote-host/config.hpp"
#include "tests/platform/files.hpp"
#include "wire/failure.hpp"

namespace tsplink::host::test {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() { std::ofstream(folder_ / "vendor.tsp") << "a module"; }

  Config read(const std::string& text) {
    std::ofstream(folder_ / "host.toml") << text;
    return read_config(folder_ / "host.toml");
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), Kind::Configuration);
      return failure.what();
    }
    return "accepted";
  }
  const tests::TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

const std::string kTls =
    "policy = \"policy.toml\"\n"
    "[tls]\ncertificate = \"host.pem\"\nkey = \"host.key\"\nauthority = \"authority.pem\"\n";
const std::string kProvider = "[[provider]]\nname = \"pbx\"\nmodule = \"vendor.tsp\"\n";

TEST_F(ConfigTest, DefaultsAndRelativePaths) {
  const auto config = read(kTls + kProvider);
  EXPECT_EQ(config.listen_address, "0.0.0.0");
  EXPECT_EQ(config.listen_port, 8643);
  EXPECT_EQ(config.certificate, folder_ / "host.pem");
  EXPECT_TRUE(config.revocations.empty());
  ASSERT_EQ(config.providers.size(), 1U);
  EXPECT_EQ(config.providers[0].module, (folder_ / "vendor.tsp").string());
  EXPECT_EQ(config.limits.requests_in_flight, 256U);
}

TEST_F(ConfigTest, ListenTakesBothFamilies) {
  EXPECT_EQ(read("listen = \"127.0.0.1:0\"\n" + kTls + kProvider).listen_address, "127.0.0.1");
  const auto six = read("listen = \"[::1]:70\"\n" + kTls + kProvider);
  EXPECT_EQ(six.listen_address, "::1");
  EXPECT_EQ(six.listen_port, 70);
}

TEST_F(ConfigTest, LogAndAuditHaveOutputs) {
  const auto plain = read(kTls + kProvider).log;
  EXPECT_EQ(plain.level, log::Level::Info);
  EXPECT_EQ(plain.log.to, log::To::Stderr);
  EXPECT_FALSE(plain.audit);
  EXPECT_FALSE(plain.log.mask_numbers);
  const auto both = read(kTls +
                         "[log]\nlevel = \"debug\"\nfile = \"host.log\"\nmask_numbers = true\nrotate_bytes = 0\n"
                         "[audit]\nfile = \"audit.log\"\nformat = \"json\"\nrotate_files = 3\n" +
                         kProvider)
                        .log;
  EXPECT_EQ(both.level, log::Level::Debug);
  EXPECT_EQ(both.log.to, log::To::File);
  EXPECT_EQ(both.log.file, folder_ / "host.log");
  EXPECT_EQ(both.log.rotate_bytes, 0U);
  ASSERT_TRUE(both.audit);
  EXPECT_EQ(both.audit->to, log::To::File);
  EXPECT_EQ(both.audit->file, folder_ / "audit.log");
  EXPECT_EQ(both.audit->format, log::Format::Json);
  EXPECT_EQ(both.audit->rotate_files, 3U);
  EXPECT_TRUE(both.audit->mask_numbers);  // as the log does
  EXPECT_EQ(read(kTls + "[log]\nto = \"stdout\"\n" + kProvider).log.log.to, log::To::Stdout);
}

TEST_F(ConfigTest, MistakesAreNamed) {
  const struct {
    std::string text;
    const char* expected;
  } mistakes[] = {
      {"listen = \n" + kTls + kProvider, "host.toml:1:"},
      {"listen = \"nowhere\"\n" + kTls + kProvider, "host.toml:1:10: listen must be address and port"},
      {"listen = \"::1:8643\"\n" + kTls + kProvider, "listen must be address and port"},
      {"listen = \"localhost:8643\"\n" + kTls + kProvider, "host.toml:1:10: listen takes an address"},
      {"listen = \"1.2.3.4:70000\"\n" + kTls + kProvider, "listen must be address and port"},
      {"listen = 8643\n" + kTls + kProvider, "listen must be text in quotes"},
      {"lisen = \"1.2.3.4:7\"\n" + kTls + kProvider, "lisen is no setting"},
      {"[tsl]\nkey = \"k\"\n" + kProvider, "tsl is no setting"},
      {kTls + "chain = \"x\"\n" + kProvider, "host.toml:6:9: tls.chain is no setting"},
      {"[tls]\ncertifcate = \"a\"\n" + kProvider, "host.toml:2:14: tls.certifcate is no setting"},
      {kProvider, "tls.certificate is missing"},
      {"[tls]\ncertificate = \"a\"\nauthority = \"b\"\n" + kProvider, "tls.key is missing"},
      {kTls, "no provider is configured"},
      {kTls.substr(kTls.find("[tls]")) + kProvider, "policy is missing"},
      {kTls + "[[provider]]\nmodule = \"vendor.tsp\"\n", "provider.name is missing"},
      {kTls + "[[provider]]\nname = \"pbx\"\n", "provider.module is missing"},
      {kTls + "[[provider]]\nname = \"pbx\"\nmodule = \"gone.tsp\"\n", "gone.tsp; correct provider.module"},
      {kTls + kProvider + kProvider, "\"pbx\" is there twice"},
      {kTls + kProvider + "permanent_id = \"x\"\n", "provider.permanent_id must be a number"},
      {kTls + kProvider + "slot_bytes = 5\n", "provider.slot_bytes must be 4 or 8"},
      {kTls + kProvider + "desktops_configure = 1\n", "provider.desktops_configure must be true or false"},
      {kTls + kProvider + "scoped_call_ids = 1\n", "provider.scoped_call_ids must be true or false"},
      {kTls + kProvider + "shared_answers_ms = -1\n", "provider.shared_answers_ms"},
      {kTls + "[log]\nlevel = \"loud\"\n" + kProvider, "log.level must be trace, debug, info, warn or error"},
      {kTls + "[log]\nto = \"syslog\"\n" + kProvider,
       "host.toml:7:6: log.to must be stderr, stdout, file or journal."},
      {kTls + "[log]\nto = \"file\"\n" + kProvider, "host.toml:7:6: log.file is missing"},
      {kTls + "[log]\nto = \"stdout\"\nfile = \"host.log\"\n" + kProvider,
       "host.toml:8:8: log.file is written only with log.to = \"file\""},
      {kTls + "[log]\nformat = \"xml\"\n" + kProvider, "log.format must be text or json."},
      {kTls + "[log]\nmask_numbers = 1\n" + kProvider, "log.mask_numbers must be true or false"},
      {kTls + "[log]\nrotate_files = 0\n" + kProvider, "log.rotate_files must be a number from"},
      {kTls + "[audit]\nformat = \"json\"\n" + kProvider, "host.toml:6:1: audit.file is missing"},
      {kTls + "[audit]\nfile = \"a\"\nlevel = \"info\"\n" + kProvider, "audit.level is no setting"},
      {kTls + "[log]\nfile = \"a\"\n[audit]\nfile = \"a\"\n" + kProvider, "host.toml:9:8: audit.file is log.file"},
      {kTls + "[limits]\nframe_bytes = 1\n" + kProvider, "limits.frame_bytes must be a number from"},
      {kTls + "[limits]\nwishes = 3\n" + kProvider, "limits.wishes is no setting"},
  };
  for (const auto& mistake : mistakes) {
    const auto sentence = refusal(mistake.text);
    EXPECT_NE(sentence.find(mistake.expected), std::string::npos) << mistake.text << "\n-> " << sentence;
    EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
  }
}

TEST_F(ConfigTest, NoFile) { EXPECT_THROW(read_config(folder_ / "none.toml"), Failure); }

}  // namespace
}  // namespace tsplink::host::test
