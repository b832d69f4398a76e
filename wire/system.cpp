#include "wire/system.hpp"

#ifdef _WIN32
#include <windows.h>
#else
#include <unistd.h>
#endif

namespace tsplink::wire {

std::filesystem::path path_of(std::string_view utf8) { return std::u8string(utf8.begin(), utf8.end()); }

std::string machine_name() {
#ifdef _WIN32
  wchar_t name[256] = {};
  DWORD size = 256;
  if (!GetComputerNameExW(ComputerNamePhysicalDnsHostname, name, &size) || size == 0) return "unknown";
  const auto text = std::filesystem::path(name).u8string();
  return {text.begin(), text.end()};
#else
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "unknown";
#endif
}

}  // namespace tsplink::wire
