// The few Windows types that tapi.h and tspi.h need, for native builds on Linux. Widths are those of
// Windows (DWORD and LONG 32 bits, WCHAR UTF-16), so that structures and events have the same layout
// as on the desktop. Never used by Windows builds.
#pragma once

#include <stdint.h>

#ifdef _WIN32
#error "the Linux stand-in for windows.h was found by a Windows build"
#endif

#define WINAPI
#define CALLBACK
#define APIENTRY
#define DECLSPEC_IMPORT
#define DECLSPEC_EXPORT __attribute__((visibility("default")))
#define EXTERN_C extern "C"
#define __MSABI_LONG(x) x
#define __LONG32 int
#define __C89_NAMELESS __extension__

typedef uint8_t BYTE;
typedef BYTE* LPBYTE;
typedef uint16_t WORD;
typedef uint32_t DWORD;
typedef DWORD* LPDWORD;
typedef int32_t LONG;
typedef LONG* LPLONG;
typedef uint32_t ULONG;
typedef uint32_t UINT;
typedef int32_t BOOL;
typedef int32_t HRESULT;
typedef uintptr_t DWORD_PTR;
typedef uintptr_t ULONG_PTR;
typedef intptr_t LONG_PTR;
typedef void* LPVOID;
typedef const void* LPCVOID;
typedef void* HANDLE;
typedef struct HWND__* HWND;
typedef struct HICON__* HICON;
typedef struct HINSTANCE__* HINSTANCE;
typedef HINSTANCE HMODULE;
typedef char CHAR;
typedef char* LPSTR;
typedef const char* LPCSTR;
typedef char16_t WCHAR;
typedef WCHAR* LPWSTR;
typedef const WCHAR* LPCWSTR;
typedef uintptr_t WPARAM;
typedef intptr_t LPARAM;
typedef double DATE;
typedef union tagCY {
  int64_t int64;
} CURRENCY;
typedef int64_t LONGLONG;
typedef uint64_t ULONGLONG;
typedef ULONGLONG DWORDLONG;

#define VOID void
#define TRUE 1
#define FALSE 0
#define MAX_PATH 260
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

typedef struct _SYSTEMTIME {
  WORD wYear;
  WORD wMonth;
  WORD wDayOfWeek;
  WORD wDay;
  WORD wHour;
  WORD wMinute;
  WORD wSecond;
  WORD wMilliseconds;
} SYSTEMTIME, *LPSYSTEMTIME;

typedef struct _GUID {
  uint32_t Data1;
  uint16_t Data2;
  uint16_t Data3;
  uint8_t Data4[8];
} GUID;
#define GUID_DEFINED
typedef GUID CLSID;
typedef GUID* LPGUID;
#define __LPGUID_DEFINED__
