#include "remote-host/platform.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "wire/failure.hpp"

#ifdef _WIN32
#include <windows.h>

#include <shellapi.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace tsplink::host {

namespace {

[[noreturn]] void cannot_load(const std::filesystem::path& path, const std::string& why) {
  throw Failure(Kind::Configuration,
                "The module " + path.string() + " cannot be loaded (" + why + "); correct provider.module.");
}

}  // namespace

#ifdef _WIN32

namespace {
HANDLE stop_event() {
  static const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  return event;
}
BOOL WINAPI on_console(DWORD event) {
  if (event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT) {
    if (WaitForSingleObject(stop_event(), 0) == WAIT_OBJECT_0) leave_at_once(1);
    SetEvent(stop_event());
    return TRUE;
  }
  // The window is closed: Windows ends the process when this returns, and by itself after a few seconds.
  SetEvent(stop_event());
  Sleep(INFINITE);
  return TRUE;
}
}  // namespace

Module load_module(const std::filesystem::path& path) {
  // With backslashes alone Windows looks for its libraries beside it.
  const auto native = std::filesystem::path(path).make_preferred();
  const HMODULE module = LoadLibraryExW(native.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (!module) {
    const DWORD error = GetLastError();
    cannot_load(path, error == ERROR_BAD_EXE_FORMAT
                          ? "it is no module for a " + std::to_string(sizeof(void*) * 8) + "-bit host"
                          : "error " + std::to_string(error));
  }
  std::shared_ptr<void> keep(module, [](void* loaded) { FreeLibrary(static_cast<HMODULE>(loaded)); });
  return {[module](const char* name) { return reinterpret_cast<void*>(GetProcAddress(module, name)); }, keep,
          path.string()};
}

void take_stop_signals() { SetConsoleCtrlHandler(&on_console, TRUE); }
void keep_files_private() {}
bool stop_signal_within(std::chrono::milliseconds time) {
  return WaitForSingleObject(stop_event(), static_cast<DWORD>(time.count())) == WAIT_OBJECT_0;
}
void order_stop() { SetEvent(stop_event()); }

std::vector<std::string> program_arguments(int, char**) {
  int count = 0;
  const std::unique_ptr<LPWSTR, decltype(&LocalFree)> wide(CommandLineToArgvW(GetCommandLineW(), &count), &LocalFree);
  std::vector<std::string> arguments;
  for (int i = 1; i < count; ++i) arguments.push_back(std::filesystem::path(wide.get()[i]).string());
  return arguments;
}

void use_utf8_output() { SetConsoleOutputCP(CP_UTF8); }
void show_no_boxes() { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX); }

#else

Module load_module(const std::filesystem::path& path) {
  int flags = RTLD_NOW | RTLD_LOCAL;
#ifdef TSPLINK_SANITIZED
  flags |= RTLD_NODELETE;  // a leak report names functions of a module only while it is loaded
#endif
  // A bare name would be searched for along the linker's path; the configuration means a file.
  const auto file = std::filesystem::absolute(path).string();
  void* module = dlopen(file.c_str(), flags);
  if (!module) cannot_load(path, dlerror());
  std::shared_ptr<void> keep(module, [](void* loaded) { dlclose(loaded); });
  return {[module](const char* name) { return dlsym(module, name); }, keep, file};
}

namespace {
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}
}  // namespace

void take_stop_signals() {
  const auto set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);  // whoever read the log is gone: that ends no telephony
}

void keep_files_private() { umask(umask(0) | S_IRWXO); }

bool stop_signal_within(std::chrono::milliseconds time) {
  const auto set = stop_signals();
  const timespec bound{time.count() / 1000, time.count() % 1000 * 1000000};
  if (sigtimedwait(&set, nullptr, &bound) < 0) return false;
  // From here on the default action holds: the next one ends the process.
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return true;
}

std::vector<std::string> program_arguments(int argc, char** argv) { return {argv + 1, argv + argc}; }
void use_utf8_output() {}
void show_no_boxes() {}

#endif

void leave_at_once(int status) {
#ifdef _WIN32
  // ExitProcess() would still call the modules, which may wait for threads that it has ended.
  TerminateProcess(GetCurrentProcess(), static_cast<UINT>(status));
#endif
  std::_Exit(status);
}

void write_whole_file(const std::filesystem::path& path, const std::string& text, const std::string& setting) {
  std::error_code failure;
  const auto type = std::filesystem::status(path, failure).type();
  if (type != std::filesystem::file_type::not_found && type != std::filesystem::file_type::regular) {
    throw Failure(Kind::Configuration,
                  path.string() + " is there and no ordinary file; choose another " + setting + ".");
  }
  auto part = path;
  part += ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  failure.clear();
  if (file) std::filesystem::rename(part, path, failure);
  if (!file || failure) {
    std::filesystem::remove(part, failure);
    throw Failure(Kind::Configuration,
                  "The file " + path.string() + " cannot be written; choose another " + setting + ".");
  }
}

}  // namespace tsplink::host
