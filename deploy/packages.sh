#!/usr/bin/env bash
# Installs the Debian packages that tsplink is built and tested with, those that are missing.
# Says nothing when all are there.
#
#   deploy/packages.sh [--with tsan] [--with windows] [--with fuzz] [--with coverage] [--with lint]
#                      [--with fresh] [--with emulation] [--print]
#
#   --with tsan     also what deploy/tsan-libzmq.sh needs to build libzmq from Debian's source package
#   --with windows  also MinGW-w64, what deploy/windows-libraries.sh needs, and Wine
#   --with fuzz     also clang, for the fuzz targets
#   --with coverage  also gcovr, for tests/run.sh coverage
#   --with lint     also clang-format, clang-tidy and shellcheck
#   --with fresh    also debootstrap, for deploy/fresh.sh
#   --with emulation  also QEMU and what tests/emulated.sh starts it with
#   --print         only print the names of the packages, one a line
set -euo pipefail
# shellcheck source=deploy/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

packages=(
  g++ cmake ninja-build ccache pkg-config git ca-certificates
  libzmq3-dev cppzmq-dev libflatbuffers-dev flatbuffers-compiler libspdlog-dev libfmt-dev libtomlplusplus-dev
  libcli11-dev nlohmann-json3-dev libssl-dev openssl mingw-w64-common
  libgtest-dev libgmock-dev libbenchmark-dev
)
print=no
while (($#)); do
  case $1 in
    --with)
      case ${2:-} in
        tsan) packages+=(dpkg-dev) ;;
        windows)
          packages+=(dpkg-dev make perl mingw-w64-tools wine wine64 g++-mingw-w64-{x86-64,i686}-posix)
          ;;
        fuzz) packages+=(clang llvm libclang-rt-14-dev) ;;
        coverage) packages+=(gcovr) ;;
        lint) packages+=(clang-format clang-tidy shellcheck) ;;
        fresh) packages+=(debootstrap) ;;
        emulation) packages+=(qemu-system-x86 busybox-static cpio) ;;
        *) fail "--with takes tsan, windows, fuzz, coverage, lint, fresh or emulation, not '${2:-}'" ;;
      esac
      shift
      ;;
    --print) print=yes ;;
    -h | --help) usage; exit ;;
    *) fail "unknown argument '$1': see --help" ;;
  esac
  shift
done
if [[ $print == yes ]]; then
  printf '%s\n' "${packages[@]}"
  exit
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  fail "this is no Debian: install by hand what 'deploy/packages.sh --print' names, under your system's names"
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

say "installing ${missing[*]}"
started=$SECONDS
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Locks of another apt are waited for; a flaky archive is asked again, the second time with fresh lists.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 \
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@" </dev/null >>"$log" 2>&1
}
attempts=3
for ((attempt = 1; attempt <= attempts; attempt++)); do
  if apt_get update && apt_get install --no-install-recommends "${missing[@]}"; then
    say "installed ${#missing[@]} packages and what they need in $((SECONDS - started)) s"
    exit 0
  fi
  # An index that failed to arrive need not matter: what is known may do.
  if ((attempt > 1)) && apt_get install --no-install-recommends "${missing[@]}"; then
    say "installed ${#missing[@]} packages in $((SECONDS - started)) s, though apt-get update reported an error"
    exit 0
  fi
  grep -E '^(E|Err|W):' "$log" | tail -n 3 >&2 || true
  ((attempt == attempts)) || { say "attempt $attempt of $attempts failed, trying again"; sleep $((attempt * 2)); }
done
tail -n 20 "$log" >&2
fail "the packages could not be installed: check the network and the package sources in /etc/apt, then run it again"
