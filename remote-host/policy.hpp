// Who may use which lines and phones: a TOML file that maps certificates to devices and rights. Nothing is granted
// that it does not say. Owner: the host, which replaces it as a whole; a Policy never changes. Threads: any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "wire/description.hpp"

namespace tsplink::host {

/// A desktop as a policy sees it.
struct Holder {
  std::string subject;             // RFC 2253: "CN=desk-17,O=Example"
  std::vector<std::string> names;  // alternative names of its certificate
};

/// A line or phone as a policy sees it; texts are UTF-8.
struct DeviceFacts {
  bool phone = false;
  std::string provider;  // as the host's configuration names it
  std::string name;
  std::vector<std::string> addresses;
  std::uint32_t permanent = 0;
};

/// What a desktop may do with a line or phone. Local: nothing, it does not exist for that desktop.
struct Grant {
  wire::Right right = wire::Right::Local;
  bool msp_data = false;  // whether it gets and sends the MSP's data, which may hold media keys; with Control always
  bool operator==(const Grant&) const = default;
  bool exists() const { return right != wire::Right::Local; }
  bool allows(wire::Right needed) const { return needed == wire::Right::MspData ? msp_data : right >= needed; }
};

class Policy {
 public:
  /// Throws Failure(Configuration) with one sentence that names file, line and column.
  static Policy read(const std::filesystem::path& file);
  /// The same of what the file held.
  static Policy parse(const std::string& text, const std::filesystem::path& file);
  /// Everybody has the right to everything: for tests of other things.
  static Policy everything(wire::Right right);

  class Rules;
  /// What it says to one desktop: to be kept by who asks about many devices.
  Rules rules_for(const Holder& holder) const;
  Grant grant(const Holder& holder, const DeviceFacts& device) const;

  /// The lines of the file at which the grants begin that give this; in the file's order.
  std::vector<std::size_t> grants_for(const Holder& holder, const DeviceFacts& device) const;
  /// Those that match none of these devices, whoever asks: perhaps a name in them is misspelt.
  std::vector<std::size_t> grants_without(const std::vector<DeviceFacts>& devices) const;
  std::size_t size() const { return rules_.size(); }  // grants

 private:
  using Patterns = std::vector<std::string>;
  struct Holders {
    Patterns subjects;
    Patterns names;
    bool match(const Holder& holder) const;
  };
  struct Rule {
    std::vector<Holders> to;
    bool lines = true;
    bool phones = true;
    Patterns providers;  // these four: empty matches all
    Patterns device_names;
    Patterns addresses;
    std::vector<std::uint32_t> permanent_ids;
    Grant grant;
    std::size_t at = 0;  // line of the file
    bool match(const DeviceFacts& device) const;
    bool match(const Holder& holder) const;
  };
  friend class PolicyReader;

  std::vector<Rule> rules_;
};

/// The rules that are for one desktop; as long as their policy is there.
class Policy::Rules {
 public:
  /// The strongest of all that match.
  Grant grant(const DeviceFacts& device) const;

 private:
  friend class Policy;
  std::vector<const Rule*> rules_;
};

/// Whether a text is what a pattern says: "*" stands for any characters, "?" for one; the whole text is compared,
/// large and small letters are different.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace tsplink::host
