// Named pipes.
#include <windows.h>

#include <sddl.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "remote-host/control/local_socket.hpp"
#include "wire/failure.hpp"
#include "wire/system.hpp"

namespace tsplink::host::control {

namespace {

constexpr wchar_t kPrefix[] = LR"(\\.\pipe\)";
constexpr DWORD kBuffer = 64 * 1024;
// Reading and writing, but no further instance of the pipe, which would take clients of the host away.
constexpr DWORD kClientRights = (FILE_GENERIC_READ | FILE_GENERIC_WRITE) & ~static_cast<DWORD>(FILE_APPEND_DATA);

[[noreturn]] void refuse(const std::string& sentence) { throw Failure(Kind::Configuration, sentence); }
std::string error_text(DWORD error = GetLastError()) { return "error " + std::to_string(error); }

struct CloseHandleOnly {
  using pointer = HANDLE;
  void operator()(HANDLE handle) const { CloseHandle(handle); }
};
using Handle = std::unique_ptr<HANDLE, CloseHandleOnly>;
using Local = std::unique_ptr<void, decltype(&LocalFree)>;

/// Rounded up, at most an hour.
DWORD milliseconds(wire::Duration time) {
  return static_cast<DWORD>(
      std::chrono::ceil<std::chrono::milliseconds>(std::min<wire::Duration>(time, std::chrono::hours(1))).count());
}

Handle new_event() { return Handle(CreateEventW(nullptr, TRUE, FALSE, nullptr)); }

/// Ends an overlapped operation that was begun; false: it failed, `until` passed or `stop` was set. `stop` may be
/// empty, `until` nullptr.
bool ended(const wire::Clock& clock, HANDLE pipe, OVERLAPPED& operation, HANDLE stop, const wire::TimePoint* until,
           DWORD& bytes) {
  const HANDLE waits[] = {operation.hEvent, stop};
  DWORD how = WAIT_TIMEOUT;
  while (how == WAIT_TIMEOUT) {
    DWORD time = INFINITE;
    if (until) {
      const auto left = *until - clock.now();
      time = left <= wire::Duration::zero() ? 0 : milliseconds(clock.nap(left));
    }
    how = WaitForMultipleObjects(stop ? 2 : 1, waits, FALSE, time);
    if (time == 0) break;
  }
  if (how != WAIT_OBJECT_0) CancelIoEx(pipe, &operation);
  return GetOverlappedResult(pipe, &operation, &bytes, TRUE) != 0;
}

class Stream final : public LocalStream {
 public:
  /// `stop` empty: a client's end.
  Stream(const wire::Clock& clock, Handle pipe, HANDLE stop) : clock_(clock), pipe_(std::move(pipe)), stop_(stop) {}
  ~Stream() override {
    if (stop_) DisconnectNamedPipe(pipe_.get());
  }

  bool read(std::string& to, wire::TimePoint until) override {
    char block[16384];
    DWORD size = 0;
    OVERLAPPED operation{};
    operation.hEvent = event_.get();
    if (!ReadFile(pipe_.get(), block, sizeof block, nullptr, &operation) && GetLastError() != ERROR_IO_PENDING)
      return false;
    if (!ended(clock_, pipe_.get(), operation, stop_, &until, size)) return false;
    to.append(block, size);
    return true;
  }

  bool write(std::string_view text, wire::TimePoint until) override {
    while (!text.empty()) {
      DWORD size = 0;
      OVERLAPPED operation{};
      operation.hEvent = event_.get();
      const auto part = static_cast<DWORD>(std::min<std::size_t>(text.size(), kBuffer));
      if (!WriteFile(pipe_.get(), text.data(), part, nullptr, &operation) && GetLastError() != ERROR_IO_PENDING)
        return false;
      if (!ended(clock_, pipe_.get(), operation, stop_, &until, size)) return false;
      text.remove_prefix(size);
    }
    return true;
  }

 private:
  const wire::Clock& clock_;
  const Handle pipe_;
  const HANDLE stop_;
  const Handle event_ = new_event();
};

std::wstring text_of(PSID sid) {
  wchar_t* text = nullptr;
  if (!ConvertSidToStringSidW(sid, &text)) refuse("An account's number cannot be read (" + error_text() + ").");
  const Local owner(text, &LocalFree);
  return text;
}

std::wstring own_account() {
  HANDLE opened = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened))
    refuse("The host's account cannot be read (" + error_text() + ").");
  const Handle token(opened);
  DWORD size = 0;
  GetTokenInformation(token.get(), TokenUser, nullptr, 0, &size);
  std::vector<std::max_align_t> room(size / sizeof(std::max_align_t) + 1);
  if (!GetTokenInformation(token.get(), TokenUser, room.data(), size, &size))
    refuse("The host's account cannot be read (" + error_text() + ").");
  return text_of(reinterpret_cast<const TOKEN_USER*>(room.data())->User.Sid);
}

std::wstring group_account(const std::string& name) {
  const auto wide = wire::path_of(name).wstring();
  DWORD size = 0;
  DWORD domain_size = 0;
  SID_NAME_USE use{};
  LookupAccountNameW(nullptr, wide.c_str(), nullptr, &size, nullptr, &domain_size, &use);
  std::vector<std::max_align_t> sid(size / sizeof(std::max_align_t) + 1);
  std::wstring domain(domain_size + 1, L'\0');
  if (size == 0 || !LookupAccountNameW(nullptr, wide.c_str(), sid.data(), &size, domain.data(), &domain_size, &use))
    refuse("There is no group \"" + name + "\" on this machine; correct control.group.");
  return text_of(sid.data());
}

}  // namespace

std::string socket_of(const std::filesystem::path& configuration, const std::string& socket) {
  if (!socket.empty()) {
    const auto name = wire::path_of(socket).wstring();
    return std::filesystem::path(name.rfind(kPrefix, 0) == 0 ? name : kPrefix + name).string();
  }
  // Named by the file, which has one name whatever it is called by: FNV-1a over its letters.
  std::error_code ignored;
  auto whole = std::filesystem::weakly_canonical(configuration, ignored);
  if (ignored) whole = std::filesystem::absolute(configuration);
  std::uint64_t hash = 14695981039346656037U;
  for (const wchar_t letter : whole.make_preferred().wstring()) {
    const auto small = static_cast<wchar_t>(
        reinterpret_cast<std::uintptr_t>(CharLowerW(reinterpret_cast<LPWSTR>(static_cast<std::uintptr_t>(letter)))));
    for (const auto byte : {static_cast<unsigned>(small) & 0xFFU, static_cast<unsigned>(small) >> 8U})
      hash = (hash ^ byte) * 1099511628211U;
  }
  constexpr wchar_t kDigits[] = L"0123456789abcdef";
  std::wstring name = std::wstring(kPrefix) + L"tsplink-host-";
  for (int shift = 60; shift >= 0; shift -= 4) name += kDigits[(hash >> static_cast<unsigned>(shift)) & 15U];
  return std::filesystem::path(name).string();
}

class LocalListener::Impl {
 public:
  Impl(const std::string& socket, const std::string& group, const wire::Clock& clock)
      : clock_(clock), name_(wire::path_of(socket).wstring()) {
    wchar_t rights[16];
    swprintf(rights, 16, L"0x%lx", static_cast<unsigned long>(kClientRights));
    auto list = std::wstring(L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;") + own_account() + L")";
    if (!group.empty()) list += std::wstring(L"(A;;") + rights + L";;;" + group_account(group) + L")";
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(list.c_str(), SDDL_REVISION_1, &descriptor_, nullptr))
      refuse("The access list of the control socket cannot be made (" + error_text() + ").");
    owner_.reset(descriptor_);
    // Asked for by its name too: not every Windows minds the flag (Wine 8 does not).
    const bool there = WaitNamedPipeW(name_.c_str(), 1) != 0 || GetLastError() == ERROR_SEM_TIMEOUT;
    if (!there) first_ = instance(FILE_FLAG_FIRST_PIPE_INSTANCE);
    if (first_) return;
    const DWORD why = GetLastError();
    if (there || why == ERROR_ACCESS_DENIED || why == ERROR_PIPE_BUSY) {
      refuse("Another tsplink-host is reached by the control socket " + socket + "; choose another control.socket.");
    }
    refuse("The control socket " + socket + " cannot be made (" + error_text(why) +
           "); choose another control.socket.");
  }

  std::unique_ptr<LocalStream> accept() {
    const Handle event = new_event();
    while (WaitForSingleObject(stop_.get(), 0) != WAIT_OBJECT_0) {
      auto pipe = take_first();
      if (!pipe) pipe = instance(0);
      if (!pipe) {
        // No memory for one more: looked at again soon.
        WaitForSingleObject(stop_.get(), milliseconds(clock_.nap(std::chrono::milliseconds(100))));
        continue;
      }
      OVERLAPPED operation{};
      operation.hEvent = event.get();
      DWORD nothing = 0;
      ResetEvent(event.get());
      bool there = ConnectNamedPipe(pipe.get(), &operation) != 0;
      if (!there) {
        const DWORD why = GetLastError();
        there = why == ERROR_PIPE_CONNECTED ||
                (why == ERROR_IO_PENDING && ended(clock_, pipe.get(), operation, stop_.get(), nullptr, nothing));
      }
      if (there) return std::make_unique<Stream>(clock_, std::move(pipe), stop_.get());
    }
    return nullptr;
  }

  void stop() { SetEvent(stop_.get()); }

 private:
  Handle instance(DWORD flags) {
    SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor_, FALSE};
    const HANDLE made = CreateNamedPipeW(name_.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
                                         PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                                         PIPE_UNLIMITED_INSTANCES, kBuffer, kBuffer, 0, &attributes);
    return made == INVALID_HANDLE_VALUE ? Handle() : Handle(made);
  }
  Handle take_first() {
    const std::lock_guard lock(mutex_);
    return std::move(first_);
  }

  const wire::Clock& clock_;
  const std::wstring name_;
  PSECURITY_DESCRIPTOR descriptor_ = nullptr;
  Local owner_{nullptr, &LocalFree};
  const Handle stop_ = new_event();
  std::mutex mutex_;
  Handle first_;  // until somebody waits for a client at it
};

LocalListener::LocalListener(const std::string& socket, const std::string& group, const wire::Clock& clock)
    : impl_(std::make_unique<Impl>(socket, group, clock)) {}
LocalListener::~LocalListener() = default;
std::unique_ptr<LocalStream> LocalListener::accept() { return impl_->accept(); }
void LocalListener::stop() { impl_->stop(); }

std::unique_ptr<LocalStream> connect_local(const std::string& socket, wire::TimePoint until,
                                           const wire::Clock& clock) {
  const auto name = wire::path_of(socket).wstring();
  int missing = 0;  // a host that has just taken a client has no pipe of that name for a moment
  while (true) {
    // The other end learns who asks, and cannot act in that name.
    const HANDLE opened =
        CreateFileW(name.c_str(), kClientRights, 0, nullptr, OPEN_EXISTING,
                    FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, nullptr);
    if (opened != INVALID_HANDLE_VALUE) return std::make_unique<Stream>(clock, Handle(opened), nullptr);
    const DWORD why = GetLastError();
    const auto left = until - clock.now();
    if (why == ERROR_PIPE_BUSY && left > wire::Duration::zero()) {
      WaitNamedPipeW(name.c_str(), milliseconds(clock.nap(std::min<wire::Duration>(left, std::chrono::seconds(1)))));
      continue;
    }
    if (why == ERROR_FILE_NOT_FOUND && left > wire::Duration::zero() && ++missing < 20) {
      Sleep(milliseconds(clock.nap(std::chrono::milliseconds(10))));
      continue;
    }
    if (why == ERROR_ACCESS_DENIED) {
      throw Failure(Kind::LinkDown, "This account may not use the control socket " + socket +
                                        "; run tsplinkctl as an administrator, or as one of its control.group.");
    }
    if (why == ERROR_PIPE_BUSY)
      throw Failure(Kind::LinkDown, "The tsplink-host at " + socket + " is busy; try again.");
    throw Failure(Kind::LinkDown, "No tsplink-host is reached at " + socket + " (" + error_text(why) +
                                      "); start it, or correct --config or --socket.");
  }
}

}  // namespace tsplink::host::control
