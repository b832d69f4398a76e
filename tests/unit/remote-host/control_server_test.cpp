// The control socket: who may come, and what a client that misbehaves can do to others.
#include "remote-host/control/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <latch>

#include "remote-host/config.hpp"
#include "tests/platform/files.hpp"
#include "wire/failure.hpp"

#ifndef _WIN32
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#endif

namespace tsplink::host::control::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr seconds kPatience{60};

wire::TimePoint soon() { return std::chrono::steady_clock::now() + kPatience; }

/// Everything until the server goes.
std::string rest_of(LocalStream& stream) {
  std::string all;
  const auto until = soon();
  while (stream.read(all, until)) {
  }
  EXPECT_LT(std::chrono::steady_clock::now(), until) << "the server did not let go";
  return all;
}

class ControlServerTest : public ::testing::Test {
 protected:
  void start(Bounds bounds = {}) {
    server_ = std::make_unique<Server>(
        socket_, "", [](const std::string& request) { return "<" + request + ">"; }, clock_, bounds);
  }
  std::string refusal(const std::string& socket, const std::string& group = {}) const {
    try {
      const LocalListener listener(socket, group, clock_);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), Kind::Configuration);
      return failure.what();
    }
    return "made";
  }
  std::unique_ptr<LocalStream> connect() const { return connect_local(socket_, soon(), wire::Clock::steady()); }

  wire::ManualClock clock_;  // the server's
  const tests::TemporaryFolder folder_;
  const std::string socket_ = socket_of(folder_.path() / "host.toml", "");
  std::unique_ptr<Server> server_;
};

TEST_F(ControlServerTest, AnswersEachRequestOnce) {
  start();
  EXPECT_EQ(ask(socket_, "one", kPatience), "<one>");
  const auto client = connect();
  ASSERT_TRUE(client->write("two\nthree\n", soon()));
  std::string heard;
  while (heard.find('\n') == std::string::npos) ASSERT_TRUE(client->read(heard, soon()));
  EXPECT_EQ(heard, "<two>\n");
}

TEST_F(ControlServerTest, ARequestThatIsTooLongIsRefusedByName) {
  Bounds bounds;
  bounds.request_bytes = 1000;
  start(bounds);
  EXPECT_EQ(ask(socket_, std::string(1000, 'x'), kPatience), "<" + std::string(1000, 'x') + ">");
  EXPECT_EQ(ask(socket_, std::string(1001, 'x'), kPatience), R"({"error":"The request is longer than 1000 bytes."})");
  EXPECT_EQ(ask(socket_, std::string(4U << 20U, 'x'), kPatience),
            R"({"error":"The request is longer than 1000 bytes."})")
      << "one that is still on its way when it is refused";
}

TEST_F(ControlServerTest, SilentClientsAreCutAndOthersAnsweredMeanwhile) {
  Bounds bounds;
  bounds.clients = 3;
  start(bounds);
  const auto first = connect();
  const auto second = connect();
  ASSERT_TRUE(second->write("half a requ", soon()));
  EXPECT_EQ(ask(socket_, "one", kPatience), "<one>");

  server_.reset();
  bounds.clients = 1;
  bounds.request = std::chrono::hours(1);
  start(bounds);
  const auto silent = connect();
  auto rest = std::async(std::launch::async, [&] { return rest_of(*silent); });
  while (rest.wait_for(milliseconds(1)) != std::future_status::ready) clock_.advance(bounds.request);
  EXPECT_EQ(rest.get(), "");
  EXPECT_EQ(ask(socket_, "two", kPatience), "<two>") << "the one place was not given back";
}

TEST_F(ControlServerTest, AClientThatDoesNotReadIsCut) {
  Bounds bounds;
  bounds.clients = 1;
  bounds.answer = std::chrono::hours(1);
  server_ = std::make_unique<Server>(
      socket_, "", [](const std::string& request) { return std::string(request == "one" ? 8U << 20U : 1U, 'x'); },
      clock_, bounds);
  const auto deaf = connect();
  ASSERT_TRUE(deaf->write("one\n", soon()));
  std::string begin;
  ASSERT_TRUE(deaf->read(begin, soon()));
  clock_.advance(bounds.answer);
  const auto other = connect();
  ASSERT_TRUE(other->write("two\n", soon()));
  std::string heard;
  EXPECT_TRUE(other->read(heard, soon())) << "the one place was not given back";
}

TEST_F(ControlServerTest, MoreClientsThanPlacesAreAllAnswered) {
  Bounds bounds;
  bounds.clients = 2;
  start(bounds);
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 40; ++i) {
    answers.push_back(std::async(std::launch::async, [&, i] { return ask(socket_, std::to_string(i), kPatience); }));
  }
  for (int i = 0; i < 40; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)].get(), "<" + std::to_string(i) + ">");
}

TEST_F(ControlServerTest, EndsWhileClientsAreThere) {
  Bounds bounds;
  start(bounds);
  const auto client = connect();
  ASSERT_TRUE(client->write("half", soon()));
  server_.reset();
  EXPECT_EQ(rest_of(*client), "");
  EXPECT_THROW(ask(socket_, "one", milliseconds(1000)), Failure);
}

TEST_F(ControlServerTest, ALivingHostKeepsItsSocket) {
  start();
  EXPECT_EQ(refusal(socket_),
            "Another tsplink-host is reached by the control socket " + socket_ + "; choose another control.socket.");
  EXPECT_EQ(ask(socket_, "one", kPatience), "<one>");
}

TEST_F(ControlServerTest, NobodyThereIsSaidInOneSentence) {
  try {
    ask(socket_, "one", kPatience);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(std::string(failure.what()).find("No tsplink-host is reached at " + socket_), 0U) << failure.what();
  }
}

TEST_F(ControlServerTest, AGroupThatIsNotThereIsNamed) {
  EXPECT_EQ(refusal(socket_, "no such group"),
            "There is no group \"no such group\" on this machine; correct control.group.");
  EXPECT_EQ(refusal(socket_), "made") << "what failed has left its socket";
}

#ifndef _WIN32
TEST_F(ControlServerTest, OnlyItsAccountMayConnect) {
  start();
  struct stat there {};
  ASSERT_EQ(::stat(socket_.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 07777U, 0600U);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(socket_)) << "it stays behind";
  const LocalListener listener(socket_, "root", clock_);
  ASSERT_EQ(::stat(socket_.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 07777U, 0660U);
  EXPECT_EQ(there.st_gid, 0U);
}

TEST_F(ControlServerTest, TheSocketOfADeadHostIsReplaced) {
  {
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::listen(dead, 1);
    ::close(dead);
  }
  ASSERT_TRUE(std::filesystem::exists(socket_));
  start();
  EXPECT_EQ(ask(socket_, "one", kPatience), "<one>");
}

TEST_F(ControlServerTest, WhatIsNoSocketStays) {
  std::ofstream(socket_) << "precious";
  EXPECT_EQ(refusal(socket_), socket_ + " is there and no socket; choose another control.socket.");
  EXPECT_EQ(std::filesystem::file_size(socket_), 8U);
}

TEST_F(ControlServerTest, APathThatIsTooLongIsRefused) {
  const auto path = (folder_.path() / std::string(100, 'x')).string();
  EXPECT_EQ(refusal(path), "The path of the control socket " + path +
                               " is longer than the 107 bytes that the system allows; choose a shorter "
                               "control.socket.");
}
#endif

TEST_F(ControlServerTest, ConfigurationSaysWhereItIs) {
  const auto file = folder_.path() / "host.toml";
  const auto read = [&](const std::string& control) {
    std::ofstream(file) << "[control]\n" << control;
    return read_control_config(file);
  };
  EXPECT_EQ(read("").socket, socket_);
  EXPECT_FALSE(read("").chosen);
  EXPECT_NE(socket_of(folder_.path() / "other.toml", ""), socket_) << "two hosts of one folder";
  EXPECT_EQ(read("socket = \"here\"\n").socket, socket_of(file, "here"));
  EXPECT_NE(socket_of(file, "here").find("here"), std::string::npos);
  EXPECT_TRUE(read("socket = \"here\"\n").chosen);
  EXPECT_EQ(read("socket = \"\"\n").socket, "");
  EXPECT_EQ(read("group = \"operators\"\n").group, "operators");
}

}  // namespace
}  // namespace tsplink::host::control::test
