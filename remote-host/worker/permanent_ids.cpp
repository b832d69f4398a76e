#include "remote-host/worker/permanent_ids.hpp"

#include <set>
#include <sstream>

#include "remote-host/log.hpp"
#include "remote-host/platform.hpp"
#include "remote-host/toml_section.hpp"
#include "remote-host/worker/text_hash.hpp"

namespace tsplink::host {

PermanentIds::PermanentIds(std::string site, std::filesystem::path file)
    : site_(std::move(site)), file_(std::move(file)) {
  std::error_code ignored;
  if (!file_.empty() && std::filesystem::exists(file_, ignored)) ids_ = read(file_);
  for (const auto& [name, id] : ids_) taken_.emplace(id, name);
}

std::uint32_t PermanentIds::hash(const Name& name) const {
  const auto& [provider, phone, vendor_id, nth] = name;
  const std::string text = (site_.empty() ? "" : site_ + "/") + provider + (phone ? "/phone/" : "/line/") +
                           std::to_string(vendor_id) + "/" + std::to_string(nth);
  return text_hash(text);
}

std::uint32_t PermanentIds::of(const std::string& provider, bool phone, std::uint32_t vendor_id, std::uint32_t nth) {
  const std::lock_guard lock(mutex_);
  const Name name{provider, phone, vendor_id, nth};
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  std::uint32_t id = hash(name);
  while (id == 0 || taken_.count(id) != 0) ++id;
  taken_.emplace(id, name);
  ids_.emplace(name, id);
  stored_ = false;
  return id;
}

PermanentIds::Ids PermanentIds::read(const std::filesystem::path& table) const {
  const auto text = read_toml(table, "table of permanent ids", "make one with --export-ids");
  Section root(table, "", &text);
  root.only({"site", "device"});
  if (const auto site = root.text("site", ""); site != site_) {
    root.refuse(root.take("site"),
                "these are the permanent ids of site \"" + site + "\", and this host is of site \"" + site_ +
                    "\"; give it that site, or permanent_ids another file: then desktops see all lines as new ones.");
  }
  Ids ids;
  std::set<std::uint32_t> used;
  const auto* node = root.take("device");
  const auto* list = node ? node->as_array() : nullptr;
  if (node && !list) root.refuse(node, "device must be a list of tables, [[device]].");
  if (!list) return ids;
  for (const auto& each : *list) {
    if (!each.is_table()) root.refuse(&each, "device must be a list of tables, [[device]].");
    Section section(table, "device", each.as_table());
    section.only({"provider", "kind", "vendor_id", "nth", "id"});
    const auto kind = section.text("kind", "");
    if (kind != "line" && kind != "phone") section.refuse(&each, "device.kind must be \"line\" or \"phone\".");
    const Name name{section.text("provider", ""), kind == "phone", section.number("vendor_id", 0, 0, 0xFFFFFFFF),
                    section.number("nth", 0, 0, 0xFFFFFFFF)};
    const auto id = section.number("id", 0, 0, 0xFFFFFFFF);
    if (id == 0) section.refuse(&each, "device.id is missing.");
    if (!used.insert(id).second) section.refuse(&each, "device.id " + std::to_string(id) + " is there twice.");
    if (!ids.emplace(name, id).second) section.refuse(&each, "this device is there twice.");
  }
  return ids;
}

std::size_t PermanentIds::add(const std::filesystem::path& table) {
  const auto others = read(table);
  const std::lock_guard lock(mutex_);
  for (const auto& [name, id] : others) {
    const auto mine = ids_.find(name);
    const auto taken = taken_.find(id);
    if ((mine != ids_.end() && mine->second != id) || (taken != taken_.end() && taken->second != name)) {
      throw Failure(Kind::Configuration,
                    table.string() + ": " + std::get<0>(name) + "'s " + (std::get<1>(name) ? "phone " : "line ") +
                        std::to_string(std::get<2>(name)) + " has permanent id " + std::to_string(id) +
                        " there, which is not so here; nothing is taken. Remove this host's own table " +
                        file_.string() + " if no desktop has used it yet.");
    }
  }
  const auto before = ids_.size();
  for (const auto& [name, id] : others) {
    ids_.emplace(name, id);
    taken_.emplace(id, name);
  }
  if (!file_.empty()) write(file_);
  return ids_.size() - before;
}

void PermanentIds::store() {
  const std::lock_guard lock(mutex_);
  if (stored_ || file_.empty()) return;
  try {
    // What was imported meanwhile stays.
    std::error_code ignored;
    if (std::filesystem::exists(file_, ignored)) {
      for (const auto& [name, id] : read(file_)) {
        if (taken_.count(id) == 0 && ids_.emplace(name, id).second) taken_.emplace(id, name);
      }
    }
    write(file_);
    stored_ = true;
  } catch (const Failure& failure) {
    log::error("The permanent ids are not stored: " + std::string(failure.what()));
  }
}

void PermanentIds::write(const std::filesystem::path& table) const {
  toml::array devices;
  for (const auto& [name, id] : ids_) {
    const auto& [provider, phone, vendor_id, nth] = name;
    devices.push_back(toml::table{{"provider", provider},
                                  {"kind", phone ? "phone" : "line"},
                                  {"vendor_id", std::int64_t{vendor_id}},
                                  {"nth", std::int64_t{nth}},
                                  {"id", std::int64_t{id}}});
  }
  std::ostringstream text;
  text << "# Permanent ids that desktops know lines and phones by. Standby hosts take this table with --import-ids.\n"
       << toml::table{{"site", site_}, {"device", std::move(devices)}} << "\n";
  write_whole_file(table, text.str(), "file for the permanent ids");
}

}  // namespace tsplink::host
