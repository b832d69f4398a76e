// Reading the files of an identity, and who else may read them; writing them so that a crash leaves no half of one;
// a lock between processes. What differs between POSIX and Windows is here.
// Owner: nothing is kept but a lock. Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "wire/clock.hpp"

namespace tsplink::security {

/// A file's bytes, wiped when it goes: a key may be among them.
class FileText {
 public:
  explicit FileText(std::string text) : text_(std::move(text)) {}
  ~FileText();
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Reads a whole file of at most 4 MiB. `role` names it in the sentence ("certificate file").
/// Throws Error when there is no such file, it is none that ends (a device, a pipe), cannot be read, is empty or too
/// large.
FileText read_file(const std::filesystem::path& path, const char* role);
/// The same from a pipe, too: what writes into that is waited for.
FileText read_file_or_pipe(const std::filesystem::path& path, const char* role);

/// Throws Error when others may read or change a file that holds a private key: by its mode group or others; on
/// Windows by its access list the groups that stand for many, such as Everyone, Users or Domain Users. Single
/// accounts are the administrator's affair. `role` names the file in the sentence.
void require_private(const std::filesystem::path& path, const char* role = "key file");

enum class Readers { Owner, Everybody };  // on Windows: who owns it, SYSTEM and Administrators; as the folder says

/// Writes a file so that readers, also those after a crash, see what was there before or all of `text`. From its
/// first byte on nobody else than `readers` can read it. Goes by way of a file ".part" beside it. Throws Error.
void write_file(const std::filesystem::path& path, std::string_view text, Readers readers);

/// The same for a file that is written already and gets its name now; a file of that name is replaced. Throws Error.
void move_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// One holder at a time among all processes of this machine; the system frees it when its holder ends.
class FileLock {
 public:
  /// Makes the file if there is none, and leaves it there. Throws Error when another holds it for longer than
  /// `patience`.
  FileLock(const std::filesystem::path& path, std::chrono::milliseconds patience, const wire::Clock& clock);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::intptr_t native_;
};

}  // namespace tsplink::security
