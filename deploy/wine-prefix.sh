# shellcheck shell=bash
# A Wine prefix of a script's own. Sourced after common.sh, never run.

# start_wine FOLDER: makes a prefix in FOLDER/wine for programs of both widths (about 10 s) and keeps it running, so that
# a program starts in 20 ms. Sets what `wine` needs in the environment. Nothing of the user's own Wine is touched.
start_wine() {
  WINEDLLPATH=$(deploy/wine.sh | tail -n 1) || return 1
  wine_prefix=$1/wine
  export WINEDLLPATH WINEPREFIX=$wine_prefix WINEDEBUG=-all WINEDLLOVERRIDES='winemenubuilder.exe=d;mscoree=d;mshtml=d'
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
  # A program that waits for words that never come: with the last program Wine would end its services, and start those
  # that start with Windows again with the next.
  exec {wine_keeper}> >(exec wine cmd.exe >/dev/null 2>&1)
}

# stop_wine: ends every program in the prefix that start_wine made; does nothing without one.
stop_wine() {
  [[ -n ${wine_prefix:-} ]] || return 0
  WINEPREFIX=$wine_prefix wineserver -k >/dev/null 2>&1 || true
  WINEPREFIX=$wine_prefix wineserver -w >/dev/null 2>&1 || true
  [[ -z ${wine_keeper:-} ]] || exec {wine_keeper}>&-
}
