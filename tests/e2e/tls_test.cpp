// The host's port as another program, openssl(1), sees it: who has a desktop's certificate is let in by TLS 1.3,
// nobody else gets a byte, and the host's log says why.
#include <gtest/gtest.h>

#include <ostream>

#include "site.hpp"
#include "wire/frame.hpp"
#include "wire/link/envelopes.hpp"
#include "wire/schema.hpp"

namespace tsplink::e2e {
namespace {

/// What a desktop says first.
std::string hello() {
  link::LocalInfo local;
  local.product = TSPLINK_VERSION;
  local.machine = "desk1";
  local.machine_id.assign(16, 7);
  local.sheet = wire::sheet_hash();
  wire::Bytes frame;
  wire::append_frame(frame, *link::make_hello(local), 0, 0);
  return std::string(frame.begin(), frame.end());
}

/// `shown`: with what s_client tells of the connection; without, standard output is what the host sent, byte for
/// byte.
std::unique_ptr<Process> s_client(const Site& site, const std::vector<std::string>& options, bool shown) {
  const auto authority = (Site::certificates() / "authority.crt").string();
  Process::Start start;
  start.command = {"/usr/bin/env",
                   "openssl",
                   "s_client",
                   "-connect",
                   "127.0.0.1:" + site.port(),
                   "-servername",
                   "localhost",
                   "-verify_hostname",
                   "localhost",
                   "-CAfile",
                   authority,
                   "-verify_return_error",
                   "-alpn",
                   "tsplink/1"};
  start.command.insert(start.command.end(), options.begin(), options.end());
  if (!shown) {
    start.command.push_back("-quiet");
    start.input = site.file("hello");
    write(start.input, hello());
  }
  return std::make_unique<Process>(start, site.file("s_client"));
}

std::vector<std::string> identity(const std::string& name) {
  const auto base = (Site::certificates() / name).string();
  return {"-cert", base + ".crt", "-key", base + ".key"};
}

TEST(Tls, LetsADesktopIn) {
  const Site site;
  const auto host = site.start_host();
  const auto client = s_client(site, identity("desktop-desk1"), true);
  EXPECT_EQ(client->wait(), 0) << client->story();
  for (const char* line : {"New, TLSv1.3,", "Verification: OK", "ALPN protocol: tsplink/1"}) {
    EXPECT_NE(client->out().find(line), std::string::npos) << line << "\n" << client->story();
  }
}

/// The counterpart of what follows: the same Hello is answered when the certificate is good.
TEST(Tls, AnswersADesktopsHello) {
  const Site site;
  const auto host = site.start_host();
  const auto client = s_client(site, identity("desktop-desk1"), false);
  EXPECT_TRUE(client->until([&] { return !client->out().empty(); })) << client->story() << site.logs();
  EXPECT_TRUE(host->says("Desktop desk1 (CN=desk1, 127.0.0.1) is connected")) << host->story();
}

struct Stranger {
  const char* name;
  std::vector<std::string> options;
  const char* alert;  // as s_client prints it
  const char* logged;
};

void PrintTo(const Stranger& one, std::ostream* out) { *out << one.name; }

class Strangers : public testing::TestWithParam<Stranger> {};

TEST_P(Strangers, GetAnAlertAndNothingElse) {
  const auto& stranger = GetParam();
  const Site site;
  const auto host = site.start_host();
  auto options = stranger.options;
  if (options.size() == 1 && options[0].rfind("bad/", 0) == 0) options = identity(options[0]);
  const auto client = s_client(site, options, false);
  const auto status = client->wait();
  ASSERT_TRUE(status) << "the host kept the connection\n" << client->story();
  EXPECT_EQ(client->out(), "") << "the host sent data";
  EXPECT_NE(client->err().find(stranger.alert), std::string::npos) << client->story();
  EXPECT_TRUE(host->says(std::string("refused 127.0.0.1"))) << host->story();
  EXPECT_NE(host->err().find(stranger.logged), std::string::npos) << host->story();
  EXPECT_EQ(host->err().find("is connected"), std::string::npos) << host->story();
}

INSTANTIATE_TEST_SUITE_P(
    All, Strangers,
    testing::Values(
        Stranger{"WithoutACertificate",
                 {},
                 "alert certificate required",
                 "refused 127.0.0.1: no certificate was sent by the peer: configure one there"},
        Stranger{"OfTls12",
                 {"-tls1_2"},
                 "alert protocol version",
                 "refused 127.0.0.1: the peer's TLS version is too old, TLS 1.3 is needed: update the peer"},
        Stranger{"OfAnotherAuthority",
                 {"bad/of-other-authority"},
                 "alert unknown ca",
                 "comes from an unknown authority, \"CN=tsplink other authority\": if it is to be trusted, add that "
                 "authority to "},
        Stranger{"WithAnExpiredCertificate",
                 {"bad/expired"},
                 "alert certificate expired",
                 "the peer's certificate \"CN=expired\" expired on "}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace tsplink::e2e
