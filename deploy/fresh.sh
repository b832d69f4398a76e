#!/usr/bin/env bash
# Proves that a bare Debian 12 is enough: makes one in a folder outside the checkout, clones HEAD into it, and runs
# there what a newcomer would: deploy/packages.sh, deploy/demo.sh, tests/run.sh. Shows missing installation steps.
# Needs root (sudo). Package archives, proxy and certificate authorities are those of this machine's apt.
#
#   deploy/fresh.sh [--only packages|demo|tests|windows] [--warm] [--keep] [--shell]
#
#   --only STEP   the packages and this step, not all of them; windows: the demo and the suite of that name
#   --warm        take this machine's compiler cache and built libraries along: shows the installation alone, in less time
#   --keep        keep the folder and name it
#   --shell       a shell in it at the end
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/common.sh
. deploy/common.sh

steps=(packages demo tests) keep=no shell=no warm=no
for ((i = 1; i <= $#; i++)); do
  case ${!i} in
    --only)
      i=$((i + 1))
      case ${!i:-} in
        packages) steps=(packages) ;;
        demo | tests) steps=(packages "${!i}") ;;
        windows) steps=(packages demo-windows tests-windows) ;;
        *) fail "--only takes packages, demo, tests or windows" ;;
      esac
      ;;
    --keep) keep=yes ;;
    --warm) warm=yes ;;
    --shell) shell=yes ;;
    -h | --help) usage; exit ;;
    *) fail "unknown argument '${!i}': see --help" ;;
  esac
done
if [[ $(id -u) != 0 ]]; then
  command -v sudo >/dev/null || fail "root is needed and sudo is not installed: run it as root"
  exec sudo --preserve-env=TSPLINK_CACHE,XDG_CACHE_HOME,http_proxy,https_proxy,no_proxy "$0" "$@"
fi
deploy/packages.sh --with fresh
unshare --mount --pid --fork true 2>/dev/null ||
  fail "this machine does not allow namespaces (unshare --mount --pid): run it in a virtual machine, or as real root"

# The Debian 12 archives that apt is set up with, "URI SUITE COMPONENT", the main one first.
archives() {
  # shellcheck disable=SC2016 # apt-get's own variables
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN) $(CODENAME)' 'Identifier: Packages' |
    awk '$4 == "Debian" && $5 ~ /^bookworm/ { print ($5 != "bookworm"), $1, $2, $3 }' |
    sort -u | cut -d' ' -f2-
}
known=$(archives)
[[ -n $known ]] || fail "apt knows no archive of Debian 12 (bookworm): add one to /etc/apt and run apt-get update"

cache=$(cache_folder)
mkdir -p "$cache/debootstrap"
root=$(mktemp -d "$cache/fresh.XXXXXX")
clean_up() {
  local status=$?
  rm -f "$root.log"
  # Mounts and processes are in namespaces that end with each step; only files are left.
  if [[ $keep == yes ]]; then say "kept $root"; else rm -rf --one-file-system "$root"; fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

times=()
# timed NAME COMMAND...
timed() {
  local name=$1 started=$SECONDS status=0
  shift
  say "$name ..."
  "$@" || status=$?
  times+=("$name: $((SECONDS - started)) s")
  say "${times[-1]}"
  return "$status"
}

# inside COMMAND...: in the new system, as a newcomer has it: nothing of this environment but the proxy. Every mount
# and every process is gone when it returns.
inside() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount --propagation private --pid --fork --kill-child bash -euc '
    root=$1; shift
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
    for name in null zero full random urandom tty; do
      : >"$root/dev/$name"
      mount --bind "/dev/$name" "$root/dev/$name"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    exec chroot "$root" "$@"
  ' _ "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LANG=C.UTF-8 CI=true TERM="${TERM:-dumb}" ${http_proxy:+http_proxy="$http_proxy"} \
    ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} "$@"
}

bootstrap() {
  local mirror proxy=''
  mirror=$(head -n 1 <<<"$known" | cut -d' ' -f1)
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [[ -z $proxy || -n ${http_proxy:-} ]] || export http_proxy=$proxy
  for attempt in 1 2 3; do
    if debootstrap --variant=minbase --include=ca-certificates --cache-dir="$cache/debootstrap" bookworm "$root" \
      "$mirror" >"$root.log" 2>&1; then
      return 0
    fi
    say "attempt $attempt of 3 failed: $(tail -n 1 "$root.log")"
    rm -rf --one-file-system "${root:?}"/*
  done
  tail -n 20 "$root.log" >&2
  fail "debootstrap could not make a Debian 12 from $mirror: check the network and try again"
}

configure() {
  local signed=/usr/share/keyrings/debian-archive-keyring.gpg
  # shellcheck disable=SC2001 # every line
  sed "s|^|deb [signed-by=$signed] |" <<<"$known" >"$root/etc/apt/sources.list"
  apt-config dump --format '%f "%v";%n' Acquire |
    grep -E '^Acquire::(http|https|ftp|Check|Max-|Retries|ForceIPv)' >"$root/etc/apt/apt.conf.d/90machine" || true
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  mkdir -p "$root/usr/local/share/ca-certificates"
  find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
  inside update-ca-certificates >/dev/null 2>&1 || true
}

checkout() {
  local changed
  changed=$(git status --porcelain | wc -l)
  ((changed == 0)) || say "note: HEAD is taken, without $changed uncommitted changes"
  git clone -q --no-hardlinks "$PWD" "$root/root/tsplink" || fail "HEAD could not be cloned into $root"
}

take_caches() {
  mkdir -p "$root/root/.cache/tsplink"
  cp -a "$(ccache -k cache_dir)" "$root/root/.cache/ccache"
  find "$cache" -mindepth 1 -maxdepth 1 ! -name debootstrap ! -name 'fresh.*' -exec cp -a {} "$root/root/.cache/tsplink/" \;
}

timed debootstrap bootstrap
configure
checkout
[[ $warm == no ]] || take_caches
failed=()
for step in "${steps[@]}"; do
  case $step in
    packages) command=(deploy/packages.sh) ;;
    demo) command=(deploy/demo.sh) ;;
    tests) command=(tests/run.sh) ;;
    demo-windows) command=(deploy/demo.sh --windows) ;;
    tests-windows) command=(tests/run.sh windows) ;;
  esac
  # shellcheck disable=SC2016 # expanded inside
  timed "${command[*]}" inside bash -c 'cd /root/tsplink && exec "$@"' _ "${command[@]}" </dev/null || failed+=("${command[*]}")
done
[[ $shell == no ]] || inside bash -l || true

printf '%s\n' "${times[@]}"
((${#failed[@]} == 0)) || fail "on a bare Debian 12 these failed: ${failed[*]}"
say "a bare Debian 12 is enough"
