#!/usr/bin/env bash
# Builds libzmq with ThreadSanitizer from Debian's source package: the packaged one is not instrumented and
# makes TSan report races that are none. Kept outside the checkout and built once for each version, compiler
# and set of flags. The last line printed is the prefix, for TSPLINK_ZMQ_ROOT:
#
#   TSPLINK_TSAN_ZMQ=$(deploy/tsan-libzmq.sh | tail -n 1) cmake --preset tsan
#
#   --force   build again even if it is there
#
# Environment: CXX and CC (default g++ and gcc), TSPLINK_CACHE (default ~/.cache/tsplink).
# The source is authenticated by apt: signatures of the machine's own package sources.
set -euo pipefail
# shellcheck source=deploy/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=deploy/debian-archive.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian-archive.sh"

force=no
case ${1:-} in
  '') ;;
  --force) force=yes ;;
  -h | --help) usage; exit ;;
  *) fail "unknown argument '$1': see --help" ;;
esac

export CC=${CC:-gcc} CXX=${CXX:-g++}
for program in "$CXX" dpkg-source cmake ninja; do
  command -v "$program" >/dev/null || fail "$program is missing: run deploy/packages.sh --with tsan"
done

flags='-O1 -g -fPIC -fno-omit-frame-pointer -fsanitize=thread'
options=(-DBUILD_SHARED=ON -DBUILD_STATIC=OFF -DBUILD_TESTS=OFF -DWITH_PERF_TOOL=OFF -DENABLE_CPACK=OFF
  -DWITH_DOCS=OFF -DENABLE_CURVE=OFF -DWITH_LIBSODIUM=OFF -DENABLE_WS=OFF -DWITH_OPENPGM=OFF -DWITH_NORM=OFF)
wanted=$(dpkg-query -W -f='${source:Version}' libzmq5 2>/dev/null) ||
  fail "libzmq is not installed: run deploy/packages.sh"
hash=$(printf '%s\n' "$flags" "${options[@]}" | sha256sum | cut -c1-8)
cache=$(cache_folder)
prefix_of() { printf '%s/libzmq-tsan-%s-%s-%s-%s\n' "$cache" "$1" "$(basename "$CXX")" "$("$CXX" -dumpfullversion)" "$hash"; }
prefix=$(prefix_of "$wanted")

mkdir -p "$cache"
exec 9>"$cache/libzmq-tsan.lock"
flock 9 # two builds at once would waste the machine; the second finds the first's work
older=
[[ $force == yes ]] || older=$(older_stand_in "$prefix" "$wanted" lib/libzmq.so)
if [[ -e $prefix/lib/libzmq.so && -z $older && $force == no ]]; then
  printf '%s\n' "$prefix"
  exit
fi

started=$SECONDS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
: >"$log"
explain() { tail -n 20 "$log" >&2; fail "$1"; }

say "fetching libzmq $wanted from Debian's source archive"
package_lists deb-src "$work/apt" "$log"
fetch_source zeromq3 "$wanted" "$work/source" "$log" "$older"
version=$source_version
if [[ $version == "$older" ]]; then
  printf '%s\n' "$prefix"
  exit
fi

say "building libzmq $version with -fsanitize=thread (about half a minute)"
target=$(prefix_of "$version")
source=$(echo "$work"/source/*/)
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags" \
  -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_INSTALL_PREFIX="$target" -DCMAKE_INSTALL_LIBDIR=lib "${options[@]}" >>"$log" 2>&1 ||
  explain "cmake refused libzmq's source"
cmake --build "$work/build" >>"$log" 2>&1 || explain "libzmq did not compile"
DESTDIR=$work/image cmake --install "$work/build" >>"$log" 2>&1 || explain "libzmq could not be installed"

rm -rf "$target"
mv "$work/image$target" "$target"
[[ $target == "$prefix" ]] || ln -sfn "$(basename "$target")" "$prefix"
[[ -e $prefix/lib/libzmq.so ]] || explain "the build left no lib/libzmq.so"
say "built libzmq $version in $((SECONDS - started)) s"
printf '%s\n' "$prefix"
