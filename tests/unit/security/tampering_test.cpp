#include <gtest/gtest.h>

#include <algorithm>

#include "pair.hpp"

namespace tsplink::security {
namespace {

using State = Engine::State;

/// Which of the bytes are the version field of a record that is not encrypted. RFC 8446 5.1 has receivers ignore it,
/// nothing depends on it, and nothing authenticates it.
std::vector<bool> ignored_bytes(const Bytes& flight) {
  std::vector<bool> ignored(flight.size());
  for (std::size_t at = 0; at + 5 <= flight.size(); at += 5U + flight[at + 3] * 256U + flight[at + 4]) {
    if (flight[at] != 23) ignored[at + 1] = ignored[at + 2] = true;
  }
  return ignored;
}

struct Counts {
  int runs = 0;
  int tolerated = 0;
};

/// One handshake and one message each way, in which one byte of flight `flight` (0: ClientHello, 1: the server's, 2:
/// the client's last with its first data) is flipped. Returns the size of that flight, which differs by a byte or two
/// from one handshake to the next as signatures do.
std::size_t tampered(Pair& pair, std::size_t flight, std::size_t position, Counts& counts) {
  std::size_t size = 0;
  bool may_pass = false;
  for (std::size_t number = 0; number < 6; ++number) {
    Engine& from = number % 2 == 0 ? pair.client : pair.server;
    Engine& to = number % 2 == 0 ? pair.server : pair.client;
    if (number == 2) from.send(bytes("from client"));
    if (number == 3) from.send(bytes("from server"));
    Bytes data = from.take_output();
    if (number == flight) {
      size = data.size();
      if (position >= size) return size;
      may_pass = ignored_bytes(data)[position];
      data[position] ^= static_cast<std::uint8_t>(1U << (position % 8));  // all bits in turn
    }
    to.receive(data);
  }
  ++counts.runs;
  const std::string to_server = text(pair.server.take_plaintext()), to_client = text(pair.client.take_plaintext());
  EXPECT_TRUE(to_server.empty() || to_server == "from client") << flight << ':' << position << ' ' << to_server;
  EXPECT_TRUE(to_client.empty() || to_client == "from server") << flight << ':' << position << ' ' << to_client;
  if (may_pass && pair.open() && to_server == "from client") {
    ++counts.tolerated;
    return size;
  }
  // A longer length just waits for more: the end of the stream ends that.
  pair.server.end_of_stream();
  pair.client.end_of_stream();
  const Engine& receiver = flight == 1 ? pair.client : pair.server;
  EXPECT_EQ(receiver.state(), State::Failed) << "flight " << flight << " position " << position;
  EXPECT_FALSE(receiver.failure().empty());
  EXPECT_EQ(to_server, "") << "flight " << flight << " position " << position;
  return size;
}

TEST(Tampering, EveryByteOfTheHandshakeIsProtected) {
  Counts counts;
  const auto server = World::get().server();
  for (std::size_t flight = 0; flight < 3; ++flight) {
    std::size_t size = 1;
    for (std::size_t position = 0; position < size; ++position) {
      Pair pair(World::get().client(), server);  // a context of its own: no ticket of the one before
      size = std::max(size, tampered(pair, flight, position, counts));
      EXPECT_FALSE(pair.server.resumed());
    }
  }
  RecordProperty("positions", counts.runs);
  RecordProperty("tolerated", counts.tolerated);
  EXPECT_GT(counts.runs, 2000);
  EXPECT_LE(counts.tolerated, 8);  // two bytes each of ClientHello, ServerHello and two ChangeCipherSpec
}

TEST(Tampering, EveryByteOfAResumedHandshakeIsProtected) {
  Counts counts;
  const auto client = World::get().client();
  const auto server = World::get().server();
  for (std::size_t flight = 0; flight < 3; ++flight) {
    std::size_t size = 1;
    for (std::size_t position = 0; position < size; ++position) {
      Pair before(client, server);
      before.run();
      ASSERT_TRUE(before.open()) << before.client.failure() << before.server.failure();
      Pair pair(client, server);
      size = std::max(size, tampered(pair, flight, position, counts));
    }
  }
  RecordProperty("positions", counts.runs);
  RecordProperty("tolerated", counts.tolerated);
  EXPECT_GT(counts.runs, 1000);
  EXPECT_LE(counts.tolerated, 8);
}

TEST(Tampering, EveryByteOfADataRecordIsProtected) {
  std::size_t size = 1;
  for (std::size_t position = 0; position < size; ++position) {
    for (const std::uint8_t mask : Bytes{0x01, 0x80, 0xFF}) {
      Pair pair = open_pair();
      pair.client.send(bytes("first"));
      Bytes record = pair.client.take_output();
      size = record.size();
      record[position] ^= mask;
      pair.server.receive(record);
      pair.client.send(bytes("second, which must not be taken for the first"));
      Pair::pass(pair.client, pair.server);
      pair.server.end_of_stream();
      EXPECT_EQ(pair.server.state(), State::Failed) << position;
      EXPECT_TRUE(pair.server.take_plaintext().empty()) << position;
    }
  }
  EXPECT_EQ(size, 5U + 5U + 1U + 16U);
}

TEST(Tampering, ChangedRecordIsReportedToTheSender) {
  Pair pair = open_pair();
  pair.client.send(bytes("data"));
  Bytes record = pair.client.take_output();
  record.back() ^= 1;
  pair.server.receive(record);
  EXPECT_NE(pair.server.failure().find("changed on the way"), std::string::npos) << pair.server.failure();
  ASSERT_TRUE(pair.server.has_output());
  Pair::pass(pair.server, pair.client);
  EXPECT_EQ(pair.client.state(), State::Failed);
  EXPECT_NE(pair.client.failure().find("bad record mac"), std::string::npos) << pair.client.failure();
}

TEST(Tampering, RepeatedRecordIsRefused) {
  Pair pair = open_pair();
  pair.client.send(bytes("dial 911"));
  const Bytes record = pair.client.take_output();
  pair.server.receive(record);
  EXPECT_EQ(text(pair.server.take_plaintext()), "dial 911");
  pair.server.receive(record);
  EXPECT_EQ(pair.server.state(), State::Failed);
  EXPECT_TRUE(pair.server.take_plaintext().empty());
}

TEST(Tampering, RepeatedByteIsRefused) {
  Pair pair = open_pair();
  pair.client.send(bytes("data"));
  const Bytes record = pair.client.take_output();
  for (std::size_t position = 0; position < record.size(); ++position) {
    // Where neighbours are equal the stream is the same up to there, only longer: shifted, it fails all the same.
    Pair fresh = open_pair();
    fresh.client.send(bytes("data"));
    Bytes longer = fresh.client.take_output();
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(position), longer[position]);
    fresh.server.receive(longer);
    fresh.server.end_of_stream();
    EXPECT_EQ(fresh.server.state(), State::Failed) << position;
    const std::string delivered = text(fresh.server.take_plaintext());
    EXPECT_TRUE(delivered.empty() || delivered == "data") << position;
  }
}

TEST(Tampering, SwappedAndDroppedRecordsAreRefused) {
  Pair swapped = open_pair();
  swapped.client.send(bytes("one"));
  const Bytes one = swapped.client.take_output();
  swapped.client.send(bytes("two"));
  const Bytes two = swapped.client.take_output();
  swapped.server.receive(two);
  swapped.server.receive(one);
  EXPECT_EQ(swapped.server.state(), State::Failed);
  EXPECT_TRUE(swapped.server.take_plaintext().empty());
}

TEST(Tampering, ReplayedHandshakeOfAnotherConnectionIsRefused) {
  Pair recorded(World::get().client(), World::get().server());
  const Bytes hello = recorded.client.take_output();
  recorded.server.receive(hello);
  Pair::pass(recorded.server, recorded.client);
  recorded.client.send(bytes("dial 911"));
  const Bytes rest = recorded.client.take_output();
  Engine server(World::get().server());
  server.receive(hello);
  server.receive(rest);
  EXPECT_EQ(server.state(), State::Failed);
  EXPECT_TRUE(server.take_plaintext().empty());
}

TEST(Tampering, ATruncatedHandshakeFails) {
  const auto client = World::get().client();
  const auto server = World::get().server();
  for (int flight = 0; flight < 3; ++flight) {
    std::size_t size = 1;
    for (std::size_t cut = 0; cut < size; cut += 7) {
      Pair pair(client, server);
      Engine* from = &pair.client;
      Engine* to = &pair.server;
      for (int i = 0; i < flight; ++i, std::swap(from, to)) Pair::pass(*from, *to);
      Bytes data = from->take_output();
      size = data.size();
      if (cut >= size) break;  // this handshake's signature came out shorter than the one before
      to->receive(std::span(data).first(cut));
      to->end_of_stream();
      EXPECT_EQ(to->state(), State::Failed) << flight << ':' << cut;
      EXPECT_EQ(to->peer(), nullptr);
    }
  }
}

}  // namespace
}  // namespace tsplink::security
