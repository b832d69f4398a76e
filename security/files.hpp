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

/// Throws Error when group or others have any right to a file that holds a private key. On Windows the
/// permission bits say nothing about access lists, and nothing is checked.
void require_private(const std::filesystem::path& path);

}  // namespace tsplink::security
