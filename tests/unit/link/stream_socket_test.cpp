// One ZMQ_STREAM socket among plain sockets: what it does to the unwary, met at the lowest place.
#include <gtest/gtest.h>
#include <zmq.h>

#include <cstring>
#include <memory>

#include "support.hpp"
#include "wire/link/reactor_core.hpp"
#include "wire/link/stream_socket.hpp"

namespace tsplink::link {
namespace {

struct Sockets : ::testing::Test, SocketEvents {
  Sockets() {
    std::string endpoint = "tcp://127.0.0.1:*";
    EXPECT_EQ(socket.bind(endpoint), 0);
    port = static_cast<std::uint16_t>(std::stoul(endpoint.substr(endpoint.rfind(':') + 1)));
  }
  void on_connect(const RoutingId& id, const std::string&) override { connected.push_back(id); }
  void on_bytes(const RoutingId&, std::span<const std::uint8_t> bytes) override {
    largest = std::max(largest, bytes.size());
    received += bytes.size();
  }
  void on_disconnect(const RoutingId& id) override { disconnected.push_back(id); }

  template <class Condition>
  bool read_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
      zmq_poll(&item, 1, 10);
      socket.read(*this, 100);
    }
    return true;
  }
  RoutingId accept(std::unique_ptr<RawSocket>& raw, int receive_buffer = 0) {
    const std::size_t before = connected.size();
    raw = std::make_unique<RawSocket>(port, RawSocket::Options{kPatience, receive_buffer});
    EXPECT_TRUE(read_until([&] { return connected.size() == before + 1; }));
    return connected.back();
  }
  /// Ten bytes sent to the peer arrive as they are.
  void expect_to_get(RawSocket& raw, const RoutingId& id, std::uint8_t value) {
    wire::Bytes bytes(10, value), got;
    ASSERT_EQ(socket.send(id, bytes), StreamSocket::Sent::Done);
    while (got.size() < 10) {
      const auto piece = raw.read(10 - got.size());
      ASSERT_FALSE(piece.empty());
      got.insert(got.end(), piece.begin(), piece.end());
    }
    EXPECT_EQ(got, wire::Bytes(10, value));
  }

  std::unique_ptr<void, ContextCloser> context{zmq_ctx_new()};
  StreamSocket socket{context.get()};
  std::uint16_t port = 0;
  std::vector<RoutingId> connected, disconnected;
  std::size_t received = 0, largest = 0;
};

TEST_F(Sockets, SendingToOneThatIsGoneDoesNotShiftWhatOthersGet) {
  std::unique_ptr<RawSocket> gone, stays;
  const RoutingId gone_id = accept(gone), stays_id = accept(stays);
  gone.reset();
  ASSERT_TRUE(read_until([&] { return disconnected.size() == 1; }));
  for (std::uint8_t i = 0; i < 3; ++i) {
    wire::Bytes lost(100, 0xbb);
    static_cast<void>(socket.send(gone_id, lost));  // ZeroMQ may still be taking it down: any answer will do
    wire::Bytes unknown(100, 0xcc);
    EXPECT_EQ(socket.send("nobody", unknown), StreamSocket::Sent::Gone);
    EXPECT_EQ(unknown.size(), 100u);
    expect_to_get(*stays, stays_id, i);
  }
}

TEST_F(Sockets, SendingToOneWhoseEndIsUnreadNeitherHangsNorShiftsWhatOthersGet) {
  std::unique_ptr<RawSocket> gone, stays;
  const RoutingId gone_id = accept(gone), stays_id = accept(stays);
  gone.reset();
  zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  ASSERT_EQ(zmq_poll(&item, 1, static_cast<long>(std::chrono::milliseconds(kPatience).count())), 1);
  const auto send_to_gone = [&] {
    wire::Bytes lost(100, 0xbb);
    return socket.send(gone_id, lost);
  };
  // The notice is there a little before ZeroMQ takes nothing more.
  EXPECT_TRUE(becomes_true([&] { return send_to_gone() == StreamSocket::Sent::Full; }));
  for (std::uint8_t i = 0; i < 3; ++i) {
    EXPECT_EQ(send_to_gone(), StreamSocket::Sent::Full);
    expect_to_get(*stays, stays_id, i);
  }
  EXPECT_TRUE(disconnected.empty());
  ASSERT_TRUE(read_until([&] { return !disconnected.empty(); }));
  EXPECT_EQ(disconnected, std::vector<RoutingId>{gone_id});
  EXPECT_EQ(send_to_gone(), StreamSocket::Sent::Gone);
}

TEST_F(Sockets, NothingToSendDoesNotCloseThePeer) {
  std::unique_ptr<RawSocket> raw;
  const RoutingId id = accept(raw);
  wire::Bytes nothing;
  EXPECT_EQ(socket.send(id, nothing), StreamSocket::Sent::Done);
  wire::Bytes bytes(3, 1);
  EXPECT_EQ(socket.send(id, bytes), StreamSocket::Sent::Done);
  EXPECT_EQ(raw->read(3).size(), 3u);
}

TEST_F(Sockets, WhatItReadsComesInSmallPieces) {
  std::unique_ptr<RawSocket> raw;
  accept(raw);
  raw->write(wire::Bytes(100'000, 7));
  ASSERT_TRUE(read_until([&] { return received == 100'000; }));
  EXPECT_LE(largest, 8192u);
}

TEST_F(Sockets, AFullPeerIsClosedThoughItReadsNothing) {
  std::unique_ptr<RawSocket> raw;
  const RoutingId id = accept(raw, 4096);
  StreamSocket::Sent sent = StreamSocket::Sent::Done;
  for (int i = 0; i < 10'000 && sent == StreamSocket::Sent::Done; ++i) {
    wire::Bytes bytes(64 * 1024, 1);
    sent = socket.send(id, bytes);
  }
  ASSERT_EQ(sent, StreamSocket::Sent::Full);
  socket.drop(id);
  // Reading nothing, it cannot come to the stream's end; but what it writes is refused once its connection is closed.
  const wire::Bytes one(1, 7);
  EXPECT_TRUE(read_until([&] { return !raw->write(one); })) << "its connection stays open";
  EXPECT_TRUE(disconnected.empty()) << "no event of it comes after drop()";
  EXPECT_EQ(connected.size(), 1u) << "its end must not pass for a newcomer";
}

/// As when a network goes: libzmq once ended the process on Windows for errors that it did not know.
TEST_F(Sockets, AnErrorInOneConnectionEndsThatAlone) {
  ASSERT_EQ(zmq_socket_monitor(socket.handle(), "inproc://accepted", ZMQ_EVENT_ACCEPTED), 0);
  const std::unique_ptr<void, decltype(&zmq_close)> monitor(zmq_socket(context.get(), ZMQ_PAIR), &zmq_close);
  ASSERT_EQ(zmq_connect(monitor.get(), "inproc://accepted"), 0);
  std::unique_ptr<RawSocket> broken, stays;
  const RoutingId broken_id = accept(broken);
  std::uint8_t event[6];  // its number, and the connection's socket
  ASSERT_EQ(zmq_recv(monitor.get(), event, sizeof event, 0), static_cast<int>(sizeof event));
  std::uint32_t connection = 0;
  std::memcpy(&connection, event + 2, sizeof connection);
  const RoutingId stays_id = accept(stays);

  tests::end_writing(connection);
  wire::Bytes bytes(100, 1);
  EXPECT_EQ(socket.send(broken_id, bytes), StreamSocket::Sent::Done);
  EXPECT_TRUE(broken->wait_end());
  expect_to_get(*stays, stays_id, 1);
  broken.reset();
  ASSERT_TRUE(read_until([&] { return !disconnected.empty(); }));
  EXPECT_EQ(disconnected, std::vector<RoutingId>{broken_id});
}

TEST_F(Sockets, TheEndOfADroppedPeerIsNoNewcomer) {
  for (int i = 0; i < 50; ++i) {
    std::unique_ptr<RawSocket> raw;
    const RoutingId id = accept(raw);
    raw->write(wire::Bytes(20'000, 7));
    raw.reset();
    socket.drop(id);
  }
  std::unique_ptr<RawSocket> last;
  accept(last);
  EXPECT_EQ(connected.size(), 51u);
  EXPECT_TRUE(disconnected.empty());
}

}  // namespace
}  // namespace tsplink::link
