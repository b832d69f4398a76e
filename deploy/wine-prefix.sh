# shellcheck shell=bash
# A Wine prefix of a script's own. Sourced after common.sh, never run.

# runs_32_bit: whether this machine runs 32-bit code, which some kernels and hypervisors do not. Asked of the processor,
# so that a fault of Wine's is never taken for it, nor one of the compiler: then it is true, and what is run will tell.
runs_32_bit() {
  local folder status=0
  folder=$(mktemp -d)
  gcc -nostdlib -static -no-pie -x assembler -o "$folder/probe" - <<'END' || { rm -rf "$folder"; return 0; }
.globl _start
_start: ljmp *there
there: .long narrow
       .word 0x23              # the 32-bit code segment
.code32
narrow: ljmp $0x33, $back      # and the 64-bit one again
.code64
back: mov $60, %eax            # exit(0)
      xor %edi, %edi
      syscall
END
  { "$folder/probe" || status=$?; } 2>/dev/null
  rm -rf "$folder"
  return "$status"
}

# start_wine FOLDER: makes a prefix in FOLDER/wine for programs of both widths (about 10 s) and keeps it running, so that
# a program starts in 20 ms; false if that fails. Sets what `wine` needs in the environment. Nothing of the user's own Wine is touched.
start_wine() {
  WINEDLLPATH=$(deploy/wine.sh | tail -n 1) || return 1
  wine_prefix=$1/wine
  # No desktop either: the first icon would start explorer.exe, which ends some time after the last program that used
  # it, and takes a program with it that starts just then.
  export WINEDLLPATH WINEPREFIX=$wine_prefix WINEDEBUG=-all
  export WINEDLLOVERRIDES='winemenubuilder.exe=d;mscoree=d;mshtml=d;explorer.exe=d'
  unset DISPLAY
  local log=$1/wine.log hive i msp='HKLM\Software\Classes\CLSID\{5B0C7A11-52B1-4B7E-9C44-51AB0E57D0C7}\InprocServer32'
  {
    wine wineboot -i &&
      wine reg add "$msp" /ve /d simpbx_msp.dll /f && # of the simulated PBX, as its installer would
      # A crash says one line instead of a hundred.
      for hive in 'HKLM\Software' 'HKLM\Software\Wow6432Node'; do
        wine reg add "$hive\\Microsoft\\Windows NT\\CurrentVersion\\AeDebug" /v Debugger /d false /f || return 1
      done
  } >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    return 1
  }
  # What made the prefix ends its services late, and two of them at once answer by turns: begin anew with one.
  wineserver -k >/dev/null 2>&1 || true
  wineserver -w
  # A program that waits for words that never come: with the last program Wine would end its services, and start those
  # that start with Windows again with the next.
  exec {wine_keeper}> >(exec wine cmd.exe >"$1/wine.keeper" 2>&1)
  for ((i = 0; i < 300; i++)); do
    [[ ! -s $1/wine.keeper ]] || return 0
    sleep 0.1
  done
  return 1
}

# stop_wine: ends every program in the prefix that start_wine made; does nothing without one.
stop_wine() {
  [[ -n ${wine_prefix:-} ]] || return 0
  WINEPREFIX=$wine_prefix wineserver -k >/dev/null 2>&1 || true
  WINEPREFIX=$wine_prefix wineserver -w >/dev/null 2>&1 || true
  [[ -z ${wine_keeper:-} ]] || exec {wine_keeper}>&-
}
