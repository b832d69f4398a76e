#include "vendor_log.hpp"

#include <map>
#include <regex>

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
  static const std::regex kAccepted(R"(.* <- (\w+)\((.*)\) = (?:0|[1-9]\d*|0x[0-9a-f]+)(?: \[(.*)\])?)");
  static const std::regex kOwnNumbers(
      R"(\b(dwRequestID|h[dt]\w+|dwDeviceID|dwObjectID|dwTempID|dwEndToEndID|dwToneListID|(?:lpNonDirAddress|lpsDigits)(?==0x))=[^,]*)");
  static const std::regex kDevice(R"((?:line|phone) \d+)");
  static const std::regex kCall(R"(call (\d+))");
  std::map<std::string, std::string> devices;
  std::map<std::string, std::string> calls;  // the PBX' number, and the device's
  std::map<std::string, std::size_t> counts;
  for (const auto& line : tapisim::split(log, '\n')) {
    std::smatch part;
    if (!std::regex_match(line, part, kAccepted) || is_housekeeping(part[1])) continue;
    std::string about = part[3];
    std::smatch found;
    const std::string device = std::regex_search(about, found, kDevice) ? found.str() : "provider";
    for (auto at = std::sregex_iterator(about.begin(), about.end(), kCall); at != std::sregex_iterator(); ++at) {
      const auto number = (*at)[1].str();
      if (calls.count(number) == 0) calls[number] = std::to_string(++counts[device]);
    }
    std::string own;
    auto from = about.cbegin();
    while (std::regex_search(from, about.cend(), found, kCall)) {
      own += found.prefix().str() + "call " + calls[found[1]];
      from = found.suffix().first;
    }
    own.append(from, about.cend());
    devices[device] +=
        "  " + part[1].str() + "(" + std::regex_replace(part[2].str(), kOwnNumbers, "$1") + ") [" + own + "]\n";
  }
  if (devices.empty()) return "nothing\n";
  std::string out;
  for (const auto& [device, asked] : devices) out += device + ":\n" + asked;
  return out;
}

}  // namespace tsplink::conformance
