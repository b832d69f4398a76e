// The user interface half, which the application would load: windowless, so that it runs in tests. Each function asks
// the TSP half through the callback that it is given, as a dialog would, and returns what came of it.
// Owner: the application. Threads: the application's. It shares nothing with the TSP half but this file's module.
#include <cstddef>

#include "tests/simpbx/entry.hpp"
#include "tests/simpbx/structures.hpp"

using namespace tsplink::simpbx;

namespace {

/// One question to the TSP half: its answer is the block XORed with 0x5A.
LONG ask(TUISPIDLLCALLBACK callback, DWORD_PTR object, DWORD type) {
  if (!callback) return error(LINEERR_INVALPOINTER);
  BYTE block[4] = {'s', 'i', 'm', 'u'};
  const LONG result = callback(object, type, block, sizeof block);
  if (result != 0) return result;
  return block[0] == ('s' ^ 0x5A) ? 0 : error(LINEERR_OPERATIONFAILED);
}

}  // namespace

SIMPBX_EXPORT TUISPI_lineConfigDialog(TUISPIDLLCALLBACK lpfnUIDLLCallback, DWORD dwDeviceID, HWND, LPCWSTR) {
  return ask(lpfnUIDLLCallback, dwDeviceID, TUISPIDLL_OBJECT_LINEID);
}

/// The "user" leaves the configuration as it was.
SIMPBX_EXPORT TUISPI_lineConfigDialogEdit(TUISPIDLLCALLBACK lpfnUIDLLCallback, DWORD dwDeviceID, HWND, LPCWSTR,
                                          LPVOID const lpDeviceConfigIn, DWORD dwSize,
                                          LPVARSTRING lpDeviceConfigOut) {
  if (const LONG result = ask(lpfnUIDLLCallback, dwDeviceID, TUISPIDLL_OBJECT_LINEID); result != 0) return result;
  try {
    store_var_string(lpDeviceConfigOut, STRINGFORMAT_BINARY, lpDeviceConfigIn, dwSize, Habits());
    return 0;
  } catch (const Refusal& refusal) {
    return refusal.code;
  }
}

SIMPBX_EXPORT TUISPI_phoneConfigDialog(TUISPIDLLCALLBACK lpfnUIDLLCallback, DWORD dwDeviceID, HWND, LPCWSTR) {
  return ask(lpfnUIDLLCallback, dwDeviceID, TUISPIDLL_OBJECT_PHONEID);
}

SIMPBX_EXPORT TUISPI_providerConfig(TUISPIDLLCALLBACK lpfnUIDLLCallback, HWND, DWORD dwPermanentProviderID) {
  return ask(lpfnUIDLLCallback, dwPermanentProviderID, TUISPIDLL_OBJECT_PROVIDERID);
}
SIMPBX_EXPORT TUISPI_providerInstall(TUISPIDLLCALLBACK, HWND, DWORD) { return 0; }
SIMPBX_EXPORT TUISPI_providerRemove(TUISPIDLLCALLBACK, HWND, DWORD) { return 0; }

/// A dialog without a window: it tells the TSP half the block that it was opened with, and is done.
SIMPBX_EXPORT TUISPI_providerGenericDialog(TUISPIDLLCALLBACK lpfnUIDLLCallback, HTAPIDIALOGINSTANCE htDlgInst,
                                           LPVOID lpParams, DWORD dwSize, HANDLE) {
  if (!lpfnUIDLLCallback) return error(LINEERR_INVALPOINTER);
  Bytes block = copy_bytes(lpParams, dwSize);
  return lpfnUIDLLCallback(htDlgInst, TUISPIDLL_OBJECT_DIALOGINSTANCE, block.data(),
                           static_cast<DWORD>(block.size()));
}

SIMPBX_EXPORT TUISPI_providerGenericDialogData(HTAPIDIALOGINSTANCE, LPVOID, DWORD) { return 0; }
