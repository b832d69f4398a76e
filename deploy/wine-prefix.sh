# shellcheck shell=bash
# A Wine prefix of a script's own. Sourced after common.sh, never run.

# start_wine FOLDER: makes a prefix in FOLDER/wine for programs of both widths (about 10 s) and keeps it running, so that
# a program starts in 20 ms. Sets what `wine` needs in the environment. Nothing of the user's own Wine is touched.
start_wine() {
  WINEDLLPATH=$(deploy/wine.sh | tail -n 1) || return 1
  export WINEDLLPATH WINEPREFIX=$1/wine WINEDEBUG=-all WINEDLLOVERRIDES='winemenubuilder.exe=d;mscoree=d;mshtml=d'
  unset DISPLAY
  local log=$1/wine.log hive
  {
    wine wineboot -i &&
      # A crash says one line instead of a hundred.
      for hive in 'HKLM\Software' 'HKLM\Software\Wow6432Node'; do
        wine reg add "$hive\\Microsoft\\Windows NT\\CurrentVersion\\AeDebug" /v Debugger /d false /f || return 1
      done
  } >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    return 1
  }
  # A program that waits for words that never come.
  exec {wine_keeper}> >(exec wine cmd.exe >/dev/null 2>&1)
}

# stop_wine: ends every program in the prefix; does nothing without one.
stop_wine() {
  [[ -n ${WINEPREFIX:-} ]] || return 0
  wineserver -k >/dev/null 2>&1 || true
  wineserver -w >/dev/null 2>&1 || true
  [[ -z ${wine_keeper:-} ]] || exec {wine_keeper}>&-
}
