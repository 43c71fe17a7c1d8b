# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The guard: what attaches BPF programs works in a network namespace of its
# own, never in the machine's. Tests, demos and benches go through here.

# guard_netns [PID]: the network namespace of a process as "net:[inode]"; nothing where it may not be seen.
guard_netns() {
  readlink "/proc/${1:-self}/ns/net" 2>/dev/null || :
}

# guard_machine: the machine's own network namespace: that of process 1 or, where this may not be seen (some
# containers and VMs), of our outermost ancestor that may.
guard_machine() {
  local pid=$$ seen=$$ status

  # without a process for each step, and with few commands: bats looks at each command
  while ((pid > 0)) && [[ -r /proc/$pid/status ]]; do
    [[ ! -e /proc/$pid/ns/net ]] || seen=$pid
    IFS= read -rd '' status <"/proc/$pid/status" || : # to its end
    [[ $status =~ $'\nPPid:\t'([0-9]+) ]] || break
    pid=${BASH_REMATCH[1]}
  done
  [[ ! -e /proc/1/ns/net ]] || seen=1
  guard_netns "$seen"
}

# guard_root: ends the script unless it is root's.
guard_root() {
  if ((EUID != 0)); then
    echo "${0##*/}: needs root, to make a network namespace and to load BPF programs; try: sudo $0" >&2
    exit 1
  fi
}

# guard_check PID: ends the script unless it is root's and PID is in another network namespace than the machine's.
guard_check() {
  local here machine

  guard_root
  here=$(guard_netns "$1")
  machine=$(guard_machine)
  if [[ -z $here || -z $machine || $here == "$machine" ]]; then
    echo "${0##*/}: refused: this is the machine's own network namespace (${here:-unknown})," \
      "and nothing is ever attached there" >&2
    exit 1
  fi
}

# guard_processes NETNS [PID...]: the processes in the network namespace with this inode, but for PID...
guard_processes() {
  local netns=$1 path pid

  shift
  while read -r path; do
    pid=${path#/proc/}
    pid=${pid%%/*}
    [[ " $* " == *" $pid "* ]] || echo "$pid"
  done < <(find /proc/[0-9]*/ns/net -maxdepth 0 -lname "net:\\[$netns\\]" 2>/dev/null)
}

# guard_enter ARG...: starts the script again in network and mount namespaces of its own, with nothing in /run
# and /sys/fs/bpf and the loopback device up; returns when we are there. Call it as `guard_enter "$@"`.
guard_enter() {
  if [[ ${SKL_GUARD:-} != "$(guard_netns)" ]]; then
    guard_root
    # shellcheck disable=SC2016 # for the inner shell
    exec unshare --net --mount --propagation private -- bash -c '
      SKL_GUARD=$(readlink /proc/self/ns/net) exec "$BASH" "$0" "$@"' "$(realpath "$0")" "$@"
  fi
  guard_check $$
  unset SKL_GUARD
  guard_mounts
}

# guard_mounts: an empty /run, an empty /sys/fs/bpf and a loopback device, in namespaces that are ours already.
guard_mounts() {
  if ! { mount -t tmpfs -o mode=755 tmpfs /run && mount -t bpf -o mode=700 bpf /sys/fs/bpf && ip link set lo up; }; then
    echo "${0##*/}: cannot set up a private /run, /sys/fs/bpf and loopback device" >&2
    exit 1
  fi
}
