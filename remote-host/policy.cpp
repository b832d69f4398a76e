#include "remote-host/policy.hpp"

#include <algorithm>

#include "remote-host/toml_section.hpp"

namespace tsplink::host {

namespace {

constexpr std::string_view kGroup = "group:";
constexpr std::string_view kName = "name:";

bool starts_with(const std::string& text, std::string_view begin) {
  return text.compare(0, begin.size(), begin) == 0;
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& each) { return matches(each, text); });
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  // Back to the last "*" when the rest does not fit: linear in the product of both lengths, whatever the pattern.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      ++t;
      while (t < text.size() && (static_cast<unsigned char>(text[t]) & 0xC0U) == 0x80U)
        ++t;  // one character of UTF-8
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Policy::Holders::match(const Holder& holder) const {
  return any_matches(subjects, holder.subject) ||
         std::any_of(holder.names.begin(), holder.names.end(),
                     [&](const auto& name) { return any_matches(names, name); });
}

bool Policy::Rule::match(const Holder& holder) const {
  return std::any_of(to.begin(), to.end(), [&](const auto& each) { return each.match(holder); });
}

bool Policy::Rule::match(const DeviceFacts& device) const {
  const auto by = [](const Patterns& patterns, const std::string& text) {
    return patterns.empty() || any_matches(patterns, text);
  };
  if (device.phone ? !phones : !lines) return false;
  if (!by(providers, device.provider) || !by(device_names, device.name)) return false;
  const auto& all = device.addresses;
  if (!addresses.empty() &&
      std::none_of(all.begin(), all.end(), [&](const auto& each) { return any_matches(addresses, each); })) {
    return false;
  }
  const auto& ids = permanent_ids;
  return ids.empty() || std::find(ids.begin(), ids.end(), device.permanent) != ids.end();
}

Grant Policy::Rules::grant(const DeviceFacts& device) const {
  Grant all;
  for (const auto* rule : rules_) {
    if (!rule->match(device)) continue;
    all.right = std::max(all.right, rule->grant.right);
    all.msp_data = all.msp_data || rule->grant.msp_data;
  }
  all.msp_data = all.msp_data || all.right == wire::Right::Control;
  return all;
}

Policy::Rules Policy::rules_for(const Holder& holder) const {
  Rules found;
  for (const auto& rule : rules_) {
    if (rule.match(holder)) found.rules_.push_back(&rule);
  }
  return found;
}

Grant Policy::grant(const Holder& holder, const DeviceFacts& device) const { return rules_for(holder).grant(device); }

std::vector<std::size_t> Policy::grants_for(const Holder& holder, const DeviceFacts& device) const {
  const auto rules = rules_for(holder);
  const auto all = rules.grant(device);
  std::vector<std::size_t> found;
  for (const auto* rule : rules.rules_) {
    const bool gives = rule->grant.right == all.right || (rule->grant.msp_data && all.right == wire::Right::Monitor);
    if (gives && rule->match(device)) found.push_back(rule->at);
  }
  return found;
}

std::vector<std::size_t> Policy::grants_without(const std::vector<DeviceFacts>& devices) const {
  std::vector<std::size_t> found;
  for (const auto& rule : rules_) {
    if (std::none_of(devices.begin(), devices.end(), [&](const auto& each) { return rule.match(each); }))
      found.push_back(rule.at);
  }
  return found;
}

Policy Policy::everything(wire::Right right) {
  Policy policy;
  Rule rule;
  rule.to.push_back({{"*"}, {}});
  rule.grant.right = right;
  policy.rules_.push_back(std::move(rule));
  return policy;
}

class PolicyReader {
 public:
  using Holders = Policy::Holders;

  PolicyReader(const std::filesystem::path& file, toml::table table) : file_(file), table_(std::move(table)) {}

  Policy read() {
    Section root(file_, "", &table_);
    root.only({"groups", "grant"});
    read_groups(root.table("groups"));
    const auto* node = root.take("grant");
    const auto* list = node ? node->as_array() : nullptr;
    if (node && !list) root.refuse(node, "grant must be a list of tables, [[grant]].");
    Policy policy;
    if (!list) return policy;
    for (const auto& each : *list) {
      if (!each.is_table()) root.refuse(&each, "grant must be a list of tables, [[grant]].");
      policy.rules_.push_back(read_rule(each));
    }
    return policy;
  }

 private:
  /// One member: a pattern of a subject, or of an alternative name.
  static void add(const Section& section, const toml::node* at, Holders& holders, const std::string& text) {
    if (starts_with(text, kName)) {
      holders.names.push_back(text.substr(kName.size()));
    } else {
      if (text.find_first_of("=*?") == std::string::npos) {
        section.refuse(at, "\"" + text +
                               "\" is no certificate; write a subject as the host's log has it (\"CN=...\"), " +
                               "\"name:\" and an alternative name, or \"group:\" and a name of [groups].");
      }
      holders.subjects.push_back(text);
    }
  }

  void read_groups(const toml::table* groups) {
    if (!groups) return;
    Section section(file_, "groups", groups);
    for (const auto& [key, node] : *groups) {
      const std::string name(key.str());
      auto& holders = groups_[name];
      for (const auto& [text, at] : section.texts(name)) {
        if (starts_with(text, kGroup)) section.refuse(at, "a group cannot hold groups; list its certificates.");
        add(section, at, holders, text);
      }
    }
  }

  Policy::Rule read_rule(const toml::node& node) {
    Section section(file_, "grant", node.as_table());
    section.only({"to", "right", "kind", "provider", "name", "address", "permanent_id", "msp_data"});
    Policy::Rule rule;
    Holders single;
    const auto to = section.texts("to");
    if (to.empty()) section.refuse(&node, "grant.to is missing; name certificates, or \"*\" for all of them.");
    for (const auto& [text, at] : to) {
      if (!starts_with(text, kGroup)) {
        add(section, at, single, text);
        continue;
      }
      const auto group = groups_.find(text.substr(kGroup.size()));
      if (group == groups_.end()) section.refuse(at, "there is no " + text + "; add it to [groups].");
      rule.to.push_back(group->second);
    }
    rule.to.push_back(std::move(single));

    const auto right = section.text("right", "");
    if (right == "control") {
      rule.grant.right = wire::Right::Control;
    } else if (right == "monitor") {
      rule.grant.right = wire::Right::Monitor;
    } else {
      const auto* at = section.take("right");
      section.refuse(at ? at : &node, "grant.right must be \"monitor\" or \"control\".");
    }
    const auto kind = section.text("kind", "any");
    if (kind != "any" && kind != "line" && kind != "phone") {
      section.refuse(section.take("kind"), "grant.kind must be \"line\", \"phone\" or \"any\".");
    }
    rule.lines = kind != "phone";
    rule.phones = kind != "line";
    const auto patterns = [&](const char* key) {
      Policy::Patterns found;
      for (const auto& [text, at] : section.texts(key)) found.push_back(text);
      return found;
    };
    rule.providers = patterns("provider");
    rule.device_names = patterns("name");
    rule.addresses = patterns("address");
    if (kind == "phone" && !rule.addresses.empty()) {
      section.refuse(section.take("address"), "phones have no addresses; choose them by name or permanent_id.");
    }
    rule.permanent_ids = section.numbers("permanent_id");
    rule.grant.msp_data = section.flag("msp_data", false);
    if (const auto* at = section.take("msp_data"); at && right == "control") {
      section.refuse(at, "grant.msp_data is for right = \"monitor\": who controls a line gets its MSP data.");
    }
    rule.at = node.source().begin.line;
    return rule;
  }

  const std::filesystem::path file_;
  const toml::table table_;
  std::map<std::string, Holders> groups_;
};

Policy Policy::read(const std::filesystem::path& file) {
  return parse(read_text(file, "policy file", "create it, or correct its name"), file);
}

Policy Policy::parse(const std::string& text, const std::filesystem::path& file) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw Failure(Kind::Configuration,
                  file.string() + " is empty, as one that was not written to its end; a policy that grants " +
                      "nothing has at least a comment.");
  }
  return PolicyReader(file, parse_toml(text, file)).read();
}

}  // namespace tsplink::host
