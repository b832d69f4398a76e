#!/usr/bin/env bash
# Runs parts of tests/run.sh in a machine that QEMU emulates, where this one runs no 32-bit code: Debian's kernel, and the
# files of this machine, which it sees but cannot change. The last line is the sum of tests/run.sh.
#
#   tests/emulated.sh [PART...]   default: the parts with 32-bit Windows programs
#
#   --memory GIB   of the emulated machine (default 8)
#   --no-install   do not look for missing Debian packages
#   --help
#
# What the parts need is built first, by running them here. Emulated they take about ten times as long.
# Environment: TSPLINK_CACHE (default ~/.cache/tsplink), which keeps the kernel.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/common.sh
. deploy/common.sh
# shellcheck source=deploy/debian-archive.sh
. deploy/debian-archive.sh

parts=() memory=8 install=yes
while (($#)); do
  case $1 in
    --memory)
      [[ ${2:-} =~ ^[1-9][0-9]?$ ]] || fail "--memory takes a number of GiB, not '${2:-}'"
      memory=$2
      shift
      ;;
    --no-install) install=no ;;
    -h | --help) usage; exit ;;
    -*) fail "unknown option '$1': see --help" ;;
    *) parts+=("$1") ;;
  esac
  shift
done
((${#parts[@]})) || parts=({unit,e2e,conformance}@windows-x86 e2e@windows-mixed)

building=(--build-all)
if [[ $install == yes ]]; then deploy/packages.sh --with windows --with emulation; else building+=(--no-install); fi
tests/run.sh "${building[@]}" "${parts[@]}"

work=$(mktemp -d)
trap 'kill_marked; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- The kernel: fetched, never installed

cache=$(cache_folder)/emulation
if ! compgen -G "$cache/kernel-*" >/dev/null; then
  say 'fetching a kernel'
  package_lists deb "$work/apt" "$work/log"
  package=$(apt-cache "${apt[@]}" depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*-amd64\)$/\1/p' | head -n 1)
  mkdir "$work/kernel"
  [[ -n $package ]] && (cd "$work/kernel" && apt-get "${apt[@]}" download "$package") >>"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    fail 'the package linux-image-amd64 could not be fetched: check the network and the package sources in /etc/apt'
  }
  dpkg-deb -x "$work/kernel/"*.deb "$work/kernel"
  rm "$work/kernel/"*.deb
  mkdir -p "$cache"
  mv "$work/kernel" "$cache/kernel-$package"
fi
kernel=$(compgen -G "$cache/kernel-*" | sort -V | tail -n 1)

# ---- What it starts: a root of its own above this machine's, then the parts

modules=(netfs fscache 9pnet 9p virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci 9pnet_virtio overlay)
root=$work/initrd
mkdir -p "$root"/{bin,dev,modules,new,old,proc,sys,writable} "$work/shared"
cp "$(command -v busybox)" "$root/bin/busybox"
for module in "${modules[@]}"; do
  find "$kernel" -name "$module.ko" -exec cp {} "$root/modules" \;
done
cat >"$root/init" <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for each in ${modules[*]}; do [ ! -e /modules/\$each.ko ] || insmod /modules/\$each.ko; done
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,msize=512000,ro root /old
mount -t tmpfs -o size=80% writable /writable
mkdir /writable/files /writable/work
mount -t overlay -o lowerdir=/old,upperdir=/writable/files,workdir=/writable/work overlay /new
mount -t proc proc /new/proc
mount -t sysfs sys /new/sys
mount -t devtmpfs dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm /new$work/shared
mount -t devpts devpts /new/dev/pts
mount -t tmpfs shm /new/dev/shm
ln -sf /proc/self/fd /new/dev/fd
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 shared /new$work/shared
ip link set lo up
chroot /new /bin/bash $work/shared/job
poweroff -f
END
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initrd.gz"

{
  printf 'export HOME=%q PATH=%q TSPLINK_CACHE=%q\n' "$HOME" "$PATH" "$(cache_folder)"
  printf 'cd %q && tests/run.sh --no-install --patience 10 %s\n' "$PWD" "${parts[*]@Q}"
  printf 'echo $? >%q\n' "$work/shared/status"
} >"$work/shared/job"

say "starting the emulated machine: ${kernel##*/kernel-}, $(nproc) processors, $memory GiB"
# Without SMAP: this QEMU takes a 64-bit program's return to 32-bit code for the kernel's own access (mended in 9.1).
marked_env qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max,-smap -smp "$(nproc)" -m "${memory}G" \
  -nodefaults -display none -serial stdio -no-reboot -nic none \
  -kernel "$kernel"/boot/vmlinuz-* -initrd "$work/initrd.gz" -append 'console=ttyS0 mitigations=off nopti quiet panic=-1' \
  -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=root,mount_tag=root \
  -fsdev local,id=shared,path="$work/shared",security_model=none -device virtio-9p-pci,fsdev=shared,mount_tag=shared </dev/null |
  sed -u 's/\r$//'
[[ -s $work/shared/status ]] || fail 'the emulated machine ended before the tests did: see above'
exit "$(<"$work/shared/status")"
