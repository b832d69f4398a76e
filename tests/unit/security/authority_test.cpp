// An authority of one's own: what it makes is admitted, what it revoked is not, and no crash or second program harms
// its folder.
#include "security/authority.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "pair.hpp"
#include "raw_peer.hpp"
#include "security/files.hpp"
#ifndef _WIN32
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace tsplink::security {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;
using std::chrono::system_clock;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

template <class Do>
std::string sentence(Do act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

class OwnAuthority : public testing::Test {
 protected:
  AuthorityOptions at(days from_now = days(0)) const {
    AuthorityOptions options;
    options.now = system_clock::now() + from_now;
    return options;
  }
  void make(days from_now = days(0), days validity = days(3650)) {
    AuthorityFolder::create(place, {"Zoë's authority", "Example"}, validity, at(from_now));
  }
  static Request host() { return {Usage::Host, "", {"tsplink host", ""}, {"host.test", "127.0.0.1", "::1"}}; }
  static Request desktop(const std::string& name) { return {Usage::Desktop, name, {name, "Example"}, {}}; }
  Record issue(const Request& request, days from_now = days(0)) {
    return AuthorityFolder(place, at(from_now)).issue(request);
  }
  IdentityFiles files(const std::string& name, const std::string& passphrase = {}) const {
    return {place / (name + ".crt"), place / (name + ".key"), place / "authority.crt", place / "revocations.crl",
            passphrase};
  }
  /// "open", or why not, of the side that refuses.
  std::string handshake(const std::string& desktop_name, const std::string& host_name = "host") const {
    Pair pair(Context::load(Side::Client, files(desktop_name)), Context::load(Side::Server, files(host_name)));
    pair.run();
    return pair.open() ? "open" : pair.server.failure() + " / " + pair.client.failure();
  }
  /// For peers that do not look at their own certificate.
  Issued identity(const std::string& name) const {
    const auto read = [&](const char* extension, auto parse) {
      const std::string text = text_of(place / (name + extension));
      const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
      return parse(bio.get(), nullptr, nullptr, nullptr);
    };
    return {CertificatePtr(read(".crt", PEM_read_bio_X509)), KeyPtr(read(".key", PEM_read_bio_PrivateKey))};
  }
  std::vector<Record> records(days from_now = days(0)) const {
    return AuthorityFolder::inventory(place, at(from_now).now).records;
  }
  Standing standing(const std::string& serial) const {
    for (const Record& record : records()) {
      if (record.certificate.serial == serial) return record.standing;
    }
    ADD_FAILURE() << serial << " is not listed";
    return Standing::Revoked;
  }

  Folder folder;
  fs::path place = folder.path() / "own authority";
};

TEST_F(OwnAuthority, WhatItIssuesIsAdmitted) {
  make();
  issue(host());
  Request named = desktop("zoe");
  named.subject.common_name = "Zoë Müller 電話";
  named.names = {"zoe.example"};
  issue(named);
  EXPECT_EQ(handshake("desktop-zoe"), "open");
  const auto server = Context::load(Side::Server, files("host"));
  EXPECT_TRUE(server->warnings().empty());
  EXPECT_EQ(server->own().alternative_names, (std::vector<std::string>{"host.test", "127.0.0.1", "0:0:0:0:0:0:0:1"}));
  const auto client = Context::load(Side::Client, files("desktop-zoe"));
  EXPECT_EQ(client->own().subject, "CN=Zoë Müller 電話,O=Example");
  EXPECT_EQ(client->own().alternative_names, std::vector<std::string>{"zoe.example"});
  const Issued read = identity("desktop-zoe");
  const int at_cn = X509_NAME_get_index_by_NID(X509_get_subject_name(read.certificate.get()), NID_commonName, -1);
  const auto* data =
      X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(read.certificate.get()), at_cn));
  EXPECT_EQ(ASN1_STRING_type(data), V_ASN1_UTF8STRING);
}

TEST_F(OwnAuthority, RevokedOnesAreRefusedAndOthersPass) {
  make();
  issue(host());
  issue(desktop("lost"));
  issue(desktop("kept"));
  const Record renewed = AuthorityFolder(place, at()).renew("lost", days(365), true, {});
  ASSERT_EQ(handshake("desktop-lost"), "open");
  const auto revoked = AuthorityFolder(place, at()).revoke({"lost"});
  EXPECT_EQ(revoked.size(), 2U) << "the one that was renewed is admitted too";
  EXPECT_TRUE(has(handshake("desktop-lost"), "\"CN=lost,O=Example\" was revoked")) << handshake("desktop-lost");
  EXPECT_EQ(handshake("desktop-kept"), "open");
  EXPECT_EQ(standing(renewed.certificate.serial), Standing::Revoked);
  EXPECT_EQ(AuthorityFolder::inventory(place, at().now).revocations.number, "2");

  AuthorityFolder authority(place, at());
  EXPECT_TRUE(has(sentence([&] { authority.revoke({"lost"}); }), "no certificate left"));
  EXPECT_TRUE(has(sentence([&] { authority.revoke({"kept", "nobody"}); }), "\"nobody\" was never issued"));
  EXPECT_TRUE(has(sentence([&] { authority.revoke({"authority"}); }), "not revoked by its own list"));
  EXPECT_EQ(handshake("desktop-kept"), "open") << "nothing is revoked when one of the names is wrong";
  EXPECT_EQ(authority.renew_revocations().number, "3");
  EXPECT_TRUE(has(handshake("desktop-lost"), "was revoked")) << "a list that is written again forgets nobody";
  authority.revoke({"host"});
  EXPECT_TRUE(has(handshake("desktop-kept"), "\"CN=tsplink host\" was revoked"));
}

TEST_F(OwnAuthority, ExpiredOnesAreRefused) {
  make(days(-400));
  issue(desktop("old"), days(-400));
  issue(host());
  AuthorityFolder(place, at()).renew_revocations();
  EXPECT_TRUE(has(sentence([&] { Context::load(Side::Client, files("desktop-old")); }), "expired on"));
  const Issued old = identity("desktop-old");
  Engine server(Context::load(Side::Server, files("host")));
  RawPeer peer(Side::Client, {.identity = &old});
  peer.run(server);
  EXPECT_TRUE(has(server.failure(), "\"CN=old,O=Example\" expired on")) << server.failure();
  EXPECT_EQ(records()[1].standing, Standing::Expired);
  EXPECT_EQ(records(days(-300))[1].standing, Standing::Good);
}

TEST_F(OwnAuthority, ADesktopIsNoHost) {
  make();
  Request request = desktop("sly");
  request.names = {"host.test"};
  issue(request);
  issue(desktop("desk"));
  EXPECT_TRUE(
      has(sentence([&] { Context::load(Side::Server, files("desktop-sly")); }), "not meant for a TLS server"));
  const Issued sly = identity("desktop-sly");
  Engine client(Context::load(Side::Client, files("desktop-desk")), "host.test");
  client.start();
  RawPeer peer(Side::Server, {.identity = &sly});
  peer.run(client);
  EXPECT_TRUE(has(client.failure(), "is not meant for a TLS server")) << client.failure();
}

TEST_F(OwnAuthority, RenewalsKeepSubjectAndNames) {
  make();
  const Record first = issue(host());
  issue(desktop("desk"));
  const std::string key = text_of(place / "host.key");
  const Record second = AuthorityFolder(place, at()).renew("host", days(10), false, {});
  EXPECT_EQ(second.certificate.subject, first.certificate.subject);
  EXPECT_EQ(second.certificate.alternative_names, first.certificate.alternative_names);
  EXPECT_NE(second.certificate.serial, first.certificate.serial);
  EXPECT_EQ(text_of(place / "host.key"), key);
  EXPECT_EQ(handshake("desktop-desk"), "open");
  EXPECT_EQ(standing(first.certificate.serial), Standing::Replaced);
  const Record third = AuthorityFolder(place, at()).renew("host", days(365), true, {});
  EXPECT_NE(text_of(place / "host.key"), key);
  EXPECT_EQ(third.certificate.alternative_names, first.certificate.alternative_names);
  EXPECT_EQ(handshake("desktop-desk"), "open");
  // Key and certificate may live elsewhere: the newest of the name is what is renewed.
  fs::remove(place / "host.key");
  fs::remove(place / "host.crt");
  EXPECT_EQ(standing(third.certificate.serial), Standing::Good);
  EXPECT_TRUE(has(sentence([&] { issue(host()); }), "host has a certificate, valid until"));
  AuthorityFolder(place, at()).renew("host", days(365), false, {});
  EXPECT_FALSE(fs::exists(place / "host.key"));

  AuthorityFolder(place, at()).revoke({"desk"});
  const auto again = [&](bool new_key) {
    AuthorityFolder(place, at()).renew("desktop-desk", days(365), new_key, {});
  };
  EXPECT_TRUE(has(sentence([&] { again(false); }), "renew it with a new key"));
  again(true);
  EXPECT_EQ(Context::load(Side::Client, files("desktop-desk"))->own().subject, "CN=desk,O=Example");
}

TEST_F(OwnAuthority, NothingOutlivesItAndOnceExpiredItIssuesNothing) {
  make(days(-10), days(40));
  const Record made = issue(desktop("desk"));
  EXPECT_EQ(made.certificate.not_after, records()[0].certificate.not_after);
  EXPECT_LE(AuthorityFolder(place, at()).renew_revocations().not_after,
            records()[0].certificate.not_after + std::chrono::seconds(1));
  EXPECT_TRUE(has(sentence([&] { issue(desktop("late"), days(31)); }), "expired on"));
  EXPECT_TRUE(
      has(sentence([&] { AuthorityFolder(place, at()).renew("desk", days(0), false, {}); }), "1 to 36500 days"));
}

TEST_F(OwnAuthority, NamesThatWouldDoHarmAreRefused) {
  make();
  const auto issued_before = records().size();
  for (const std::string& name : std::vector<std::string>{"", "..", "../x", "a/b", "a\\b", "-x", ".x", "a b", "a\n",
                                                          "ä", "C:x", "nul\x01", std::string(65, 'a')}) {
    EXPECT_TRUE(has(sentence([&] { issue(desktop(name)); }), "may have letters, digits")) << name;
  }
  for (const std::string& name :
       std::vector<std::string>{"", "a b", "a,DNS:b", "a..b", ".a", "a.", "*", "a.*", "*a.b", "ä.test", "1.2.3.400",
                                "1::2::3", "::g", "a\n", "a:b", "[::1]", (std::string(64, 'a') + ".test")}) {
    Request request = host();
    request.names = {"good.test", name};
    const std::string refusal = sentence([&] { issue(request); });
    EXPECT_TRUE(has(refusal, "is neither a host name nor an address")) << name << ": " << refusal;
    EXPECT_EQ(refusal.find('\n'), std::string::npos);
  }
  for (const std::string& name : std::vector<std::string>{"a\nb", "a\x7F", "a\x1B[2J", "a\xC2\x85", "a\xE2\x80\xAEz",
                                                          "a\xEF\xBB\xBF", "bad \xFF", std::string(65, 'a')}) {
    Request request = desktop("desk");
    request.subject.common_name = name;
    EXPECT_TRUE(has(sentence([&] { issue(request); }), "the common name ")) << name;
    request = desktop("desk");
    request.subject.organization = name;
    EXPECT_TRUE(has(sentence([&] { issue(request); }), "the organization ")) << name;
  }
  Request nameless = host();
  nameless.names.clear();
  EXPECT_TRUE(has(sentence([&] { issue(nameless); }), "give one at least"));
  EXPECT_EQ(records().size(), issued_before);
  // What looks like more than a name is one, where it can stand.
  Request comma = desktop("desk");
  comma.subject.common_name = "a,O=Other+CN=b/CN=c";
  EXPECT_EQ(issue(comma).certificate.subject, "CN=a\\,O=Other\\+CN=b/CN=c,O=Example");
}

TEST_F(OwnAuthority, KeysAreTheirOwnersAndMayHaveAPassphrase) {
  AuthorityOptions secret = at();
  secret.passphrase = "correct horse";
  AuthorityFolder::create(place, {"Authority", ""}, days(3650), secret);
  EXPECT_TRUE(AuthorityFolder::needs_passphrase(place));
  EXPECT_TRUE(has(sentence([&] { issue(desktop("desk")); }), "is encrypted"));
  AuthorityOptions wrong = secret;
  wrong.passphrase = "wrong";
  EXPECT_TRUE(has(sentence([&] { AuthorityFolder(place, wrong); }), "passphrase for key file"));
  Request request = desktop("desk");
  request.passphrase = "battery staple";
  AuthorityFolder(place, secret).issue(request);
  EXPECT_TRUE(has(sentence([&] { Context::load(Side::Client, files("desktop-desk")); }), "is encrypted"));
  EXPECT_EQ(Context::load(Side::Client, files("desktop-desk", "battery staple"))->own().common_name, "desk");
  for (const char* name : {"authority.key", "desktop-desk.key"}) {
    EXPECT_NO_THROW(require_private(place / name));
    EXPECT_TRUE(has(text_of(place / name), "BEGIN ENCRYPTED PRIVATE KEY"));
#ifndef _WIN32
    EXPECT_EQ(static_cast<unsigned>(fs::status(place / name).permissions()), 0600U);
#endif
  }
  tests::let_read(place / "authority.key", true);
  EXPECT_TRUE(has(sentence([&] { AuthorityFolder(place, secret); }), "can be read by others"));

  folder.write("passphrase", "first line\r\nsecond");
  EXPECT_EQ(read_passphrase(folder.path() / "passphrase"), "first line");
  folder.write("open", "first line\n", true);
  EXPECT_TRUE(has(sentence([&] { read_passphrase(folder.path() / "open"); }), "can be read by others"));
}

TEST_F(OwnAuthority, NothingIsOverwritten) {
  make();
  EXPECT_TRUE(has(sentence([&] { make(); }), "is there already"));
  folder.write("own authority/desktop-desk.key", "mine");
  EXPECT_TRUE(has(sentence([&] { issue(desktop("desk")); }), "desktop-desk.key is there already"));
  EXPECT_EQ(text_of(place / "desktop-desk.key"), "mine");
  place = folder.path() / "other";
  fs::create_directory(place);
  folder.write("other/authority.key", "mine");
  EXPECT_TRUE(has(sentence([&] { make(); }), "is there already"));
  EXPECT_EQ(text_of(place / "authority.key"), "mine");
}

TEST_F(OwnAuthority, ALostOrForeignListIsNotReplaced) {
  make();
  issue(desktop("desk"));
  const std::string own = text_of(place / "revocations.crl");
  folder.write("own authority/revocations.crl", World::get().authority.revocation_list({}));
  EXPECT_TRUE(has(sentence([&] { AuthorityFolder(place, at()).revoke({"desk"}); }), "not of this authority"));
  fs::remove(place / "revocations.crl");
  EXPECT_TRUE(has(sentence([&] { AuthorityFolder(place, at()); }), "is missing: bring it back"));
  folder.write("own authority/revocations.crl", own);
  AuthorityFolder(place, at()).revoke({"desk"});
}

TEST_F(OwnAuthority, ACertificateThatWasNeverItsOwnIsNotRenewed) {
  make();
  const Issued foreign = World::get().authority.issue({"admin", "", "clientAuth"});
  folder.write("own authority/issued/desktop-admin.01.crt", foreign.certificate_pem());
  EXPECT_TRUE(has(sentence([&] { AuthorityFolder(place, at()).renew("admin", days(9), true, {}); }),
                  "is not of this authority"));
}

TEST_F(OwnAuthority, TwoAtOnceTakeTurns) {
  make();
  const auto several = [&](const std::string& prefix) {
    for (int i = 0; i < 8; ++i) {
      issue(desktop(prefix + std::to_string(i)));
      AuthorityFolder(place, at()).revoke({prefix + std::to_string(i)});
    }
  };
  std::thread other(several, "a");
  several("b");
  other.join();
  EXPECT_EQ(AuthorityFolder::inventory(place, at().now).revocations.number, "17");
  int revoked = 0;
  std::set<std::string> serials;
  for (const Record& record : records()) {
    revoked += record.standing == Standing::Revoked ? 1 : 0;
    serials.insert(record.certificate.serial);
  }
  EXPECT_EQ(revoked, 16);
  EXPECT_EQ(serials.size(), 17U);
  const AuthorityFolder held(place, at());
  AuthorityOptions impatient = at();
  const struct : wire::Clock {
    wire::TimePoint now() const override { return wire::TimePoint(std::chrono::hours(++asked)); }
    mutable int asked = 0;
  } clock;
  impatient.patience = std::chrono::hours(1);
  impatient.clock = &clock;
  EXPECT_TRUE(has(sentence([&] { AuthorityFolder(place, impatient); }), "is in use by another program"));
}

TEST_F(OwnAuthority, ACrashIsMended) {
  make();
  issue(host());
  issue(desktop("desk"));
  const std::string old_key = text_of(place / "desktop-desk.key"),
                    old_certificate = text_of(place / "desktop-desk.crt");
  const Record renewed = AuthorityFolder(place, at()).renew("desk", days(365), true, {});
  const std::string new_key = text_of(place / "desktop-desk.key");
  const std::string staged = "own authority/issued/desktop-desk.";
  // After the certificate was recorded, before it came to its file: it goes the rest of the way, with its key.
  folder.write("own authority/desktop-desk.crt", old_certificate);
  folder.write("own authority/desktop-desk.key", old_key);
  folder.write(staged + renewed.certificate.serial + ".key", new_key);
  { const AuthorityFolder mended(place, at()); }
  EXPECT_EQ(text_of(place / "desktop-desk.key"), new_key);
  EXPECT_EQ(handshake("desktop-desk"), "open");
  // Before it was recorded: what was there stays.
  folder.write(staged + "ABCD.key", old_key);
  folder.write(staged + "ABCD.crt.part", "-----BEGIN CERTI");
  folder.write(staged + "ABCE.key.part", "-----BEGIN PRIV");
  EXPECT_EQ(records().size(), 4U) << "half of a file is no certificate";
  { const AuthorityFolder mended(place, at()); }
  EXPECT_EQ(text_of(place / "desktop-desk.key"), new_key);
  EXPECT_EQ(handshake("desktop-desk"), "open");
  for (const auto& file : fs::directory_iterator(place / "issued"))
    EXPECT_EQ(file.path().extension(), ".crt") << file;
  // Of an authority: between its certificate and its list.
  place = folder.path() / "other";
  make();
  fs::remove(place / "revocations.crl");
  fs::rename(place / "authority.key", place / "issued" / ("authority." + records()[0].certificate.serial + ".key"));
  fs::remove(place / "authority.crt");
  issue(desktop("desk"));
  EXPECT_EQ(AuthorityFolder::inventory(place, at().now).revocations.number, "1");
}

#ifndef _WIN32
TEST_F(OwnAuthority, KilledAtAnyTimeItLeavesAFolderThatWorks) {
  make();
  issue(host());
  issue(desktop("desk"));
  for (int round = 0; round < 25; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (;;) AuthorityFolder(place, at()).renew("desk", days(365), true, {});
    }
    // Killed after some more files, somewhere on the way.
    const auto files_now = [&] {
      return std::distance(fs::directory_iterator(place / "issued"), fs::directory_iterator());
    };
    const auto enough = files_now() + 1 + round % 5;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (files_now() < enough && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    { const AuthorityFolder mended(place, at()); }
    ASSERT_EQ(handshake("desktop-desk"), "open") << "round " << round;
  }
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  for (int c = 0; pipe != nullptr && (c = fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  if (pipe != nullptr) pclose(pipe);
  return text;
}

TEST_F(OwnAuthority, OpensslAgrees) {
  make();
  issue(host());
  issue(desktop("kept"));
  const Record lost = issue(desktop("lost"));
  AuthorityFolder(place, at()).revoke({lost.certificate.serial});
  const std::string in = "cd '" + place.string() + "' && openssl ";
  const std::string verify = in + "verify -x509_strict -crl_check -CAfile authority.crt -CRLfile revocations.crl ";
  EXPECT_EQ(output_of(verify + "-purpose sslserver -verify_hostname host.test host.crt"), "host.crt: OK\n");
  EXPECT_EQ(output_of(verify + "-purpose sslclient desktop-kept.crt"), "desktop-kept.crt: OK\n");
  EXPECT_TRUE(has(output_of(verify + "-purpose sslserver desktop-kept.crt"), "verification failed"));
  EXPECT_TRUE(has(output_of(verify + "desktop-lost.crt"), "certificate revoked"));
  const std::string list = output_of(in + "crl -in revocations.crl -CAfile authority.crt -noout -text -verify");
  EXPECT_TRUE(has(list, "verify OK")) << list;
  EXPECT_TRUE(has(list, "Serial Number: " + lost.certificate.serial)) << list;
  const std::string authority = output_of(in + "x509 -in authority.crt -noout -text");
  for (const char* part :
       {"CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "prime256v1", "Subject Key Identifier"}) {
    EXPECT_TRUE(has(authority, part)) << authority;
  }
}
#endif

}  // namespace
}  // namespace tsplink::security
