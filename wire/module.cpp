#include "wire/module.hpp"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace tsplink::wire {

namespace {

const char here = 0;  // an address in the module

#ifdef _WIN32

void* take(DWORD flags) {
  HMODULE module = nullptr;
  GetModuleHandleExW(flags | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, reinterpret_cast<LPCWSTR>(&here), &module);
  return module;
}
void* take_once() { return take(0); }
void take_for_good() { take(GET_MODULE_HANDLE_EX_FLAG_PIN); }
void give_back(void* module) { FreeLibrary(static_cast<HMODULE>(module)); }

#else

void* take(int flags) {
  Dl_info info{};
  if (dladdr(&here, &info) == 0) return nullptr;
  return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | flags);
}
void* take_once() { return take(0); }
void take_for_good() { take(RTLD_NODELETE); }
void give_back(void* module) { dlclose(module); }

#endif

}  // namespace

LoadedModule::LoadedModule() : handle_(take_once()) {}
LoadedModule::~LoadedModule() {
  if (handle_) give_back(handle_);
}
void LoadedModule::keep_for_good() { take_for_good(); }

}  // namespace tsplink::wire
