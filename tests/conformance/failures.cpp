#include "failures.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "functions.hpp"
#include "ledger.hpp"
#include "text.hpp"

namespace tsplink::conformance {

using tapisim::Function;
using tapisim::Param;
using tapisim::ParamKind;

namespace {

// What the functions are called on: line 1, phone 1, a connected call.
constexpr char kBegin[] =
    "wait lines 4\nwait phones 2\nopen line 1 as l\nopen phone 1 as p\n"
    "pbx incoming line=1 from=+4930111 as in\nexpect LINE_NEWCALL on l as c\nexpect LINE_CALLSTATE OFFERING on c\n"
    "call lineAnswer c\nexpect completion 0\nexpect LINE_CALLSTATE CONNECTED on c\n"
    "expect LINE_CALLINFO LINECALLINFOSTATE_CONNECTEDID on c\n";
constexpr char kDrop[] = "call lineDrop c\nexpect completion 0\nexpect LINE_CALLSTATE IDLE on c\n";
constexpr char kLast[] = "expect LINE_ADDRESSSTATE INUSEZERO on l\nclose c\n";

/// Arguments without which a function does not get as far as its failure.
const std::map<std::string, std::string>& needed_arguments() {
  static const std::map<std::string, std::string> kNeeded = {
      {"lineGetID", "dwSelect=LINECALLSELECT_LINE lpszDeviceClass=\"simpbx/trunk\""},
      {"providerGenericDialogData", "dwObjectType=TUISPIDLL_OBJECT_LINEID lpParams=x:01 on 1"},
      {"phoneGetID", "lpszDeviceClass=\"simpbx/handset\""},
      {"lineGetAddressID", "dwAddressMode=LINEADDRESSMODE_DIALABLEADDR lpsAddress=\"1001\""},
      {"lineUnpark", "lpszDestAddress=\"7\""},
      {"lineSetMediaControl", "dwSelect=LINECALLSELECT_LINE"},
      {"lineGetDevConfig", "lpszDeviceClass=\"simpbx/trunk\""},
      {"lineGetDevCaps", "dwTSPIVersion=0x00020001"},  // not the inventory's version: the vendor is asked
      {"lineGetAddressCaps", "dwTSPIVersion=0x00020001"},
      {"phoneGetDevCaps", "dwTSPIVersion=0x00020001"},
      {"phoneGetButtonInfo", "dwButtonLampID=1"},
      {"lineSetDefaultMediaDetection", "dwMediaModes=LINEMEDIAMODE_INTERACTIVEVOICE"},
      {"lineSetStatusMessages", "dwLineStates=LINEDEVSTATE_RINGING"},
      {"phoneSetStatusMessages", "dwPhoneStates=PHONESTATE_LAMP"}};
  return kNeeded;
}

const char* object_for(ParamKind kind) {
  switch (kind) {
    case ParamKind::line: return "l";
    case ParamKind::call: return "c";
    case ParamKind::phone: return "p";
    case ParamKind::msp: return "m";
    default: return "NULL";
  }
}

bool names_device(const Function& function) {
  return std::any_of(function.params.begin(), function.params.end(), [](const Param& param) {
    return param.kind == ParamKind::line_device || param.kind == ParamKind::phone_device;
  });
}

bool makes_call(const Function& function) {
  return std::any_of(function.params.begin(), function.params.end(),
                     [](const Param& param) { return param.kind == ParamKind::new_call; });
}

/// A call of a function with good objects, but for the parameters in `other`.
std::string asking(const Function& function, const std::map<std::string, std::string>& other) {
  std::string line = "call " + function.name;
  const auto needed = needed_arguments().find(function.name);
  if (needed != needed_arguments().end()) line += " " + needed->second;  // the last that names a parameter counts
  for (const auto& param : function.params) {
    const auto given = other.find(param.name);
    if (given != other.end()) {
      line += " " + param.name + "=" + given->second;
    } else if (tapisim::is_handle_in(param.kind)) {
      line += " " + param.name + "=" + object_for(param.kind);
    }
  }
  for (const auto& [name, value] : other) {
    if (name.find('.') != std::string::npos) line += " " + name + "=" + value;
  }
  if (names_device(function)) line += function.name == "lineOpen" || function.name == "phoneOpen" ? " on 2" : " on 1";
  return line;
}

/// The same, and it fails, however it does.
std::string failing(const Function& function, const std::map<std::string, std::string>& other) {
  return asking(function, other) + (function.async ? "\nexpect completion any\n" : " fails any\n");
}

/// What else has to be said so that a handle is looked at.
std::map<std::string, std::string> around(const Function& function, const Param& param) {
  if (param.kind == ParamKind::call && function.find("dwSelect") >= 0) return {{"dwSelect", "LINECALLSELECT_CALL"}};
  // A conference is begun with a call or, without one, on a line.
  if (function.name == "lineSetupConference" && param.name == "hdLine") return {{"hdCall", "NULL"}};
  return {};
}

/// Another desktop has all devices open and is told of everything: nothing is left to ask the vendor for.
bool answered_by_host(const Function& function) {
  static const std::set<std::string> kAnswered = {"lineOpen", "lineSetStatusMessages", "phoneOpen",
                                                  "phoneSetStatusMessages"};
  return kAnswered.count(function.name) != 0;
}

bool can(const Function& function, const std::string& failure) {
  const auto all = failures_of(function);
  return std::find(all.begin(), all.end(), failure) != all.end();
}

}  // namespace

std::string bad_arguments() {
  std::string text = std::string(kBegin) + "msp create l address 0 as m\n";
  for (const auto& function : tapisim::functions()) {
    for (const auto& param : function.params) {
      const auto bad = [&](const std::string& failure, bool possible, const std::string& suffix,
                           const std::string& value) {
        if (!possible || !can(function, failure)) return;
        auto arguments = around(function, param);
        arguments[param.name + suffix] = value;
        text += failing(function, arguments);
      };
      const bool device = param.kind == ParamKind::line_device || param.kind == ParamKind::phone_device;
      const bool has_error = param.kind != ParamKind::msp && param.kind != ParamKind::dialog;
      bad("bad-handle", has_error && tapisim::is_handle_in(param.kind), "", "0xDEAD");
      bad("bad-device", device, "", "999");
      for (const char* size : {"16", "0"})
        bad("too-small", param.kind == ParamKind::struct_out, ".dwTotalSize", size);
    }
  }
  return text + kDrop + kLast;
}

std::string refusals(bool by_completion, bool shared) {
  std::string text = std::string(kBegin) + "msp create l address 0 as m\n";
  if (by_completion) text += "pbx habits refuse_late\n";
  for (const auto& function : tapisim::functions()) {
    if (!can(function, by_completion ? "failed" : "refused")) continue;
    if (shared && answered_by_host(function)) continue;
    // A handle is written before the return, which a habit of refusing everything late does not do.
    if (by_completion && makes_call(function)) continue;
    const bool phone = tapisim::starts_with(function.name, "phone");
    text += "pbx fail " + function.name +
            (phone ? " error=PHONEERR_RESOURCEUNAVAIL\n" : " error=LINEERR_RESOURCEUNAVAIL\n") +
            failing(function, {});
  }
  if (by_completion) text += "pbx habits none\n";
  return text + kDrop + kLast;
}

std::string questions() {
  std::string text = kBegin;
  for (const auto& function : tapisim::functions()) {
    const bool answers = std::any_of(function.params.begin(), function.params.end(),
                                     [](const Param& param) { return param.kind == ParamKind::struct_out; });
    if (answers) text += asking(function, {}) + "\n";
  }
  return text + kDrop;
}

std::string unavailable() {
  std::string text = kBegin;
  for (const auto& function : tapisim::functions()) {
    if (can(function, "unavailable")) text += failing(function, {});
  }
  return text + kDrop + kLast;
}

}  // namespace tsplink::conformance
