#include "security/files.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#ifdef _WIN32
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <thread>
#include <utility>

#include "security/errors.hpp"

namespace tsplink::security {
namespace {
constexpr std::size_t kMaxFile = 4U << 20U;
constexpr std::chrono::milliseconds kLockPoll{20};

[[noreturn]] void cannot_write(const std::filesystem::path& path, const std::string& reason) {
  throw Error(path.string() + " cannot be written (" + reason + "): let this program's account write there");
}

[[noreturn]] void in_use(const std::filesystem::path& path) {
  throw Error(path.parent_path().string() + " is in use by another program (it holds " + path.filename().string() +
              "): wait until that has ended");
}
}  // namespace

FileText::~FileText() { OPENSSL_cleanse(text_.data(), text_.size()); }

namespace {

[[noreturn]] void cannot_read(const std::string& file, int error) {
  throw Error(file + " cannot be read (" + std::system_category().message(error) +
              "): let this program's account read it");
}

#ifndef _WIN32
/// The stream's file may have become another since it was looked at: what is open counts, and opening never waits.
std::string bytes_of(const std::filesystem::path& path, const std::string& file, bool pipe) {
  const int opened = open(path.c_str(), O_RDONLY | O_CLOEXEC | (pipe ? 0 : O_NONBLOCK));
  if (opened < 0) cannot_read(file, errno);
  const std::unique_ptr<const int, decltype([](const int* number) { close(*number); })> owner(&opened);
  struct stat status {};
  if (fstat(opened, &status) != 0) cannot_read(file, errno);
  if (!pipe && !S_ISREG(status.st_mode)) throw Error(file + " is no ordinary file: correct the path");
  // Sized beforehand, so that growing leaves no copy of a key behind.
  std::string text(
      S_ISREG(status.st_mode) ? std::min<std::size_t>(static_cast<std::size_t>(status.st_size), kMaxFile) : kMaxFile,
      '\0');
  text.push_back('\0');  // for what is too much
  std::size_t used = 0;
  while (used < text.size()) {
    const auto count = read(opened, text.data() + used, text.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) cannot_read(file, errno);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  text.resize(used);
  return text;
}
#else
/// Whoever replaces the file meanwhile may do so.
std::string bytes_of(const std::filesystem::path& path, const std::string& file, bool pipe) {
  const HANDLE opened =
      CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (opened == INVALID_HANDLE_VALUE) cannot_read(file, static_cast<int>(GetLastError()));
  const std::unique_ptr<void, decltype(&CloseHandle)> owner(opened, &CloseHandle);
  const bool ordinary = GetFileType(opened) == FILE_TYPE_DISK;
  if (!pipe && !ordinary) throw Error(file + " is no ordinary file: correct the path");
  LARGE_INTEGER size{};
  const bool sized = ordinary && GetFileSizeEx(opened, &size) != 0;
  std::string text(sized ? static_cast<std::size_t>(std::min<LONGLONG>(size.QuadPart, kMaxFile)) : kMaxFile, '\0');
  text.push_back('\0');  // for what is too much
  std::size_t used = 0;
  while (used < text.size()) {
    DWORD count = 0;
    if (!ReadFile(opened, text.data() + used, static_cast<DWORD>(text.size() - used), &count, nullptr)) {
      if (GetLastError() == ERROR_BROKEN_PIPE) break;
      cannot_read(file, static_cast<int>(GetLastError()));
    }
    if (count == 0) break;
    used += count;
  }
  text.resize(used);
  return text;
}
#endif

FileText read_whole(const std::filesystem::path& path, const char* role, bool pipe) {
  const std::string file = std::string(role) + " " + path.string();
  if (path.empty()) throw Error(std::string("no ") + role + " is configured: name one");
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(file + " does not exist: correct the path or put the file there");
  }
  if (error) throw Error(file + " cannot be reached: " + error.message());
  if (std::filesystem::is_directory(status)) throw Error(file + " is a folder: name a file in it");
  auto text = bytes_of(path, file, pipe);
  if (text.empty()) throw Error(file + " is empty: write it again");
  if (text.size() > kMaxFile) throw Error(file + " is larger than 4 MiB: it is not what it should be");
  return FileText(std::move(text));
}

}  // namespace

FileText read_file(const std::filesystem::path& path, const char* role) { return read_whole(path, role, false); }
FileText read_file_or_pipe(const std::filesystem::path& path, const char* role) {
  return read_whole(path, role, true);
}

#ifdef _WIN32

namespace {

/// Whether the SID stands for many: every account, every one that has logged on, all users of the machine or of a
/// domain.
bool is_wide(PSID sid) {
  static constexpr WELL_KNOWN_SID_TYPE kWide[] = {WinWorldSid,
                                                  WinLocalSid,
                                                  WinAuthenticatedUserSid,
                                                  WinBuiltinUsersSid,
                                                  WinBuiltinGuestsSid,
                                                  WinBuiltinPowerUsersSid,
                                                  WinBuiltinRemoteDesktopUsersSid,
                                                  WinInteractiveSid,
                                                  WinRemoteLogonIdSid,
                                                  WinTerminalServerSid,
                                                  WinNetworkSid,
                                                  WinAnonymousSid,
                                                  WinBatchSid,
                                                  WinServiceSid,
                                                  WinThisOrganizationSid,
                                                  WinNTLMAuthenticationSid,
                                                  WinBuiltinAnyPackageSid};
  if (std::any_of(std::begin(kWide), std::end(kWide), [&](auto type) { return IsWellKnownSid(sid, type); }))
    return true;
  // Those that have no name of their own in every version of Windows: console logon, all services, local accounts,
  // all restricted packages, asserted identity.
  for (const wchar_t* text : {L"S-1-2-1", L"S-1-5-80-0", L"S-1-5-113", L"S-1-15-2-2", L"S-1-18-1"}) {
    PSID wide = nullptr;
    if (!ConvertStringSidToSidW(text, &wide)) continue;
    const std::unique_ptr<void, decltype(&LocalFree)> owner(wide, &LocalFree);
    if (EqualSid(sid, wide)) return true;
  }
  // S-1-5-21-(domain)-513 to 515: a domain's users, guests and computers.
  const SID_IDENTIFIER_AUTHORITY nt = SECURITY_NT_AUTHORITY;
  const int parts = *GetSidSubAuthorityCount(sid);
  if (parts != 5 || std::memcmp(GetSidIdentifierAuthority(sid), &nt, sizeof nt) != 0) return false;
  const DWORD last = *GetSidSubAuthority(sid, 4);
  return *GetSidSubAuthority(sid, 0) == SECURITY_NT_NON_UNIQUE && last >= DOMAIN_GROUP_RID_USERS &&
         last <= DOMAIN_GROUP_RID_COMPUTERS;
}

/// Whether the list lets many read or change the file. None at all lets everybody do everything.
bool is_open(PACL list) {
  if (list == nullptr) return true;
  constexpr ACCESS_MASK kMatters = FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE | WRITE_DAC |
                                   WRITE_OWNER | GENERIC_ALL | GENERIC_READ | GENERIC_WRITE;
  for (DWORD index = 0; index < list->AceCount; ++index) {
    void* entry = nullptr;
    if (!GetAce(list, index, &entry)) return true;
    const auto* header = static_cast<const ACE_HEADER*>(entry);
    if ((header->AceFlags & INHERIT_ONLY_ACE) != 0 || header->AceType == ACCESS_DENIED_ACE_TYPE) continue;
    // A conditional entry has the form of a plain one; what other kinds say cannot be judged here.
    if (header->AceType != ACCESS_ALLOWED_ACE_TYPE && header->AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE)
      return true;
    auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    if ((allowed->Mask & kMatters) != 0 && is_wide(&allowed->SidStart)) return true;
  }
  return false;
}

}  // namespace

void require_private(const std::filesystem::path& path, const char* role) {
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD status = GetNamedSecurityInfoW(path.c_str(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                             nullptr, &list, nullptr, &descriptor);
  const std::unique_ptr<void, decltype(&LocalFree)> owner(descriptor, &LocalFree);
  const std::string file = std::string(role) + " " + path.string();
  if (status != ERROR_SUCCESS) {
    throw Error(file + " does not say who may read it (" + std::system_category().message(static_cast<int>(status)) +
                "): put it on a disk with access lists, such as NTFS");
  }
  if (is_open(list)) {
    // By number, as the names of accounts depend on Windows' language: NetworkService, SYSTEM, Administrators.
    const std::string icacls = "icacls \"" + path.string() + "\" ";
    throw Error(file + " can be read by others than its owner: run " + icacls + "/reset and then " + icacls +
                "/inheritance:r /grant:r *S-1-5-20:R *S-1-5-18:F *S-1-5-32-544:F");
  }
}

namespace {

[[noreturn]] void cannot_write(const std::filesystem::path& path) {
  cannot_write(path, std::system_category().message(static_cast<int>(GetLastError())));
}

struct HandleCloser {
  using pointer = HANDLE;
  void operator()(HANDLE handle) const { CloseHandle(handle); }
};
using HandlePtr = std::unique_ptr<HANDLE, HandleCloser>;

HandlePtr create_new(const std::filesystem::path& path, Readers readers) {
  // OW: whoever owns the file; SY: SYSTEM; BA: Administrators. Nothing is inherited.
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (readers == Readers::Owner &&
      !ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)",
                                                            SDDL_REVISION_1, &descriptor, nullptr)) {
    cannot_write(path);
  }
  const std::unique_ptr<void, decltype(&LocalFree)> owner(descriptor, &LocalFree);
  SECURITY_ATTRIBUTES attributes{sizeof(SECURITY_ATTRIBUTES), descriptor, FALSE};
  const HANDLE file =
      CreateFileW(path.c_str(), GENERIC_WRITE, 0, &attributes, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) cannot_write(path);
  return HandlePtr(file);
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view text, Readers readers) {
  auto part = path;
  part += L".part";
  DeleteFileW(part.c_str());  // of a crash: it would keep its access list
  {
    const HandlePtr file = create_new(part, readers);
    for (std::size_t at = 0; at < text.size();) {
      DWORD written = 0;
      if (!WriteFile(file.get(), text.data() + at, static_cast<DWORD>(text.size() - at), &written, nullptr)) {
        cannot_write(part);
      }
      at += written;
    }
    if (!FlushFileBuffers(file.get())) cannot_write(part);
  }
  move_file(part, path);
}

void move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (!MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) cannot_write(to);
}

FileLock::FileLock(const std::filesystem::path& path, std::chrono::milliseconds patience, const wire::Clock& clock) {
  const HANDLE file = CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                  nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) cannot_write(path);
  HandlePtr owner(file);
  const auto end = clock.now() + patience;
  OVERLAPPED all{};
  while (!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &all)) {
    if (GetLastError() != ERROR_LOCK_VIOLATION) cannot_write(path);
    if (clock.now() >= end) in_use(path);
    std::this_thread::sleep_for(clock.nap(kLockPoll));
  }
  native_ = reinterpret_cast<std::intptr_t>(owner.release());
}

FileLock::~FileLock() { CloseHandle(reinterpret_cast<HANDLE>(native_)); }

#else

void require_private(const std::filesystem::path& path, const char* role) {
  using std::filesystem::perms;
  std::error_code error;
  const perms granted = std::filesystem::status(path, error).permissions();
  if (!error && (granted & (perms::group_all | perms::others_all)) != perms::none) {
    throw Error(std::string(role) + " " + path.string() + " can be read by others than its owner: run chmod 600 " +
                path.string());
  }
}

namespace {

[[noreturn]] void cannot_write(const std::filesystem::path& path) { cannot_write(path, std::strerror(errno)); }

struct Descriptor {
  explicit Descriptor(int native) : number(native) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number;
};

/// A new name is on the disk only once its folder is.
void settle_folder_of(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number >= 0) ::fsync(opened.number);  // some file systems have no such thing
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view text, Readers readers) {
  auto part = path;
  part += ".part";
  ::unlink(part.c_str());  // of a crash: it would keep its mode
  {
    const Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.number < 0) cannot_write(part);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t written = ::write(file.number, text.data() + at, text.size() - at);
      if (written < 0 && errno != EINTR) cannot_write(part);
      if (written > 0) at += static_cast<std::size_t>(written);
    }
    if (::fsync(file.number) != 0) cannot_write(part);
    if (readers == Readers::Everybody && ::fchmod(file.number, 0644) != 0) cannot_write(part);
  }
  move_file(part, path);
}

void move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) cannot_write(to);
  settle_folder_of(to);
}

FileLock::FileLock(const std::filesystem::path& path, std::chrono::milliseconds patience, const wire::Clock& clock) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.number < 0) cannot_write(path);
  const auto end = clock.now() + patience;
  while (::flock(file.number, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) cannot_write(path);
    if (clock.now() >= end) in_use(path);
    std::this_thread::sleep_for(clock.nap(kLockPoll));
  }
  native_ = std::exchange(file.number, -1);
}

FileLock::~FileLock() { ::close(static_cast<int>(native_)); }

#endif

}  // namespace tsplink::security
