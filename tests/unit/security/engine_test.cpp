#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "pair.hpp"
#include "security/memory_bio.hpp"

namespace tsplink::security {
namespace {

using State = Engine::State;

TEST(Engine, HandshakeAuthenticatesBothSides) {
  Pair pair(World::get().client(), World::get().server());
  EXPECT_EQ(pair.client.peer(), nullptr);
  pair.run();
  ASSERT_TRUE(pair.open()) << pair.client.failure() << pair.server.failure();
  ASSERT_NE(pair.server.peer(), nullptr);
  EXPECT_EQ(pair.server.peer()->common_name, "desk-1");
  EXPECT_EQ(pair.server.peer()->subject, "CN=desk-1");
  EXPECT_EQ(pair.server.peer()->alternative_names, std::vector<std::string>{"desk-1.test"});
  EXPECT_EQ(pair.client.peer()->common_name, "host");
  EXPECT_EQ(pair.client.peer()->fingerprint_sha256.size(), 95U);
  EXPECT_NE(describe(*pair.client.peer()).find("127.0.0.1"), std::string::npos);
  EXPECT_FALSE(pair.client.resumed());
}

TEST(Engine, ServerIsOpenOnlyAfterTheClientIsVerified) {
  Pair pair(World::get().client(), World::get().server());
  Pair::pass(pair.client, pair.server);
  EXPECT_EQ(pair.server.state(), State::Handshaking);
  Pair::pass(pair.server, pair.client);
  EXPECT_EQ(pair.client.state(), State::Open);
  EXPECT_EQ(pair.server.state(), State::Handshaking);
  EXPECT_FALSE(pair.server.send(bytes("too early")));
  Pair::pass(pair.client, pair.server);
  EXPECT_EQ(pair.server.state(), State::Open);
}

TEST(Engine, DataBothWays) {
  Pair pair = open_pair();
  EXPECT_TRUE(pair.client.send(bytes("question")));
  EXPECT_TRUE(pair.server.send(bytes("ans")));
  EXPECT_TRUE(pair.server.send({}));
  EXPECT_TRUE(pair.server.send(bytes("wer")));
  pair.run();
  EXPECT_EQ(text(pair.server.take_plaintext()), "question");
  EXPECT_EQ(text(pair.client.take_plaintext()), "answer");
  EXPECT_TRUE(pair.client.take_plaintext().empty());
}

TEST(Engine, DataThatArrivesWithTheLastHandshakeMessageIsNotLost) {
  Pair pair(World::get().client(), World::get().server());
  Pair::pass(pair.client, pair.server);
  Pair::pass(pair.server, pair.client);
  ASSERT_TRUE(pair.client.send(bytes("hello")));
  Pair::pass(pair.client, pair.server);  // Certificate, Finished and data in one piece
  EXPECT_EQ(text(pair.server.take_plaintext()), "hello");
}

TEST(Engine, OneMebibyteBothWays) {
  Pair pair = open_pair();
  Bytes large(1U << 20U);
  std::iota(large.begin(), large.end(), std::uint8_t{0});
  ASSERT_TRUE(pair.client.send(large));
  ASSERT_TRUE(pair.server.send(large));
  pair.run(8192);
  EXPECT_EQ(pair.server.take_plaintext(), large);
  EXPECT_EQ(pair.client.take_plaintext(), large);
}

TEST(Engine, OneByteAtATime) {
  Pair pair(World::get().client(), World::get().server());
  pair.run(1);
  ASSERT_TRUE(pair.open()) << pair.client.failure() << pair.server.failure();
  pair.client.send(bytes("in small pieces"));
  pair.run(1);
  EXPECT_EQ(text(pair.server.take_plaintext()), "in small pieces");
}

TEST(Engine, NewKeysOnTheWay) {
  Pair pair = open_pair();
  for (int i = 0; i < 3; ++i) {
    pair.client.renew_keys();
    pair.client.send(bytes("a"));
    pair.server.renew_keys();
    pair.server.send(bytes("b"));
    pair.run();
  }
  EXPECT_EQ(text(pair.server.take_plaintext()), "aaa");
  EXPECT_EQ(text(pair.client.take_plaintext()), "bbb");
  EXPECT_TRUE(pair.open());
}

TEST(Engine, NewKeysWithoutEndEndTheConnection) {
  Pair pair = open_pair();
  for (int i = 0; i < 100 && pair.open(); ++i) {
    pair.client.renew_keys();
    pair.client.send(bytes("a"));
    pair.run();
  }
  EXPECT_EQ(pair.server.state(), State::Failed);
  EXPECT_NE(pair.server.failure().find("changes its keys without end"), std::string::npos) << pair.server.failure();
}

TEST(Engine, NewKeysMayComeWithMuchData) {
  Pair pair = open_pair();
  const std::vector<std::uint8_t> block(1U << 20U);
  for (int i = 0; i < 40; ++i) {
    pair.client.renew_keys();
    pair.client.send(block);
    pair.run();
    pair.server.take_plaintext();
  }
  EXPECT_TRUE(pair.open()) << pair.server.failure();
}

TEST(Engine, OrderlyCloseIsSeenByTheOtherSide) {
  Pair pair = open_pair();
  pair.client.send(bytes("last words"));
  pair.client.close();
  EXPECT_EQ(pair.client.state(), State::Closed);
  EXPECT_FALSE(pair.client.send(bytes("no more")));
  pair.run();
  EXPECT_EQ(pair.server.state(), State::Closed);
  EXPECT_EQ(text(pair.server.take_plaintext()), "last words");
  pair.server.end_of_stream();
  pair.client.end_of_stream();
  EXPECT_EQ(pair.server.state(), State::Closed);
  EXPECT_EQ(pair.client.state(), State::Closed);
  EXPECT_EQ(pair.server.failure() + pair.client.failure(), "");
}

TEST(Engine, DataUnderwayWhileClosingStillArrives) {
  Pair pair = open_pair();
  pair.client.close();
  pair.server.send(bytes("crossed"));
  pair.run();
  EXPECT_EQ(text(pair.client.take_plaintext()), "crossed");
  EXPECT_EQ(pair.client.state(), State::Closed);
}

TEST(Engine, ClosedBeforeOpenStaysClosed) {
  Pair pair(World::get().client(), World::get().server());
  pair.client.close();
  pair.run();
  EXPECT_EQ(pair.client.state(), State::Closed);
  EXPECT_EQ(pair.client.peer(), nullptr);
}

TEST(Engine, CutWithoutCloseNotifyFails) {
  Pair pair = open_pair();
  pair.client.send(bytes("half"));
  pair.run();
  pair.server.end_of_stream();
  EXPECT_EQ(pair.server.state(), State::Failed);
  EXPECT_NE(pair.server.failure().find("cut without close_notify"), std::string::npos) << pair.server.failure();
  EXPECT_EQ(text(pair.server.take_plaintext()), "half");
}

TEST(Engine, ManyEnginesOfOneContextInManyThreads) {
  const auto client = World::get().client();
  const auto server = World::get().server();
  std::vector<int> opened(4);
  std::vector<std::thread> threads;
  for (int& count : opened) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        Pair pair(client, server);
        pair.run();
        pair.client.send(bytes("x"));
        pair.run();
        count += pair.open() && text(pair.server.take_plaintext()) == "x" ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened, (std::vector<int>{10, 10, 10, 10}));
}

TEST(MemoryBio, AllowanceBoundsWhatIsRead) {
  const BioMethodPtr method = make_memory_method();
  MemoryChannel channel;
  const BioPtr bio = new_memory_bio(method.get(), channel);
  const Bytes data(20, 7);
  Bytes buffer(10);
  channel.input = data;
  channel.allowance = 10;
  EXPECT_EQ(BIO_read(bio.get(), buffer.data(), 10), 10);
  EXPECT_FALSE(channel.allowance_exceeded);
  EXPECT_LE(BIO_read(bio.get(), buffer.data(), 1), 0);
  EXPECT_FALSE(BIO_should_retry(bio.get()));
  EXPECT_TRUE(channel.allowance_exceeded);
}

TEST(Engine, EndlessHandshakeInputIsRefused) {
  // Well-formed records of a handshake message that never ends.
  Engine server(World::get().server());
  Bytes record(5 + 16384, 0);
  record[0] = 22, record[1] = 3, record[2] = 1, record[3] = 0x40, record[4] = 0;
  record[5] = 1, record[6] = 0xFF, record[7] = 0xFF, record[8] = 0xFF;
  std::size_t sent = 0;
  for (; sent < 1U << 20U && server.state() == State::Handshaking; sent += record.size()) server.receive(record);
  EXPECT_EQ(server.state(), State::Failed);
  EXPECT_LE(sent, 5 * record.size());

  // Even records that OpenSSL would swallow for ever.
  Pair pair(World::get().client(), World::get().server());
  Pair::pass(pair.client, pair.server);
  const Bytes change_cipher_spec = {20, 3, 3, 0, 1, 1};
  for (sent = 0; sent < 1U << 20U && pair.server.state() == State::Handshaking; sent += change_cipher_spec.size()) {
    pair.server.receive(change_cipher_spec);
  }
  EXPECT_EQ(pair.server.state(), State::Failed);
  EXPECT_LE(sent, 64U * 1024U + 6U) << pair.server.failure();
}

}  // namespace
}  // namespace tsplink::security
