# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# More for the end-to-end tests: UDP, and further network namespaces. Load it after skl.bash.

# ---- clients ----

# udp_ask [OPTION...] ADDRESS PORT...: see tests/tools/udp-ask.c.
udp_ask() {
  ns "$BUILD/tests/udp-ask" "$@"
}

# udp_echoes [OPTION...] ADDRESS PORT...: what one client sends to each of these ports comes back from there,
# to a connected socket and to one that is not.
udp_echoes() {
  local status=0

  udp_ask "$@" || status=$?
  if ((status == 0)); then
    udp_ask -u "$@" || status=$?
  fi
  if ((status != 0)); then
    echo "udp $*: status $status"
    return 1
  fi
}

# udp_refused ADDRESS PORT...: nobody is there.
udp_refused() {
  local address=$1 port status

  shift
  for port; do
    status=0
    udp_ask "$address" "$port" || status=$?
    if ((status != 111)); then
      echo "udp $address port $port: expected ECONNREFUSED (111), got status $status"
      return 1
    fi
  done
}

wait_udp() {
  wait_until udp_ask -w 200 "$@"
}

wait_udp_refused() {
  wait_until udp_refused "$@"
}

# udp_who ADDRESS PORT: the process of the udp-serve that answers there.
udp_who() {
  udp_ask -t who "$@" | cut -d' ' -f1
}

# run_udp [VAR=VALUE...] -- MODE PORT [ADDRESS]: udp-serve with the shim, in the background, once it is bound.
run_udp() {
  local vars=() port=

  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  port=$2
  run_shim "${vars[@]}" -- "$BUILD/tests/udp-serve" "$@"
  wait_bound "$port"
  # the helper answers before bind() returns, but is asked after the socket is bound
  wait_until claimed "$port"
}

# wait_bound PORT: until a UDP socket of the namespace is bound there.
wait_bound() {
  wait_until udp_bound "$1"
}

udp_bound() {
  local port

  printf -v port '%04X' "$1"
  grep -Eq "^ *[0-9]+: [0-9A-F]+:$port " "/proc/$HOLDER/net/udp" "/proc/$HOLDER/net/udp6"
}

# claimed PORT: does the helper know a living UDP listener that is bound there?
claimed() {
  ns "$SKL" status -j | jq -e --argjson port "$1" \
    '.listeners[] | select(.protocol == "udp" and .port == $port and .state == "live")'
}

# ---- what is attached to interfaces ----

# reply_on DEVICE: is our program there?
reply_on() {
  ns tc filter show dev "$1" egress | grep -q skl_reply
}

no_clsact_on() {
  ! ns tc qdisc show dev "$1" | grep -q clsact
}

# ---- further namespaces ----

# new_netns: a network namespace with its loopback device up; NEW is the process that holds it.
new_netns() {
  local SPAWNED
  # shellcheck disable=SC2034 # both stay the caller's
  local LOG

  spawn unshare --net -- sh -c 'ip link set lo up && echo up && exec sleep infinity'
  wait_log up
  NEW=$SPAWNED
  export NEW
}

# in_netns PID CMD...: in that process's network namespace, else as ns.
in_netns() {
  local pid=$1

  shift
  ns nsenter --target "$pid" --net -- "$@"
}

# far_up [PEER]: another namespace, FAR, behind a pair of devices: skl0 here is 198.51.100.1 and fd00:51::1,
# skl1 there 198.51.100.2 and fd00:51::2.
far_up() {
  new_netns
  FAR=$NEW
  ns ip link add skl0 type veth peer name skl1 netns "$FAR"
  ns ip address add 198.51.100.1/24 dev skl0
  ns ip address add fd00:51::1/64 dev skl0 nodad
  ns ip link set skl0 up
  far ip address add 198.51.100.2/24 dev skl1
  far ip address add fd00:51::2/64 dev skl1 nodad
  far ip link set skl1 up
  wait_until has_carrier
}

# far CMD...: there.
far() {
  in_netns "$FAR" "$@"
}

has_carrier() {
  ns ip link show skl0 | grep -q LOWER_UP && far ip link show skl1 | grep -q LOWER_UP
}
