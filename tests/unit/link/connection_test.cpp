// Two connections back to back in memory, every byte and every second at the test's mercy.
#include <gtest/gtest.h>

#include "support.hpp"
#include "wire/link/connection.hpp"

namespace tsplink::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Side final : ConnectionEvents {
  Side(Role role, const wire::Clock& clock, Limits limits) {
    auto settings = std::make_shared<Settings>();
    settings->role = role;
    settings->context = role == Role::Client ? desktop_context() : host_context();
    settings->host_name = role == Role::Client ? "localhost" : "";
    settings->local = local(role == Role::Client ? "desk" : "host");
    settings->limits = limits;
    connection = std::make_unique<Connection>(settings, "memory", 77, *this, clock.now());
  }
  std::string on_hello(const PeerInfo&) override { return refusal; }
  void on_up(const PeerInfo&) override { ++ups; }
  void on_message(wire::Buffer envelope) override { received.push_back(number_of(envelope)); }

  std::string refusal;
  int ups = 0;
  std::vector<std::uint64_t> received;
  std::unique_ptr<Connection> connection;
};

struct Memory : ::testing::Test {
  explicit Memory(Limits with = {}) : limits(with) {}
  Limits limits;
  wire::ManualClock clock;
  Side host{Role::Server, clock, limits}, desk{Role::Client, clock, limits};
  std::size_t piece = SIZE_MAX;

  bool pass(Side& from, Side& to) {
    const auto bytes = from.connection->take_output(clock.now());
    for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at)) {
      to.connection->receive(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), clock.now());
    }
    return !bytes.empty();
  }
  void run() {
    bool more = true;
    while (more) {
      const bool out = pass(desk, host);
      more = pass(host, desk) || out;
    }
  }
  void advance(wire::Duration by) {
    clock.advance(by);
    host.connection->tick(clock.now());
    desk.connection->tick(clock.now());
  }
  wire::Bytes output(Side& side) { return side.connection->take_output(clock.now()); }
};

TEST_F(Memory, ComesUpAndExchangesWhateverThePieces) {
  piece = 1;
  run();
  EXPECT_EQ(host.ups, 1);
  EXPECT_EQ(desk.ups, 1);
  EXPECT_EQ(desk.connection->peer().session, 77u);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    desk.connection->post(event(i, 100), clock.now());
    host.connection->post(event(10 + i, 100), clock.now());
  }
  run();
  EXPECT_EQ(host.received, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(desk.received, (std::vector<std::uint64_t>{11, 12, 13, 14, 15}));
}

TEST_F(Memory, FramesThatAreReadyTogetherShareOneRecord) {
  run();
  for (std::uint64_t i = 1; i <= 10; ++i) host.connection->post(event(i), clock.now());
  const auto bytes = output(host);
  // A TLS record's header is 5 bytes, the last 2 its length.
  ASSERT_GT(bytes.size(), 5u);
  EXPECT_EQ(bytes.size(), 5u + bytes[3] * 256u + bytes[4]);
  desk.connection->receive(bytes, clock.now());
  EXPECT_EQ(desk.received.size(), 10u);
}

TEST_F(Memory, AHandshakeThatStallsEndsInTime) {
  EXPECT_EQ(host.connection->deadline(), clock.now() + seconds(5));
  const auto hello = output(desk);
  host.connection->receive(std::span(hello).first(20), clock.now());
  advance(milliseconds(4999));
  EXPECT_FALSE(host.connection->ended());
  advance(milliseconds(1));
  EXPECT_TRUE(host.connection->finished());
  EXPECT_EQ(host.connection->reason(), "the desktop did not finish the TLS handshake within 5 s");
  EXPECT_EQ(desk.connection->reason(), "the host did not answer the TLS handshake within 5 s");
}

TEST_F(Memory, APeerThatSendsNothingEndsInTimeAndNeedsNoEngine) {
  advance(seconds(5));
  EXPECT_TRUE(host.connection->finished());
  EXPECT_EQ(host.connection->reason(), "the desktop sent nothing within 5 s");
}

TEST_F(Memory, AHelloThatDoesNotComeIsADeadlineOfItsOwn) {
  // TLS only: the desktop is an engine without a connection.
  security::Engine engine(desktop_context(), "localhost");
  engine.start();
  host.connection->receive(engine.take_output(), clock.now());
  engine.receive(output(host));
  host.connection->receive(engine.take_output(), clock.now());
  advance(milliseconds(4999));
  EXPECT_FALSE(host.connection->ended());
  advance(milliseconds(1));
  EXPECT_EQ(host.connection->reason(), "the desktop did not send Hello within 5 s");
  EXPECT_FALSE(host.connection->finished()) << "the Bye must get out";
  engine.receive(output(host));
  wire::Splitter splitter(4096);
  splitter.feed(engine.take_plaintext());
  const auto frame = splitter.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(kind_of(frame->envelope), wire::fb::Body::Bye);
  EXPECT_EQ(engine.state(), security::Engine::State::Closed);
  advance(seconds(1));
  EXPECT_TRUE(host.connection->finished());
}

TEST_F(Memory, HeartbeatsKeepASilentLinkAliveAndCostOneAnInterval) {
  run();
  for (int second = 0; second < 60; ++second) {
    advance(seconds(1));
    run();
  }
  EXPECT_TRUE(host.connection->up());
  EXPECT_TRUE(desk.connection->up());
}

TEST_F(Memory, AFrameThatTakesTwentySecondsToComeEndsNoLink) {
  for (Side* from : {&host, &desk}) {
    Side& to = from == &host ? desk : host;
    run();
    from->connection->post(event(1, 500'000), clock.now());
    wire::Bytes bytes;  // what the slow way has not passed yet; the other way is free
    for (auto more = output(*from); !more.empty(); more = output(*from))
      bytes.insert(bytes.end(), more.begin(), more.end());
    const std::size_t whole = bytes.size();
    for (int i = 0; i < 40; ++i) {
      const auto part = std::min(bytes.size(), whole / 40 + 1);
      to.connection->receive(std::span(bytes).first(part), clock.now());
      bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
      advance(milliseconds(500));
      pass(to, *from);
      const auto more = output(*from);
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    while (!bytes.empty() || pass(to, *from)) {
      to.connection->receive(bytes, clock.now());
      bytes = output(*from);
    }
    EXPECT_TRUE(from->connection->up()) << from->connection->reason();
    EXPECT_TRUE(to.connection->up()) << to.connection->reason();
    EXPECT_EQ(to.received.size(), 1u);
  }
}

TEST_F(Memory, AStoppedPeerIsNoticedAfterThreeSeconds) {
  run();
  for (int i = 0; i < 29; ++i) {
    advance(milliseconds(100));
    output(desk);  // lost
    output(host);
  }
  EXPECT_TRUE(host.connection->up());
  EXPECT_LE(host.connection->deadline(), clock.now() + milliseconds(100));
  advance(milliseconds(100));
  EXPECT_EQ(host.connection->reason(), "nothing was heard from the desktop for 3 s");
  EXPECT_EQ(desk.connection->reason(), "nothing was heard from the host for 3 s");
}

TEST_F(Memory, APeerThatTakesNothingIsCutThoughItSpeaks) {
  run();
  host.connection->set_blocked(true, clock.now());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(host.connection->up());
    advance(seconds(1));
    pass(desk, host);
  }
  EXPECT_EQ(host.connection->reason(), "the desktop has read nothing for 3 s");
}

TEST_F(Memory, AnAcknowledgementGoesOutAloneAfterItsTime) {
  run();
  host.connection->post(event(1), clock.now());
  run();
  EXPECT_GT(host.connection->session()->kept_bytes(), 0u);
  EXPECT_EQ(desk.connection->deadline(), clock.now() + limits.acknowledge);
  advance(limits.acknowledge);
  run();
  EXPECT_EQ(host.connection->session()->kept_bytes(), 0u);
}

TEST_F(Memory, AnAcknowledgementRidesOnAnAnswer) {
  run();
  desk.connection->post(event(1), clock.now());
  pass(desk, host);
  host.connection->post(event(2), clock.now());
  pass(host, desk);
  EXPECT_EQ(desk.connection->session()->kept_bytes(), 0u);
}

TEST_F(Memory, ClosingSendsWhatWasPostedThenByeThenCloseNotify) {
  run();
  for (std::uint64_t i = 1; i <= 100; ++i) desk.connection->post(event(i, 5000), clock.now());
  desk.connection->close("done for today", false, clock.now());
  EXPECT_TRUE(desk.connection->ended());
  EXPECT_FALSE(desk.connection->finished());
  run();
  EXPECT_EQ(host.received.size(), 100u);
  EXPECT_TRUE(host.connection->finished()) << "who was told waits for nothing";
  EXPECT_EQ(host.connection->reason(), "done for today");
  EXPECT_FALSE(host.connection->refused());
  desk.connection->socket_ended();
  EXPECT_TRUE(desk.connection->finished());
  EXPECT_EQ(desk.connection->reason(), "done for today");
}

TEST_F(Memory, ACutWithoutByeIsReportedAsOne) {
  run();
  host.connection->socket_ended();
  EXPECT_TRUE(host.connection->finished());
  EXPECT_NE(host.connection->reason().find("close_notify"), std::string::npos) << host.connection->reason();
}

TEST_F(Memory, ARefusedHelloIsByeWithTheHostsSentence) {
  host.refusal = "this certificate belongs to another machine";
  run();
  EXPECT_EQ(desk.connection->reason(), host.refusal);
  EXPECT_TRUE(desk.connection->refused());
  EXPECT_EQ(host.ups + desk.ups, 0);
}

TEST_F(Memory, TooMuchKeptEndsTheSessionAndSaysWhy) {
  run();
  for (std::uint64_t i = 1; i <= 20 && !host.connection->ended(); ++i) {
    host.connection->post(event(i, 900'000), clock.now());
    output(host);  // lost
  }
  EXPECT_TRUE(host.connection->ended());
  EXPECT_NE(host.connection->reason().find("reads too slowly"), std::string::npos);
}

TEST_F(Memory, ACorruptedRecordEndsTheConnectionAndTheAlertGetsOut) {
  run();
  desk.connection->post(event(1), clock.now());
  auto bytes = output(desk);
  bytes.back() = static_cast<std::uint8_t>(bytes.back() ^ 1);
  host.connection->receive(bytes, clock.now());
  EXPECT_TRUE(host.connection->ended());
  EXPECT_TRUE(host.received.empty());
  EXPECT_FALSE(host.connection->finished());
  pass(host, desk);
  EXPECT_TRUE(desk.connection->ended());
  EXPECT_FALSE(desk.connection->reason().empty());
}

/// A host's connection against an engine that sends what it likes.
struct Rogue : ::testing::Test {
  wire::ManualClock clock;
  Side host{Role::Server, clock, {}};
  security::Engine engine{desktop_context(), "localhost"};

  void SetUp() override {
    engine.start();
    deliver();
    engine.receive(host.connection->take_output(clock.now()));
    deliver();
    ASSERT_EQ(engine.state(), security::Engine::State::Open);
  }
  void deliver() {
    if (engine.has_output()) host.connection->receive(engine.take_output(), clock.now());
  }
  void send(const wire::Bytes& envelope, std::uint64_t sequence = 0, std::uint64_t acknowledgement = 0) {
    wire::Bytes frame;
    wire::append_frame(frame, envelope, sequence, acknowledgement);
    engine.send(frame);
    deliver();
  }
  void greet() {
    send(*make_hello(local("desk")));
    ASSERT_TRUE(host.connection->up());
  }
  void expect_end(const std::string& part) {
    EXPECT_TRUE(host.connection->ended());
    EXPECT_NE(host.connection->reason().find(part), std::string::npos) << host.connection->reason();
  }
};

TEST_F(Rogue, TheFirstFrameMustBeHello) {
  send(*make_ping(1));
  expect_end("first frame must be Hello and was Ping");
}

TEST_F(Rogue, AnEventBeforeHelloIsRefused) {
  send(*event(1), 1);
  expect_end("first frame must be Hello and was Event");
}

TEST_F(Rogue, AFrameOver4KiBBeforeHelloIsRefused) {
  engine.send(wire::encode_header({4097, 0, 0}));
  deliver();
  expect_end("over the limit of 4096 bytes");
}

TEST_F(Rogue, ASecondHelloIsRefused) {
  greet();
  send(*make_hello(local("desk")));
  expect_end("second Hello");
}

TEST_F(Rogue, AFrameOverTheLimitIsRefused) {
  greet();
  engine.send(wire::encode_header({1024 * 1024 + 1, 1, 0}));
  deliver();
  expect_end("over the limit of 1048576 bytes");
}

TEST_F(Rogue, GapsAreRefusedAndRepetitionsDropped) {
  greet();
  send(*event(1), 1);
  send(*event(1), 1);
  EXPECT_EQ(host.received.size(), 1u);
  send(*event(3), 3);
  expect_end("some between are missing");
  EXPECT_EQ(host.received.size(), 1u);
}

TEST_F(Rogue, NumbersBelongToTheKindsThatHaveThem) {
  greet();
  send(*event(1), 0);
  expect_end("Event without a sequence number");
}

TEST_F(Rogue, APingWithANumberIsRefused) {
  greet();
  send(*make_ping(1), 1);
  expect_end("Ping with a sequence number");
}

TEST_F(Rogue, AcknowledgingTheFutureIsRefused) {
  greet();
  send(*make_ack(), 0, 1);
  expect_end("which was never sent");
}

TEST_F(Rogue, AFloodOfPingsThatReadsNothingIsCut) {
  greet();
  for (int i = 0; i < 1000 && !host.connection->ended(); ++i) send(*make_ping(1));
  expect_end("sends Pings and does not read");
}

TEST_F(Rogue, GarbageInsideTlsIsRefused) {
  greet();
  engine.send(wire::Bytes(200, 0xee));
  deliver();
  expect_end("does not speak tsplink's protocol");
}

TEST_F(Rogue, ALongMachineIdIsRefused) {
  LocalInfo info = local("desk");
  info.machine_id.assign(65, 1);
  send(*make_hello(info));
  expect_end("machine id is over 64 bytes");
}

}  // namespace
}  // namespace tsplink::link
