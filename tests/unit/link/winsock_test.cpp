// What Winsock refuses now and then, or for good, ends no process. Windows only: its libzmq is built so
// (deploy/windows-libraries.sh). The refusals are ours, in the import table; all else is real.
#include <gtest/gtest.h>
#include <winsock2.h>

#include <atomic>

#include "support.hpp"
#include "wire/failure.hpp"

#ifdef _WIN64
#define IMPORTED(name, bytes) __asm__("__imp_" #name)
#else
#define IMPORTED(name, bytes) __asm__("__imp__" #name "@" #bytes)
#endif
extern "C" {
extern decltype(&::connect) imported_connect IMPORTED(connect, 12);
extern decltype(&::accept) imported_accept IMPORTED(accept, 12);
extern decltype(&::select) imported_select IMPORTED(select, 20);
}

namespace tsplink::link {
namespace {

constexpr int kForGood = 1'000'000;
constexpr int kNoNetworkError = ERROR_NOACCESS;  // none of Winsock's own; Wine was seen to give it

/// The calls that fail, with what.
class Refusals {
 public:
  void next(int calls, int error, int after = 0) {
    error_ = error;
    after_ = after;
    left_ = calls;
  }
  int left() const { return left_; }
  bool refuse() {
    if (left_ <= 0 || after_-- > 0 || left_-- <= 0) return false;
    WSASetLastError(error_);
    return true;
  }

 private:
  std::atomic<int> left_{0}, after_{0}, error_{0};
};
Refusals connects, accepts, selects;

const auto real_connect = imported_connect;
const auto real_accept = imported_accept;
const auto real_select = imported_select;

int WSAAPI connect_or_not(SOCKET socket, const sockaddr* address, int size) {
  return connects.refuse() ? SOCKET_ERROR : real_connect(socket, address, size);
}
SOCKET WSAAPI accept_or_not(SOCKET socket, sockaddr* address, int* size) {
  return accepts.refuse() ? INVALID_SOCKET : real_accept(socket, address, size);
}
int WSAAPI select_or_not(int count, fd_set* read, fd_set* write, fd_set* failed, PTIMEVAL timeout) {
  return selects.refuse() ? SOCKET_ERROR : real_select(count, read, write, failed, timeout);
}

struct Winsock : ::testing::Test {
  Winsock() {
    imported_connect = connect_or_not;
    imported_accept = accept_or_not;
    imported_select = select_or_not;
  }
  ~Winsock() override {
    for (Refusals* refusals : {&connects, &accepts, &selects}) refusals->next(0, 0);
    imported_connect = real_connect;
    imported_accept = real_accept;
    imported_select = real_select;
  }
};

/// A desktop and a host of one reactor, and ten events there and back.
struct Pair {
  Pair() {
    reactor.start();
    host.echo = &server;
    server.start();
    client = std::make_unique<Client>(reactor, Endpoint{"localhost", server.port()}, desktop_context(), local("desk"),
                                      patient(), desktop);
  }
  ~Pair() {
    client->stop();
    server.stop();
    reactor.stop();
  }
  void expect_echoes() {
    for (std::uint64_t i = 1; i <= 10; ++i) client->send(event(++sent));
    EXPECT_TRUE(desktop.wait([&] { return desktop.received.size() == sent; }));
  }

  Reactor reactor;
  Host host;
  Desktop desktop;
  Server server{reactor, "127.0.0.1", 0, host_context(), local("host"), patient(), host};
  std::unique_ptr<Client> client;
  std::size_t sent = 0;
};

TEST_F(Winsock, AConnectionToItselfThatIsRefusedOnceIsTriedAgain) {
  for (Refusals* refusals : {&connects, &accepts}) {
    for (const int error : {kNoNetworkError, WSAENOBUFS}) {
      refusals->next(2, error);
      Reactor reactor;
      EXPECT_LE(refusals->left(), 0);
      reactor.start();
      reactor.stop();
    }
  }
}

TEST_F(Winsock, AConnectionToItselfThatIsRefusedForGoodIsSaid) {
  for (Refusals* refusals : {&connects, &accepts}) {
    for (int made = 0; made < 6; ++made) {  // what is there already is taken down again
      SCOPED_TRACE(made);
      try {
        refusals->next(kForGood, kNoNetworkError, made);
        Reactor reactor;
        ADD_FAILURE() << "there is a reactor";
      } catch (const Failure& failure) {
        EXPECT_NE(std::string(failure.what()).find("127.0.0.1"), std::string::npos) << failure.what();
      }
    }
    refusals->next(0, 0);
  }
}

TEST_F(Winsock, WaitingThatIsRefusedIsRepeated) {
  Pair pair;
  pair.client->start();
  ASSERT_TRUE(pair.desktop.wait_up());
  for (const int error : {kNoNetworkError, WSAENOBUFS}) {
    selects.next(50, error);
    pair.expect_echoes();
    EXPECT_TRUE(becomes_true([] { return selects.left() <= 0; }));
    pair.expect_echoes();
  }
}

TEST_F(Winsock, AHostThatCannotBeConnectedToIsTriedAgain) {
  Pair pair;
  connects.next(3, kNoNetworkError);
  pair.client->start();
  ASSERT_TRUE(pair.desktop.wait_up());
  EXPECT_LE(connects.left(), 0);
  pair.expect_echoes();
}

}  // namespace
}  // namespace tsplink::link
