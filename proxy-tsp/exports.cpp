// The functions that the module exports: every live TSPI function, made from the sheet, and the TUISPI functions. The
// latter answer that they are unavailable: the proxy has no dialogs of its own.
#include "proxy-tsp/overrides.hpp"
#include "proxy-tsp/provider.hpp"

#ifdef _WIN32
#define TSPLINK_EXPORT __declspec(dllexport)
#else
#define TSPLINK_EXPORT __attribute__((visibility("default")))
#endif

using tsplink::proxy::Provider;
namespace wire_calls = tsplink::wire::calls;

namespace {

template <class C>
inline constexpr bool kStartsOrEnds =
    std::is_same_v<C, wire_calls::providerEnumDevices> || std::is_same_v<C, wire_calls::providerInit> ||
    std::is_same_v<C, wire_calls::providerShutdown>;

template <class C, class... Given>
LONG enter_root(tsplink::wire::Function function, Given... arguments) noexcept {
  std::unique_lock<std::mutex> turn;
  std::shared_ptr<Provider> provider;
  try {
    if constexpr (kStartsOrEnds<C>) turn = Provider::turn();
    provider = Provider::root();
  } catch (...) {
  }
  return tsplink::proxy::enter<C>(provider ? &provider->core() : nullptr, function, arguments...);
}

}  // namespace

namespace tsplink::wire {
#define TSPLINK_ARGUMENT(pair) typename TSPLINK_PAIR_ROLE(pair)::c_type TSPLINK_PAIR_NAME(pair)
#define TSPI_CALL(function, right, ...)                                                                       \
  extern "C" TSPLINK_EXPORT LONG WINAPI TSPI_##function(TSPLINK_MAP(TSPLINK_ARGUMENT, __VA_ARGS__)) {         \
    return enter_root<wire_calls::function>(Function::function, TSPLINK_MAP(TSPLINK_PAIR_NAME, __VA_ARGS__)); \
  }
#include "wire/tspi_calls.def"
#undef TSPI_CALL
}  // namespace tsplink::wire

extern "C" {
TSPLINK_EXPORT LONG WINAPI TUISPI_lineConfigDialog(TUISPIDLLCALLBACK, DWORD, HWND, LPCWSTR) {
  return LINEERR_OPERATIONUNAVAIL;
}
TSPLINK_EXPORT LONG WINAPI TUISPI_lineConfigDialogEdit(TUISPIDLLCALLBACK, DWORD, HWND, LPCWSTR, LPVOID const, DWORD,
                                                       LPVARSTRING) {
  return LINEERR_OPERATIONUNAVAIL;
}
TSPLINK_EXPORT LONG WINAPI TUISPI_phoneConfigDialog(TUISPIDLLCALLBACK, DWORD, HWND, LPCWSTR) {
  return PHONEERR_OPERATIONUNAVAIL;
}
TSPLINK_EXPORT LONG WINAPI TUISPI_providerConfig(TUISPIDLLCALLBACK, HWND, DWORD) { return LINEERR_OPERATIONUNAVAIL; }
TSPLINK_EXPORT LONG WINAPI TUISPI_providerGenericDialog(TUISPIDLLCALLBACK, HTAPIDIALOGINSTANCE, LPVOID, DWORD,
                                                        HANDLE) {
  return LINEERR_OPERATIONUNAVAIL;
}
TSPLINK_EXPORT LONG WINAPI TUISPI_providerGenericDialogData(HTAPIDIALOGINSTANCE, LPVOID, DWORD) {
  return LINEERR_OPERATIONUNAVAIL;
}
TSPLINK_EXPORT LONG WINAPI TUISPI_providerInstall(TUISPIDLLCALLBACK, HWND, DWORD) { return 0; }
TSPLINK_EXPORT LONG WINAPI TUISPI_providerRemove(TUISPIDLLCALLBACK, HWND, DWORD) { return 0; }
}
