#include "tests/platform/process.hpp"

#include <stdexcept>

#ifdef _WIN32
#include <windows.h>

#include <ntstatus.h>
#include <tlhelp32.h>
#include <winternl.h>

#include <algorithm>
#include <cstdint>
#include <vector>
#else
#include <dlfcn.h>
#include <stdlib.h>
#endif

namespace tsplink::tests {

#ifdef _WIN32

// The C library keeps a copy of the environment, and its modules share that one.
void set_environment(const std::string& name, const std::string& value) { _putenv_s(name.c_str(), value.c_str()); }

std::size_t thread_count() {
  const HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  if (all == INVALID_HANDLE_VALUE) throw std::runtime_error("the threads cannot be listed");
  std::size_t count = 0;
  THREADENTRY32 entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
    if (entry.th32OwnerProcessID == GetCurrentProcessId()) ++count;
  }
  CloseHandle(all);
  return count;
}

// From the list of all handles: Wine's GetProcessHandleCount() is always 0.
std::size_t handle_count() {
  std::vector<std::uint64_t> buffer(16 * 1024);
  ULONG size = 0;
  while (NtQuerySystemInformation(SystemHandleInformation, buffer.data(), static_cast<ULONG>(buffer.size() * 8),
                                  &size) == STATUS_INFO_LENGTH_MISMATCH) {
    buffer.resize(buffer.size() * 2);
  }
  const auto* all = reinterpret_cast<const SYSTEM_HANDLE_INFORMATION*>(buffer.data());
  return static_cast<std::size_t>(std::count_if(all->Handle, all->Handle + all->Count, [](const auto& handle) {
    return handle.OwnerPid == GetCurrentProcessId();
  }));
}

Module::Module(const std::filesystem::path& file, AtTheEnd end)
    : handle_(LoadLibraryExW(std::filesystem::absolute(file).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH)),
      end_(end) {
  if (handle_ == nullptr) {
    throw std::runtime_error("The module " + file.string() + " cannot be loaded (error " +
                             std::to_string(GetLastError()) +
                             "); check the path and that it has this program's bitness.");
  }
}
Module::~Module() {
  if (end_ == AtTheEnd::unload) FreeLibrary(static_cast<HMODULE>(handle_));
}
void* Module::symbol(const std::string& name) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name.c_str()));
}

#else

namespace {
std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}
}  // namespace

void set_environment(const std::string& name, const std::string& value) { setenv(name.c_str(), value.c_str(), 1); }
std::size_t thread_count() { return entries("/proc/self/task"); }
std::size_t handle_count() { return entries("/proc/self/fd"); }

#ifdef TSPLINK_SANITIZED
constexpr int kFlags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
#else
constexpr int kFlags = RTLD_NOW | RTLD_LOCAL;
#endif

// Without a slash dlopen() would search the system's folders only.
Module::Module(const std::filesystem::path& file, AtTheEnd end)
    : handle_(dlopen(std::filesystem::absolute(file).c_str(), kFlags)), end_(end) {
  if (handle_ == nullptr) {
    const char* why = dlerror();
    throw std::runtime_error("The module " + file.string() + " cannot be loaded: " + (why ? why : "unknown") + ".");
  }
}
Module::~Module() {
  if (end_ == AtTheEnd::unload) dlclose(handle_);
}
void* Module::symbol(const std::string& name) const { return dlsym(handle_, name.c_str()); }

#endif

}  // namespace tsplink::tests
