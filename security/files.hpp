// Reading the files of an identity, and who else may read them. What differs between POSIX and Windows is here.
// Owner: nothing is kept. Threads: any.
#pragma once

#include <filesystem>
#include <string>

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
/// Throws Error when there is no such file, it cannot be read, is empty or too large.
FileText read_file(const std::filesystem::path& path, const char* role);

/// Throws Error when others may read or change a file that holds a private key: by its mode group or others; on
/// Windows by its access list the groups that stand for many, such as Everyone, Users or Domain Users. Single
/// accounts are the administrator's affair.
void require_private(const std::filesystem::path& path);

}  // namespace tsplink::security
