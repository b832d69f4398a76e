#include "proxy-tsp/registry.hpp"

#include <windows.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "wire/failure.hpp"

namespace tsplink::proxy {

namespace {

constexpr wchar_t kLocal[] = L"SOFTWARE\\tsplink\\proxy";
constexpr wchar_t kPolicy[] = L"SOFTWARE\\Policies\\tsplink\\proxy";
constexpr DWORD kNameRoom = 256;         // of a key, with its NUL (Windows' bound)
constexpr DWORD kValueNameRoom = 16384;  // of a value, likewise
constexpr int kDeepest = 3;

std::string utf8(std::wstring_view text) { return std::filesystem::path(text).string(); }

[[noreturn]] void refuse(const std::string& where, const std::string& sentence) {
  throw Failure(Kind::Configuration, "registry " + where + ": " + sentence);
}

void check(LSTATUS status, const std::string& where) {
  if (status == ERROR_SUCCESS) return;
  refuse(where, "cannot be read (" + std::system_category().message(static_cast<int>(status)) +
                    "); let the account of the telephony service read it");
}

struct Key {
  HKEY handle{};
  Key() = default;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() {
    if (handle) RegCloseKey(handle);
  }
};

std::string text_of(const std::vector<BYTE>& data, DWORD type) {
  std::wstring text(data.size() / sizeof(wchar_t), L'\0');
  std::memcpy(text.data(), data.data(), text.size() * sizeof(wchar_t));
  text.resize(std::wcslen(text.c_str()));
  if (type != REG_EXPAND_SZ) return utf8(text);
  std::wstring expanded(ExpandEnvironmentStringsW(text.c_str(), nullptr, 0), L'\0');
  if (ExpandEnvironmentStringsW(text.c_str(), expanded.data(), static_cast<DWORD>(expanded.size())) == 0) {
    return utf8(text);
  }
  return utf8(expanded.c_str());
}

void read_value(toml::table& into, const std::string& name, DWORD type, const std::vector<BYTE>& data,
                const std::string& where) {
  if (type == REG_SZ || type == REG_EXPAND_SZ) {
    into.insert_or_assign(name, text_of(data, type));
  } else if ((type == REG_DWORD || type == REG_QWORD) && (data.size() == 4 || data.size() == 8)) {
    std::int64_t number = 0;
    std::memcpy(&number, data.data(), data.size());
    into.insert_or_assign(name, number);
  } else {
    refuse(where, "'" + name + "' is neither text (REG_SZ) nor a number (REG_DWORD)");
  }
}

/// Names as the configuration has them: to Windows, upper and lower case are the same.
std::string name_of(std::wstring_view text) {
  std::string name = utf8(text);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

/// Adds what the key holds to `into`, replacing what is there.
void read_key(HKEY key, toml::table& into, const std::string& where, int depth) {
  std::wstring name(kValueNameRoom, L'\0');
  for (DWORD index = 0;; ++index) {
    DWORD name_size = kValueNameRoom, type = 0, size = 0;
    LSTATUS status = RegEnumValueW(key, index, name.data(), &name_size, nullptr, &type, nullptr, &size);
    if (status == ERROR_NO_MORE_ITEMS) break;
    check(status, where);
    if (name_size == 0) continue;  // the unnamed value, which editors show for every key
    std::vector<BYTE> data(size);
    check(RegQueryValueExW(key, name.c_str(), nullptr, &type, data.data(), &size), where);
    data.resize(size);
    read_value(into, name_of({name.data(), name_size}), type, data, where);
  }
  for (DWORD index = 0; depth < kDeepest; ++index) {
    DWORD name_size = kNameRoom;
    const LSTATUS status = RegEnumKeyExW(key, index, name.data(), &name_size, nullptr, nullptr, nullptr, nullptr);
    if (status == ERROR_NO_MORE_ITEMS) break;
    check(status, where);
    const std::string child = name_of({name.data(), name_size});
    Key inner;
    check(RegOpenKeyExW(key, name.c_str(), 0, KEY_READ | KEY_WOW64_64KEY, &inner.handle), where + "\\" + child);
    if (!into.contains(child) || !into[child].is_table()) into.insert_or_assign(child, toml::table());
    read_key(inner.handle, *into[child].as_table(), where + "\\" + child, depth + 1);
  }
}

}  // namespace

std::optional<RegistrySettings> settings_of_registry() {
  RegistrySettings settings;
  for (const wchar_t* path : {kLocal, kPolicy}) {
    Key key;
    const std::string where = "HKLM\\" + utf8(path);
    const LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | KEY_WOW64_64KEY, &key.handle);
    if (status == ERROR_FILE_NOT_FOUND) continue;
    check(status, where);
    read_key(key.handle, settings.values, where, 0);
    settings.name += (settings.name.empty() ? "registry " : " and ") + where;
  }
  if (settings.values.empty()) return std::nullopt;
  return settings;
}

bool class_registered(const GUID& clsid) {
  const auto& [a, b, c, d] = clsid;
  char text[40];
  std::snprintf(text, sizeof text, "%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X", static_cast<unsigned long>(a),
                b, c, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
  const std::string_view id = text;
  const auto path = L"SOFTWARE\\Classes\\CLSID\\{" + std::wstring(id.begin(), id.end()) + L"}\\InprocServer32";
  const auto there = [&](REGSAM view) {
    Key key;
    return RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, KEY_READ | view, &key.handle) == ERROR_SUCCESS;
  };
  return there(KEY_WOW64_64KEY) || there(KEY_WOW64_32KEY);
}

}  // namespace tsplink::proxy
