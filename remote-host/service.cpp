#include "remote-host/service.hpp"

#include <windows.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>

#include "remote-host/log.hpp"
#include "remote-host/platform.hpp"
#include "wire/failure.hpp"
#include "wire/system.hpp"

namespace tsplink::host {

namespace {

constexpr wchar_t kName[] = L"tsplink-host";
constexpr wchar_t kTitle[] = L"tsplink host";
constexpr wchar_t kDescription[] = L"Serves the telephone lines of this machine's TSPs to desktops.";
constexpr wchar_t kEventSource[] = L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\tsplink-host";
// Windows' own file of messages that consist of one text: what is logged needs no message file of ours.
constexpr wchar_t kEventMessages[] = L"%SystemRoot%\\System32\\EventCreate.exe";
constexpr DWORD kEvent = 1000;  // one of that file's
constexpr std::chrono::seconds kStopping{60};
constexpr DWORD kRestartAfterMs[] = {2000, 10000, 60000};  // the last one from the third crash on
constexpr DWORD kForgiveAfterSeconds = 24 * 3600;

[[noreturn]] void refuse(const std::string& what, DWORD error) {
  const char* advice = error == ERROR_ACCESS_DENIED             ? "run it as an administrator"
                       : error == ERROR_SERVICE_DOES_NOT_EXIST  ? "the service is not installed"
                       : error == ERROR_INVALID_SERVICE_ACCOUNT ? "there is no such account"
                       : error == ERROR_SERVICE_MARKED_FOR_DELETE
                           ? "close every program that shows services and try again"
                           : nullptr;
  throw Failure(Kind::Configuration, "The service tsplink-host " + what + ": " +
                                         (advice ? advice : std::system_category().message(static_cast<int>(error))) +
                                         ".");
}

struct CloseService {
  using pointer = SC_HANDLE;
  void operator()(SC_HANDLE handle) const { CloseServiceHandle(handle); }
};
using ServiceHandle = std::unique_ptr<SC_HANDLE, CloseService>;

ServiceHandle manager(DWORD access) {
  ServiceHandle handle(OpenSCManagerW(nullptr, nullptr, access));
  if (!handle) refuse("cannot be managed", GetLastError());
  return handle;
}

SERVICE_STATUS status_of(SC_HANDLE service) {
  SERVICE_STATUS status{};
  if (!QueryServiceStatus(service, &status)) refuse("gives no status", GetLastError());
  return status;
}

std::wstring command_line(const std::filesystem::path& config) {
  std::wstring program(MAX_PATH, L'\0');
  for (;;) {
    const DWORD size = GetModuleFileNameW(nullptr, program.data(), static_cast<DWORD>(program.size()));
    if (size < program.size()) {
      program.resize(size);
      break;
    }
    program.resize(program.size() * 2);
  }
  return L"\"" + program + L"\" --service --config \"" + std::filesystem::absolute(config).wstring() + L"\"";
}

void register_event_source() {
  HKEY key{};
  LSTATUS status =
      RegCreateKeyExW(HKEY_LOCAL_MACHINE, kEventSource, 0, nullptr, 0, KEY_SET_VALUE, nullptr, &key, nullptr);
  if (status == ERROR_SUCCESS) {
    const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    status = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, reinterpret_cast<const BYTE*>(kEventMessages),
                            sizeof kEventMessages);
    if (status == ERROR_SUCCESS) {
      status =
          RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, reinterpret_cast<const BYTE*>(&types), sizeof types);
    }
    RegCloseKey(key);
  }
  if (status != ERROR_SUCCESS) refuse("cannot become a source of the event log", static_cast<DWORD>(status));
}

void stop(SC_HANDLE service) {
  const auto bound = std::chrono::steady_clock::now() + kStopping;
  bool told = false;
  while (status_of(service).dwCurrentState != SERVICE_STOPPED) {
    SERVICE_STATUS status{};
    if (!told && !(told = ControlService(service, SERVICE_CONTROL_STOP, &status))) {
      const DWORD error = GetLastError();
      if (error == ERROR_SERVICE_NOT_ACTIVE) return;
      // It is about to start or to stop: asked again.
      if (error != ERROR_SERVICE_CANNOT_ACCEPT_CTRL && error != ERROR_INVALID_SERVICE_CONTROL)
        refuse("cannot be stopped", error);
    }
    if (std::chrono::steady_clock::now() > bound) {
      throw Failure(Kind::Configuration, "The service tsplink-host does not stop; end its process and try again.");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// Whether it is an account of a person: not built-in, virtual or managed by the domain.
bool needs_password(const std::string& account) {
  if (account.find_first_of("\\@") == std::string::npos) return false;  // LocalSystem
  for (const char* prefix : {"NT AUTHORITY\\", "NT SERVICE\\", "BUILTIN\\"}) {
    if (_strnicmp(account.c_str(), prefix, std::strlen(prefix)) == 0) return false;
  }
  return account.back() != '$';
}

// ---- running ----

/// What the service manager's callbacks share with the main thread: there is one service in a process.
struct Running {
  std::function<int(const Stages&)> work;
  SERVICE_STATUS_HANDLE handle{};
  int result = 0;
  std::atomic<bool> leaves{false};  // the thread of `work` ends the process
  std::mutex mutex;
  DWORD state = SERVICE_START_PENDING;
};
Running* running = nullptr;

/// A line as an entry of Windows' event log; when that takes none there is nothing left to say it to.
void log_event(log::Level level, const std::string& line) {
  static const HANDLE source = RegisterEventSourceW(nullptr, kName);
  const auto text = wire::path_of(line).wstring();
  const wchar_t* texts = text.c_str();
  const WORD type = level == log::Level::Error ? EVENTLOG_ERROR_TYPE : EVENTLOG_WARNING_TYPE;
  if (source) ReportEventW(source, type, 0, kEvent, nullptr, 1, 0, &texts, nullptr);
}

void report(DWORD state, int result = 0) {
  const std::lock_guard lock(running->mutex);
  // An order to stop may come while the last provider is starting, and after the end.
  constexpr DWORD kCourse[] = {SERVICE_START_PENDING, SERVICE_RUNNING, SERVICE_STOP_PENDING, SERVICE_STOPPED};
  const auto* reached = std::find(std::begin(kCourse), std::end(kCourse), running->state);
  if (std::find(reached, std::end(kCourse), state) == std::end(kCourse)) return;
  // What ends because it was told to is no failure, whatever it says: it would be started again.
  if (running->state == SERVICE_STOP_PENDING) result = 0;
  running->state = state;
  SERVICE_STATUS status{};
  status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
  status.dwCurrentState = state;
  // While it starts, too: a driver may hang in that.
  if (state == SERVICE_START_PENDING || state == SERVICE_RUNNING)
    status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN;
  if (result != 0) {
    status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
    status.dwServiceSpecificExitCode = static_cast<DWORD>(result);
  }
  if (state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING) {
    status.dwCheckPoint = 1;
    status.dwWaitHint = static_cast<DWORD>(std::chrono::milliseconds(kStopping).count());
  }
  SetServiceStatus(running->handle, &status);
}

DWORD WINAPI on_control(DWORD control, DWORD, LPVOID, LPVOID) {
  switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_PRESHUTDOWN:
      report(SERVICE_STOP_PENDING);
      order_stop();
      return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE: return NO_ERROR;
    default: return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

void WINAPI service_main(DWORD, LPWSTR*) {
  running->handle = RegisterServiceCtrlHandlerExW(kName, &on_control, nullptr);
  report(SERVICE_START_PENDING);
  running->result = running->work({[] { report(SERVICE_RUNNING); },
                                   [](int result) {
                                     running->leaves = true;
                                     report(SERVICE_STOPPED, result);  // else it would count as a crash
                                   }});
  report(SERVICE_STOPPED, running->result);
}

}  // namespace

void install_service(const std::filesystem::path& config, const std::string& account) {
  const auto services = manager(SC_MANAGER_CREATE_SERVICE);
  const auto command = command_line(config);
  if (needs_password(account)) {
    throw Failure(Kind::Configuration,
                  "The account " + account +
                      " needs a password, which this program does not take; install the service without --account, "
                      "then set the account in services.msc.");
  }
  const std::wstring user = account.empty() ? L"NT AUTHORITY\\NetworkService" : wire::path_of(account).wstring();
  ServiceHandle service(OpenServiceW(services.get(), kName, SERVICE_ALL_ACCESS));
  if (service) {
    if (status_of(service.get()).dwCurrentState != SERVICE_STOPPED) {
      throw Failure(Kind::Configuration,
                    "The service tsplink-host is running; stop it first (sc.exe stop tsplink-host).");
    }
    if (!ChangeServiceConfigW(service.get(), SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                              command.c_str(), nullptr, nullptr, nullptr, account.empty() ? nullptr : user.c_str(),
                              nullptr, kTitle)) {
      refuse("cannot be changed", GetLastError());
    }
  } else {
    service.reset(CreateServiceW(services.get(), kName, kTitle, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                                 SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, command.c_str(), nullptr, nullptr, nullptr,
                                 user.c_str(), nullptr));
    if (!service) refuse("cannot be installed", GetLastError());
  }
  std::wstring text = kDescription;
  SERVICE_DESCRIPTIONW description{text.data()};
  ChangeServiceConfig2W(service.get(), SERVICE_CONFIG_DESCRIPTION, &description);
  SC_ACTION actions[std::size(kRestartAfterMs)];
  for (std::size_t i = 0; i < std::size(actions); ++i) actions[i] = {SC_ACTION_RESTART, kRestartAfterMs[i]};
  SERVICE_FAILURE_ACTIONSW failure{};
  failure.dwResetPeriod = kForgiveAfterSeconds;
  failure.cActions = static_cast<DWORD>(std::size(actions));
  failure.lpsaActions = actions;
  if (!ChangeServiceConfig2W(service.get(), SERVICE_CONFIG_FAILURE_ACTIONS, &failure)) {
    refuse("takes no recovery actions", GetLastError());
  }
  // A start that fails counts, too: at boot the network or the PBX may not be there yet. Wine does not know this.
  SERVICE_FAILURE_ACTIONS_FLAG failed_start{TRUE};
  if (!ChangeServiceConfig2W(service.get(), SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &failed_start) &&
      GetLastError() != ERROR_INVALID_LEVEL) {
    refuse("takes no recovery from a start that fails", GetLastError());
  }
  // A shutdown of the machine gives services a few seconds otherwise.
  SERVICE_PRESHUTDOWN_INFO shutdown{static_cast<DWORD>(std::chrono::milliseconds(kStopping).count())};
  if (!ChangeServiceConfig2W(service.get(), SERVICE_CONFIG_PRESHUTDOWN_INFO, &shutdown)) {
    refuse("takes no time for its end", GetLastError());
  }
  register_event_source();
}

void remove_service() {
  const auto services = manager(SC_MANAGER_CONNECT);
  const ServiceHandle service(OpenServiceW(services.get(), kName, SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE));
  if (!service) refuse("cannot be removed", GetLastError());
  stop(service.get());
  if (!DeleteService(service.get())) refuse("cannot be removed", GetLastError());
  RegDeleteKeyW(HKEY_LOCAL_MACHINE, kEventSource);
}

int run_service(std::function<int(const Stages&)> work) {
  running = new Running;  // for ever: the manager's thread may still be in it at the end
  running->work = std::move(work);
  log::tell_also(&log_event);
  std::wstring name = kName;
  const SERVICE_TABLE_ENTRYW table[] = {{name.data(), &service_main}, {nullptr, nullptr}};
  if (!StartServiceCtrlDispatcherW(table)) {
    throw Failure(Kind::Configuration,
                  "--service is for the service manager; start the service with: sc.exe start tsplink-host.");
  }
  // Not by the way of main(), which would call the driver that hangs.
  if (running->leaves) Sleep(INFINITE);
  return running->result;
}

}  // namespace tsplink::host
