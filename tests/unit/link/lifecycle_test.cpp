// Starting and stopping, again and again and in odd orders: nothing hangs, nothing leaks.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "support.hpp"

namespace tsplink::link {
namespace {

using std::chrono::milliseconds;

void one_cycle(bool tidy) {
  Reactor reactor;
  reactor.start();
  Host host;
  Desktop desktop;
  Server server(reactor, "127.0.0.1", 0, host_context(), local("host"), patient(), host);
  host.echo = &server;
  server.start();
  Client client(reactor, {"localhost", server.port()}, desktop_context(), local("desk"), patient(), desktop);
  client.start();
  ASSERT_TRUE(desktop.wait_up());
  for (std::uint64_t i = 1; i <= 20; ++i) client.send(event(i, 20'000));
  if (tidy) {
    client.stop();
    server.stop();
    EXPECT_EQ(host.ups, host.downs);
  }
  reactor.stop();
}

TEST(Lifecycle, AHundredCyclesLeakNeitherDescriptorNorThread) {
  for (int i = 0; i < 4; ++i) one_cycle(i != 0);  // what is made once for good
  const auto descriptors = tests::handle_count();
  const auto threads = tests::thread_count();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) one_cycle(i % 4 != 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(100)) << "a stop waits for something";
  EXPECT_TRUE(becomes_true([&] {
    return tests::handle_count() < descriptors + kLeak && tests::thread_count() <= threads;
  })) << tests::handle_count()
      << " descriptors after " << descriptors << ", " << tests::thread_count() << " threads after " << threads;
}

TEST(Lifecycle, StoppingWithoutAnythingStartedIsQuick) {
  Host host;
  Desktop desktop;
  Reactor reactor;
  Server server(reactor, "127.0.0.1", 0, host_context(), local("host"), patient(), host);
  Client client(reactor, {"localhost", 1}, desktop_context(), local("desk"), patient(), desktop);
  client.stop();
  server.stop();
  reactor.stop();
  reactor.start();
  client.start();
  client.stop();
  client.stop();
  EXPECT_EQ(desktop.ups, 0);
}

TEST(Lifecycle, NoHandlerIsCalledAfterStop) {
  Reactor reactor;
  reactor.start();
  Host host;
  Server server(reactor, "127.0.0.1", 0, host_context(), local("host"), patient(), host);
  server.start();
  struct Counting final : ClientHandler {
    void on_up(const PeerInfo&) override { ++calls; }
    void on_message(wire::Buffer) override { ++calls; }
    void on_down(const std::string&, bool) override { ++calls; }
    std::atomic<int> calls{0};
  } counting;
  for (int i = 0; i < 50; ++i) {
    Client client(reactor, {"localhost", server.port()}, desktop_context(), local("desk"), patient(), counting);
    client.start();
    if (i % 2 == 0) host.wait([&] { return !host.sessions.empty(); }, milliseconds(i));
    for (const auto& [session, info] : host.present()) server.send(session, event(1));
    client.stop();
    const int calls = counting.calls;
    std::promise<void> round;
    reactor.post([&] { round.set_value(); });
    round.get_future().wait();
    EXPECT_EQ(counting.calls, calls);
  }
}

TEST(Lifecycle, AStopNeverWaitsForAHostThatIsGone) {
  Reactor hosts, desks;
  hosts.start();
  desks.start();
  Host host;
  Desktop desktop;
  auto server = std::make_unique<Server>(hosts, "127.0.0.1", 0, host_context(), local("host"), patient(), host);
  server->start();
  Limits limits = patient();
  limits.closing = milliseconds(500);
  Client client(desks, {"localhost", server->port()}, desktop_context(), local("desk"), limits, desktop);
  client.start();
  ASSERT_TRUE(desktop.wait_up());
  std::promise<void> asleep, wake;
  hosts.post([&] {
    asleep.set_value();
    wake.get_future().wait();
  });
  asleep.get_future().wait();
  const auto begin = std::chrono::steady_clock::now();
  client.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  wake.set_value();
  server.reset();
}

TEST(Lifecycle, ADesktopThatReconnectsForEverUsesNoMoreDescriptors) {
  Reactor reactor;
  reactor.start();
  Host host;
  host.judge = [](const PeerInfo&) { return std::string("not today"); };
  Limits limits = patient();
  limits.back_off_first = limits.back_off_most = milliseconds(1);
  Server server(reactor, "127.0.0.1", 0, host_context(), local("host"), patient(), host);
  server.start();
  Desktop desktop;
  Client client(reactor, {"localhost", server.port()}, desktop_context(), local("desk"), limits, desktop);
  client.start();
  ASSERT_TRUE(desktop.wait([&] { return desktop.downs >= 5; }));
  const auto descriptors = tests::handle_count();
  ASSERT_TRUE(desktop.wait([&] { return desktop.downs >= 200; }));
  EXPECT_LE(tests::handle_count(), descriptors + 4) << "some connections may just be closing";
}

TEST(Lifecycle, NewCertificatesEndWhomTheyDoNotAdmit) {
  Reactor reactor;
  reactor.start();
  Host host;
  Server server(reactor, "127.0.0.1", 0, host_context(), local("host"), patient(), host);
  server.start();
  Desktop revoked, other;
  Limits never_again = patient();
  never_again.back_off_most = std::chrono::hours(1);
  Client first(reactor, {"localhost", server.port()}, desktop_context(), local("first"), never_again, revoked);
  Client second(reactor, {"localhost", server.port()}, other_desktop_context(), local("second"), patient(), other);
  first.start();
  second.start();
  ASSERT_TRUE(revoked.wait_up());
  ASSERT_TRUE(other.wait_up());
  ASSERT_TRUE(host.wait_sessions(2));
  RawDesktop half_way(server.port(), desktop_context());  // the old certificates are in its handshake
  half_way.engine.start();
  ASSERT_TRUE(half_way.step());
  server.set_context(host_context());
  ASSERT_NE(half_way.farewell(), "");
  EXPECT_EQ(host.downs, 0) << "those that are admitted go on";

  server.set_context(host_context_without_desktop());
  ASSERT_TRUE(host.wait([&] { return host.downs == 1; }));
  EXPECT_NE(host.reasons.back().find("\"CN=desk-1\" was revoked"), std::string::npos) << host.reasons.back();
  ASSERT_TRUE(revoked.wait([&] { return !revoked.up; }));
  EXPECT_TRUE(revoked.refused) << "it shall not hurry back";
  EXPECT_TRUE(other.wait_up());
  EXPECT_EQ(host.present().size(), 1U);

  first.set_context(other_desktop_context());
  EXPECT_TRUE(revoked.wait_up()) << "with a new certificate it need not wait";
}

}  // namespace
}  // namespace tsplink::link
