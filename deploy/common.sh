# shellcheck shell=bash
# Shared by the scripts in deploy/ and tests/: messages, root rights, the cache folder. Sourced, never run.

# say TEXT: progress, on standard error so that a script's result stays alone on standard output.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail TEXT: the one sentence that says what went wrong and what to do, then exit 1.
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# usage: prints the comment block at the top of the script, which is its help.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# as_root COMMAND...: runs it as root, by sudo where that is needed.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    fail "root is needed for '$1' and sudo is not installed: run this script as root"
  fi
}

# cache_folder: where built dependencies are kept, outside the checkout.
cache_folder() { printf '%s\n' "${TSPLINK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tsplink}"; }

# Processes: what is started by marked_env carries a mark in its environment, by which a script finds and ends, by
# process id, all that it started, however far it was removed from it.
mark=TSPLINK_RUN_$$_$RANDOM$RANDOM=1
marked_env() { env "$mark" "$@"; }
marked() { grep -lz "^$mark\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 || true; }

# marked_end SECONDS: false when marked processes are still there after that time.
marked_end() {
  local i
  for ((i = 0; i <= $1 * 10; i++)); do
    [[ -n $(marked) ]] || return 0
    sleep 0.1
  done
  return 1
}

kill_marked() {
  local pid
  for pid in $(marked); do kill -TERM "$pid" 2>/dev/null || true; done
  ! marked_end 3 || return 0 # the 0 counts: in a trap a bare return would give the status of what came before
  for pid in $(marked); do kill -KILL "$pid" 2>/dev/null || true; done
}

# with_progress LABEL LOG COMMAND...: runs COMMAND marked, with its output in LOG, says every 15 s on standard output how
# far it is, and returns its status.
with_progress() {
  local label=$1 log=$2 started=$SECONDS status reader answer
  shift 2
  exec {reader}< <(
    result=0
    marked_env "$@" >"$log" 2>&1 </dev/null || result=$?
    echo "$result"
  )
  while true; do
    status=0
    read -r -t 15 -u "$reader" answer || status=$?
    ((status > 128)) || break # above 128: time for a sign of life
    printf '  %s: %d s, %s\n' "$label" $((SECONDS - started)) "$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-90)"
  done
  exec {reader}<&-
  [[ $status == 0 ]] || answer=255
  return "$answer"
}
