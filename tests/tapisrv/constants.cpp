#include "constants.hpp"

#include <array>
#include <utility>

#include "text.hpp"

namespace tsplink::tapisim {
namespace {

struct Constant {
  std::string_view name;
  std::uint32_t value;
};

#define TAPISIM_CONSTANT(name) {#name, static_cast<std::uint32_t>(name)},
constexpr Constant kConstants[] = {
#include "tapisim_constants.inc"
};
#undef TAPISIM_CONSTANT

// Fields and parameters that hold a group's values, where the name itself does not say so.
constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
    {"dwMediaModes", "LINEMEDIAMODE"},
    {"dwMediaMode", "LINEMEDIAMODE"},
    {"dwMonitorMediaModes", "LINEMEDIAMODE"},
    {"dwAvailableMediaModes", "LINEMEDIAMODE"},
    {"dwOpenMediaModes", "LINEMEDIAMODE"},
    {"dwBearerMode", "LINEBEARERMODE"},
    {"dwBearerModes", "LINEBEARERMODE"},
    {"dwCallState", "LINECALLSTATE"},
    {"dwCallStates", "LINECALLSTATE"},
    {"dwCallFeatures", "LINECALLFEATURE"},
    {"dwCallFeatures2", "LINECALLFEATURE2"},
    {"dwCallPrivilege", "LINECALLPRIVILEGE"},
    {"dwCallParamFlags", "LINECALLPARAMFLAGS"},
    {"dwOrigin", "LINECALLORIGIN"},
    {"dwReason", "LINECALLREASON"},
    {"dwCallerIDFlags", "LINECALLPARTYID"},
    {"dwCalledIDFlags", "LINECALLPARTYID"},
    {"dwConnectedIDFlags", "LINECALLPARTYID"},
    {"dwRedirectionIDFlags", "LINECALLPARTYID"},
    {"dwRedirectingIDFlags", "LINECALLPARTYID"},
    {"dwCallInfoStates", "LINECALLINFOSTATE"},
    {"dwDevCapFlags", "LINEDEVCAPFLAGS"},
    {"dwLineStates", "LINEDEVSTATE"},
    {"dwAddressStates", "LINEADDRESSSTATE"},
    {"dwAddrCapFlags", "LINEADDRCAPFLAGS"},
    {"dwAddressFeatures", "LINEADDRFEATURE"},
    {"dwAddressModes", "LINEADDRESSMODE"},
    {"dwAddressMode", "LINEADDRESSMODE"},
    {"dwAddressSharing", "LINEADDRESSSHARING"},
    {"dwAddressTypes", "LINEADDRESSTYPE"},
    {"dwAddressType", "LINEADDRESSTYPE"},
    {"dwLineFeatures", "LINEFEATURE"},
    {"dwAnswerMode", "LINEANSWERMODE"},
    {"dwDevStatusFlags", "LINEDEVSTATUSFLAGS"},
    {"dwStatusToChange", "LINEDEVSTATUSFLAGS"},
    {"dwSettableDevStatus", "LINEDEVSTATUSFLAGS"},
    {"dwGenerateDigitModes", "LINEDIGITMODE"},
    {"dwMonitorDigitModes", "LINEDIGITMODE"},
    {"dwDigitModes", "LINEDIGITMODE"},
    {"dwDigitMode", "LINEDIGITMODE"},
    {"dwToneMode", "LINETONEMODE"},
    {"dwGenerateToneModes", "LINETONEMODE"},
    {"dwDialToneModes", "LINEDIALTONEMODE"},
    {"dwBusyModes", "LINEBUSYMODE"},
    {"dwSpecialInfo", "LINESPECIALINFO"},
    {"dwDisconnectModes", "LINEDISCONNECTMODE"},
    {"dwConnectedModes", "LINECONNECTEDMODE"},
    {"dwOfferingModes", "LINEOFFERINGMODE"},
    {"dwTransferModes", "LINETRANSFERMODE"},
    {"dwTransferMode", "LINETRANSFERMODE"},
    {"dwParkModes", "LINEPARKMODE"},
    {"dwParkMode", "LINEPARKMODE"},
    {"dwForwardMode", "LINEFORWARDMODE"},
    {"dwForwardModes", "LINEFORWARDMODE"},
    {"dwCompletionMode", "LINECALLCOMPLMODE"},
    {"dwCallCompletionConds", "LINECALLCOMPLCOND"},
    {"dwCallCompletionModes", "LINECALLCOMPLMODE"},
    {"dwRemoveFromConfCaps", "LINEREMOVEFROMCONF"},
    {"dwSelect", "LINECALLSELECT"},
    {"dwObjectType", "TUISPIDLL_OBJECT"},
    {"dwTerminalModes", "LINETERMMODE"},
    {"dwTreatment", "LINECALLTREATMENT"},
    {"dwCallTreatment", "LINECALLTREATMENT"},
    {"dwCallTreatmentID", "LINECALLTREATMENT"},
    {"dwStringFormat", "STRINGFORMAT"},
    {"dwAvailableTracking", "LINECALLHUBTRACKING"},
    {"dwCurrentTracking", "LINECALLHUBTRACKING"},
    {"dwPhoneStates", "PHONESTATE"},
    {"dwPhoneFeatures", "PHONEFEATURE"},
    {"dwButtonModes", "PHONEBUTTONMODE"},
    {"dwButtonMode", "PHONEBUTTONMODE"},
    {"dwButtonStates", "PHONEBUTTONSTATE"},
    {"dwButtonState", "PHONEBUTTONSTATE"},
    {"dwButtonFunction", "PHONEBUTTONFUNCTION"},
    {"dwLampMode", "PHONELAMPMODE"},
    {"lpdwLampMode", "PHONELAMPMODE"},
    {"dwHookSwitchDev", "PHONEHOOKSWITCHDEV"},
    {"dwHookSwitchDevs", "PHONEHOOKSWITCHDEV"},
    {"lpdwHookSwitchDevs", "PHONEHOOKSWITCHDEV"},
    {"dwHookSwitchMode", "PHONEHOOKSWITCHMODE"},
    {"dwHandsetHookSwitchMode", "PHONEHOOKSWITCHMODE"},
    {"dwSpeakerHookSwitchMode", "PHONEHOOKSWITCHMODE"},
    {"dwHeadsetHookSwitchMode", "PHONEHOOKSWITCHMODE"},
    {"dwStatusFlags", "PHONESTATUSFLAGS"},
};

bool in_group(const Constant& constant, std::string_view group) {
  return constant.name.size() > group.size() && starts_with(constant.name, group) &&
         constant.name[group.size()] == '_';
}

}  // namespace

std::optional<std::uint64_t> constant_value(std::string_view name) {
  std::uint64_t sum = 0;
  for (const auto& part : split(name, '|')) {
    bool found = false;
    for (const auto& constant : kConstants) {
      if (constant.name != part) continue;
      sum |= constant.value;
      found = true;
      break;
    }
    if (!found) return std::nullopt;
  }
  return sum;
}

std::string constant_text(std::string_view group, std::uint64_t value) {
  for (const auto& constant : kConstants) {
    if (in_group(constant, group) && constant.value == value) return std::string(constant.name);
  }
  if (value == 0) return "0";
  std::string out;
  std::uint64_t rest = value;
  for (const auto& constant : kConstants) {
    const bool one_bit = constant.value != 0 && (constant.value & (constant.value - 1)) == 0;
    if (!one_bit || !in_group(constant, group) || (rest & constant.value) == 0) continue;
    out += (out.empty() ? "" : "|") + std::string(constant.name);
    rest &= ~static_cast<std::uint64_t>(constant.value);
  }
  if (out.empty()) return hex_number(value);
  return rest == 0 ? out : out + "|" + hex_number(rest);
}

std::string result_text(LONG result) {
  if (result >= 0) return std::to_string(result);
  const auto code = static_cast<std::uint32_t>(result);
  for (const auto* group : {"LINEERR", "PHONEERR"}) {
    for (const auto& constant : kConstants) {
      if (in_group(constant, group) && constant.value == code) return std::string(constant.name);
    }
  }
  return hex_number(code);
}

std::string_view group_of(std::string_view field) {
  const std::size_t dot = field.rfind('.');
  if (dot != std::string_view::npos) field = field.substr(dot + 1);
  for (const auto& [name, group] : kGroups) {
    if (name == field) return group;
  }
  return {};
}

}  // namespace tsplink::tapisim
