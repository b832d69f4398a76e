// What a desktop's settings give applications there: hardware of the desktop itself, and the driver's dialogs.
#include <gtest/gtest.h>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

/// The trace of a desktop that asks for a line's wave device, with more in its configuration.
std::string trace_with(const std::string& tables, const std::string& answer) {
  const Site site;
  const auto host = site.start_host();
  const auto configuration = site.proxy_configuration("desk1", site.port(), {{"[log]", tables + "[log]"}});
  site.canonical(
      {"limit 60\nwait lines 4\nopen line 1 as l\n"
       "call lineGetID l dwSelect=LINECALLSELECT_LINE lpszDeviceClass=\"Wave/In\"" +
           answer + "\nclose l\n",
       "desk1", configuration});
  ask_to_end(*host, End::host);
  EXPECT_EQ(host->wait(), 0) << host->story();
  return text_of(site.trace("desk1"));
}

TEST(Settings, GiveLinesTheDesktopsOwnHardware) {
  trace_with("", " fails LINEERR_INVALDEVICECLASS");
  const auto trace = trace_with("[device_classes]\n\"wave/in\" = 258\n", "");
  EXPECT_NE(trace.find("x:02010000"), std::string::npos) << trace;
}

TEST(Settings, NameTheModuleOfTheDriversDialogs) {
  const auto trace = trace_with("ui = \"vendorui.dll\"\n", " fails LINEERR_INVALDEVICECLASS");
  const auto at = trace.find("providerUIIdentify(");
  ASSERT_NE(at, std::string::npos) << trace;
  const auto line = trace.substr(at, trace.find('\n', at) - at);
  EXPECT_NE(line.find("vendorui.dll"), std::string::npos) << line;
}

}  // namespace
}  // namespace tsplink::e2e
