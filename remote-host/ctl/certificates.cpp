#include "remote-host/ctl/certificates.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "security/authority.hpp"
#include "security/errors.hpp"
#include "wire/system.hpp"

namespace tsplink::ctl {
namespace {

using namespace security;
using std::chrono::days;

constexpr char kReload[] =
    "Copy revocations.crl to each host that names it as tls.revocations; it holds there within seconds "
    "(\"tsplinkctl status\" says when it was taken).\n";

/// What the options of all verbs say; each verb adds those that it takes.
struct Options {
  std::string folder;
  bool json = false;
  std::vector<std::string> names;
  Subject subject;
  std::vector<std::string> alternative_names;
  int days = 365, list_days = 365, within = 30;
  bool new_key = false;
  // The authority's key, and a new one for a host or desktop.
  std::string passphrase_file, key_passphrase_file;
  bool ask = false, ask_key = false;
};

// ---- What is shown of a certificate, in tables and as JSON

struct Column {
  const char* title;
  const char* key;
  std::string (*text)(const Record&);
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

const Column kColumns[] = {
    {"NAME", "name", [](const Record& r) { return r.name; }},
    {"KIND", "kind", [](const Record& r) { return std::string(word(r.usage)); }},
    {"STATE", "state", [](const Record& r) { return std::string(word(r.standing)); }},
    {"NOT AFTER", "not_after", [](const Record& r) { return rfc3339(r.certificate.not_after); }},
    {"SERIAL", "serial", [](const Record& r) { return r.certificate.serial; }},
    {"SUBJECT", "subject", [](const Record& r) { return r.certificate.subject; }},
    {"NAMES", "names", [](const Record& r) { return joined(r.certificate.alternative_names); }},
};

/// Characters, not bytes: a name may have any.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void print_table(std::ostream& to, const std::vector<Record>& records) {
  std::vector<std::vector<std::string>> lines(records.size() + 1);
  for (const Column& column : kColumns) {
    lines[0].emplace_back(column.title);
    for (std::size_t i = 0; i < records.size(); ++i) lines[i + 1].push_back(column.text(records[i]));
    std::size_t widest = 0;
    for (const auto& line : lines) widest = std::max(widest, width_of(line.back()));
    for (auto& line : lines) line.back() += std::string(widest - width_of(line.back()) + 2, ' ');
  }
  for (const auto& line : lines) {
    std::string text;
    for (const std::string& cell : line) text += cell;
    to << text.substr(0, text.find_last_not_of(' ') + 1) << '\n';
  }
}

void print_json(std::ostream& to, const std::vector<Record>& records, const Revocations* revocations) {
  toml::array list;
  for (const Record& record : records) {
    toml::table entry;
    for (const Column& column : kColumns) entry.insert(column.key, column.text(record));
    toml::array names;
    for (const std::string& name : record.certificate.alternative_names) names.push_back(name);
    entry.insert_or_assign("names", std::move(names));
    list.push_back(std::move(entry));
  }
  toml::table all;
  all.insert("certificates", std::move(list));
  if (revocations != nullptr) {
    all.insert("revocations",
               toml::table{{"number", revocations->number}, {"not_after", rfc3339(revocations->not_after)}});
  }
  to << toml::json_formatter{all} << '\n';
}

// ---- The verbs

struct Command {
  Options options;
  CertificatesOutput output;
  int& status;

  std::filesystem::path folder() const { return wire::path_of(options.folder); }

  void show(const std::vector<Record>& records, const std::string& advice,
            const Revocations* revocations = nullptr) const {
    if (options.json) return print_json(output.to, records, revocations);
    if (!records.empty()) print_table(output.to, records);
    output.to << advice;
  }

  AuthorityOptions with(std::string passphrase) const {
    AuthorityOptions result;
    result.passphrase = std::move(passphrase);
    result.now = output.now;
    result.list_validity = days(options.list_days);
    return result;
  }

  static std::string passphrase(const std::string& file, bool ask, bool is_new, const std::string& of) {
    if (!file.empty()) return read_passphrase(wire::path_of(file));
    return ask ? ask_passphrase(of, is_new) : std::string();
  }
  /// Of a host's or desktop's new key.
  std::string key_passphrase(const std::string& name) const {
    return passphrase(options.key_passphrase_file, options.ask_key, true, "the key of " + name);
  }

  /// Asked before the folder is locked, so that nobody waits for somebody who types.
  AuthorityFolder open() const {
    const bool encrypted = AuthorityFolder::needs_passphrase(folder());
    return AuthorityFolder(
        folder(),
        with(encrypted ? passphrase(options.passphrase_file, true, false, "authority.key") : std::string()));
  }

  /// A validity that ran into the authority's end is said.
  std::string shortened(const std::vector<Record>& made) const {
    const auto wanted = output.now + days(options.days);
    const bool cut = std::any_of(made.begin(), made.end(), [&](const Record& record) {
      return record.certificate.not_after + std::chrono::seconds(2) < wanted;
    });
    return cut ? "Shortened: nothing is valid longer than its authority.\n" : "";
  }

  void init() const {
    const Record made =
        AuthorityFolder::create(folder(), options.subject, days(options.days),
                                with(passphrase(options.passphrase_file, options.ask, true, "authority.key")));
    show({made},
         "Keep authority.key in a safe place, it never goes to a host or desktop; authority.crt goes to all.\n");
  }

  /// Makes one for each name; when one is refused, those before it are shown all the same.
  std::vector<Record> each(const std::vector<std::string>& names,
                           const std::function<Record(const std::string&)>& make) const {
    std::vector<Record> made;
    try {
      for (const std::string& name : names) made.push_back(make(name));
    } catch (...) {
      if (!made.empty()) show(made, "Those are made; the next was refused.\n");
      throw;
    }
    return made;
  }

  void issue(Usage usage) const {
    AuthorityFolder authority = open();
    const bool host = usage == Usage::Host;
    const auto made = each(host && options.names.empty() ? std::vector<std::string>{""} : options.names,
                           [&](const std::string& name) {
                             Request request{usage,
                                             name,
                                             options.subject,
                                             options.alternative_names,
                                             days(options.days),
                                             key_passphrase(host ? "the host" : name)};
                             if (request.subject.common_name.empty()) {
                               request.subject.common_name = host ? "tsplink host" : name;
                             }
                             return authority.issue(request);
                           });
    const std::string& file = made.front().name;
    show(made, shortened(made) + "Each machine gets " + file +
                   (made.size() > 1 ? ".crt and .key, or those of its own name" : ".crt, " + file + ".key") +
                   ", authority.crt and, if it checks revocations, revocations.crl.\n");
  }

  void renew() const {
    AuthorityFolder authority = open();
    const auto made = each(options.names, [&](const std::string& name) {
      return authority.renew(name, days(options.days), options.new_key,
                             options.new_key ? key_passphrase(name) : std::string());
    });
    show(made, shortened(made) + "Each machine gets its new .crt" +
                   (options.new_key ? " and .key" : "; its key is the same") +
                   ". What was renewed is admitted until it ends: to end it now, revoke it by its serial number.\n");
  }

  void revoke() const {
    const auto revoked = open().revoke(options.names);
    const auto list = AuthorityFolder::inventory(folder(), output.now).revocations;
    show(revoked, list_line(list) + kReload, &list);
  }

  void revocations() const {
    const auto list = open().renew_revocations();
    show({}, list_line(list) + kReload, &list);
  }

  static std::string list_line(const Revocations& list) {
    return "Revocation list " + list.number + ", valid until " + rfc3339(list.not_after) + ".\n";
  }

  void list() const {
    const auto found = AuthorityFolder::inventory(folder(), output.now);
    show(found.records, list_line(found.revocations), &found.revocations);
  }

  void expiring() const {
    auto found = AuthorityFolder::inventory(folder(), output.now);
    const auto end = output.now + days(options.within);
    const std::string within = " within " + std::to_string(options.within) + " days";
    // Those that were renewed or revoked need nothing.
    std::erase_if(found.records, [&](const Record& record) {
      return record.standing == Standing::Replaced || record.standing == Standing::Revoked ||
             record.certificate.not_after > end;
    });
    const bool list = found.revocations.not_after <= end;
    if (list || !found.records.empty()) status = 1;
    std::string advice = found.records.empty() ? "No certificate ends" + within + ".\n" : "Renew what is in use.\n";
    if (list)
      advice += "The revocation list ends" + within + ", on " + rfc3339(found.revocations.not_after) +
                ": write it again with \"revocations\", or nobody is admitted then.\n";
    show(found.records, advice, &found.revocations);
  }
};

// ---- The verbs' options

void take_key_passphrase(CLI::App& verb, Options& options) {
  auto* file = verb.add_option("--key-passphrase-file", options.key_passphrase_file,
                               "encrypt the new key; the file's first line is the passphrase")
                   ->type_name("FILE");
  verb.add_flag("--ask-key-passphrase", options.ask_key, "the same, asked on the terminal")->excludes(file);
}
void take_passphrase(CLI::App& verb, Options& options) {
  verb.add_option("--passphrase-file", options.passphrase_file,
                  "its first line is the passphrase of authority.key; without it, it is asked where it is needed")
      ->type_name("FILE");
}
void take_days(CLI::App& verb, Options& options) {
  verb.add_option("--days", options.days, "validity, never longer than the authority's")
      ->type_name("N")
      ->capture_default_str();
}
void take_list_days(CLI::App& verb, Options& options) {
  verb.add_option("--list-days", options.list_days,
                  "how long the revocation list is valid; then it must be written again")
      ->type_name("N")
      ->capture_default_str();
}
void take_organization(CLI::App& verb, Options& options) {
  verb.add_option("--organization", options.subject.organization, "O of the subject")->type_name("TEXT");
}
void take_names(CLI::App& verb, Options& options, const char* description) {
  verb.add_option("NAME", options.names, description)->type_name("")->required();
}

struct Verb {
  const char* name;
  const char* description;
  const char* example;
  void (*options)(CLI::App&, Options&);
  void (*run)(const Command&);
};

const Verb kVerbs[] = {
    {"init", "make an authority in a new folder", "--dir pki --organization Example --ask-passphrase",
     [](CLI::App& verb, Options& options) {
       options.subject.common_name = "tsplink authority";
       options.days = 3650;
       verb.add_option("--common-name", options.subject.common_name, "CN of the subject")
           ->type_name("TEXT")
           ->capture_default_str();
       take_organization(verb, options);
       take_days(verb, options);
       take_list_days(verb, options);
       auto* file = verb.add_option("--passphrase-file", options.passphrase_file,
                                    "encrypt authority.key; the file's first line is the passphrase")
                        ->type_name("FILE");
       verb.add_flag("--ask-passphrase", options.ask, "the same, asked on the terminal")->excludes(file);
     },
     [](const Command& command) { command.init(); }},
    {"host", "issue a host's certificate", "--dir pki pbx.example 192.0.2.10",
     [](CLI::App& verb, Options& options) {
       verb.add_option("ADDRESS", options.alternative_names,
                       "names and IP addresses by which desktops reach the host")
           ->type_name("")
           ->required();
       verb.add_option_function<std::string>(
               "--name", [&options](const std::string& name) { options.names = {name}; },
               "of a further host: its files are host-NAME.crt and host-NAME.key")
           ->type_name("NAME");
       verb.add_option("--common-name", options.subject.common_name, "CN of the subject [tsplink host]")
           ->type_name("TEXT");
       take_organization(verb, options);
       take_days(verb, options);
       take_passphrase(verb, options);
       take_key_passphrase(verb, options);
     },
     [](const Command& command) { command.issue(Usage::Host); }},
    {"desktop", "issue desktops' certificates", "--dir pki desk1 desk2 --organization Example",
     [](CLI::App& verb, Options& options) {
       take_names(verb, options, "of the files, desktop-NAME.crt and desktop-NAME.key, and CN of the subject");
       verb.add_option("--common-name", options.subject.common_name, "another CN, which may have any characters")
           ->type_name("TEXT");
       take_organization(verb, options);
       verb.add_option("--dns", options.alternative_names, "alternative name, which policies can match by \"name:\"")
           ->type_name("NAME");
       take_days(verb, options);
       take_passphrase(verb, options);
       take_key_passphrase(verb, options);
     },
     [](const Command& command) { command.issue(Usage::Desktop); }},
    {"renew", "issue again, with the same subject, names and key", "--dir pki host desk1",
     [](CLI::App& verb, Options& options) {
       take_names(verb, options, "as in the list; \"desktop-\" or \"host-\" may be left out");
       auto* fresh = verb.add_flag("--new-key", options.new_key, "make a new key, too");
       take_days(verb, options);
       take_passphrase(verb, options);
       take_key_passphrase(verb, options);
       verb.get_option("--key-passphrase-file")->needs(fresh);
       verb.get_option("--ask-key-passphrase")->needs(fresh);
     },
     [](const Command& command) { command.renew(); }},
    {"revoke", "end certificates before their time, and write revocations.crl", "--dir pki desk1",
     [](CLI::App& verb, Options& options) {
       take_names(verb, options, "all certificates of that name, or the one with that serial number");
       take_list_days(verb, options);
       take_passphrase(verb, options);
     },
     [](const Command& command) { command.revoke(); }},
    {"revocations", "write revocations.crl again, before it ends", "--dir pki",
     [](CLI::App& verb, Options& options) {
       take_list_days(verb, options);
       take_passphrase(verb, options);
     },
     [](const Command& command) { command.revocations(); }},
    {"list", "show what was issued", "--dir pki --json", [](CLI::App&, Options&) {},
     [](const Command& command) { command.list(); }},
    {"expiring", "show what ends soon; exit status 1 if something does", "--dir pki --within 60",
     [](CLI::App& verb, Options& options) {
       verb.add_option("--within", options.within, "days from now")->type_name("N")->capture_default_str();
     },
     [](const Command& command) { command.expiring(); }},
};

}  // namespace

void add_certificates(CLI::App& program, const CertificatesOutput& output, int& status) {
  auto* certificates =
      program.add_subcommand("certificates", "make an authority; issue, renew and revoke certificates");
  certificates->require_subcommand(1);
  std::string examples = "Examples:\n";
  for (const Verb& verb : kVerbs) {
    const std::string example = "  " + program.get_name() + " certificates " + verb.name + " " + verb.example + "\n";
    examples += example;
    auto* sub = certificates->add_subcommand(verb.name, verb.description);
    sub->footer("Example:\n" + example);
    const auto command = std::make_shared<Command>(Command{{}, output, status});
    Options& options = command->options;
    sub->add_option("--dir", options.folder, "the authority's folder")->type_name("DIR")->required();
    sub->add_flag("--json", options.json, "print for programs");
    verb.options(*sub, options);
    for (auto* number : sub->get_options([](const CLI::Option* option) { return option->get_type_name() == "N"; })) {
      number->check(CLI::Range(1, 36500));
    }
    sub->callback([command, &verb] {
      const Options& given = command->options;
      if (given.names.size() > 1 && !given.subject.common_name.empty()) {
        throw Error("--common-name is for one certificate at a time: name one only");
      }
      verb.run(*command);
    });
  }
  certificates->footer(examples);
}

}  // namespace tsplink::ctl
