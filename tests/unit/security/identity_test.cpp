// What is wrong with the files is said when they are loaded, with the path and what to do.
#include <gtest/gtest.h>

#ifndef _WIN32
#include <unistd.h>
#endif

#include "pair.hpp"
#include "security/files.hpp"

namespace tsplink::security {
namespace {

#ifdef _WIN32
constexpr char kAdvice[] = "icacls";
#else
constexpr char kAdvice[] = "chmod 600";
#endif

testing::AssertionResult refused(const IdentityFiles& files, const std::vector<std::string>& parts,
                                 Side side = Side::Server) {
  try {
    Context::load(side, files);
  } catch (const Error& error) {
    for (const std::string& part : parts) {
      if (std::string(error.what()).find(part) == std::string::npos) {
        return testing::AssertionFailure() << "\"" << part << "\" is not in: " << error.what();
      }
    }
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "was loaded";
}

class Identity : public testing::Test {
 protected:
  World& world = World::get();
  IdentityFiles files = world.files(world.host);
};

TEST_F(Identity, GoodFilesGiveNoWarning) {
  const auto context = Context::load(Side::Server, files);
  EXPECT_TRUE(context->warnings().empty());
  EXPECT_EQ(context->own().common_name, "host");
  EXPECT_EQ(context->side(), Side::Server);
}

TEST_F(Identity, AnAuthorityFileWithoutAnAuthorityIsNamed) {
  const auto context = Context::load(Side::Server, world.files(world.host, world.desktop.certificate_pem()));
  ASSERT_EQ(context->warnings().size(), 1U);
  EXPECT_NE(context->warnings()[0].find("is no authority's certificate"), std::string::npos);
}

TEST_F(Identity, WhatSomebodyHasReadIsTakenInsteadOfTheFile) {
  const auto other = world.authority.issue({"another host", "DNS:host.test"});
  const auto text = [](const std::string& pem) { return std::shared_ptr<const FileText>(new FileText(pem)); };
  files.texts = {{files.certificate, text(other.certificate_pem())}, {files.key, text(other.key_pem())}};
  EXPECT_EQ(Context::load(Side::Server, files)->own().common_name, "another host");
}

TEST_F(Identity, MissingFiles) {
  const auto nowhere = world.folder.path() / "nowhere.pem";
  for (auto member :
       {&IdentityFiles::certificate, &IdentityFiles::key, &IdentityFiles::authority, &IdentityFiles::revocations}) {
    IdentityFiles broken = files;
    broken.*member = nowhere;
    EXPECT_TRUE(refused(broken, {nowhere.string(), "does not exist"}));
  }
  IdentityFiles none = files;
  none.certificate.clear();
  EXPECT_TRUE(refused(none, {"no certificate file is configured"}));
  none = files;
  none.authority.clear();
  EXPECT_TRUE(refused(none, {"no authority file is configured"}));
}

TEST_F(Identity, UnreadableFiles) {
  files.certificate = world.folder.path();
  EXPECT_TRUE(refused(files, {world.folder.path().string(), "is a folder"}));
#ifndef _WIN32
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything: only the folder was tried";
  files = world.files(world.host);
  std::filesystem::permissions(files.certificate, std::filesystem::perms::none);
  EXPECT_TRUE(refused(files, {files.certificate.string(), "cannot be read"}));
#endif
}

TEST_F(Identity, EmptyAndMalformedFiles) {
  const auto empty = world.folder.write("empty.pem", "");
  const auto words = world.folder.write("words.pem", "these are no certificates\n");
  std::string pem = world.host.certificate_pem();
  pem[pem.size() / 2] = '!';
  const auto damaged = world.folder.write("damaged.pem", pem);
  for (auto member :
       {&IdentityFiles::certificate, &IdentityFiles::key, &IdentityFiles::authority, &IdentityFiles::revocations}) {
    IdentityFiles broken = files;
    broken.*member = empty;
    EXPECT_TRUE(refused(broken, {empty.string(), "is empty"}));
    broken.*member = words;
    EXPECT_TRUE(refused(broken, {words.string(), "PEM"}));
  }
  files.certificate = damaged;
  EXPECT_TRUE(refused(files, {damaged.string(), "damaged"}));
  files = world.files(world.host);
  files.authority = world.folder.write("second.pem", world.authority.own().certificate_pem() + pem);
  EXPECT_TRUE(refused(files, {files.authority.string(), "damaged after 1 good"}));
}

TEST_F(Identity, KeyOfAnotherCertificate) {
  const auto other = world.folder.write("other.key", world.desktop.key_pem());
  files.key = other;
  EXPECT_TRUE(refused(files, {other.string(), files.certificate.string(), "CN=host", "does not belong"}));
}

TEST_F(Identity, KeyThatOthersCanRead) {
  files.key = world.folder.write("open.key", world.host.key_pem(), true);
  EXPECT_TRUE(refused(files, {files.key.string(), "can be read by others", kAdvice, files.key.string()}));
  tests::let_read(files.key, false);
  EXPECT_NO_THROW(Context::load(Side::Server, files));
  files.key.clear();
  files.certificate = world.folder.write("both.pem", world.host.certificate_pem() + world.host.key_pem(), true);
  EXPECT_TRUE(refused(files, {files.certificate.string(), kAdvice}));
  tests::let_read(files.certificate, false);
  EXPECT_NO_THROW(Context::load(Side::Server, files));
}

TEST_F(Identity, NoKeyAtAll) {
  files.key.clear();
  files.certificate = world.folder.write("alone.pem", world.host.certificate_pem(), true);
  EXPECT_TRUE(refused(files, {"no key file is configured", files.certificate.string(), "holds no private key"}));
}

#ifndef _WIN32
TEST_F(Identity, KeyThatAnyoneElseCanTouch) {
  for (const int mode : {0640, 0620, 0604, 0601, 0660}) {
    std::filesystem::permissions(files.key, static_cast<std::filesystem::perms>(mode));
    EXPECT_TRUE(refused(files, {kAdvice})) << mode;
  }
  for (const int mode : {0600, 0400, 0700}) {
    std::filesystem::permissions(files.key, static_cast<std::filesystem::perms>(mode));
    EXPECT_NO_THROW(Context::load(Side::Server, files)) << mode;
  }
}
#endif

TEST_F(Identity, EncryptedKey) {
  files.key = world.folder.write("secret.key", world.host.key_pem("correct horse"));
  EXPECT_TRUE(refused(files, {files.key.string(), "is encrypted"}));
  files.passphrase = "wrong";
  EXPECT_TRUE(refused(files, {files.key.string(), "passphrase", "is wrong"}));
  files.passphrase = "correct horse";
  EXPECT_NO_THROW(Context::load(Side::Server, files));
}

TEST_F(Identity, Pkcs12) {
  const std::string pfx = world.host.pkcs12("secret", world.authority.own().certificate.get());
  IdentityFiles one;
  one.certificate = world.folder.write("host.PFX", pfx);
  EXPECT_TRUE(refused(one, {one.certificate.string(), "is encrypted"}));
  one.passphrase = "wrong";
  EXPECT_TRUE(refused(one, {one.certificate.string(), "is wrong"}));
  one.passphrase = "secret";
  Pair pair(world.client(), Context::load(Side::Server, one));
  pair.run();
  EXPECT_TRUE(pair.open()) << pair.client.failure() << pair.server.failure();

  one.certificate = world.folder.write("open.p12", pfx, true);
  EXPECT_TRUE(refused(one, {kAdvice}));
  one.certificate = world.folder.write("lonely.p12", world.host.pkcs12("secret", nullptr));
  EXPECT_TRUE(refused(one, {one.certificate.string(), "holds no authority"}));
  one.authority = files.authority;
  EXPECT_NO_THROW(Context::load(Side::Server, one));
  one.certificate = world.folder.write("words.p12", "not a PKCS#12 file");
  EXPECT_TRUE(refused(one, {one.certificate.string(), "not a PKCS#12 file"}));
}

TEST_F(Identity, ValidityOfTheOwnCertificate) {
  files = world.files(world.authority.issue({"host", "DNS:host.test", "serverAuth", -20 * kDay, -kDay}));
  EXPECT_TRUE(refused(files, {files.certificate.string(), "CN=host", "expired on"}));
  files = world.files(world.authority.issue({"host", "DNS:host.test", "serverAuth", 2 * kDay}));
  EXPECT_TRUE(refused(files, {files.certificate.string(), "not yet valid"}));
  files = world.files(world.authority.issue({"host", "DNS:host.test", "serverAuth", -kDay, 29 * kDay}));
  const auto context = Context::load(Side::Server, files);
  ASSERT_EQ(context->warnings().size(), 1U);
  EXPECT_NE(context->warnings()[0].find(files.certificate.string()), std::string::npos);
  EXPECT_NE(context->warnings()[0].find("expires on"), std::string::npos);
}

TEST_F(Identity, AuthorityAboutToExpireIsAWarning) {
  const Authority old("Old Authority", 10 * kDay);
  files.authority =
      world.folder.write("old.ca", world.authority.own().certificate_pem() + old.own().certificate_pem());
  const auto context = Context::load(Side::Server, files);
  ASSERT_EQ(context->warnings().size(), 1U);
  EXPECT_NE(context->warnings()[0].find("CN=Old Authority"), std::string::npos);
  EXPECT_NE(context->warnings()[0].find(files.authority.string()), std::string::npos);
}

TEST_F(Identity, PurposeOfTheOwnCertificate) {
  EXPECT_TRUE(refused(files, {files.certificate.string(), "not meant for a TLS client"}, Side::Client));
  files = world.files(world.desktop);
  EXPECT_TRUE(refused(files, {files.certificate.string(), "not meant for a TLS server"}));
}

TEST_F(Identity, WeakOwnKey) {
  Plan plan{"host", "DNS:host.test"};
  plan.rsa_bits = 1024;
  files = world.files(world.authority.issue(plan));
  EXPECT_TRUE(refused(files, {files.certificate.string(), "too weak"}));
}

TEST_F(Identity, IntermediateAuthorityIsSentAlong) {
  const Authority middle("Middle Authority", 300 * kDay, &world.authority);
  const Issued host = middle.issue({"host", "DNS:host.test"});
  files = world.files(host);
  files.certificate = world.folder.write("chain.pem", host.certificate_pem() + middle.own().certificate_pem());
  Pair pair(world.client(), Context::load(Side::Server, files));
  pair.run();
  EXPECT_TRUE(pair.open()) << pair.client.failure();
}

TEST_F(Identity, HiddenBytesInNamesStayVisible) {
  const Issued odd = world.authority.issue({"desk\n1\\x", "", "clientAuth"});
  const auto context = world.client(odd);
  EXPECT_EQ(context->own().common_name, "desk\\x0A1\\\\x");
  EXPECT_EQ(describe(context->own()).find('\n'), std::string::npos);
}

}  // namespace
}  // namespace tsplink::security
