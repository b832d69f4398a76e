// Hardware and media providers of this desktop, in place of the host's: device classes that the configuration gives a
// device, and the MSP flag where its class is registered.
#include <cstring>

#include "desktop.hpp"

namespace tsplink::proxy::test {
namespace {

using wire::Function;

constexpr std::u16string_view kClasses(u"tapi/line\0Wave/In\0wave/out\0\0", 28);

/// A line whose vendor has an MSP and hardware.
wire::DeviceValues line_with_hardware() {
  auto line = device(kLineId, 11);
  LINEDEVCAPS caps{};
  caps.dwTotalSize = caps.dwNeededSize = caps.dwUsedSize =
      static_cast<DWORD>(sizeof caps + kClasses.size() * sizeof(char16_t));
  caps.dwDevCapFlags = LINEDEVCAPFLAGS_MSP | LINEDEVCAPFLAGS_CLOSEDROP;
  caps.dwDeviceClassesSize = static_cast<DWORD>(kClasses.size() * sizeof(char16_t));
  caps.dwDeviceClassesOffset = sizeof caps;
  line.caps.resize(caps.dwTotalSize);
  std::memcpy(line.caps.data(), &caps, sizeof caps);
  std::memcpy(line.caps.data() + sizeof caps, kClasses.data(), caps.dwDeviceClassesSize);
  line.msp.assign(sizeof(GUID), 7);
  return line;
}

class OwnDevicesTest : public ::testing::Test {
 protected:
  void begin(CoreOptions options) {
    desktop_ = std::make_unique<Desktop>(std::move(options));
    desktop_->start();
    desktop_->inventory({line_with_hardware()}, {device(kPhoneId, 21, true)});
  }
  struct Caps {
    LINEDEVCAPS head{};
    std::u16string classes;
  };
  Caps caps() {
    std::vector<std::uint8_t> room(2000);
    auto* caps = reinterpret_cast<LINEDEVCAPS*>(room.data());
    caps->dwTotalSize = static_cast<DWORD>(room.size());
    EXPECT_EQ(desktop_->run<calls::lineGetDevCaps>(Function::lineGetDevCaps, kLineBase, DWORD{TAPI_CURRENT_VERSION},
                                                   DWORD{0}, caps),
              0);
    Caps found;
    std::memcpy(&found.head, caps, sizeof found.head);
    found.classes.resize(caps->dwDeviceClassesSize / sizeof(char16_t));
    if (!found.classes.empty()) {
      std::memcpy(found.classes.data(), room.data() + caps->dwDeviceClassesOffset, caps->dwDeviceClassesSize);
    }
    return found;
  }
  std::vector<DWORD> ids_in(const std::vector<std::uint8_t>& room) {
    VARSTRING head{};
    std::memcpy(&head, room.data(), sizeof head);
    std::vector<DWORD> ids(head.dwStringSize / sizeof(DWORD));
    if (!ids.empty()) std::memcpy(ids.data(), room.data() + head.dwStringOffset, head.dwStringSize);
    return ids;
  }
  static std::vector<std::uint8_t> room() {
    std::vector<std::uint8_t> bytes(200);
    bytes[0] = 200;
    return bytes;
  }
  static std::basic_string<WCHAR> text(std::string_view name) { return {name.begin(), name.end()}; }

  std::unique_ptr<Desktop> desktop_;
};

TEST_F(OwnDevicesTest, AClassThatIsGivenADeviceStaysInTheListAndIsAnswered) {
  CoreOptions options;
  options.device_classes = {{u"wave/in", 7}};
  begin(options);
  EXPECT_TRUE(caps().classes == std::u16string_view(u"tapi/line\0Wave/In\0\0", 19));
  const auto line = desktop_->open_line();
  const auto phone = desktop_->open_phone();
  auto answer = room();
  const auto wave_in = text("WAVE/in");
  EXPECT_EQ(
      desktop_->run<calls::lineGetID>(Function::lineGetID, line, DWORD{0}, HDRVCALL{}, DWORD{LINECALLSELECT_LINE},
                                      reinterpret_cast<LPVARSTRING>(answer.data()), wave_in.c_str(), HANDLE{}),
      0);
  EXPECT_EQ(ids_in(answer), std::vector<DWORD>{7});
  answer = room();
  EXPECT_EQ(desktop_->run<calls::phoneGetID>(Function::phoneGetID, phone,
                                             reinterpret_cast<LPVARSTRING>(answer.data()), wave_in.c_str(), HANDLE{}),
            0);
  EXPECT_EQ(ids_in(answer), std::vector<DWORD>{7});
  const auto wave_out = text("wave/out");
  EXPECT_EQ(
      desktop_->run<calls::lineGetID>(Function::lineGetID, line, DWORD{0}, HDRVCALL{}, DWORD{LINECALLSELECT_LINE},
                                      reinterpret_cast<LPVARSTRING>(answer.data()), wave_out.c_str(), HANDLE{}),
      static_cast<LONG>(LINEERR_INVALDEVICECLASS));
}

TEST_F(OwnDevicesTest, ALineHasAnMspWhereItsClassIsRegistered) {
  CoreOptions options;
  bool registered = true;
  GUID asked{};
  options.msp_registered = [&](const GUID& clsid) {
    asked = clsid;
    return registered;
  };
  begin(options);
  EXPECT_EQ(caps().head.dwDevCapFlags, DWORD{LINEDEVCAPFLAGS_MSP | LINEDEVCAPFLAGS_CLOSEDROP});
  EXPECT_EQ(asked.Data4[7], 7);
  registered = false;
  EXPECT_EQ(caps().head.dwDevCapFlags, DWORD{LINEDEVCAPFLAGS_CLOSEDROP});
}

}  // namespace
}  // namespace tsplink::proxy::test
