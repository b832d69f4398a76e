#include "security/files.hpp"

#include <openssl/crypto.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#ifdef _WIN32
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <algorithm>
#include <memory>
#endif

#include "security/errors.hpp"

namespace tsplink::security {
namespace {
constexpr std::size_t kMaxFile = 4U << 20U;
}

FileText::~FileText() { OPENSSL_cleanse(text_.data(), text_.size()); }

FileText read_file(const std::filesystem::path& path, const char* role) {
  const std::string file = std::string(role) + " " + path.string();
  if (path.empty()) throw Error(std::string("no ") + role + " is configured: name one");
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(file + " does not exist: correct the path or put the file there");
  }
  if (error) throw Error(file + " cannot be reached: " + error.message());
  if (std::filesystem::is_directory(status)) throw Error(file + " is a folder: name a file in it");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "unknown reason";
    throw Error(file + " cannot be read (" + reason + "): let this program's account read it");
  }
  // Sized beforehand, so that growing leaves no copy of a key behind.
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size > kMaxFile) throw Error(file + " is larger than 4 MiB: it is not what it should be");
  std::string text(error ? kMaxFile : static_cast<std::size_t>(size), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty()) throw Error(file + " is empty: put PEM text into it");
  return FileText(std::move(text));
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

void require_private(const std::filesystem::path& path) {
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD status = GetNamedSecurityInfoW(path.c_str(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                             nullptr, &list, nullptr, &descriptor);
  const std::unique_ptr<void, decltype(&LocalFree)> owner(descriptor, &LocalFree);
  const std::string file = "key file " + path.string();
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

#else

void require_private(const std::filesystem::path& path) {
  using std::filesystem::perms;
  std::error_code error;
  const perms granted = std::filesystem::status(path, error).permissions();
  if (!error && (granted & (perms::group_all | perms::others_all)) != perms::none) {
    throw Error("key file " + path.string() + " can be read by others than its owner: run chmod 600 " +
                path.string());
  }
}

#endif

}  // namespace tsplink::security
