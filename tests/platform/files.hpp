// Folders and files of a test.
// Owner: the test. Any thread.
#pragma once

#include <filesystem>

namespace tsplink::tests {

/// A folder in the system's temporary folder that only this account can read, gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Where the running executable lies.
std::filesystem::path program_folder();

/// Lets this account read and write the file, and nobody else or everybody read it; throws std::runtime_error.
void let_read(const std::filesystem::path& file, bool everybody);

}  // namespace tsplink::tests
