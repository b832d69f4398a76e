#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

#include "pair.hpp"

namespace tsplink::security {
namespace {

/// Whether one more connection is open and resumed. The pair is gone afterwards, closed or not.
bool connect_again(const std::shared_ptr<const Context>& client, const std::shared_ptr<const Context>& server,
                   bool orderly, const std::string& host_name = "host.test") {
  Pair pair(client, server, host_name);
  pair.run();
  EXPECT_TRUE(pair.open()) << pair.client.failure() << pair.server.failure();
  EXPECT_EQ(pair.client.resumed(), pair.server.resumed());
  if (!pair.open()) return false;
  EXPECT_EQ(pair.server.peer()->common_name, "desk-1");
  EXPECT_EQ(pair.client.peer()->common_name, "host");
  pair.client.send(bytes("x"));
  pair.run();
  EXPECT_EQ(text(pair.server.take_plaintext()), "x");
  if (orderly) {
    pair.client.close();
    pair.run();
  } else {
    pair.client.end_of_stream();
    pair.server.end_of_stream();
  }
  return pair.client.resumed();
}

TEST(Resumption, EveryReconnectResumesHoweverTheLastOneEnded) {
  const auto client = World::get().client();
  const auto server = World::get().server();
  EXPECT_FALSE(connect_again(client, server, true));
  int resumed = 0;
  for (int i = 0; i < 20; ++i) resumed += connect_again(client, server, i % 2 == 0) ? 1 : 0;
  EXPECT_EQ(resumed, 20);
}

TEST(Resumption, TicketsBelongToOneHostName) {
  const auto client = World::get().client();
  const auto server = World::get().server();
  EXPECT_FALSE(connect_again(client, server, true, "host.test"));
  EXPECT_FALSE(connect_again(client, server, true, "127.0.0.1"));
  EXPECT_TRUE(connect_again(client, server, true, "host.test"));
}

TEST(Resumption, AReloadedServerWantsTheCertificateAgain) {
  World& world = World::get();
  const auto client = world.client();
  EXPECT_FALSE(connect_again(client, world.server(), true));
  EXPECT_FALSE(connect_again(client, world.server(), true));
  // So that a revocation holds from the next connection on.
  const std::string list = world.authority.revocation_list({world.desktop.certificate.get()});
  Pair pair(client, Context::load(Side::Server, world.files(world.host, {}, list)));
  pair.run();
  EXPECT_NE(pair.server.failure().find("revoked"), std::string::npos) << pair.server.failure();
}

TEST(Resumption, AnOpenConnectionIsJudgedByNewerCertificates) {
  World& world = World::get();
  const Authority between("Department", 3650 * kDay, &world.authority);
  const Issued odd = between.issue({"desk-2", "", "clientAuth"});
  const Authority other("Other Authority");
  const auto fresh = [&](const std::string& authority, const std::string& list) {
    return Context::load(Side::Server, world.files(world.host, authority, list));
  };
  const auto good = world.authority.own().certificate_pem();
  const auto nobody = fresh(good, world.authority.revocation_list({}));
  const auto revoked = fresh(good, world.authority.revocation_list({world.desktop.certificate.get()}));
  const auto out_of_date = fresh(good, world.authority.revocation_list({}, -1));
  const auto client = world.client();
  const auto server = world.server();
  for (const bool resumed : {false, true}) {
    Pair pair(client, server);
    EXPECT_EQ(pair.server.objection(*revoked), "") << "nobody is there yet";
    pair.run();
    ASSERT_TRUE(pair.open()) << pair.client.failure() << pair.server.failure();
    ASSERT_EQ(pair.server.resumed(), resumed);
    EXPECT_EQ(pair.server.objection(*server), "");
    EXPECT_EQ(pair.server.objection(*nobody), "");
    EXPECT_NE(pair.server.objection(*revoked).find("\"CN=desk-1\" was revoked by its authority"), std::string::npos)
        << pair.server.objection(*revoked);
    EXPECT_NE(pair.server.objection(*out_of_date).find("expired on"), std::string::npos);
    EXPECT_NE(
        pair.server.objection(*fresh(other.own().certificate_pem(), {})).find("comes from an unknown authority"),
        std::string::npos);
    EXPECT_TRUE(pair.open());
  }
  // The intermediate authority that it sent is known for as long as the connection lasts.
  auto files = world.files(odd);
  files.certificate = world.folder.write("odd-chain.crt", odd.certificate_pem() + between.own().certificate_pem());
  Pair pair(Context::load(Side::Client, files), server);
  pair.run();
  ASSERT_TRUE(pair.open()) << pair.client.failure() << pair.server.failure();
  EXPECT_EQ(pair.server.objection(*server), "");
}

TEST(Resumption, ATicketDoesNotOutliveTheCertificate) {
  World& world = World::get();
  const Issued desktop = world.authority.issue({"desk-1", "", "clientAuth", -kDay, 2});
  const auto client = world.client(desktop);
  const auto server = world.server();
  EXPECT_FALSE(connect_again(client, server, true));
  const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::optional<Pair> pair;
  do {
    std::this_thread::yield();  // validity goes by the system's clock: connect until it has passed
    pair.emplace(client, server);
    pair->run();
  } while (pair->open() && std::chrono::steady_clock::now() < bound);
  EXPECT_NE(pair->server.failure().find("expired on"), std::string::npos) << pair->server.failure();
}

}  // namespace
}  // namespace tsplink::security
