#!/usr/bin/env bash
# Wine for Windows programs of both widths. Debian's wine64 runs 64-bit programs only; what it lacks for 32-bit ones are
# Wine's own DLLs of that width. They are taken from Debian's package libwine:i386, which need not be installable here, and
# kept outside the checkout: about 15 s and 600 MB, once. The last line printed is the folder for WINEDLLPATH, which a
# prefix must be made with:
#
#   export WINEDLLPATH=$(deploy/wine.sh | tail -n 1) WINEPREFIX=$PWD/prefix
#   wine program.exe
#
#   deploy/wine.sh [--force]
#
#   --force   fetch again even what is there
#
# Environment: TSPLINK_CACHE (default ~/.cache/tsplink).
set -euo pipefail
# shellcheck source=deploy/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=deploy/debian-archive.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian-archive.sh"

force=no
while (($#)); do
  case $1 in
    --force) force=yes ;;
    -h | --help) usage; exit ;;
    *) fail "unknown argument '$1': see --help" ;;
  esac
  shift
done

installed=/usr/lib/x86_64-linux-gnu/wine
version=$(dpkg-query -W -f='${Version}' libwine:amd64 2>/dev/null) && command -v wine >/dev/null ||
  fail "wine is not installed: run deploy/packages.sh --with windows"
cache=$(cache_folder)
folder=$cache/wine-$version
mkdir -p "$cache"
exec 9>"$cache/wine.lock"
flock 9 # the second of two finds the first's work
if [[ ! -e $folder/i386-windows/ntdll.dll || $force == yes ]]; then
  started=$SECONDS
  work=$(mktemp -d "$cache/wine.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  log=$work/log
  : >"$log"
  say "fetching Wine's 32-bit DLLs, libwine:i386 $version"
  package_lists deb "$work/apt" "$log" -o APT::Architecture=i386 -o APT::Architectures=i386
  (cd "$work" && apt-get "${apt[@]}" download "libwine=$version") >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "libwine:i386 $version could not be fetched: if wine is not up to date, upgrade it, else try again later"
  }
  mkdir "$work/new"
  dpkg-deb --fsys-tarfile "$work"/libwine_*.deb |
    tar -x -C "$work/new" --strip-components=5 ./usr/lib/i386-linux-gnu/wine/i386-windows
  for part in x86_64-unix x86_64-windows; do ln -s "$installed/$part" "$work/new/$part"; done
  [[ -e $work/new/i386-windows/ntdll.dll ]] || fail "libwine:i386 $version holds no ntdll.dll"
  rm -rf "$folder"
  mv "$work/new" "$folder"
  say "fetched in $((SECONDS - started)) s"
fi
printf '%s\n' "$folder"
