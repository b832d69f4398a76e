// The stored inventory: TAPI's start without a network, devices that come and go.
#ifndef _WIN32
#include <sys/stat.h>
#endif

#include <fstream>
#include <future>

#include "desktop.hpp"
#include "tests/platform/files.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;

class InventoryTest : public ::testing::Test {
 protected:
  InventoryTest() { options_.state = folder_.path(); }
  /// What providerEnumDevices says with nothing but the folder.
  std::pair<DWORD, DWORD> enumerate() {
    DWORD lines = 99;
    DWORD phones = 99;
    Desktop desktop(options_);
    desktop.up = false;
    desktop.core().enumerate({}, lines, phones);
    return {lines, phones};
  }
  /// One part of an inventory, of which more are to come.
  static void part(Desktop& desktop, const wire::DeviceValues& line) {
    wire::InventoryValues values;
    values.lines = {line};
    values.more = true;
    desktop.core().on_message(wire::make_inventory(values));
  }
  tests::TemporaryFolder folder_;
  CoreOptions options_;
};

TEST_F(InventoryTest, FirstStartHasNoDevicesTheNextHasThoseOfTheLastConnection) {
  EXPECT_EQ(enumerate(), (std::pair<DWORD, DWORD>{0, 0}));
  {
    Desktop desktop(options_);
    desktop.start();
    desktop.inventory({device(kLineId, 11), device(2, 12), device(3, 13)}, {device(kPhoneId, 21, true)});
  }
  EXPECT_EQ(enumerate(), (std::pair<DWORD, DWORD>{3, 1}));
}

TEST_F(InventoryTest, CapabilitiesAreAnsweredFromItWithoutTheHost) {
  { Desktop(options_).start(); }
  Desktop desktop(options_);
  desktop.up = false;
  DWORD lines = 0;
  DWORD phones = 0;
  desktop.core().enumerate({}, lines, phones);
  desktop.core().init(kLineBase, kPhoneBase, lines, phones, {});
  LINEDEVCAPS caps{};
  caps.dwTotalSize = sizeof caps;
  EXPECT_EQ(desktop.run<calls::lineGetDevCaps>(Function::lineGetDevCaps, kLineBase, DWORD{TAPI_CURRENT_VERSION},
                                               DWORD{0}, &caps),
            0);
  EXPECT_EQ(caps.dwPermanentLineID, 11U);
  EXPECT_EQ(caps.dwTotalSize, sizeof caps);
}

TEST_F(InventoryTest, CapabilitiesThatHaveChangedAreAskedOfTheHostUntilItTellsThem) {
  Desktop desktop(options_);
  desktop.start();
  desktop.open_line();
  LINEDEVCAPS caps{};
  caps.dwTotalSize = sizeof caps;
  const auto ask = [&] {
    return desktop.run<calls::lineGetDevCaps>(Function::lineGetDevCaps, kLineBase, DWORD{TAPI_CURRENT_VERSION},
                                              DWORD{0}, &caps);
  };
  desktop.event(wire::Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_CAPSCHANGE);
  desktop.told(1);
  desktop.answer_with(static_cast<LONG>(LINEERR_NODEVICE));
  EXPECT_EQ(ask(), static_cast<LONG>(LINEERR_NODEVICE));
  auto renewed = device(kLineId, 11);
  renewed.arrived = true;
  desktop.inventory({renewed}, {}, false);
  desktop.up = false;
  EXPECT_EQ(ask(), 0);
}

#ifndef _WIN32
TEST_F(InventoryTest, ADiskThatHangsHoldsNoEventUp) {
  const auto pipe = folder_.path() / "inventory.bin.new";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);  // writing waits for a reader
  std::ifstream reader;
  Desktop desktop(options_);
  auto heard = std::async(std::launch::async, [&] {
    desktop.start();
    desktop.open_line();
    desktop.event(wire::Message::kLINE_LINEDEVSTATE, 0, LINEDEVSTATE_MSGWAITON);
    desktop.told(1);
  });
  EXPECT_EQ(heard.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  reader.open(pipe);
}
#endif

TEST_F(InventoryTest, DamagedFileIsIgnored) {
  { Desktop(options_).start(); }
  std::ofstream(folder_.path() / "inventory.bin", std::ios::binary | std::ios::trunc)
      << "this is no inventory of anything";
  EXPECT_EQ(enumerate(), (std::pair<DWORD, DWORD>{0, 0}));
}

TEST_F(InventoryTest, AFileThatHoldsTooMuchIsIgnoredToo) {
  { Desktop(options_).start(); }
  wire::InventoryValues values;
  for (std::uint32_t i = 0; i < 33; ++i) values.lines.push_back(device(i + 1, i + 1));
  for (auto& line : values.lines) line.caps.resize(1024 * 1024);
  const auto bytes = wire::make_inventory(values);
  std::ofstream(folder_.path() / "inventory.bin", std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
  EXPECT_EQ(enumerate(), (std::pair<DWORD, DWORD>{0, 0}));
}

TEST_F(InventoryTest, OneInPartsCountsWithItsLastPart) {
  Desktop desktop;
  desktop.start();
  part(desktop, device(5, 15));
  part(desktop, device(kLineId, 11));
  desktop.inventory({}, {device(kPhoneId, 21, true)});
  desktop.inventory({device(kLineId, 11)}, {device(kPhoneId, 21, true)});  // and nothing is left of the parts
  desktop.inventory({device(kLineId, 11), device(6, 16)}, {device(kPhoneId, 21, true)});
  const auto told = desktop.told(2);
  EXPECT_EQ(told[0].request_or_message, DWORD_PTR{LINE_CREATE});
  EXPECT_EQ(told[0].params[1], 15U);
  EXPECT_EQ(told[1].params[1], 16U);
}

TEST_F(InventoryTest, PartsThatALostConnectionLeftDoNotCount) {
  Desktop desktop;
  desktop.start();
  part(desktop, device(5, 15));
  desktop.core().on_down("a test");
  desktop.inventory({device(kLineId, 11)}, {device(kPhoneId, 21, true)});
  desktop.inventory({device(kLineId, 11), device(6, 16)}, {device(kPhoneId, 21, true)});
  const auto told = desktop.told(1);
  EXPECT_EQ(told[0].params[1], 16U);
}

/// It would pass for all there is.
TEST_F(InventoryTest, AChangeBeforeTheFirstOneIsRefused) {
  Desktop desktop;
  desktop.start();
  desktop.core().on_down("a test");
  auto more = device(5, 15);
  more.arrived = true;
  EXPECT_THROW(desktop.inventory({more}, {}, false), Failure);
  EXPECT_EQ(desktop.told_so_far().size(), 0U);
}

TEST_F(InventoryTest, AHostThatAddsWithoutEndIsRefused) {
  Desktop desktop;
  desktop.start();
  const auto add = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      auto more = device(100 + i, 100 + i);
      more.caps.resize(1024 * 1024);
      more.arrived = true;
      desktop.inventory({more}, {}, false);
    }
  };
  EXPECT_NO_THROW(add(30));
  EXPECT_THROW(add(33), Failure);
}

/// lineAddProvider twice.
TEST_F(InventoryTest, AProviderThatTapiHasTwiceHasItsDevicesOnce) {
  Desktop desktop(options_);
  const auto begin = [&](DWORD id, DWORD& lines) {
    DWORD phones = 0;
    EXPECT_EQ(desktop.run<calls::providerEnumDevices>(Function::providerEnumDevices, id, &lines, &phones, HPROVIDER{},
                                                      LINEEVENT{}, PHONEEVENT{}),
              0);
    EXPECT_EQ(desktop.run<calls::providerInit>(Function::providerInit, DWORD{0x00030001}, id, kLineBase, kPhoneBase,
                                               DWORD_PTR{lines}, DWORD_PTR{phones}, ASYNC_COMPLETION{}, LPDWORD{}),
              0);
  };
  const auto end = [&](DWORD id) {
    EXPECT_EQ(desktop.run<calls::providerShutdown>(Function::providerShutdown, DWORD{0x00030001}, id), 0);
  };
  { Desktop(options_).start(); }
  DWORD first = 99, second = 99;
  begin(7, first);
  begin(8, second);
  EXPECT_EQ(first, 1U);
  EXPECT_EQ(second, 0U);
  end(7);
  desktop.inventory({device(kLineId, 11)}, {device(kPhoneId, 21, true)});
  EXPECT_NE(desktop.open_line(), nullptr) << "the other one is still there";
  end(8);
  DWORD version = 0;
  EXPECT_NE(desktop.run<calls::lineNegotiateTSPIVersion>(Function::lineNegotiateTSPIVersion, kLineBase,
                                                         DWORD{0x20000}, DWORD{0x30001}, &version),
            0);
}

TEST_F(InventoryTest, TheSecondStartOfAProviderTakesNoCompletionAway) {
  Desktop desktop;
  desktop.start();
  const auto hdLine = desktop.open_line();
  DWORD lines = 0, phones = 0;
  desktop.core().enumerate({}, lines, phones);
  HDRVCALL hdCall{};
  const auto id = request_id(desktop);
  EXPECT_GT(desktop.run<calls::lineMakeCall>(Function::lineMakeCall, id, hdLine, HTAPICALL{}, &hdCall,
                                             reinterpret_cast<LPCWSTR>(u"1"), DWORD{0}, LPLINECALLPARAMS{}),
            0);
  desktop.core().on_down("a test");
  EXPECT_EQ(desktop.told(1)[0].kind, Told::Completion);
}

TEST_F(InventoryTest, DevicesComeByCreateAndGoByRemove) {
  Desktop desktop;
  desktop.start();
  auto more = device(5, 15);
  more.arrived = true;
  desktop.inventory({more}, {}, false);
  auto told = desktop.told(1);
  EXPECT_EQ(told[0].request_or_message, DWORD_PTR{LINE_CREATE});
  EXPECT_EQ(told[0].params[0], reinterpret_cast<DWORD_PTR>(&desktop));
  EXPECT_EQ(desktop.core().create_device(false, told[0].params[1], 42), 0);
  DWORD version = 0;
  EXPECT_EQ(desktop.run<calls::lineNegotiateTSPIVersion>(Function::lineNegotiateTSPIVersion, DWORD{42},
                                                         DWORD{0x20000}, DWORD{0x30001}, &version),
            0);
  more.arrived = false;
  desktop.inventory({more}, {}, false);
  told = desktop.told(2);
  EXPECT_EQ(told[1].request_or_message, DWORD_PTR{LINE_REMOVE});
  EXPECT_EQ(told[1].params[0], 42U);
}

}  // namespace
}  // namespace tsplink::proxy::test
