// tsplink.tsp as TAPISRV has it: a module that is loaded, started, shut down and unloaded, against a real server.
#include <gtest/gtest.h>
#include <tspi.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "mint.hpp"
#include "support.hpp"
#include "tests/platform/files.hpp"
#include "tests/platform/process.hpp"
#include "tests/platform/socket.hpp"
#include "wire/envelopes.hpp"
#include "wire/schema.hpp"

namespace tsplink::proxy::test {
namespace {

using link::Host;
using tests::handle_count;
using tests::Module;
using tests::thread_count;

void CALLBACK completed(DRV_REQUESTID, LONG) {}
void CALLBACK line_event(HTAPILINE, HTAPICALL, DWORD, DWORD_PTR, DWORD_PTR, DWORD_PTR) {}
void CALLBACK phone_event(HTAPIPHONE, DWORD, DWORD_PTR, DWORD_PTR, DWORD_PTR) {}

std::filesystem::path module_file() { return tests::program_folder() / "tsplink.tsp"; }

constexpr DWORD kVersion = 0x00030001;

#define TSPI(module, name) (*reinterpret_cast<decltype(TSPI_##name)*>((module).symbol("TSPI_" #name)))

/// A host that only greets, and a proxy's configuration that leads to it.
class ModuleTest : public testing::Test {
 protected:
  ModuleTest() {
    reactor_.start();
    server_.start();
    configure(server_.port());
    tests::set_environment("TSPLINK_CONFIG", (folder_.path() / "proxy.toml").string());
  }

  void configure(std::uint16_t port) const {
    const auto& world = security::World::get();
    const auto files = world.files(world.desktop);
    const auto text = [](const std::filesystem::path& path) { return "'" + path.string() + "'\n"; };
    std::ofstream(folder_.path() / "proxy.toml")
        << "machine = 'desk'\n[[host]]\naddress = 'localhost'\nport = " << port
        << "\n[tls]\ncertificate = " << text(files.certificate) << "key = " << text(files.key)
        << "authority = " << text(files.authority) << "[log]\nlevel = 'warn'\nfile = 'proxy.log'\n";
  }

  /// TAPISRV's order.
  void start(const Module& module, LINEEVENT on_line = &line_event) {
    DWORD version = 0, lines = 0, phones = 0, options = 0;
    ASSERT_EQ(TSPI(module, lineNegotiateTSPIVersion)(INITIALIZE_NEGOTIATION, 0x00020000, kVersion, &version), 0);
    ASSERT_EQ(TSPI(module, providerEnumDevices)(7, &lines, &phones, reinterpret_cast<HPROVIDER>(std::uintptr_t{9}),
                                                on_line, &phone_event),
              0);
    ASSERT_EQ(TSPI(module, providerInit)(version, 7, 0, 0, lines, phones, &completed, &options), 0);
  }
  void end(const Module& module) {
    ASSERT_EQ(TSPI(module, providerShutdown)(kVersion, 7), 0);
    ASSERT_TRUE(host_.wait_sessions(0));
  }
  /// Up to a connection and down again.
  void live(const Module& module) {
    ASSERT_NO_FATAL_FAILURE(start(module));
    ASSERT_TRUE(host_.wait_sessions(1)) << log();
    end(module);
  }

  std::string log() const {
    std::ifstream file(folder_.path() / "proxy.log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  tests::TemporaryFolder folder_;
  Host host_;
  link::Reactor reactor_;
  link::Server server_{
      reactor_,        "127.0.0.1", 0, link::host_context(), link::local("host", TSPLINK_VERSION, wire::sheet_hash()),
      link::patient(), host_};
};

#if defined(_WIN32) && !defined(_WIN64)
constexpr bool kHandlesAreOurs = false;  // MinGW's 32-bit runtime makes and leaves a few when a module is loaded
#else
constexpr bool kHandlesAreOurs = true;
#endif

/// First of all, since a module that was used once is not unloaded again.
TEST_F(ModuleTest, DoesNothingWhenItIsLoadedAndUnloaded) {
  { const Module module(module_file(), Module::AtTheEnd::unload); }
  const auto threads = thread_count(), handles = handle_count();
  for (int i = 0; i < 100; ++i) Module(module_file(), Module::AtTheEnd::unload);
  {
    const Module module(module_file(), Module::AtTheEnd::unload);
    EXPECT_EQ(thread_count(), threads);
    EXPECT_TRUE(!kHandlesAreOurs || handle_count() == handles);
  }
  EXPECT_TRUE(!kHandlesAreOurs || handle_count() == handles);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "proxy.log"));
}

TEST_F(ModuleTest, AHundredLivesLeaveNoThreadHandleOrSocket) {
  std::size_t threads = 0, handles = 0;
  constexpr int kFirst = 3;  // what is made once for good has been made by then
  for (int i = 1; i <= kFirst + 100; ++i) {
    {
      const Module module(module_file(), Module::AtTheEnd::unload);
      live(module);
      ASSERT_FALSE(HasFatalFailure()) << "life " << i;
    }
    if (i == kFirst) threads = thread_count(), handles = handle_count();
  }
  // The server in this process takes its time to close a connection.
  EXPECT_TRUE(link::becomes_true([&] { return thread_count() <= threads && handle_count() < handles + link::kLeak; }))
      << thread_count() << " threads after " << threads << ", " << handle_count() << " handles after " << handles;
}

/// TAPISRV shuts down only what has started, and may unload the rest.
TEST_F(ModuleTest, AHundredFailedStartsLeaveNothing) {
  std::ofstream(folder_.path() / "proxy.toml", std::ios::app) << "\n[nonsense]\n";
  const auto fail = [&](const Module& module) {
    DWORD lines = 0, phones = 0, options = 0;
    ASSERT_EQ(TSPI(module, providerEnumDevices)(7, &lines, &phones, reinterpret_cast<HPROVIDER>(std::uintptr_t{9}),
                                                &line_event, &phone_event),
              0);
    ASSERT_EQ(TSPI(module, providerInit)(0x00030001, 7, 0, 0, lines, phones, &completed, &options),
              static_cast<LONG>(LINEERR_OPERATIONFAILED));
  };
  { fail(Module(module_file(), Module::AtTheEnd::unload)); }
  ASSERT_FALSE(HasFatalFailure());
  const auto threads = thread_count(), handles = handle_count();
  for (int i = 1; i <= 100; ++i) {
    fail(Module(module_file(), Module::AtTheEnd::unload));
    ASSERT_FALSE(HasFatalFailure()) << "start " << i;
  }
  {
    const Module module(module_file(), Module::AtTheEnd::unload);
    fail(module);
    EXPECT_EQ(thread_count(), threads);
  }
  EXPECT_EQ(handle_count(), handles);
}

// TAPISRV may enter from any thread: starts and ends take their turns, and what is asked meanwhile is answered.
TEST_F(ModuleTest, StartsAndEndsOfSeveralThreadsTakeTurns) {
  const Module module(module_file(), Module::AtTheEnd::unload);
  const auto threads = thread_count();
  std::atomic<bool> over{false};
  std::thread asks([&] {
    DWORD value = 0;
    while (!over) {
      EXPECT_NE(TSPI(module, lineGetNumAddressIDs)(reinterpret_cast<HDRVLINE>(std::uintptr_t{0x10}), &value), 0);
    }
  });
  std::vector<std::thread> services;
  for (int i = 0; i < 3; ++i) {
    services.emplace_back([&] {
      for (int life = 0; life < 20; ++life) {
        DWORD options = 0;
        EXPECT_EQ(TSPI(module, providerInit)(0x00030001, 7, 0, 0, 0, 0, &completed, &options), 0);
        EXPECT_EQ(TSPI(module, providerShutdown)(0x00030001, 7), 0);
      }
    });
  }
  for (auto& service : services) service.join();
  over = true;
  asks.join();
  EXPECT_TRUE(link::becomes_true([&] { return thread_count() <= threads && host_.wait_sessions(0); }))
      << thread_count() << " threads after " << threads;
  live(module);
}

/// TAPISRV has a thread for each of its applications' requests, and runs for months.
TEST_F(ModuleTest, ThreadsThatComeAndGoLeaveNothing) {
  const Module module(module_file(), Module::AtTheEnd::unload);
  ASSERT_NO_FATAL_FAILURE(start(module));
  ASSERT_TRUE(host_.wait_sessions(1)) << log();
  const auto ask_from_new_threads = [&](int count) {
    for (int i = 0; i < count; ++i) {
      std::thread([&] {
        DWORD value = 0;
        EXPECT_NE(TSPI(module, lineGetNumAddressIDs)(reinterpret_cast<HDRVLINE>(std::uintptr_t{0x10}), &value), 0);
      }).join();
    }
  };
  ask_from_new_threads(20);
  const auto threads = thread_count(), handles = handle_count();
  ask_from_new_threads(500);
  // The proxy looks into its certificates' files now and then.
  EXPECT_TRUE(link::becomes_true([&] { return thread_count() <= threads && handle_count() < handles + link::kLeak; }))
      << thread_count() << " threads after " << threads << ", " << handle_count() << " handles after " << handles;
  end(module);
}

/// TAPI starts its providers one after the other.
TEST_F(ModuleTest, StartsWithoutWaitingForAHostThatSaysNothing) {
  tests::LoopbackListener silent;
  configure(silent.port());
  const Module module(module_file(), Module::AtTheEnd::unload);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_NO_FATAL_FAILURE(start(module));
  const link::Limits limits;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::min(limits.connect, limits.handshake) / 2);
  auto connection = silent.accept();
  EXPECT_FALSE(connection.read().empty()) << "it began to say who it is";
  end(module);
  EXPECT_TRUE(connection.wait_end());
}

std::atomic<int> lines_made{0};
void CALLBACK line_event_that_counts(HTAPILINE, HTAPICALL, DWORD message, DWORD_PTR, DWORD_PTR, DWORD_PTR) {
  if (message == LINE_CREATE) ++lines_made;
}

/// Its threads run on, so their code must stay; the next load finds them.
TEST_F(ModuleTest, WhatRunsOutlivesAnUnloadWithoutAShutdown) {
  lines_made = 0;
  {
    const Module module(module_file(), Module::AtTheEnd::unload);
    ASSERT_NO_FATAL_FAILURE(start(module, &line_event_that_counts));
    ASSERT_TRUE(host_.wait_sessions(1)) << log();
  }
  wire::InventoryValues inventory;
  inventory.lines.emplace_back().id = 1;
  server_.send(host_.present().begin()->first, wire::make_inventory(inventory));
  EXPECT_TRUE(link::becomes_true([] { return lines_made == 1; })) << log();
  const Module again(module_file(), Module::AtTheEnd::unload);
  end(again);
  live(again);
}

std::function<void()> inside;
std::atomic<bool> came_back{false};
void CALLBACK line_event_with_more(HTAPILINE, HTAPICALL, DWORD message, DWORD_PTR, DWORD_PTR, DWORD_PTR) {
  if (message != LINE_CREATE || !inside) return;
  inside();
  came_back = true;
}

TEST_F(ModuleTest, MayBeShutDownFromInsideACallback) {
  const Module module(module_file(), Module::AtTheEnd::unload);
  const auto threads = thread_count();
  wire::InventoryValues inventory;
  inventory.lines.emplace_back().id = 1;
  host_.greet = [&](link::SessionId session) { server_.send(session, wire::make_inventory(inventory)); };
  inside = [&] { EXPECT_EQ(TSPI(module, providerShutdown)(0x00030001, 7), 0); };
  DWORD lines = 0, phones = 0, options = 0;
  ASSERT_EQ(TSPI(module, providerEnumDevices)(7, &lines, &phones, reinterpret_cast<HPROVIDER>(std::uintptr_t{9}),
                                              &line_event_with_more, &phone_event),
            0);
  ASSERT_EQ(TSPI(module, providerInit)(0x00030001, 7, 0, 0, lines, phones, &completed, &options), 0);
  EXPECT_TRUE(link::becomes_true([] { return came_back.load(); })) << log();
  EXPECT_TRUE(link::becomes_true([&] { return thread_count() <= threads; })) << thread_count();
  inside = nullptr;
  host_.greet = nullptr;
  live(module);
}

TEST_F(ModuleTest, LivesAgainWithoutBeingUnloaded) {
  const Module module(module_file(), Module::AtTheEnd::unload);
  for (int i = 0; i < 3; ++i) live(module);
}

}  // namespace
}  // namespace tsplink::proxy::test
