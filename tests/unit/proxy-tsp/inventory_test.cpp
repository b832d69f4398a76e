// The stored inventory: TAPI's start without a network, devices that come and go.
#include <fstream>

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

TEST_F(InventoryTest, DamagedFileIsIgnored) {
  { Desktop(options_).start(); }
  std::ofstream(folder_.path() / "inventory.bin", std::ios::binary | std::ios::trunc)
      << "this is no inventory of anything";
  EXPECT_EQ(enumerate(), (std::pair<DWORD, DWORD>{0, 0}));
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
