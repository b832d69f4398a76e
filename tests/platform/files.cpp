#include "tests/platform/files.hpp"

#include <stdexcept>
#include <system_error>

#ifdef _WIN32
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <atomic>
#include <memory>
#else
#include <stdlib.h>
#endif

namespace tsplink::tests {

namespace fs = std::filesystem;

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

#ifdef _WIN32

TemporaryFolder::TemporaryFolder() {
  static std::atomic<unsigned> count{0};
  for (;;) {
    path_ = fs::temp_directory_path() /
            ("tsplink-" + std::to_string(GetCurrentProcessId()) + "-" + std::to_string(++count));
    if (fs::create_directory(path_)) return;
  }
}

fs::path program_folder() {
  std::wstring name(32768, L'\0');
  name.resize(GetModuleFileNameW(nullptr, name.data(), static_cast<DWORD>(name.size())));
  return fs::path(name).parent_path();
}

void let_read(const fs::path& file, bool everybody) {
  // OW: whoever owns the file; WD: everybody.
  const wchar_t* text = everybody ? L"D:P(A;;FA;;;OW)(A;;FA;;;BA)(A;;FR;;;WD)" : L"D:P(A;;FA;;;OW)(A;;FA;;;BA)";
  PSECURITY_DESCRIPTOR made = nullptr;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &made, nullptr)) {
    throw std::runtime_error("no security descriptor can be made");
  }
  const std::unique_ptr<void, decltype(&LocalFree)> owner(made, &LocalFree);
  if (!SetFileSecurityW(file.c_str(), DACL_SECURITY_INFORMATION, made)) {
    throw std::runtime_error("the access to " + file.string() + " cannot be changed");
  }
}

#else

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "tsplink-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder can be made: " + pattern);
  path_ = pattern;
}

fs::path program_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

void let_read(const fs::path& file, bool everybody) {
  fs::permissions(file, static_cast<fs::perms>(everybody ? 0644 : 0600));
}

#endif

}  // namespace tsplink::tests
