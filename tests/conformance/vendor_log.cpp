#include "vendor_log.hpp"

#include <algorithm>
#include <regex>
#include <vector>

#include "text.hpp"

namespace tsplink::conformance {

namespace {

/// Asked at the start of either side, answered from the inventory or asked anew for want of room: how often the
/// vendor hears of them is not the application's doing.
bool is_housekeeping(const std::string& function) {
  static const std::regex kHousekeeping(
      "provider(Init|Shutdown|EnumDevices|Install|Remove|Config|UIIdentify|Create\\w+)|(line|phone)Negotiate\\w+|"
      "(line|phone)Get(DevCaps|AddressCaps|ExtensionID|ID|Icon|CallInfo|CallStatus|Status|LineDevStatus|"
      "AddressStatus|"
      "DevConfig|ButtonInfo|CallHubTracking|ProxyStatus)|lineMSPIdentify");
  return std::regex_match(function, kHousekeeping);
}

}  // namespace

std::string asked_of_vendor(const std::string& log) {
  static const std::regex kAccepted(R"(.* <- (\w+)\((.*)\) = (0|[1-9]\d*|0x[0-9a-f]+))");
  static const std::regex kOwnNumbers(
      R"(\b(dwRequestID|h[dt]\w+|dwDeviceID|dwObjectID|dwTempID|dwEndToEndID|dwToneListID|(?:lpNonDirAddress|lpsDigits)(?==0x))=[^,]*)");
  std::vector<std::string> calls;
  for (const auto& line : tapisim::split(log, '\n')) {
    std::smatch part;
    if (!std::regex_match(line, part, kAccepted) || is_housekeeping(part[1])) continue;
    calls.push_back(part[1].str() + "(" + std::regex_replace(part[2].str(), kOwnNumbers, "$1") + ")");
  }
  std::sort(calls.begin(), calls.end());
  return tapisim::join(calls, "\n") + "\n";
}

}  // namespace tsplink::conformance
