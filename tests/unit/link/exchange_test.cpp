// Clients and servers over real sockets and real TLS, behaving well.
#include <gtest/gtest.h>

#include <future>
#include <iostream>
#include <numeric>
#include <thread>

#include "support.hpp"
#include "wire/failure.hpp"

namespace tsplink::link {
namespace {

struct Exchange : ::testing::Test {
  Exchange() { reactor.start(); }
  Server& serve(std::uint16_t port = 0, Limits limits = patient()) {
    server = std::make_unique<Server>(reactor, "127.0.0.1", port, host_context(), local("host"), limits, host);
    host.echo = server.get();
    server->start();
    return *server;
  }
  std::unique_ptr<Client> connect(ClientHandler& handler, Limits limits = patient(),
                                  const std::string& name = "localhost") {
    auto client = std::make_unique<Client>(reactor, Endpoint{name, server->port()}, desktop_context(), local("desk"),
                                           limits, handler);
    client->start();
    return client;
  }

  void TearDown() override {
    if (!HasFailure()) return;
    lines.wait([&] {
      for (const auto& line : lines.lines) std::cerr << "log: " << line << "\n";
      return true;
    });
  }

  Lines lines;
  Host host;
  Desktop desktop;
  Reactor reactor{wire::Clock::steady(), lines.log()};
  std::unique_ptr<Server> server;
};

TEST_F(Exchange, EnvelopesGoBothWaysAndEachSideKnowsTheOther) {
  serve();
  const auto client = connect(desktop);
  ASSERT_TRUE(desktop.wait_up());
  ASSERT_TRUE(host.wait_sessions(1));
  const auto [session, info] = *host.present().begin();
  EXPECT_EQ(info.machine, "desk");
  EXPECT_EQ(info.product, "0.1.0");
  EXPECT_EQ(info.address, "127.0.0.1");
  EXPECT_EQ(info.pointer_bits, sizeof(void*) * 8);
  EXPECT_EQ(info.machine_id, (std::vector<std::uint8_t>{1, 2, 3}));
  EXPECT_FALSE(info.certificate.subject.empty());
  EXPECT_EQ(desktop.info.session, session);
  EXPECT_EQ(desktop.info.certificate.common_name, "host");

  for (std::uint64_t i = 1; i <= 1000; ++i) ASSERT_TRUE(client->send(event(i)));
  ASSERT_TRUE(desktop.wait([&] { return desktop.received.size() == 1000; }));
  std::vector<std::uint64_t> expected(1000);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(desktop.received, expected);
}

TEST_F(Exchange, LargeEnvelopesCrossWholeAndTooLargeOnesAreRefusedAtOnce) {
  serve();
  const auto client = connect(desktop);
  ASSERT_TRUE(desktop.wait_up());
  for (std::uint64_t i = 1; i <= 40; ++i) {
    ASSERT_TRUE(client->send(event(i, 900'000)));
    ASSERT_TRUE(desktop.wait([&] { return desktop.received.size() == i; }));
  }
  EXPECT_THROW(client->send(event(41, 1'100'000)), Failure);
  EXPECT_THROW(server->send(desktop.info.session, event(41, 1'100'000)), Failure);
  EXPECT_EQ(desktop.downs, 0);
}

TEST_F(Exchange, FiftyDesktopsShareOneReactor) {
  Limits limits = patient();
  limits.unauthenticated_by_address = 64;
  serve(0, limits);
  std::vector<std::unique_ptr<Desktop>> desktops;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    desktops.push_back(std::make_unique<Desktop>());
    clients.push_back(connect(*desktops.back()));
  }
  for (auto& each : desktops) ASSERT_TRUE(each->wait_up());
  for (std::uint64_t i = 1; i <= 100; ++i) {
    for (auto& client : clients) ASSERT_TRUE(client->send(event(i)));
  }
  for (auto& each : desktops) {
    ASSERT_TRUE(each->wait([&] { return each->received.size() == 100; }));
    EXPECT_TRUE(std::is_sorted(each->received.begin(), each->received.end()));
    EXPECT_EQ(each->downs, 0);
  }
  // Ending one leaves the others alone.
  clients[7].reset();
  ASSERT_TRUE(host.wait_sessions(49));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i == 7) continue;
    ASSERT_TRUE(clients[i]->send(event(101)));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i == 7) continue;
    ASSERT_TRUE(desktops[i]->wait([&] { return desktops[i]->received.size() == 101; }));
  }
}

TEST_F(Exchange, StoppingADesktopSaysByeAfterWhatWasSent) {
  serve();
  host.echo = nullptr;
  const auto client = connect(desktop);
  ASSERT_TRUE(desktop.wait_up());
  for (std::uint64_t i = 1; i <= 500; ++i) client->send(event(i, 1000));
  client->stop();
  ASSERT_TRUE(host.wait_sessions(0));
  EXPECT_EQ(host.messages, 500u);
  EXPECT_EQ(host.reasons.back(), "the desktop is stopping");
  EXPECT_EQ(desktop.downs, 0) << "a handler is not told what its owner did";
  EXPECT_FALSE(client->send(event(1)));
}

TEST_F(Exchange, ClosingASessionTellsTheDesktopWhy) {
  serve();
  const auto client = connect(desktop);
  ASSERT_TRUE(desktop.wait_up());
  server->send(desktop.info.session, event(1));
  server->close(desktop.info.session, "superseded by a newer session");
  ASSERT_TRUE(desktop.wait([&] { return desktop.downs == 1; }));
  EXPECT_EQ(desktop.received.size(), 1u);
  EXPECT_EQ(desktop.reasons.front(), "superseded by a newer session");
  EXPECT_TRUE(desktop.wait([&] { return desktop.ups == 2; })) << "it comes back";
}

TEST_F(Exchange, ADesktopComesBackWhenTheHostIsRestartedOnTheSamePort) {
  const auto port = serve().port();
  const auto client = connect(desktop);
  ASSERT_TRUE(desktop.wait_up());
  for (int round = 2; round <= 4; ++round) {
    server->stop();
    ASSERT_TRUE(desktop.wait([&] { return !desktop.up; }));
    EXPECT_EQ(desktop.last_reason(), "the host is stopping");
    server.reset();
    serve(port);
    ASSERT_TRUE(desktop.wait([&] { return desktop.ups == round; }));
    const auto before = desktop.received.size();
    ASSERT_TRUE(client->send(event(1)));
    ASSERT_TRUE(desktop.wait([&] { return desktop.received.size() == before + 1; }));
  }
}

TEST_F(Exchange, StoppingAHostWhileDesktopsSendEndsEverySessionOnce) {
  serve();
  std::vector<std::unique_ptr<Desktop>> desktops;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; ++i) {
    desktops.push_back(std::make_unique<Desktop>());
    clients.push_back(connect(*desktops.back()));
  }
  for (auto& each : desktops) ASSERT_TRUE(each->wait_up());
  std::jthread sender([&](const std::stop_token& enough) {
    for (std::uint64_t i = 1; !enough.stop_requested(); ++i) {
      for (auto& client : clients) client->send(event(i, 200));
      std::this_thread::yield();
    }
  });
  ASSERT_TRUE(host.wait([&] { return host.messages > 500; }));
  const auto before = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
  EXPECT_EQ(host.ups, host.downs);
  EXPECT_TRUE(host.present().empty());
}

TEST_F(Exchange, APortInUseIsOneClearSentence) {
  serve();
  Host other;
  Server second(reactor, "127.0.0.1", server->port(), host_context(), local("host"), patient(), other);
  try {
    second.start();
    FAIL() << "two servers listen on one port";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), Kind::Configuration);
    EXPECT_NE(std::string(failure.what()).find("port " + std::to_string(server->port()) + " on 127.0.0.1 is in use"),
              std::string::npos)
        << failure.what();
  }
}

TEST_F(Exchange, AnotherSheetOrProtocolIsRefusedWithTheSideToUpdate) {
  serve();
  const auto refusal = [&](LocalInfo info) {
    Desktop refused;
    Client client(reactor, {"localhost", server->port()}, desktop_context(), info, patient(), refused);
    client.start();
    EXPECT_TRUE(refused.wait([&] { return refused.downs == 1; }));
    EXPECT_TRUE(refused.refused);
    EXPECT_EQ(refused.ups, 0);
    return refused.last_reason();
  };
  EXPECT_EQ(
      refusal(local("desk", "0.0.9", 8)),
      "the desktop's tsplink is older than the other side's: update it there (this host has tsplink 0.1.0, this "
      "desktop 0.0.9)");
  EXPECT_NE(refusal(local("desk", "0.10.0", 8)).find("the host's tsplink is older"), std::string::npos);
  EXPECT_NE(refusal(local("desk", "0.1.0", 8)).find("install the same build on both"), std::string::npos);
  LocalInfo newer = local("desk", "2.0.0");
  newer.protocol_low = 2;
  newer.protocol_high = 3;
  EXPECT_EQ(refusal(newer),
            "the desktop speaks protocol 2 to 3 and the host 1: update tsplink on the host (this host "
            "has tsplink 0.1.0, this desktop 2.0.0)");
  EXPECT_TRUE(lines.wait_for("refused 127.0.0.1, machine desk, certificate"));
  EXPECT_EQ(host.ups, 0);
}

TEST_F(Exchange, TheHostMayRefuseADesktopInItsOwnWords) {
  host.judge = [](const PeerInfo& candidate) {
    return candidate.machine == "desk" ? "this machine is not in the policy" : "";
  };
  serve();
  const auto client = connect(desktop);
  ASSERT_TRUE(desktop.wait([&] { return desktop.downs == 1; }));
  EXPECT_EQ(desktop.last_reason(), "this machine is not in the policy");
  EXPECT_TRUE(desktop.refused);
}

TEST_F(Exchange, AStrangersCertificateIsRefusedWithASentenceOnBothSides) {
  serve();
  Client client(reactor, {"localhost", server->port()}, stranger_context(), local("desk"), patient(), desktop);
  client.start();
  ASSERT_TRUE(desktop.wait([&] { return desktop.downs == 1; }));
  EXPECT_NE(desktop.last_reason(), "the connection to the host was lost") << "the alert did not arrive";
  EXPECT_FALSE(desktop.last_reason().empty());
  EXPECT_TRUE(lines.wait_for("refused 127.0.0.1: "));
  EXPECT_EQ(host.ups, 0);
}

TEST_F(Exchange, TheHostsCertificateMustCarryTheNameThatWasAskedFor) {
  serve();
  // Another address of the same host, which its certificate does not name.
  Desktop other;
  Server everywhere(reactor, "*", 0, host_context(), local("host"), patient(), host);
  everywhere.start();
  Client second(reactor, {"127.0.0.2", everywhere.port()}, desktop_context(), local("desk"), patient(), other);
  second.start();
  ASSERT_TRUE(other.wait([&] { return other.downs == 1; }));
  EXPECT_NE(other.last_reason().find("127.0.0.2"), std::string::npos) << other.last_reason();
  EXPECT_EQ(other.ups, 0);
}

TEST_F(Exchange, AHostThatIsNotThereIsReportedAndFoundLater) {
  const auto port = serve().port();
  server->stop();
  server.reset();
  Limits limits = patient();
  limits.connect = std::chrono::milliseconds(300);
  Client client(reactor, {"localhost", port}, desktop_context(), local("desk"), limits, desktop);
  client.start();
  ASSERT_TRUE(desktop.wait([&] { return desktop.downs >= 2; }));
  EXPECT_NE(desktop.last_reason().find("does a firewall let port " + std::to_string(port)), std::string::npos);
  EXPECT_FALSE(desktop.refused);
  serve(port);
  EXPECT_TRUE(desktop.wait_up());
}

TEST_F(Exchange, AHostNameThatDoesNotExistIsOneClearSentence) {
  Client client(reactor, {"no-such-host.invalid", 8643}, desktop_context(), local("desk"), patient(), desktop);
  client.start();
  ASSERT_TRUE(desktop.wait([&] { return desktop.downs >= 1; }));
  EXPECT_NE(desktop.last_reason().find("the host name no-such-host.invalid cannot be resolved"), std::string::npos);
}

TEST_F(Exchange, PostedTasksRunInOrderAndTimersRunInTheirs) {
  std::vector<int> order;
  std::promise<void> done;
  reactor.after(std::chrono::milliseconds(30), [&] { order.push_back(4), done.set_value(); });
  reactor.after(std::chrono::milliseconds(10), [&] { order.push_back(3); });
  reactor.post([&] { order.push_back(1); });
  reactor.post([&] { order.push_back(2); });
  ASSERT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace tsplink::link
