// What Windows wants of a program and Wine lets pass.
#include <gtest/gtest.h>

#include "wire/link/platform.hpp"

#ifdef _WIN32
#include <winsock2.h>

namespace tsplink::link {
namespace {

bool sockets_may_be_used() { return WSACleanup() == 0 || WSAGetLastError() != WSANOTINITIALISED; }

/// In a process of its own, where nothing else has asked for sockets: the first that the host does is to read the
/// addresses of its configuration.
TEST(PlatformDeathTest, AddressesNeedNobodyWhoStartedTheSockets) {
  EXPECT_EXIT(
      {
        const bool before = sockets_may_be_used();
        std::string problem;
        const bool found = !addresses_of("127.0.0.1", true, problem).empty();
        std::_Exit(!before && found && sockets_may_be_used() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tsplink::link
#endif
