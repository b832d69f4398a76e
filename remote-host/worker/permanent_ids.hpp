// The permanent ids that desktops see: a hash of site, provider and the vendor's own id, so the same on every host of
// the same configuration; ids that collide move on by one, and the table of all remembers which did, on this host and
// on those that it is copied to. Owner: the host; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace tsplink::host {

class PermanentIds {
 public:
  /// Without a file: remembered as long as the program runs. Throws Failure(Configuration): the file is there and is
  /// no such table, or another site's.
  explicit PermanentIds(std::string site = {}, std::filesystem::path file = {});

  /// `nth`: for vendors that give several devices one id, which of them this is. A new id is to be stored before
  /// anybody is told of it.
  std::uint32_t of(const std::string& provider, bool phone, std::uint32_t vendor_id, std::uint32_t nth);
  /// New ids are in the file after it; a file that cannot be written is named in the log.
  void store();

  /// Takes the ids of another host's table of the same site; how many were new. Throws Failure(Configuration), and
  /// nothing is changed: not such a table, or one of its ids is another device's here.
  std::size_t add(const std::filesystem::path& table);
  std::size_t size() const { return ids_.size(); }
  /// The table as a file. Throws Failure(Configuration).
  void write(const std::filesystem::path& table) const;

 private:
  using Name = std::tuple<std::string, bool, std::uint32_t, std::uint32_t>;
  using Ids = std::map<Name, std::uint32_t>;

  std::uint32_t hash(const Name& name) const;
  Ids read(const std::filesystem::path& table) const;

  const std::string site_;
  const std::filesystem::path file_;
  std::mutex mutex_;
  Ids ids_;
  std::map<std::uint32_t, Name> taken_;
  bool stored_ = true;
};

}  // namespace tsplink::host
