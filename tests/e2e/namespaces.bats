#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# One helper for many network namespaces: each has its own coverage, and takes it along when it goes.

EACCES=13
EADDRINUSE=98

setup() {
  bats_require_minimum_version 1.5.0
  load ../lib/skl
  load ../lib/udp
  skl_setup
}

teardown() {
  skl_teardown
}

# run_in NETNS-PID [VAR=VALUE...] -- PROGRAM [ARG...]: as run_shim, in the network namespace of that process.
run_in() {
  local pid=$1 vars=()

  shift
  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  spawn nsenter --target "$pid" --net -- env "LD_PRELOAD=$SHIM" "${vars[@]}" "$@"
}

# ask_in NETNS-PID ADDRESS PORT: what the server there says.
ask_in() {
  in_netns "$1" "$BUILD/tests/srv-ask" "${@:2}"
}

# answers_in NETNS-PID SERVER ADDRESS PORT...: it is that process of srv-listen that says which port was reached.
answers_in() {
  local netns=$1 server=$2 address=$3 port said

  for port in "${@:4}"; do
    said=$(ask_in "$netns" "$address" "$port") || return 1
    if [[ $said != "srv-listen $server: you reached $address port $port" ]]; then
      echo "$address port $port, by $server: $said"
      return 1
    fi
  done
}

refused_in() {
  local status=0

  ask_in "$@" || status=$?
  ((status == 111))
}

inode() {
  stat -Lc %i "/proc/$1/ns/net"
}

pinned() {
  pins | grep -q "/net-$1$"
}

not_pinned() {
  ! pinned "$1"
}

@test "the same port in three namespaces, TCP and UDP: no conflict, and each has its own" {
  local netns=() tcp=() udp=() i
  start_helper
  for i in 0 1 2; do
    new_netns
    netns+=("$NEW")
    run_in "$NEW" SKL_PORTS=7,77 -- "$BUILD/tests/srv-listen" plain 8080
    tcp+=("$SPAWNED")
    run_in "$NEW" SKL_PORTS=7 -- "$BUILD/tests/udp-serve" echo 5353
    udp+=("$SPAWNED")
    wait_until answers_in "$NEW" "${tcp[i]}" 127.0.0.1 8080 7 77
    wait_until in_netns "$NEW" "$BUILD/tests/udp-ask" 127.0.0.1 7
  done
  for i in 0 1 2; do
    answers_in "${netns[i]}" "${tcp[i]}" 127.0.0.1 8080 7 77
    [[ $(in_netns "${netns[i]}" "$BUILD/tests/udp-ask" -t who 127.0.0.1 7) == "${udp[i]} "* ]]
    pinned "$(inode "${netns[i]}")"
  done
  refused 127.0.0.1 7 8080
  (($(ns "$SKL" status -j | jq '[.listeners[].netns] | unique | length') == 3))
  (($(ns "$SKL" status -j | jq '.listeners | length') == 6))
  # the end of one is nothing to the others
  stop "${tcp[1]}"
  wait_until refused_in "${netns[1]}" 127.0.0.1 7
  answers_in "${netns[0]}" "${tcp[0]}" 127.0.0.1 7
  answers_in "${netns[2]}" "${tcp[2]}" 127.0.0.1 7
  # in one and the same it is a conflict
  run in_netns "${netns[0]}" timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=7 "$BUILD/tests/srv-listen" plain 8081
  [ "$status" -eq $EADDRINUSE ]
}

@test "wide bindings give way in their own namespace only" {
  local here there wide other
  start_helper
  new_netns
  here=$NEW
  new_netns
  there=$NEW
  run_in "$here" 'SKL_PORTS=*' -- "$BUILD/tests/srv-listen" plain 8080
  wide=$SPAWNED
  run_in "$there" 'SKL_PORTS=*' -- "$BUILD/tests/srv-listen" plain 8080
  other=$SPAWNED
  wait_until answers_in "$there" "$other" 127.0.0.1 9999
  wait_until answers_in "$here" "$wide" 127.0.0.1 9999
  spawn nsenter --target "$here" --net -- "$BUILD/tests/srv-listen" plain 9999
  wait_until answers_in "$here" "$SPAWNED" 127.0.0.1 9999
  answers_in "$there" "$other" 127.0.0.1 9999
}

@test "a namespace that goes takes its state along" {
  local before fds ino
  start_helper
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  before=$(pins)
  fds=$(helper_fds)
  local netns=() programs=() i
  for i in 0 1 2; do
    new_netns
    netns+=("$NEW")
    run_in "$NEW" 'SKL_PORTS=*' -- "$BUILD/tests/srv-listen" plain 8080
    programs+=("$SPAWNED")
    run_in "$NEW" 'SKL_PORTS=7' -- "$BUILD/tests/udp-serve" echo 5353
    programs+=("$SPAWNED")
    wait_until in_netns "$NEW" "$BUILD/tests/udp-ask" 127.0.0.1 7
    wait_until ask_in "$NEW" 127.0.0.1 9999
  done
  ino=$(inode "${netns[0]}")
  pinned "$ino"
  kill -KILL "${programs[@]}" "${netns[@]}"
  local killed=$SECONDS
  wait_until has_fds "$fds"
  wait_until same_pins "$before"
  ((SECONDS - killed <= 7 * ${TESTS_SLOW:-1})) # 5 that an empty namespace is kept, for a server that is being restarted
  not_pinned "$ino"
  helper_is_well "$fds"
  answers 127.0.0.1 7
}

same_pins() {
  [[ $(pins) == "$1" ]]
}

@test "a namespace is gone for good while the helper watches it: nothing of it stays alive" {
  start_helper
  new_netns
  run_in "$NEW" SKL_PORTS=7 -- "$BUILD/tests/udp-serve" echo 5353
  wait_until in_netns "$NEW" "$BUILD/tests/udp-ask" 127.0.0.1 7
  # its device's other end shows when the namespace is really destroyed
  ns ip link add skl0 type veth peer name skl1 netns "$NEW"
  ns ip link show skl0
  kill -KILL "$SPAWNED" "$NEW"
  wait_until no_device skl0
}

no_device() {
  ! ns ip link show "$1"
}

@test "a helper that starts anew finds the namespaces again" {
  local netns=() servers=() i
  start_helper
  for i in 0 1; do
    new_netns
    netns+=("$NEW")
    run_in "$NEW" SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
    servers+=("$SPAWNED")
    wait_until answers_in "$NEW" "$SPAWNED" 127.0.0.1 7
  done
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
  answers_in "${netns[0]}" "${servers[0]}" 127.0.0.1 7
  # one goes while nobody looks
  local ino
  ino=$(inode "${netns[1]}")
  kill -KILL "${servers[1]}" "${netns[1]}"
  wait_until gone "${netns[1]}"
  start_helper
  wait_until ns "$SKL" status
  answers_in "${netns[0]}" "${servers[0]}" 127.0.0.1 7
  wait_until not_pinned "$ino"
  pinned "$(inode "${netns[0]}")"
  run in_netns "${netns[0]}" timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=7 "$BUILD/tests/srv-listen" plain 8081
  [ "$status" -eq $EADDRINUSE ]
}

@test "a server in a namespace is reached from outside, on ports and addresses that it never bound" {
  start_helper
  far_up
  # the addresses are the server's namespace's: here that is FAR
  far ip route add local 192.0.2.0/24 dev lo
  far ip -6 route add local 2001:db8::/64 dev lo
  ns ip route add 192.0.2.0/24 via 198.51.100.2
  ns ip -6 route add 2001:db8::/64 via fd00:51::2
  run_in "$FAR" SKL_PORTS=7,77 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- "$BUILD/tests/srv-listen" plain 8080 ::
  local server=$SPAWNED
  run_in "$FAR" SKL_PORTS=7,77 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- "$BUILD/tests/udp-serve" echo 5353 ::
  wait_until udp_ask 198.51.100.2 7
  wait_until ask fd00:51::2 7
  answers fd00:51::2 8080 7 77
  answers 2001:db8::5 8080 7 77
  [[ $(ask 198.51.100.2 77) == "srv-listen $server: you reached ::ffff:198.51.100.2 port 77" ]]
  [[ $(ask 192.0.2.9 7) == "srv-listen $server: you reached ::ffff:192.0.2.9 port 7" ]]
  udp_echoes 198.51.100.2 5353 7 77
  udp_echoes 192.0.2.9 5353 7 77
  udp_echoes fd00:51::2 5353 7 77
  udp_echoes 2001:db8::5 5353 7 77
  udp_echoes -s 9000 2001:db8::5 7
  refused 198.51.100.2 8
  udp_refused 198.51.100.2 8
  far tc filter show dev skl1 egress | grep -q skl_reply
  run ! reply_on skl0
}

# ---- without privilege ----

# rootless: a user and network namespace of uid 4001's own, as containers without root have them; NEW holds it.
rootless() {
  # shellcheck disable=SC2034 # both stay the caller's
  local LOG SPAWNED

  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    unshare --user --map-root-user --net -- sh -c 'ip link set lo up && echo up && exec sleep infinity'
  wait_log up
  NEW=$SPAWNED
}

# in_rootless CMD...: there, as its root.
in_rootless() {
  as 4001 nsenter --target "$NEW" --user --net --preserve-credentials -- "$@"
}

@test "rootless: low ports are its own in its own namespace, and nowhere else" {
  start_helper --mode 0666
  rootless
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    nsenter --target "$NEW" --user --net --preserve-credentials -- \
    env "LD_PRELOAD=$SHIM" SKL_PORTS=7,80 "$BUILD/tests/srv-listen" plain 8080
  wait_until ask_in "$NEW" 127.0.0.1 80
  [[ $(ask_in "$NEW" 127.0.0.1 7) == *"reached 127.0.0.1 port 7" ]]
  refused 127.0.0.1 80
  (($(ns "$SKL" status -j | jq '.listeners[0].uid') == 4001))
  # the same user in the namespace that is not its own
  run as 4001 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=80 "$BUILD/tests/srv-listen" plain 8080
  [ "$status" -eq $EACCES ]
  says "port 80" "uid 4001"
  # and in the user namespace where it is root, with a socket of the namespace that is not its own
  run as 4001 nsenter --target "$NEW" --user --preserve-credentials -- \
    timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=80 "$BUILD/tests/srv-listen" plain 8080
  [ "$status" -eq $EACCES ]
  says "port 80" "uid 4001"
  refused 127.0.0.1 80
}

@test "rootless: UDP, too; and its end leaves nothing" {
  local ino
  start_helper --mode 0666
  rootless
  ino=$(inode "$NEW")
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    nsenter --target "$NEW" --user --net --preserve-credentials -- \
    env "LD_PRELOAD=$SHIM" SKL_PORTS=53 "$BUILD/tests/udp-serve" echo 5353
  wait_until in_netns "$NEW" "$BUILD/tests/udp-ask" 127.0.0.1 53
  pinned "$ino"
  kill -KILL "$SPAWNED" "$NEW"
  wait_until not_pinned "$ino"
}

@test "a socket counts where it was made, not where its program is" {
  start_helper
  new_netns
  run_shim SKL_PORTS=7 -- /usr/bin/python3 -c '
import ctypes, os, socket, sys
s = socket.socket()
if ctypes.CDLL(None).setns(os.open("/proc/%s/ns/net" % sys.argv[1], os.O_RDONLY), 0):
    sys.exit("setns")
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8080))
s.listen()
while True:
    c = s.accept()[0]
    c.sendall(b"reached %s port %d\n" % (c.getsockname()[0].encode(), c.getsockname()[1]))
    c.close()' "$NEW"
  wait_port 7
  answers 127.0.0.1 7 8080
  refused_in "$NEW" 127.0.0.1 7
  # shellcheck disable=SC2153 # of skl_setup
  pinned "$NETNS"
  not_pinned "$(inode "$NEW")"
}
