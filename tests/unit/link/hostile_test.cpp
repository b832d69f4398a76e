// A host among peers that misbehave below the protocol: silent, stopped, too many, not reading, cut.
#include <gtest/gtest.h>

#ifndef _WIN32
#include <sys/resource.h>
#endif

#include <future>
#include <list>
#include <thread>

#include "support.hpp"
#include "wire/failure.hpp"

namespace tsplink::link {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Hostile : ::testing::Test {
  /// Patient, but a peer that waits for the end gets it soon.
  static Limits usual() {
    Limits limits = patient();
    limits.closing = seconds(1);
    return limits;
  }
  Server& serve(Limits limits = usual()) {
    server = std::make_unique<Server>(*reactor, "127.0.0.1", 0, host_context(), local("host"), limits, host);
    host.echo = server.get();
    server->start();
    return *server;
  }
  void start(const wire::Clock& with = wire::Clock::steady()) {
    reactor = std::make_unique<Reactor>(with, lines.log());
    reactor->start();
  }
  /// Moves a clock until the condition holds: the reactor reads it between two polls.
  template <class Condition>
  bool pass_time(wire::Duration step, Condition condition) {
    for (int i = 0; i < 1000; ++i) {
      if (host.wait(condition, milliseconds(10))) return true;
      clock.advance(step);
    }
    return false;
  }

  wire::ManualClock clock;
  Lines lines;
  Host host;
  std::unique_ptr<Reactor> reactor;
  std::unique_ptr<Server> server;
};

TEST_F(Hostile, TheAlertForABadCertificateReachesThePeerBeforeTheEnd) {
  start();
  RawDesktop stranger(serve().port(), stranger_context());
  // The desktop's side of a TLS 1.3 handshake ends before its certificate is judged.
  stranger.handshake();
  while (stranger.step()) {
  }
  EXPECT_EQ(stranger.engine.state(), security::Engine::State::Failed);
  EXPECT_EQ(stranger.engine.failure().find("close_notify"), std::string::npos)
      << "cut before the alert: " << stranger.engine.failure();
  EXPECT_TRUE(lines.wait_for("refused 127.0.0.1: "));
}

TEST_F(Hostile, TheByeForABadHelloReachesThePeerBeforeTheEnd) {
  start();
  RawDesktop desktop(serve().port(), desktop_context());
  ASSERT_TRUE(desktop.handshake());
  desktop.send(make_ping(1));
  EXPECT_EQ(desktop.farewell(), "the desktop's first frame must be Hello and was Ping");
  EXPECT_EQ(desktop.engine.state(), security::Engine::State::Closed) << "close_notify came too";
  EXPECT_TRUE(desktop.socket.wait_end());
}

TEST_F(Hostile, PlainTextOnThePortIsRefusedAndLogged) {
  start();
  RawSocket socket(serve().port());
  const std::string text = "GET / HTTP/1.0\r\n\r\n";
  socket.write(wire::Bytes(text.begin(), text.end()));
  EXPECT_TRUE(socket.wait_end());
  EXPECT_TRUE(lines.wait_for("refused 127.0.0.1: "));
}

TEST_F(Hostile, EachReasonIsLoggedOnceASecondAndNoMoreThanEight) {
  start(clock);
  host.judge = [](const PeerInfo& desktop) { return "no place for " + desktop.machine; };
  Limits limits = usual();
  limits.unauthenticated_by_address = 100;
  serve(limits);
  const auto refuse = [&](const std::string& machine) {
    RawDesktop desktop(server->port(), desktop_context());
    ASSERT_TRUE(desktop.handshake());
    desktop.send(make_hello(local(machine)));
    ASSERT_EQ(desktop.farewell(), "no place for " + machine);
  };
  // The reasons that were logged since it was last asked.
  const auto logged = [&] {
    std::promise<void> round;
    reactor->post([&] { round.set_value(); });
    round.get_future().wait();
    std::vector<std::string> reasons;
    for (const auto& line : lines.take()) {
      if (line.starts_with("refused ")) reasons.push_back(line.substr(line.rfind("no place")));
    }
    return reasons;
  };
  using Reasons = std::vector<std::string>;

  for (const char* machine : {"one", "one", "two", "one"}) refuse(machine);
  EXPECT_EQ(logged(), (Reasons{"no place for one", "no place for two (and 1 more since the last such line)"}));
  clock.advance(milliseconds(999));
  refuse("two");
  EXPECT_EQ(logged(), Reasons{});
  clock.advance(milliseconds(1));
  for (const char* letter : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "a"}) refuse(letter);
  EXPECT_EQ(logged(),
            (Reasons{"no place for a (and 2 more since the last such line)", "no place for b", "no place for c",
                     "no place for d", "no place for e", "no place for f", "no place for g", "no place for h"}));
  clock.advance(seconds(1));
  refuse("i");
  EXPECT_EQ(logged(), Reasons{"no place for i (and 2 more since the last such line)"});
}

TEST_F(Hostile, ASilentConnectionEndsAtTheHandshakeDeadline) {
  start(clock);
  RawSocket socket(serve(Limits{}).port());
  std::jthread timer(
      [&] { pass_time(milliseconds(500), [&] { return clock.now() > wire::TimePoint(seconds(8)); }); });
  EXPECT_TRUE(socket.wait_end());
  timer.join();
  EXPECT_TRUE(lines.wait_for("the desktop sent nothing within 5 s"));
}

TEST_F(Hostile, ADesktopThatStopsIsNoticedByHeartbeats) {
  start(clock);
  RawDesktop desktop(serve(Limits{}).port(), desktop_context());
  ASSERT_TRUE(desktop.greet(local("desk")));
  ASSERT_TRUE(host.wait_sessions(1));
  const auto begin = clock.now();
  ASSERT_TRUE(pass_time(milliseconds(250), [&] { return host.downs == 1; }));
  EXPECT_EQ(host.reasons.back(), "nothing was heard from the desktop for 3 s");
  EXPECT_LE(clock.now() - begin, milliseconds(4000));
}

TEST_F(Hostile, OneAddressMayHaveSixteenUnauthenticatedConnections) {
  start();
  serve();
  std::vector<RawSocket> sockets;
  for (int i = 0; i < 16; ++i) sockets.emplace_back(server->port());
  RawSocket one_too_many(server->port());
  EXPECT_TRUE(one_too_many.wait_end());
  EXPECT_TRUE(lines.wait_for("refused 127.0.0.1: it has 16 connections already"));
  // A place that becomes free is used.
  sockets.pop_back();
  Desktop desktop;
  Client client(*reactor, {"localhost", server->port()}, desktop_context(), local("desk"), patient(), desktop);
  client.start();
  EXPECT_TRUE(desktop.wait_up());
}

TEST_F(Hostile, AuthenticatedConnectionsDoNotCount) {
  start();
  Limits limits = usual();
  limits.unauthenticated_by_address = 1;
  serve(limits);
  std::vector<std::unique_ptr<RawDesktop>> desktops;
  for (int i = 0; i < 5; ++i) {
    desktops.push_back(std::make_unique<RawDesktop>(server->port(), desktop_context()));
    ASSERT_TRUE(desktops.back()->greet(local("desk")));
  }
  EXPECT_TRUE(host.wait_sessions(5));
}

TEST_F(Hostile, AllUnauthenticatedConnectionsTogetherAreBounded) {
  start();
  Limits limits = usual();
  limits.unauthenticated = 3;
  serve(limits);
  std::vector<RawSocket> sockets;
  for (int i = 0; i < 3; ++i) sockets.emplace_back(server->port());
  RawSocket one_too_many(server->port());
  EXPECT_TRUE(one_too_many.wait_end());
  EXPECT_TRUE(lines.wait_for("there are 3 connections already that have not said who they are"));
}

TEST_F(Hostile, AllConnectionsTogetherAreBounded) {
  start();
  Limits limits = usual();
  limits.connections = 2;
  serve(limits);
  RawDesktop first(server->port(), desktop_context()), second(server->port(), desktop_context());
  ASSERT_TRUE(first.greet(local("one")));
  ASSERT_TRUE(second.greet(local("two")));
  RawSocket one_too_many(server->port());
  EXPECT_TRUE(one_too_many.wait_end());
}

#ifndef _WIN32
/// libzmq would end the process where it gets no descriptor.
TEST_F(Hostile, ConnectionsStayBelowTheProcesssFileLimit) {
  constexpr std::size_t kMost = 20;
  start();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 2 * kMost;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  serve();
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);  // this process has the desktops' ends too
  EXPECT_TRUE(lines.wait_for("at most " + std::to_string(kMost) + " connections are accepted"));
  std::list<RawDesktop> desktops;
  for (std::size_t i = 0; i < kMost; ++i) {
    ASSERT_TRUE(desktops.emplace_back(server->port(), desktop_context()).greet(local("desk" + std::to_string(i))));
  }
  RawSocket one_too_many(server->port());
  EXPECT_TRUE(one_too_many.wait_end());
}
#endif

/// Its kept bound is out of the way, so that the socket's own mark is reached: a full peer.
TEST_F(Hostile, APeerThatDoesNotReadIsCutAndOthersGoOn) {
  start();
  Limits limits = usual();
  limits.kept = 512 * 1024 * 1024;
  limits.dead_after = seconds(4);
  serve(limits);
  host.echo = nullptr;
  auto reader = std::make_unique<Desktop>();
  Client client(*reactor, {"localhost", server->port()}, desktop_context(), local("good"), patient(), *reader);
  client.start();
  ASSERT_TRUE(reader->wait_up());
  const SessionId good = reader->info.session;
  RawDesktop slow(server->port(), desktop_context(), 4096);
  ASSERT_TRUE(slow.greet(local("slow")));
  ASSERT_TRUE(host.wait_sessions(2));
  SessionId bad = 0;
  for (const auto& [session, info] : host.present()) {
    if (session != good) bad = session;
  }
  // It goes on speaking, so that only its not reading can tell.
  std::jthread speaker([&](const std::stop_token& over) {
    while (!over.stop_requested()) {
      slow.send(make_pong(1));
      std::this_thread::sleep_for(milliseconds(100));
    }
  });
  for (std::uint64_t i = 1; i <= 100; ++i) server->send(bad, event(i, 500'000));
  std::uint64_t sent = 0;
  while (!host.wait([&] { return host.downs == 1; }, milliseconds(20))) {
    server->send(good, event(++sent));
    ASSERT_TRUE(reader->wait([&] { return reader->received.size() == sent; })) << "another desktop was delayed";
    ASSERT_LT(sent, 2000u);
  }
  EXPECT_EQ(host.reasons.back(), "the desktop has read nothing for 4 s");
  speaker.request_stop();
  speaker.join();
  EXPECT_TRUE(slow.socket.wait_end()) << "a full peer must be cut at the socket, too";
  EXPECT_EQ(reader->downs, 0);
}

TEST_F(Hostile, WhatIsKeptForASlowReaderIsBounded) {
  start();
  serve();
  RawDesktop slow(server->port(), desktop_context(), 4096);
  ASSERT_TRUE(slow.greet(local("slow")));
  ASSERT_TRUE(host.wait_sessions(1));
  const SessionId session = host.present().begin()->first;
  for (std::uint64_t i = 1; i <= 20; ++i) server->send(session, event(i, 500'000));
  ASSERT_TRUE(host.wait([&] { return host.downs == 1; }));
  EXPECT_NE(host.reasons.back().find("the peer reads too slowly"), std::string::npos);
  EXPECT_TRUE(slow.socket.wait_end());
}

TEST_F(Hostile, PeersThatVanishWhileBeingSentToDoNotShiftTheFraming) {
  start();
  serve();
  Desktop desktop;
  Client client(*reactor, {"localhost", server->port()}, desktop_context(), local("good"), patient(), desktop);
  client.start();
  ASSERT_TRUE(desktop.wait_up());
  std::uint64_t sent = 0;
  for (int round = 0; round < 20; ++round) {
    auto gone = std::make_unique<RawDesktop>(server->port(), desktop_context());
    ASSERT_TRUE(gone->greet(local("gone")));
    ASSERT_TRUE(host.wait_sessions(2));
    SessionId victim = 0;
    for (const auto& [session, info] : host.present()) {
      if (session != desktop.info.session) victim = session;
    }
    std::jthread sender([&] {
      for (std::uint64_t i = 1; i <= 50; ++i) {
        server->send(victim, event(i, 2000));
        ASSERT_TRUE(client.send(event(++sent, 100)));
      }
    });
    gone.reset();
    sender.join();
    ASSERT_TRUE(host.wait_sessions(1));
  }
  ASSERT_TRUE(desktop.wait([&] { return desktop.received.size() == sent; }));
  EXPECT_TRUE(std::is_sorted(desktop.received.begin(), desktop.received.end()));
  EXPECT_EQ(desktop.downs, 0);
}

}  // namespace
}  // namespace tsplink::link
