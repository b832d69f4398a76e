// Who is refused, with which words, and that the other side can read why.
#include <gtest/gtest.h>

#include "pair.hpp"
#include "raw_peer.hpp"

namespace tsplink::security {
namespace {

using State = Engine::State;

testing::AssertionResult says(const Engine& engine, const std::vector<std::string>& parts) {
  if (engine.state() != State::Failed) return testing::AssertionFailure() << "has not failed";
  for (const std::string& part : parts) {
    if (engine.failure().find(part) == std::string::npos) {
      return testing::AssertionFailure() << "\"" << part << "\" is not in: " << engine.failure();
    }
  }
  return testing::AssertionSuccess();
}

/// A client identity that its own Context would refuse or that differs from the world's, as a plain OpenSSL peer.
struct RefusedClient {
  explicit RefusedClient(const Issued& identity, std::shared_ptr<const Context> context = World::get().server())
      : server(std::move(context)), peer(Side::Client, {.identity = &identity}) {
    peer.run(server);
  }
  Engine server;
  RawPeer peer;
};

struct RefusedServer {
  explicit RefusedServer(const Issued& identity, std::shared_ptr<const Context> context = World::get().client())
      : client(std::move(context), "host.test"), peer(Side::Server, {.identity = &identity}) {
    client.start();
    peer.run(client);
  }
  Engine client;
  RawPeer peer;
};

Plan desktop_plan() { return {"desk-2", "DNS:desk-2.test", "clientAuth"}; }
Plan host_plan() { return {"host", "DNS:host.test"}; }

TEST(Trust, ExpiredCertificateOnEitherSide) {
  Plan plan = desktop_plan();
  plan.from = -20 * kDay, plan.to = -kDay;
  const RefusedClient desktop(World::get().authority.issue(plan));
  const std::string date = describe(std::chrono::system_clock::now() - std::chrono::hours(24)).substr(0, 10);
  EXPECT_TRUE(says(desktop.server, {"\"CN=desk-2\"", "expired on " + date}));
  EXPECT_EQ(desktop.peer.alert, SSL_AD_CERTIFICATE_EXPIRED);
  EXPECT_EQ(desktop.server.peer(), nullptr);

  plan = host_plan();
  plan.from = -20 * kDay, plan.to = -kDay;
  const RefusedServer host(World::get().authority.issue(plan));
  EXPECT_TRUE(says(host.client, {"\"CN=host\"", "expired on "}));
  EXPECT_EQ(host.peer.alert, SSL_AD_CERTIFICATE_EXPIRED);
}

TEST(Trust, NotYetValid) {
  Plan plan = desktop_plan();
  plan.from = 2 * kDay;
  const RefusedClient desktop(World::get().authority.issue(plan));
  EXPECT_TRUE(says(desktop.server, {"\"CN=desk-2\"", "not yet valid", "clocks"}));
  EXPECT_EQ(desktop.peer.alert, SSL_AD_BAD_CERTIFICATE);
}

TEST(Trust, UnknownAuthorityOnEitherSide) {
  const Authority other("Other Authority");
  const RefusedClient desktop(other.issue(desktop_plan()));
  EXPECT_TRUE(says(desktop.server, {"\"CN=desk-2\"", "unknown authority", "\"CN=Other Authority\"", ".ca"}));
  EXPECT_EQ(desktop.peer.alert, SSL_AD_UNKNOWN_CA);
  const RefusedServer host(other.issue(host_plan()));
  EXPECT_TRUE(says(host.client, {"\"CN=host\"", "unknown authority"}));
}

TEST(Trust, AuthorityWithTheSameNameButAnotherKey) {
  const Authority impostor("Good Authority");
  const RefusedClient desktop(impostor.issue(desktop_plan()));
  EXPECT_TRUE(says(desktop.server, {"\"CN=desk-2\""}));
}

TEST(Trust, SelfSignedCertificate) {
  const Authority self("desk-3");
  const RefusedClient desktop(self.own());
  EXPECT_TRUE(says(desktop.server, {"\"CN=desk-3\"", "unknown authority"}));
}

TEST(Trust, RevokedOnEitherSideAndOthersPass) {
  World& world = World::get();
  const Issued desktop = world.authority.issue(desktop_plan());
  const Issued host = world.authority.issue(host_plan());
  const std::string list = world.authority.revocation_list({desktop.certificate.get(), host.certificate.get()});
  const auto server = Context::load(Side::Server, world.files(world.host, {}, list));
  const auto client = Context::load(Side::Client, world.files(world.desktop, {}, list));
  const RefusedClient refused(desktop, server);
  EXPECT_TRUE(says(refused.server, {"\"CN=desk-2\"", "revoked"}));
  EXPECT_EQ(refused.peer.alert, SSL_AD_CERTIFICATE_REVOKED);
  const RefusedServer refused_host(host, client);
  EXPECT_TRUE(says(refused_host.client, {"\"CN=host\"", "revoked"}));
  Pair pair(client, server);
  pair.run();
  EXPECT_TRUE(pair.open()) << pair.server.failure() << pair.client.failure();
}

TEST(Trust, RevocationListOutOfDateFailsClosed) {
  World& world = World::get();
  const auto late =
      Context::load(Side::Server, world.files(world.host, {}, world.authority.revocation_list({}, -kDay)));
  ASSERT_EQ(late->warnings().size(), 1U);
  EXPECT_NE(late->warnings()[0].find(".crl expired on"), std::string::npos) << late->warnings()[0];
  EXPECT_TRUE(
      says(RefusedClient(world.desktop, late).server, {"\"CN=desk-1\"", "revocation list", "expired on", ".crl"}));
}

TEST(Trust, RevocationListsCoverTheAuthorities) {
  World& world = World::get();
  const Authority other("Other Authority");
  const auto load = [&](const std::string& authorities, const std::string& lists) {
    return Context::load(Side::Server, world.files(world.host, authorities, lists));
  };
  const auto good = world.authority.own().certificate_pem();
  try {
    load(good, other.revocation_list({}));
    ADD_FAILURE() << "a list that admits nobody was taken";
  } catch (const Error& error) {
    for (const char* part : {".crl are of no authority in ", "nobody would be admitted", "\"CN=Good Authority\""})
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
  const auto missing = load(good + other.own().certificate_pem(), other.revocation_list({}));
  ASSERT_EQ(missing->warnings().size(), 1U);
  EXPECT_NE(missing->warnings()[0].find("no revocation list of \"CN=Good Authority\""), std::string::npos);
  EXPECT_TRUE(says(RefusedClient(world.desktop, missing).server,
                   {"\"CN=desk-1\"", "no revocation list", "CN=Good Authority", ".crl"}));
  ASSERT_EQ(missing->revocations().size(), 1U);
  EXPECT_EQ(missing->revocations()[0].authority, "CN=Other Authority");

  const auto revoked = load(good, world.authority.revocation_list({world.host.certificate.get()}));
  ASSERT_EQ(revoked->warnings().size(), 1U);
  EXPECT_NE(revoked->warnings()[0].find("own certificate \"CN=host\" was revoked"), std::string::npos);
  EXPECT_EQ(load(good, world.authority.revocation_list({}, kEndless))->warnings().size(), 0U);
  const auto ending = load(good, world.authority.revocation_list({}, kDay / 4));
  ASSERT_EQ(ending->warnings().size(), 1U);
  EXPECT_NE(ending->warnings()[0].find(".crl ends on"), std::string::npos) << ending->warnings()[0];
}

TEST(Trust, RevokedIntermediateAuthority) {
  World& world = World::get();
  const Authority middle("Middle Authority", 300 * kDay, &world.authority);
  const Authority unrelated("Unrelated Authority");
  const Issued desktop = middle.issue(desktop_plan());
  const std::string root = world.authority.own().certificate_pem(), issuer = middle.own().certificate_pem();
  const auto server = [&](const std::string& authorities, const Authority& revoked) {
    return Context::load(
        Side::Server,
        world.files(world.host, authorities,
                    middle.revocation_list({}) + world.authority.revocation_list({revoked.own().certificate.get()})));
  };
  // The desktop does not send its issuer along, so the server must have it.
  for (const std::string& authorities : {root + issuer, issuer}) {
    EXPECT_EQ(RefusedClient(desktop, server(authorities, unrelated)).server.state(), State::Open);
    EXPECT_EQ(server(authorities, unrelated)->warnings().size(), 0U);
    EXPECT_TRUE(says(RefusedClient(desktop, server(authorities, middle)).server, {"unknown authority", "Middle"}));
    ASSERT_EQ(server(authorities, middle)->warnings().size(), 1U);
    EXPECT_NE(server(authorities, middle)->warnings()[0].find("\"CN=Middle Authority\""), std::string::npos);
  }
  // The desktop sends it along.
  for (const Authority* revoked : {&unrelated, &middle}) {
    RawPeer peer(Side::Client, {.identity = &desktop});
    ASSERT_EQ(SSL_add1_chain_cert(peer.ssl.get(), middle.own().certificate.get()), 1);
    Engine engine(server(root, *revoked));
    peer.run(engine);
    if (revoked == &middle) {
      EXPECT_TRUE(says(engine, {"authority certificate \"CN=Middle Authority\"", "revoked"}));
    } else {
      EXPECT_EQ(engine.state(), State::Open) << engine.failure();
    }
  }
}

TEST(Trust, HostNamesAndAddresses) {
  World& world = World::get();
  for (const char* good : {"host.test", "HOST.test", "host.test.", "a.hosts.test", "127.0.0.1", "::1", "[::1]"}) {
    Pair pair(world.client(), world.server(), good);
    pair.run();
    EXPECT_TRUE(pair.open()) << good << ": " << pair.client.failure();
  }
  for (const char* bad :
       {"other.test", "host", "test", "xhost.test", "a.b.hosts.test", "127.0.0.2", "::2", "0.0.0.1"}) {
    Pair pair(world.client(), world.server(), bad);
    pair.run();
    EXPECT_TRUE(says(pair.client, {"\"CN=host\"", "it has host.test", std::string("wanted is ") + bad}));
    EXPECT_TRUE(says(pair.server, {"bad certificate"}));
  }
  // A common name is no host name.
  EXPECT_TRUE(says(RefusedServer(world.authority.issue({"host.test", ""})).client, {"it has no name at all"}));
}

TEST(Trust, ClientEngineNeedsAHostName) {
  for (const char* bad : {"", ".", ".test", "[]"}) {
    EXPECT_THROW(Engine(World::get().client(), bad), Error) << bad;
  }
  EXPECT_THROW(Engine(World::get().client()), Error);
  EXPECT_THROW(Engine(World::get().client(), std::string("host.test\0.evil", 15)), Error);
}

TEST(Trust, CertificateForTheWrongPurpose) {
  World& world = World::get();
  EXPECT_TRUE(says(RefusedClient(world.host).server, {"\"CN=host\"", "not meant for a TLS client", "clientAuth"}));
  EXPECT_TRUE(
      says(RefusedServer(world.desktop).client, {"\"CN=desk-1\"", "not meant for a TLS server", "serverAuth"}));
  Plan none = desktop_plan();
  none.usage = "";
  EXPECT_EQ(RefusedClient(world.authority.issue(none)).server.state(), State::Open);
}

TEST(Trust, WeakKeysAndSignatures) {
  Plan plan = desktop_plan();
  plan.rsa_bits = 1024;
  const Issued weak = World::get().authority.issue(plan);
  RawPeer peer(Side::Client, {});
  SSL_set_security_level(peer.ssl.get(), 0);
  ASSERT_EQ(SSL_use_certificate(peer.ssl.get(), weak.certificate.get()), 1);
  ASSERT_EQ(SSL_use_PrivateKey(peer.ssl.get(), weak.key.get()), 1);
  Engine server(World::get().server());
  peer.run(server);
  EXPECT_TRUE(says(server, {"\"CN=desk-2\"", "weak"}));

  plan = desktop_plan();
  plan.digest = "SHA1";
  const Issued sha1 = World::get().authority.issue(plan);
  RawPeer old(Side::Client, {});
  SSL_set_security_level(old.ssl.get(), 0);
  ASSERT_EQ(SSL_use_certificate(old.ssl.get(), sha1.certificate.get()), 1);
  ASSERT_EQ(SSL_use_PrivateKey(old.ssl.get(), sha1.key.get()), 1);
  Engine other(World::get().server());
  old.run(other);
  EXPECT_TRUE(says(other, {"\"CN=desk-2\"", "weak"}));
}

TEST(Trust, NoClientCertificate) {
  RawPeer peer(Side::Client, {});
  Engine server(World::get().server());
  peer.run(server);
  EXPECT_TRUE(says(server, {"no certificate was sent by the peer"}));
  EXPECT_EQ(peer.alert, SSL_AD_CERTIFICATE_REQUIRED);
}

TEST(Trust, RefusedClientReadsTheReason) {
  World& world = World::get();
  const Issued desktop = world.authority.issue(desktop_plan());
  const std::string list = world.authority.revocation_list({desktop.certificate.get()});
  Pair pair(world.client(desktop), Context::load(Side::Server, world.files(world.host, {}, list)));
  pair.run();
  EXPECT_TRUE(says(pair.client, {"certificate revoked", "CN=desk-2"}));
  EXPECT_EQ(pair.server.state(), State::Failed);
}

TEST(Trust, OlderTlsIsRefusedOnEitherSide) {
  RawPeer old(Side::Client, {.newest = TLS1_2_VERSION, .identity = &World::get().desktop});
  Engine server(World::get().server());
  old.run(server);
  EXPECT_TRUE(says(server, {"TLS version is too old"}));
  EXPECT_EQ(old.alert, SSL_AD_PROTOCOL_VERSION);

  RawPeer old_server(Side::Server, {.newest = TLS1_2_VERSION, .identity = &World::get().host});
  Engine client(World::get().client(), "host.test");
  client.start();
  old_server.run(client);
  EXPECT_TRUE(says(client, {"TLS 1.3"}));
}

TEST(Trust, AlpnIsRequiredOnEitherSide) {
  for (const std::string& alpn : {std::string(), std::string("\x02h2"), std::string("\x09tsplink/2")}) {
    RawPeer peer(Side::Client, {.identity = &World::get().desktop, .alpn = alpn});
    Engine server(World::get().server());
    peer.run(server);
    EXPECT_TRUE(says(server, {"tsplink/1"})) << alpn;
    EXPECT_EQ(peer.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
  }
  RawPeer host(Side::Server, {.identity = &World::get().host, .alpn = ""});
  Engine client(World::get().client(), "host.test");
  client.start();
  host.run(client);
  EXPECT_TRUE(says(client, {"tsplink/1"}));
  EXPECT_EQ(host.alert, SSL_AD_HANDSHAKE_FAILURE);
}

TEST(Trust, WhatIsNotTls) {
  for (const char* garbage :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x80\x2E\x01\x03\x01garbage garbage garbage garbage garbage",
        "SSH-2.0-OpenSSH_9.2\r\n", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"}) {
    Engine server(World::get().server());
    server.receive(bytes(garbage));
    server.end_of_stream();
    EXPECT_TRUE(says(server, {"not TLS"})) << garbage;
  }
  Engine http(World::get().server());
  http.receive(bytes("POST /login HTTP/1.1\r\n"));
  EXPECT_TRUE(says(http, {"HTTP"}));
  Engine client(World::get().client(), "host.test");
  client.start();
  client.receive(bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  EXPECT_TRUE(says(client, {"not TLS but HTTP"}));
}

}  // namespace
}  // namespace tsplink::security
