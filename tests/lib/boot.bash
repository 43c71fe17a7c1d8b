#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# boot.bash [--bare] SCRIPT: installs what was built (--bare: nothing) into a copy of this system (an overlay that is
# thrown away) and boots it with systemd in namespaces of its own; runs SCRIPT in it, prints what that said, and ends it all.
# Status 0: the last thing SCRIPT said is "all is well"; 77: this cannot be done here. The tree is at /mnt/src in it, T at
# /mnt/test. tests/lib/booted.bash is for SCRIPT.

set -euo pipefail

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
: "${T:?where the output goes}"

# cannot WHY: no boot here
cannot() {
  echo "$*" >&2
  exit 77
}

# cgroup2: where one is mounted that can be written.
cgroup2() {
  local type target options

  while read -r _ target type options _; do
    if [[ $type == cgroup2 && ,$options, == *,rw,* && -w $target/cgroup.procs ]]; then
      echo "$target"
      return
    fi
  done </proc/self/mounts
}

device() {
  mknod -m 666 "$1" c "$2" "$3"
}

# inside SCRIPT: in the new namespaces, as process 1
inside() {
  local boot=$T/boot root=$T/boot/root

  mkdir "$boot"
  mount -t tmpfs tmpfs "$boot"
  mkdir "$boot/up" "$boot/work" "$root"
  mount -t overlay -o "lowerdir=/,upperdir=$boot/up,workdir=$boot/work" overlay "$root" || cannot "no overlay"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || cannot "no cgroup2"
  mount -t bpf -o mode=700 bpf "$root/sys/fs/bpf"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount -t tmpfs tmpfs "$root/mnt"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  device "$root/dev/null" 1 3
  device "$root/dev/zero" 1 5
  device "$root/dev/full" 1 7
  device "$root/dev/random" 1 8
  device "$root/dev/urandom" 1 9
  device "$root/dev/tty" 5 0
  mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue" "$root/dev/hugepages"
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  mkdir "$root/mnt/src" "$root/mnt/test"
  mount --bind "$ROOT" "$root/mnt/src"
  # whichever build is tested is the one that is there
  [[ ${TESTS_BUILD:-build} == build ]] || mount --bind "$ROOT/$TESTS_BUILD" "$root/mnt/src/build"
  mount --bind "$T" "$root/mnt/test"
  [[ -n ${BARE:-} ]] || make -s -C "$ROOT" -o all B="${TESTS_BUILD:-build}" install DESTDIR="$root" PREFIX=/usr/local >/dev/null
  cp "$1" "$root/mnt/script"

  # nothing of this system's own services: only what the test starts
  mkdir -p "$root/run/systemd/system" "$root/mnt/old"
  printf '[Unit]\nDefaultDependencies=no\nWants=script.service\n' >"$root/run/systemd/system/boot.target"
  cat >"$root/run/systemd/system/script.service" <<UNIT
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash /mnt/script
ExecStopPost=/bin/touch /mnt/test/boot.end
StandardOutput=append:/mnt/test/boot.out
StandardError=inherit
UNIT
  cd "$root"
  pivot_root . mnt/old
  umount -l /mnt/old
  exec env -i container=skl PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=boot.target --log-target=null --show-status=0 </dev/null
}

if [[ ${1:-} == --bare ]]; then
  export BARE=yes
  shift
fi
if [[ ${1:-} == --inside ]]; then
  inside "$2"
fi

[[ -x /lib/systemd/systemd ]] || cannot "no systemd"
top=$(cgroup2)
[[ -n $top ]] || cannot "no cgroup2 hierarchy that can be written"
group=$top/skl-tests-$$
mkdir "$group" || cannot "no cgroup can be made"

# remove: what is left of it, when the last process is gone
# shellcheck disable=SC2317 # called by the trap
remove() {
  local tries

  kill -KILL "$pid" 2>/dev/null || :
  wait "$pid" 2>/dev/null || :
  for ((tries = 0; tries < 100; tries++)); do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.05
  done
}

(
  echo "$BASHPID" >"$group/cgroup.procs"
  exec unshare --pid --fork --kill-child --mount --uts --ipc --net --cgroup --propagation private -- \
    bash "$0" --inside "$1"
) >"$T/boot.log" 2>&1 3>&- 4>&- &
pid=$!
trap remove EXIT
for ((i = 0; i < 10 * ${BOOT_S:=$((60 * ${TESTS_SLOW:-1}))}; i++)); do
  if [[ -e $T/boot.end ]]; then
    cat "$T/boot.out"
    [[ $(tail -n 1 "$T/boot.out") == "all is well" ]]
    exit
  fi
  if ! kill -0 "$pid" 2>/dev/null; then
    status=0
    wait "$pid" || status=$?
    cat "$T/boot.log" >&2
    exit $((status == 77 ? 77 : 1))
  fi
  sleep 0.1
done
cat "$T/boot.out" || :
echo "systemd did not come to an end within $BOOT_S seconds" >&2
exit 1
