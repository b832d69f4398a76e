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
