#!/usr/bin/env bash
# Builds the libraries that Windows binaries link statically, libzmq and OpenSSL, with MinGW-w64 from Debian's source
# packages. Kept outside the checkout and built once for each version, compiler and way of building: about 3 minutes for
# each architecture on two cores, then nothing. The last line printed is the list of prefixes, for
# TSPLINK_WINDOWS_LIBRARIES:
#
#   TSPLINK_WINDOWS_LIBRARIES=$(deploy/windows-libraries.sh x64 | tail -n 1) cmake --preset windows-x64
#
#   deploy/windows-libraries.sh x64|x86 [--force] [--jobs N]
#
#   --force    build again even what is there
#   --jobs N   compile with N jobs at a time (default: one for each core)
#
# Environment: TSPLINK_CACHE (default ~/.cache/tsplink).
# The sources are authenticated by apt: signatures of the machine's own package sources.
set -euo pipefail
# shellcheck source=deploy/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=deploy/debian-archive.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian-archive.sh"

force=no
architecture=
jobs=$(nproc)
while (($#)); do
  case $1 in
    x64) architecture=x64 triplet=x86_64-w64-mingw32 openssl_target=mingw64 ;;
    x86) architecture=x86 triplet=i686-w64-mingw32 openssl_target=mingw ;;
    --force) force=yes ;;
    --jobs)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--jobs takes a number, not '${2:-}'"
      jobs=$2
      shift
      ;;
    -h | --help) usage; exit ;;
    *) fail "unknown argument '$1': see --help" ;;
  esac
  shift
done
[[ $architecture ]] || fail "say for which architecture: x64 or x86"

compiler=$triplet-g++-posix # without -posix it may be the thread model that has no std::thread
for program in "$compiler" dpkg-source cmake ninja make patch perl; do
  command -v "$program" >/dev/null || fail "$program is missing: run deploy/packages.sh --with windows"
done
compiler_version=$("$compiler" -dumpfullversion)

# wepoll hung under Wine once in some twenty runs; select is libzmq's other poller there.
zeromq3_options=(-DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER="$triplet-gcc-posix" -DCMAKE_CXX_COMPILER="$compiler"
  -DCMAKE_RC_COMPILER="$triplet-windres" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED=OFF -DBUILD_STATIC=ON
  -DBUILD_TESTS=OFF -DWITH_PERF_TOOL=OFF -DENABLE_CPACK=OFF -DWITH_DOCS=OFF -DENABLE_CURVE=OFF -DWITH_LIBSODIUM=OFF
  -DENABLE_WS=OFF -DWITH_OPENPGM=OFF -DWITH_NORM=OFF -DZMQ_HAVE_IPC=OFF -DZMQ_WIN32_WINNT=0x0A00 -DPOLLER=select
  -DCMAKE_INSTALL_LIBDIR=lib)
# What tsplink never uses is left out: the less, the faster and the smaller.
openssl_options=("$openssl_target" no-shared no-tests no-engine no-dso no-legacy no-module no-comp no-ssl3 no-tls1
  no-tls1_1 no-dtls no-srp no-psk no-idea no-rc2 no-rc4 no-md4 no-mdc2 no-rmd160 no-seed no-cast no-bf no-camellia
  no-aria no-sm2 no-sm3 no-sm4 no-capieng --libdir=lib)

cache=$(cache_folder)
mkdir -p "$cache"
exec 9>"$cache/windows-$architecture.lock"
flock 9 # two builds at once would waste the machine; the second finds the first's work

work=
log=
clean_up() { [[ -z $work ]] || rm -rf "$work"; }
trap clean_up EXIT
explain() { # SENTENCE: after the end of the log
  tail -n 20 "$log" >&2
  fail "$1"
}

# start: once, before the first thing that has to be built.
start() {
  [[ -z $work ]] || return 0
  work=$(mktemp -d "$cache/work.XXXXXX") # in the file system of the result, which appears whole
  log=$work/log
  : >"$log"
  say "reading Debian's source lists"
  package_lists deb-src "$work/apt" "$log"
}

build_zeromq3() { # SOURCE PREFIX
  local source=$1/src
  change() { # FILE SED_SCRIPT
    sed -i.before "$2" "$source/$1"
    ! cmp -s "$source/$1" "$source/$1.before" || explain "libzmq's source is not as expected: $1"
  }
  # A ZMQ_STREAM peer that is to be closed is closed at once, not when it has read what is queued for it: on Linux
  # wire/link forces that from outside, by shutdown().
  change session_base.cpp \
    's/^\( *\)pipes\[0\]->set_event_sink (this);/&\n\1if (options.raw_socket) pipes[0]->set_nodelay ();/'
  # select() takes 200 KiB of it in the 32-bit module, too, whose threads have what the program that loads it says.
  change thread.cpp '/ stack = 0;/,/ stack = 0x400000;/s/^#if defined _WIN64/#if 1/'

  # What Winsock refuses ends one connection or is tried again; it ends no process, which may be the telephony service.
  # libzmq takes any error for its own fault that is not in its lists, and they are shorter than those of Windows. Left
  # as it is: the end of a connection that wakes a thread, once it stands.
  change err.cpp 's/^ *wsa_assert (false);/            return EIO;/' # an error without a name of its own
  # One connection: sending, receiving, accepting, connecting, its options.
  change tcp.cpp 's/^\( *\)wsa_assert (nbytes != SOCKET_ERROR);/\1if (nbytes == SOCKET_ERROR)\n\1    return -1;/'
  change tcp.cpp '/^int zmq::tcp_read/,/^}/ {
    /^ *wsa_assert (/,/wsa_error_to_errno/c\            errno = ECONNRESET;
    }'
  change tcp.cpp '/^void zmq::tcp_tune_loopback_fast_path/,/^}/ s/wsa_assert (false);//'
  change tcp_listener.cpp \
    '/tcp_listener_t::accept/,/^}/ { /int last_error = WSAGetLastError/d; /wsa_assert (last_error/,/;$/d }'
  change tcp_connecter.cpp 's/^ *wsa_assert_no (err);//'
  change ip.cpp \
    '/^void zmq::assert_success_or_recoverable/,/^}/ { /zmq_assert (rc == 0);/d; /wsa_assert (err ==/,/;$/d }'
  # Waiting: again, a little later.
  local refused='if (rc == SOCKET_ERROR) { Sleep (1);'
  change select.cpp "/^void zmq::select_t::select_family_entry/,/^}/ s/wsa_assert (rc != SOCKET_ERROR);/$refused return; }/"
  change signaler.cpp \
    "/^int zmq::signaler_t::wait/,/^}/ s/wsa_assert (rc != SOCKET_ERROR);/$refused errno = EINTR; return -1; }/"
  change zmq.cpp '/wsa_assert (errno == ENOTSOCK);/d'
  # The connection to itself that wakes each thread and each socket: three tries, then there is no more socket to be had.
  change ip.cpp '/^static void tune_socket/,/^}/ s/wsa_assert (rc != SOCKET_ERROR);/(void) rc;/'
  change ip.cpp '/^static int make_fdpair_tcpip/,/^}/ {
    s/wsa_assert (listener != INVALID_SOCKET);/if (listener == INVALID_SOCKET) return -1;/
    s/wsa_assert (\*w_ != INVALID_SOCKET);/if (*w_ == INVALID_SOCKET) { closesocket (listener); return -1; }/
    s/wsa_assert (nbytes != SOCKET_ERROR);/if (nbytes == SOCKET_ERROR) { closesocket (*r_); *r_ = INVALID_SOCKET; break; }/
    /wsa_assert (rc != SOCKET_ERROR);/d
    }'
  change ip.cpp "s/^    return make_fdpair_tcpip (r_, w_);/    for (int tries = 1; make_fdpair_tcpip (r_, w_) != 0; ++tries)\\
        if (tries == 3) return -1;\\
    return 0;/"

  cmake -S "$1" -B "$work/build" -G Ninja "${zeromq3_options[@]}" -DCMAKE_INSTALL_PREFIX="$2" \
    -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$1/=" >>"$log" 2>&1 || explain "cmake refused libzmq's source"
  cmake --build "$work/build" -j "$jobs" >>"$log" 2>&1 || explain "libzmq did not compile"
  DESTDIR=$work/image cmake --install "$work/build" >>"$log" 2>&1 || explain "libzmq could not be installed"
}

build_openssl() { # SOURCE PREFIX
  # Debian makes the 32-bit assembly position-independent the ELF way, which COFF has no relocation for.
  if [[ $architecture == x86 ]]; then
    patch -R -p1 -d "$1" <"$1/debian/patches/pic.patch" >>"$log" 2>&1 ||
      explain "Debian's pic.patch could not be taken out of OpenSSL's source"
  fi
  (
    cd "$1"
    ./Configure --cross-compile-prefix="$triplet-" CC=gcc-posix --prefix="$2" --openssldir='C:\tsplink\openssl' \
      "${openssl_options[@]}"
  ) >>"$log" 2>&1 || explain "OpenSSL's source could not be configured"
  make -C "$1" -j "$jobs" build_libs >>"$log" 2>&1 || explain "OpenSSL did not compile"
  make -C "$1" DESTDIR="$work/image" install_dev >>"$log" 2>&1 || explain "OpenSSL could not be installed"
}

# library SOURCE_PACKAGE INSTALLED_PACKAGE RESULT MINUTES: builds it unless it is there, and adds its prefix to prefixes.
prefixes=()
library() {
  local package=$1 result=$3 minutes=$4 started wanted hash prefix target older=
  local -n options=${package}_options
  wanted=$(dpkg-query -W -f='${source:Version}' "$2" 2>/dev/null) || fail "$2 is not installed: run deploy/packages.sh"
  hash=$({ declare -f "build_$package" && printf '%s\n' "${options[@]}"; } | sha256sum | cut -c1-8)
  prefix=$cache/windows-$architecture-$package-$wanted-$compiler_version-$hash
  [[ $force == yes ]] || older=$(older_stand_in "$prefix" "$wanted" "$result")
  if [[ ! -e $prefix/$result || -n $older || $force == yes ]]; then
    started=$SECONDS
    start
    say "fetching the source of $package $wanted"
    fetch_source "$package" "$wanted" "$work/source" "$log" "$older"
    target=$cache/windows-$architecture-$package-$source_version-$compiler_version-$hash
    if [[ ! -e $target/$result || -L $target || $force == yes ]]; then
      say "building $package $source_version for Windows $architecture (about $minutes min on two cores)"
      rm -rf "$work/build" "$work/image"
      "build_$package" "$(echo "$work"/source/*/)" "$target"
      [[ -e $work/image$target/$result ]] || explain "the build of $package left no $result"
      rm -rf "$target"
      mv "$work/image$target" "$target"
      say "built $package $source_version in $((SECONDS - started)) s"
    fi
    # Another source than the one wanted stands in its place; an older one until the archive gives that one.
    [[ $target == "$prefix" ]] || ln -sfn "$(basename "$target")" "$prefix"
  fi
  prefixes+=("$prefix")
}

library zeromq3 libzmq5 lib/libzmq.a 1
library openssl libssl3 lib/libssl.a 2
(IFS=';' && printf '%s\n' "${prefixes[*]}")
