# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# For the tests of containers: load it after skl.bash. What a container engine does, bubblewrap does here: namespaces
# of its own of every kind, for an ordinary user of the host. The helper, the client and the other end of the
# container's network are outside.

CONTAINER_USER=65533 # on the host; 1000 in the container
CONTAINER_GROUP=990
CONTAINER=198.51.100.2 # its address; 198.51.100.77 is another one of it
EXTRA=198.51.100.77

# start_container_helper [ARG...]: its socket is for the group 990, as the packages' is for the group skl
start_container_helper() {
  start_helper "$@"
  ns chgrp "$CONTAINER_GROUP" /run/skl/helper.sock
}

# container OPTION... -- PROGRAM [ARG...]: bubblewrap's options are added to namespaces, /proc, /dev and an empty environment.
# INSIDE is the pid of the container's first process, SPAWNED bubblewrap's.
container() {
  local options=() netns=

  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  rm -f "$T/block" "$T/info"
  mkfifo "$T/block"
  : >"$T/info"
  # shellcheck disable=SC2016 # for the inner shell
  spawn bash -c 'exec 5>>"$0/info" 6<>"$0/block" && exec "$@"' "$T" \
    setpriv --reuid "$CONTAINER_USER" --regid "$CONTAINER_USER" --groups "$CONTAINER_GROUP" --inh-caps=-all -- \
    bwrap --info-fd 5 --block-fd 6 --unshare-all --uid 1000 --gid 1000 --die-with-parent --new-session --clearenv \
    --setenv PATH /usr/bin:/bin "${options[@]}" --proc /proc --dev /dev --tmpfs /tmp -- "$@"
  wait_until jq -e '.["child-pid"]' "$T/info"
  INSIDE=$(jq '.["child-pid"]' "$T/info")
  export INSIDE
  wait_until test -e "/proc/$INSIDE/ns/net"
  netns=$(guard_netns "$INSIDE")
  [[ $netns != "$(guard_netns "$HOLDER")" ]] || return 1
  ns ip link add skl0 type veth peer name skl1 netns "$INSIDE"
  ns ip address add 198.51.100.1/24 dev skl0
  ns ip link set skl0 up
  inside ip address add "$CONTAINER/24" dev skl1
  inside ip address add "$EXTRA/32" dev skl1
  inside ip link set skl1 up
  echo go >"$T/block"
}

# inside CMD...: in the container's network namespace, otherwise outside
inside() {
  ns nsenter --target "$INSIDE" --net -- "$@"
}

# The container's system: the host's programs, or the root directory TESTS_CONTAINER_ROOT, as debootstrap makes one.
SYSTEM=(--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64)
if [[ -n ${TESTS_CONTAINER_ROOT:-} ]]; then
  SYSTEM+=(--ro-bind "$TESTS_CONTAINER_ROOT/usr" /usr --ro-bind "$TESTS_CONTAINER_ROOT/etc" /etc)
else
  SYSTEM+=(--ro-bind /usr /usr --ro-bind /etc/ld.so.cache /etc/ld.so.cache --ro-bind /etc/alternatives /etc/alternatives)
fi
export CONTAINER EXTRA SYSTEM

# is_confined: the container's first program has no capability, and namespaces of its own of every kind
is_confined() {
  local pid kind

  pid=$(pgrep --parent "$INSIDE" | head -n 1)
  grep -qx 'CapEff:	0*' "/proc/$pid/status" || return 1
  [[ $(awk '/^Uid:/ {print $2}' "/proc/$pid/status") == "$CONTAINER_USER" ]] || return 1
  for kind in user mnt pid net uts ipc; do
    [[ $(readlink "/proc/$pid/ns/$kind") != "$(readlink "/proc/$HOLDER/ns/$kind")" ]] || return 1
  done
}
