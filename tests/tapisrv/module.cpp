#include "module.hpp"

#include <stdexcept>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace tsplink::tapisim {

#ifdef _WIN32

Module::Module(const std::string& path) : handle_(LoadLibraryA(path.c_str())) {
  if (handle_ == nullptr) {
    throw std::runtime_error("The module " + path + " cannot be loaded (error " + std::to_string(GetLastError()) +
                             "); check the path and that it has this program's bitness.");
  }
}
Module::~Module() { FreeLibrary(static_cast<HMODULE>(handle_)); }
void* Module::symbol(const std::string& name) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name.c_str()));
}

#else

Module::Module(const std::string& path) {
  // Without a slash dlopen would search the system's folders only.
  const std::string where = path.find('/') == std::string::npos ? "./" + path : path;
  handle_ = dlopen(where.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* why = dlerror();
    throw std::runtime_error("The module " + path + " cannot be loaded: " + (why == nullptr ? "unknown" : why) + ".");
  }
}
Module::~Module() {
#ifndef TSPLINK_SANITIZED
  dlclose(handle_);
#endif
}
void* Module::symbol(const std::string& name) const { return dlsym(handle_, name.c_str()); }

#endif

}  // namespace tsplink::tapisim
