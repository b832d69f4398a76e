#include "remote-host/ctl/program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "remote-host/config.hpp"
#include "remote-host/control/commands.hpp"
#include "remote-host/control/server.hpp"
#include "remote-host/ctl/certificates.hpp"
#include "remote-host/ctl/table.hpp"
#include "remote-host/policy.hpp"
#include "security/certificate.hpp"
#include "wire/failure.hpp"
#include "wire/system.hpp"

namespace tsplink::host::ctl {

namespace {

using Json = nlohmann::ordered_json;
constexpr int kRefused = 1;
constexpr int kUsage = 2;
constexpr std::chrono::seconds kPatience{10};

/// What the host refuses, or a file that has a mistake.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Options {
  std::string config;
  std::string socket;
  bool json = false;
  const control::Command* command = nullptr;
  std::map<std::string, std::string> arguments;
};

/// The application of "policy" for "policy check", made when it is not there yet.
CLI::App& parent_of(CLI::App& app, std::string_view words) {
  const auto space = words.find(' ');
  if (space == std::string_view::npos) return app;
  const std::string first(words.substr(0, space));
  const auto there = app.get_subcommands([&](const CLI::App* each) { return each->get_name() == first; });
  auto* found = there.empty() ? app.add_subcommand(first)->require_subcommand(1) : there.front();
  std::string all;
  for (const auto& command : control::commands()) {
    const std::string_view each = command.words;
    if (each.substr(0, space + 1) == words.substr(0, space + 1))
      all += (all.empty() ? "" : "; ") + std::string(each.substr(space + 1)) + ": " + command.help;
  }
  found->description(all);
  return *found;
}

void add(CLI::App& app, const control::Command& command, Options& options) {
  const std::string_view words = command.words;
  auto& parent = parent_of(app, words);
  auto* added = parent.add_subcommand(std::string(words.substr(words.rfind(' ') + 1)), command.help);
  added->callback([&] { options.command = &command; });
  for (const auto& argument : command.arguments) {
    if (!argument.help) continue;
    // CLI11 takes a description into its own pair of brackets; the name there is the value's.
    auto* option = added->add_option_function<std::string>(
        (argument.plain ? "" : "--") + std::string(argument.name),
        [&options, &argument](const std::string& value) { options.arguments[argument.name] = value; }, argument.help);
    option->type_name(argument.value);
    if (argument.needed) option->required();
  }
}

Json check_policy(const std::string& file) {
  try {
    const auto grants = Policy::read(wire::path_of(file)).size();
    return {{"message", file + ": the policy is valid, " + std::to_string(grants) + " grants."}};
  } catch (const Failure& failure) {
    throw Refused(failure.what());
  }
}

/// The subject and names of a certificate file, or a subject as it is.
void name_certificate(Json& arguments) {
  const auto given = arguments["as"].get<std::string>();
  const auto file = wire::path_of(given);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(file, ignored)) {
    const auto certificate = security::certificate_in(file);
    arguments["as"] = certificate.subject;
    arguments["names"] = certificate.alternative_names;
  } else if (given.find('=') == std::string::npos) {
    throw Failure(Kind::Configuration, "\"" + given +
                                           "\" is no file and no subject; give a PEM file, or a subject "
                                           "such as \"CN=desk-17,O=Example\".");
  }
}

std::string socket_of(const Options& options) {
  if (!options.socket.empty()) return control::socket_of(std::filesystem::current_path() / "host", options.socket);
  if (options.config.empty()) {
    throw Failure(Kind::Configuration, "Which host? Name its configuration by --config or its socket by --socket.");
  }
  const auto socket = read_control_config(wire::path_of(options.config)).socket;
  if (socket.empty()) {
    throw Failure(Kind::Configuration,
                  options.config + ": control.socket is empty, which keeps tsplinkctl out; name a socket there.");
  }
  return socket;
}

Json ask_host(const Options& options) {
  Json arguments = options.arguments;
  if (arguments.is_null()) arguments = Json::object();
  if (arguments.contains("as")) name_certificate(arguments);
  const Json request = {{"command", options.command->words}, {"arguments", arguments}};
  const auto text =
      control::ask(socket_of(options), request.dump(-1, ' ', false, Json::error_handler_t::replace), kPatience);
  const auto answer = Json::parse(text, nullptr, false);
  if (!answer.is_object()) throw Failure(Kind::Malformed, "What answers there is no tsplink-host; correct --socket.");
  if (const auto error = answer.find("error"); error != answer.end())
    throw Refused(error->is_string() ? error->get<std::string>() : "The host refused.");
  return answer;
}

int carry_out(const Options& options, std::ostream& out) {
  const auto answer = options.command->local ? check_policy(options.arguments.at("file")) : ask_host(options);
  out << (options.json ? answer.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                       : to_text(*options.command, answer));
  return 0;
}

}  // namespace

int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& errors) {
  CLI::App app("Shows and steers a tsplink-host that runs on this machine.", "tsplinkctl");
  app.allow_windows_style_options(false);  // "/folder/file" is a path
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", std::string("tsplinkctl ") + TSPLINK_VERSION);
  Options options;
  app.add_option("--config", options.config, "the host's configuration file, which says where it is reached")
      ->type_name("FILE")
      ->envname("TSPLINK_HOST_CONFIG");
  app.add_option("--socket", options.socket, "where it is reached, instead of --config")->type_name("SOCKET");
  app.add_flag("--json", options.json, "print JSON, for programs");
  for (const auto& command : control::commands()) add(app, command, options);
  // One that is more than an exchange with the host: it is carried out within parse().
  int status = 0;
  const tsplink::ctl::CertificatesOutput certificates{out};
  tsplink::ctl::add_certificates(app, certificates, status);
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
    return options.command ? carry_out(options, out) : status;
  } catch (const CLI::ParseError& failure) {
    return app.exit(failure, out, errors) == 0 ? 0 : kUsage;
  } catch (const Refused& failure) {
    errors << "tsplinkctl: " << printable(failure.what()) << '\n';
    return kRefused;
  } catch (const std::exception& failure) {
    errors << "tsplinkctl: " << printable(failure.what()) << '\n';
    return kUsage;
  }
}

}  // namespace tsplink::host::ctl
