// The proxy's settings in Windows' registry, in the shape of the TOML file: of HKEY_LOCAL_MACHINE, the policies'
// SOFTWARE/Policies/tsplink/proxy before SOFTWARE/tsplink/proxy, value by value; tables are subkeys. The 64-bit view
// in both widths.
// Owner: nothing is kept. Threads: any.
#pragma once

#include <guiddef.h>

#include <toml++/toml.h>

#include <optional>
#include <string>

namespace tsplink::proxy {

struct RegistrySettings {
  toml::table values;  // REG_SZ and REG_EXPAND_SZ as text, REG_DWORD and REG_QWORD as numbers
  std::string name;    // of the keys that were there, for sentences
};

/// Nothing when neither key is there. Throws Failure(Configuration) when one cannot be read or holds another type.
std::optional<RegistrySettings> settings_of_registry();

/// Whether a COM class has a module of either width.
bool class_registered(const GUID& clsid);

}  // namespace tsplink::proxy
