#!/usr/bin/env bash
# Shows tsplink at work: builds it, starts a host with a simulated PBX (simpbx) in one process and a desktop's telephony
# service (tapisim) with the proxy in another, over mutual TLS on loopback, and plays three scenarios: the desktop
# learns its lines, is called, and calls. Each is shown with the times of both ends. Ends with "demo: ok".
#
#   deploy/demo.sh [--windows [x64|x86]] [--quiet] [--keep] [--no-install] [--preset NAME]
#
#   --windows      the same with Windows binaries of all four, under Wine; 64 bit unless told otherwise
#   --quiet        only the steps, not the traces
#   --keep         keep the work folder (configuration, certificates, logs, whole traces) and name it
#   --no-install   do not look for missing Debian packages
#   --preset NAME  build with this preset of CMakePresets.json (default: release, or windows-x64)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/common.sh
. deploy/common.sh
# shellcheck source=deploy/wine-prefix.sh
. deploy/wine-prefix.sh

quiet=no keep=no install=yes preset=release
while (($#)); do
  case $1 in
    --windows)
      preset='windows-x64'
      if [[ ${2:-} == x64 || ${2:-} == x86 ]]; then
        preset="windows-$2"
        shift
      fi
      ;;
    --quiet) quiet=yes ;;
    --keep) keep=yes ;;
    --no-install) install=no ;;
    --preset)
      [[ ${2:-} =~ ^[a-z][a-z0-9-]*$ ]] || fail "--preset takes the name of a preset, not '${2:-}'"
      preset=$2
      shift
      ;;
    -h | --help) usage; exit ;;
    *) fail "unknown argument '$1': see --help" ;;
  esac
  shift
done

simpbx_msp_clsid=5B0C7A11-52B1-4B7E-9C44-51AB0E57D0C7
bin=$PWD/build/$preset/bin
windows='' run=() exe='' dll=so end_signal=TERM # how a program of this build is run, named and asked to end
if [[ $preset == windows-* ]]; then windows=${preset#windows-} run=(wine) exe=.exe dll=dll end_signal=INT; fi
work=$(mktemp -d -t tsplink-demo.XXXXXX)
host=
finished=no

clean_up() {
  local status=$?
  kill_marked
  stop_wine
  rm -rf "$work/wine"
  if [[ $keep == yes || ($finished == no && -n $(ls -A "$work")) ]]; then
    say "kept $work"
  else
    rm -rf "$work"
  fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }

# broken LOG SENTENCE: the end of LOG, then the sentence, then exit 1.
broken() {
  if [[ -s $1 ]]; then
    printf 'the end of %s:\n' "$1" >&2
    tail -n 20 "$1" | sed 's/^/    | /' >&2
  fi
  shift
  fail "$@"
}

# await FILE WHAT: until the host has written FILE, 20 s at most.
await() {
  local i
  for ((i = 0; i < 200; i++)); do
    [[ ! -s $1 ]] || return 0
    kill -0 "$host" 2>/dev/null || broken "$work/host.log" "the host ended while it started: its log says why"
    sleep 0.1
  done
  broken "$work/host.log" "the host has not $2 within 20 s"
}

build() {
  local started=$SECONDS
  if [[ -n $windows ]]; then
    TSPLINK_WINDOWS_LIBRARIES=$(deploy/windows-libraries.sh "$windows" | tail -n 1) ||
      fail "the libraries for Windows could not be built"
    export TSPLINK_WINDOWS_LIBRARIES
  fi
  with_progress configure "$work/build.log" cmake --preset "$preset" ||
    broken "$work/build.log" "the build could not be configured with preset $preset"
  with_progress build "$work/build.log" cmake --build --preset "$preset" -j "$(nproc)" \
    --target tsplink-host tsplink_tsp simpbx simpbx_msp tapisim || broken "$work/build.log" "the build failed"
  step "built in $((SECONDS - started)) s"
}

write_configuration() {
  deploy/certificates.sh "$work" --host localhost --desktop desk1 >"$work/certificates.log" 2>&1 ||
    broken "$work/certificates.log" "the certificates could not be made"
  cat >"$work/host.toml" <<END
listen = "127.0.0.1:0"
port_file = "$work/port"
policy = "policy.toml"
[tls]
certificate = "host.crt"
key = "host.key"
authority = "authority.crt"
[log]
level = "info"
file = ""
[[provider]]
name = "simpbx"
module = "$bin/simpbx.tsp"
permanent_id = 1
END
  cat >"$work/policy.toml" <<END
[[grant]]
to = "CN=desk1"
right = "control"
END
}

start_host() {
  : >"$work/pbx.log"
  SIMPBX_CONTROL=$work/pbx.port SIMPBX_LOG=$work/pbx.log env "$mark" \
    "${run[@]}" "$bin/tsplink-host$exe" --config "$work/host.toml" >"$work/host.log" 2>&1 </dev/null &
  host=$!
  await "$work/port" "opened its port"
  await "$work/pbx.port" "started the simulated PBX"
  mkdir -p "$work/state"
  chmod 700 "$work/state"
  cat >"$work/proxy.toml" <<END
machine = "desk1"
state = "$work/state"
[[host]]
address = "localhost"
port = $(<"$work/port")
[tls]
certificate = "desktop-desk1.crt"
key = "desktop-desk1.key"
authority = "authority.crt"
[log]
level = "info"
file = "$work/proxy.log"
END
}

# show TRACE FROM: what both ends saw, by time; of capabilities, thousands of characters, the beginning. Of the PBX's log
# the lines after line FROM.
show() {
  [[ $quiet == no ]] || return 0
  local blue='' plain=''
  if [[ -t 1 ]]; then blue=$'\e[34m' plain=$'\e[0m'; fi
  sort -s -k1,1 "$1" <(tail -n "+$(($2 + 1))" "$work/pbx.log") |
    sed -E "/^.{1200}/s/^(.{236}).*/\1.../; s/^([0-9:.]+ (pbx|msp) +\|.*)$/$blue\1$plain/; s/^/  /"
}

# play NAME WHAT: one scenario on the desktop.
play() {
  local name=$1 trace=$work/$1.trace log=$work/$1.log from started=$EPOCHREALTIME status=0
  from=$(wc -l <"$work/pbx.log")
  step "$2"
  TSPLINK_CONFIG=$work/proxy.toml marked_env timeout -k 5 90 "${run[@]}" "$bin/tapisim$exe" "$bin/tsplink.tsp" \
    "tests/tapisrv/scenarios/$name.tap" --pbx "$work/pbx.port" --msp "$simpbx_msp_clsid=$bin/simpbx_msp.$dll" \
    --label desktop --trace "$trace" --canonical "$work/$name.canonical" --time-limit 60 \
    >"$log" 2>&1 </dev/null &
  wait $! || status=$?
  [[ ! -e $trace ]] || show "$trace" "$from"
  if ((status != 0)); then
    [[ ! -s $work/proxy.log ]] || tail -n 10 "$work/proxy.log" | sed 's/^/    proxy | /' >&2
    tail -n 10 "$work/host.log" | sed 's/^/    host  | /' >&2
    broken "$log" "the scenario tests/tapisrv/scenarios/$name.tap did not go as it should (status $status)"
  fi
  kill -0 "$host" 2>/dev/null || broken "$work/host.log" "the host ended during the scenario $name.tap"
  step "$name: as it should, $(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
}

stop_host() {
  local status=0
  # Wine starts 32-bit programs by a launcher: the program itself is asked.
  local pid
  for pid in $(marked); do
    [[ $(tr '\0\\' '\n/' <"/proc/$pid/cmdline" | head -n 1) != */tsplink-host* ]] || kill -"$end_signal" "$pid"
  done
  marked_end 10 || broken "$work/host.log" "the host did not stop within 10 s of being asked to"
  wait "$host" || status=$?
  ((status == 0)) || broken "$work/host.log" "the host ended with status $status when it was asked to stop"
}

if [[ $install == yes ]]; then deploy/packages.sh ${windows:+--with windows}; fi
[[ $windows != x86 ]] || runs_32_bit || fail "the kernel of this machine runs no 32-bit programs: take --windows x64"
step "building tsplink-host, tsplink.tsp, and for the show simpbx and tapisim"
build
if [[ -n $windows ]]; then
  step "making a Wine prefix"
  start_wine "$work" || fail "Wine does not start"
fi
write_configuration
start_host
step "host on port $(<"$work/port") with simpbx in one process; next, tapisim with tsplink.tsp in another"
play learn 'first contact: the desktop learns its lines'
play incoming 'the desktop is called'
play outgoing 'the desktop calls'
stop_host
finished=yes
echo 'demo: ok'
