#include "remote-host/control/commands.hpp"

namespace tsplink::host::control {

namespace {

constexpr Column kStatus[] = {{"version", "Version"},
                              {"state", "State"},
                              {"uptime_s", "Running for", Show::Duration},
                              {"listen", "Desktops come to"},
                              {"sessions", "Desktops"},
                              {"lines", "Lines"},
                              {"phones", "Phones"},
                              {"calls", "Calls"},
                              {"providers", "Providers"},
                              {"policy", "Policy"},
                              {"policy_taken", "Policy taken"},
                              {"policy_problem", "Policy problem"},
                              {"certificate", "Certificate"},
                              {"certificate_expires", "Certificate ends"},
                              {"certificates_taken", "Certificates taken"},
                              {"revocations", "Revocation list"},
                              {"certificates_problem", "Certificates problem"},
                              {"log_level", "Log level"}};
constexpr Column kSessions[] = {{"number", "NUMBER"},     {"machine", "MACHINE"},   {"subject", "CERTIFICATE"},
                                {"address", "ADDRESS"},   {"since", "SINCE"},       {"opens", "OPENS"},
                                {"requests", "REQUESTS"}, {"id", "SESSION IN LOGS"}};
constexpr Column kLines[] = {
    {"kind", "KIND"},       {"provider", "PROVIDER"}, {"name", "NAME"},   {"addresses", "ADDRESSES"},
    {"permanent_id", "ID"}, {"state", "STATE"},       {"calls", "CALLS"}, {"desktops", "DESKTOPS (NUMBER, RIGHT)"}};
constexpr Column kCalls[] = {{"id", "CALL"},
                             {"provider", "PROVIDER"},
                             {"line", "LINE"},
                             {"state", "STATE"},
                             {"origin", "ORIGIN"},
                             {"since", "SINCE"},
                             {"desktops", "DESKTOPS (NUMBER, PRIVILEGE)"}};
constexpr Column kProviders[] = {
    {"name", "NAME"},       {"state", "STATE"},   {"uptime_s", "RUNNING FOR", Show::Duration},
    {"lines", "LINES"},     {"phones", "PHONES"}, {"requests", "REQUESTS"},
    {"running", "RUNNING"}, {"stuck", "STUCK"},   {"module", "MODULE"}};
constexpr Column kGranted[] = {
    {"kind", "KIND"},       {"provider", "PROVIDER"}, {"name", "NAME"},         {"addresses", "ADDRESSES"},
    {"permanent_id", "ID"}, {"right", "RIGHT"},       {"msp_data", "MSP DATA"}, {"grants", "GRANTS (LINE OF FILE)"}};
constexpr Column kUnmatched[] = {{"line", "LINE OF FILE"}};
constexpr Column kHolder[] = {{"subject", "Certificate"}, {"names", "Names"}, {"policy", "Policy"}};

constexpr Part kStatusParts[] = {{"status", false, kStatus}};
constexpr Part kSessionsParts[] = {{"sessions", true, kSessions}};
constexpr Part kLinesParts[] = {{"lines", true, kLines}};
constexpr Part kCallsParts[] = {{"calls", true, kCalls}};
constexpr Part kProvidersParts[] = {{"providers", true, kProviders}};
constexpr Part kShowParts[] = {
    {"as", false, kHolder},
    {"devices", true, kGranted, "What it gets:"},
    {"unmatched", true, kUnmatched, "Grants that match no line or phone there is, for any certificate:", true}};

constexpr Argument kFile[] = {{"file", "FILE", "policy file (TOML)"}};
constexpr Argument kWho[] = {{"desktop", "SESSION|MACHINE", "its number or machine as `sessions` shows them"},
                             {"reason", "TEXT", "what the desktop's log says of it", false, false}};
constexpr Argument kLevel[] = {{"level", "LEVEL", "trace, debug, info, warn or error"}};
constexpr Argument kAs[] = {{"as", "CERTIFICATE", "PEM file, or a subject such as \"CN=desk-17,O=Example\"", false},
                            {"names", "NAMES", nullptr, false, false, true}};  // the certificate's others

constexpr Command kCommands[] = {
    {"status", "the host at a glance", {}, kStatusParts},
    {"sessions", "the desktops that are connected", {}, kSessionsParts},
    {"lines", "lines and phones, and which desktops have them open", {}, kLinesParts},
    {"calls", "the calls that desktops have", {}, kCallsParts},
    {"providers", "the vendors' drivers", {}, kProvidersParts},
    {"policy check", "say whether a policy file is valid; needs no host", kFile, {}, true},
    {"policy show", "what a certificate gets by the policy in force, and by which grants", kAs, kShowParts},
    {"kick", "end a desktop's session; it may come back", kWho, {}},
    {"reload", "take the policy file and the certificates now", {}, {}},
    {"log level", "change what the host logs, until it ends", kLevel, {}},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view words) {
  for (const auto& command : kCommands) {
    if (words == command.words) return &command;
  }
  return nullptr;
}

}  // namespace tsplink::host::control
