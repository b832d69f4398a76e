/* What a later tspi.h could declare: the function of made_up.def. */
#pragma once
#include_next <tspi.h>
#ifdef __cplusplus
extern "C" {
#endif
LONG WINAPI TSPI_lineMadeUp(DRV_REQUESTID dwRequestID, HDRVLINE hdLine, HDRVCALL hdCall, DWORD dwMode,
                            LPCWSTR lpszText, LPCSTR lpsBytes, DWORD dwSize, LPLINEGENERATETONE lpTones,
                            DWORD dwNumTones, HTAPICALL htNewCall, LPHDRVCALL lphdNewCall, LPVOID lpParams,
                            DWORD dwParamSize, LPVARSTRING lpName, LPDWORD lpdwNumber);
#ifdef __cplusplus
}
#endif
