// Phones: what is set can be read again, and is told.
#include <cstring>

#include "tests/unit/simpbx/fake_tapi.hpp"

namespace tsplink::simpbx_test {
namespace {

class Phone : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(TSPI(tapi, phoneOpen)(0, FakeTapi::htPhone(0), &phone, 0x00030001, &FakeTapi::phone_event), 0);
    ASSERT_EQ(TSPI(tapi, phoneSetStatusMessages)(phone, 0xFFFFFF, 0xFF, 0xFF), 0);
  }
  bool told(DWORD message, DWORD_PTR p1, DWORD_PTR p2) {
    return tapi.wait([&](const std::vector<Told>& all) {
      for (const Told& t : all) {
        if (t.kind == Told::phone && t.message == message && t.p1 == p1 && t.p2 == p2) return true;
      }
      return false;
    });
  }
  FakeTapi tapi;
  HDRVPHONE phone = nullptr;
};

TEST_F(Phone, KeepsItsSettings) {
  DWORD value = 0, volume = 0;
  EXPECT_EQ(TSPI(tapi, phoneSetRing)(1, phone, 3, 0x1234), 1);
  EXPECT_EQ(tapi.result(1), 0);
  EXPECT_EQ(TSPI(tapi, phoneGetRing)(phone, &value, &volume), 0);
  EXPECT_EQ(value, 3u);
  EXPECT_EQ(volume, 0x1234u);
  EXPECT_TRUE(told(PHONE_STATE, PHONESTATE_RINGMODE, 3));

  TSPI(tapi, phoneSetHookSwitch)(2, phone, PHONEHOOKSWITCHDEV_SPEAKER, PHONEHOOKSWITCHMODE_MIC);
  TSPI(tapi, phoneSetVolume)(3, phone, PHONEHOOKSWITCHDEV_HEADSET, 0x2222);
  TSPI(tapi, phoneSetGain)(4, phone, PHONEHOOKSWITCHDEV_HANDSET, 0x3333);
  TSPI(tapi, phoneSetLamp)(5, phone, 12, PHONELAMPMODE_FLASH);
  BYTE data[3] = {9, 8, 7}, read[5] = {1, 1, 1, 1, 1};
  TSPI(tapi, phoneSetData)(6, phone, 1, data, sizeof data);
  for (DRV_REQUESTID id = 2; id <= 6; ++id) EXPECT_EQ(tapi.result(id), 0);
  TSPI(tapi, phoneGetHookSwitch)(phone, &value);
  EXPECT_EQ(value, DWORD{PHONEHOOKSWITCHDEV_SPEAKER});
  TSPI(tapi, phoneGetVolume)(phone, PHONEHOOKSWITCHDEV_HEADSET, &value);
  EXPECT_EQ(value, 0x2222u);
  TSPI(tapi, phoneGetGain)(phone, PHONEHOOKSWITCHDEV_HANDSET, &value);
  EXPECT_EQ(value, 0x3333u);
  TSPI(tapi, phoneGetLamp)(phone, 12, &value);
  EXPECT_EQ(value, DWORD{PHONELAMPMODE_FLASH});
  EXPECT_EQ(TSPI(tapi, phoneGetData)(phone, 1, read, sizeof read), 0);
  EXPECT_EQ(std::memcmp(read, "\x09\x08\x07\x00\x00", 5), 0);
  EXPECT_EQ(TSPI(tapi, phoneGetVolume)(phone, 3, &value), static_cast<LONG>(PHONEERR_INVALHOOKSWITCHDEV));
}

TEST_F(Phone, ShowsText) {
  const WCHAR text[] = WIDE("Hello");
  EXPECT_EQ(TSPI(tapi, phoneSetDisplay)(1, phone, 1, 2, text, 5 * sizeof(WCHAR)), 1);
  EXPECT_EQ(tapi.result(1), 0);
  alignas(8) BYTE buffer[256] = {};
  auto* const display = reinterpret_cast<LPVARSTRING>(buffer);
  display->dwTotalSize = sizeof buffer;
  ASSERT_EQ(TSPI(tapi, phoneGetDisplay)(phone, display), 0);
  EXPECT_EQ(display->dwStringSize, 2 * 24 * sizeof(WCHAR));
  EXPECT_EQ(std::memcmp(buffer + display->dwStringOffset + 26 * sizeof(WCHAR), text, 5 * sizeof(WCHAR)), 0);
}

TEST_F(Phone, ReportsButtonsDownAndUp) {
  EXPECT_EQ(tapi.control("button phone=1 id=3"), "ok");
  ASSERT_TRUE(tapi.wait([](const std::vector<Told>& all) { return all.size() == 2; }));
  EXPECT_TRUE(told(PHONE_BUTTON, 3, PHONEBUTTONMODE_KEYPAD));
  EXPECT_EQ(tapi.told()[0].p3, DWORD{PHONEBUTTONSTATE_DOWN});
  EXPECT_EQ(tapi.told()[1].p3, DWORD{PHONEBUTTONSTATE_UP});
}

TEST_F(Phone, TransformsDeviceSpecificBlocks) {
  BYTE block[2] = {0x00, 0xFF};
  EXPECT_EQ(TSPI(tapi, phoneDevSpecific)(7, phone, block, 2), 7);
  EXPECT_EQ(tapi.result(7), 0);
  EXPECT_EQ(block[0], 0xA5);
  EXPECT_EQ(block[1], 0x5A);
}

TEST_F(Phone, CompletesBeforeItCloses) {
  tapi.control("completions hold");
  EXPECT_EQ(TSPI(tapi, phoneSetRing)(8, phone, 1, 1), 8);
  EXPECT_EQ(TSPI(tapi, phoneClose)(phone), 0);
  EXPECT_EQ(tapi.told().back().result, static_cast<LONG>(PHONEERR_OPERATIONFAILED));
}

TEST_F(Phone, CapsDependOnTheVersion) {
  for (const auto& [version, size] : {std::pair<DWORD, DWORD>{0x00020000, 180}, {0x00020002, 196}}) {
    std::vector<BYTE> bytes(4096);
    auto* const caps = reinterpret_cast<LPPHONECAPS>(bytes.data());
    caps->dwTotalSize = size - 1;
    EXPECT_EQ(TSPI(tapi, phoneGetDevCaps)(0, version, 0, caps), static_cast<LONG>(PHONEERR_STRUCTURETOOSMALL));
    caps->dwTotalSize = 4096;
    ASSERT_EQ(TSPI(tapi, phoneGetDevCaps)(0, version, 0, caps), 0);
    EXPECT_EQ(caps->dwProviderInfoOffset, size);
    EXPECT_EQ(caps->dwNumButtonLamps, 16u);
  }
}

}  // namespace
}  // namespace tsplink::simpbx_test
