#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What UDP answers need on interfaces: there while UDP is covered, on those that come later, too, and gone with
# the last UDP coverage; what others have there stays.

setup() {
  load ../lib/skl
  load ../lib/udp
  skl_setup
}

teardown() {
  skl_teardown
}

# far_asks [OPTION...] PORT...: from the other namespace, over both families.
far_asks() {
  far "$BUILD/tests/udp-ask" "${@:1:$#-1}" 198.51.100.1 "${@: -1}" &&
    far "$BUILD/tests/udp-ask" "${@:1:$#-1}" fd00:51::1 "${@: -1}"
}

filters_on() {
  ns tc filter show dev "$1" "$2"
}

no_reply_on() {
  ! reply_on "$1"
}

@test "there with the first UDP coverage, gone with the last; for TCP never" {
  start_helper
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  no_clsact_on lo
  run_udp SKL_PORTS=7 -- echo 5353
  local first=$SPAWNED
  reply_on lo
  run_udp SKL_PORTS=77 -- echo 5354
  stop "$first"
  wait_udp_refused 127.0.0.1 7
  sleep 1
  reply_on lo
  udp_echoes 127.0.0.1 77
  stop "$SPAWNED"
  wait_until no_clsact_on lo
  pins >"$T/pins"
  run ! grep reply "$T/pins"
  answers 127.0.0.1 7
  # and again
  run_udp SKL_PORTS=77 -- echo 5354
  reply_on lo
  udp_echoes 127.0.0.1 77
}

@test "gone with a helper that leaves, too" {
  spawn "$SKL" run -p 7 -- "$BUILD/tests/udp-serve" echo 5353
  wait_udp 127.0.0.1 7
  reply_on lo
  stop "$SPAWNED"
  wait_until helper_left
  no_clsact_on lo
}

@test "a refused claim leaves nothing" {
  start_helper
  spawn "$BUILD/tests/udp-serve" echo 7
  wait_bound 7
  run shim SKL_PORTS=7 -- "$BUILD/tests/udp-serve" echo 5353
  [ "$status" -eq 98 ]
  wait_until no_clsact_on lo
}

@test "an interface that comes after the claim is answered through within a second" {
  start_helper
  run_udp SKL_PORTS=7 SKL_CIDRS=198.51.100.0/24 -- echo 5353 ::
  far_up
  sleep 1
  far_asks -n 20 7
  far_asks -s 9000 7
  # and one that comes later still, while the first goes
  ns ip link delete skl0
  ns ip link add skl0 type veth peer name skl1 netns "$FAR"
  ns ip address add 198.51.100.1/24 dev skl0
  ns ip link set skl0 up
  far ip address add 198.51.100.2/24 dev skl1
  far ip link set skl1 up
  sleep 1
  far "$BUILD/tests/udp-ask" -n 20 198.51.100.1 7
  udp_echoes 127.0.0.1 7
  stop "$SPAWNED"
  wait_until no_clsact_on lo
  no_clsact_on skl0
}

@test "an interface that moves to another namespace takes nothing of ours with it" {
  start_helper
  run_udp SKL_PORTS=7 -- echo 5353 ::
  far_up
  ns ip link add skl2 type veth peer name skl3
  wait_until reply_on skl2
  wait_until reply_on skl3
  ns ip link set skl3 netns "$FAR"
  far ip link show skl3
  [ -z "$(far tc filter show dev skl3 egress)" ]
  far_asks 7
}

# ---- others ----

# Classic BPF programs for tc: "direct action" ones return the verdict, 2 to drop and -1 to say nothing; of the
# others, every match means "let it pass" and ends the list. The source port of UDP over IPv4 is at byte 34.
SAYS_NOTHING="1,6 0 0 4294967295"
drops_source_port() {
  echo "4,40 0 0 34,21 0 1 $1,6 0 0 2,6 0 0 4294967295"
}

# filter DEVICE SIDE PRIORITY BPF...: somebody else's
filter() {
  ns tc filter add dev "$1" "$2" protocol all prio "$3" bpf "${@:4}"
}

@test "somebody else's filters and their qdisc stay" {
  local egress ingress
  start_helper
  ns tc qdisc add dev lo clsact
  filter lo egress 10 da bytecode "$SAYS_NOTHING"
  filter lo ingress 10 bytecode "$SAYS_NOTHING" flowid 1:1
  filter lo egress 60000 bytecode "$SAYS_NOTHING" flowid 1:1
  egress=$(filters_on lo egress)
  ingress=$(filters_on lo ingress)
  run_udp SKL_PORTS=7 -- echo 5353
  reply_on lo
  udp_echoes -n 20 127.0.0.1 7
  stop "$SPAWNED"
  wait_until no_reply_on lo
  [ "$(filters_on lo egress)" = "$egress" ]
  [ "$(filters_on lo ingress)" = "$ingress" ]
}

@test "other filters see the answer as the client will, and one that ends the list does not keep ours from its work" {
  start_helper
  run_udp SKL_PORTS=7,77 -- echo 5353
  filter lo egress 2 da bytecode "$(drops_source_port 5353)"
  udp_echoes 127.0.0.1 77
  filter lo egress 3 da bytecode "$(drops_source_port 7)"
  run udp_ask 127.0.0.1 7
  [ "$status" -eq 110 ]
  ns tc filter delete dev lo egress prio 3
  filter lo egress 3 bytecode "$SAYS_NOTHING" flowid 1:1
  udp_echoes 127.0.0.1 7
}

@test "a filter that stands before ours and ends the list keeps answers from getting their address" {
  start_helper
  run_udp SKL_PORTS=7 -- echo 5353
  ns tc filter add dev lo egress protocol all prio 1 handle 2 bpf bytecode "$SAYS_NOTHING" flowid 1:1
  run udp_ask -u 127.0.0.1 7
  [ "$status" -eq 99 ]
  says "port 5353"
}

@test "an empty clsact of somebody else stays; one of ours with somebody's filter stays, too" {
  start_helper
  ns ip link add skl2 type veth peer name skl3
  ns tc qdisc add dev skl2 clsact
  run_udp SKL_PORTS=7 -- echo 5353
  reply_on skl2
  reply_on skl3
  reply_on lo
  filter lo egress 10 da bytecode "$SAYS_NOTHING"
  stop "$SPAWNED"
  wait_until no_reply_on lo
  no_reply_on skl2
  ns tc qdisc show dev skl2 | grep -q clsact
  no_clsact_on skl3
  filters_on lo egress | grep -q bytecode
}

@test "filters of another kind at the first priorities: ours comes behind them; at all that it may have: refused, and they stay" {
  local priority
  start_helper
  ns tc qdisc add dev lo clsact
  for priority in 1 2 3; do
    ns tc filter add dev lo egress protocol all prio "$priority" u32 match u32 0 0xffffffff flowid 1:1
  done
  run_udp SKL_PORTS=7 -- echo 5353
  udp_echoes 127.0.0.1 7
  stop "$SPAWNED"
  wait_until no_reply_on lo
  for priority in 4 5 6 7 8; do
    ns tc filter add dev lo egress protocol all prio "$priority" u32 match u32 0 0xffffffff flowid 1:1
  done
  run shim SKL_PORTS=7 -- "$BUILD/tests/udp-serve" echo 5353
  [ "$status" -ne 0 ]
  [ "$status" -ne 124 ]
  says libsklshim: "udp port 5353"
  [ "$(filters_on lo egress | grep -c "^filter.* u32.*chain 0 $")" -eq 8 ]
}

@test "an interface with an ingress qdisc, which leaves no room for ours: the log names it, others are served" {
  local ingress
  start_helper
  far_up
  ns tc qdisc add dev skl0 ingress
  filter skl0 ingress 10 da bytecode "$SAYS_NOTHING"
  ingress=$(filters_on skl0 ingress)
  run_udp SKL_PORTS=7 -- echo 5353 0.0.0.0
  udp_echoes 127.0.0.1 7
  [ "$(filters_on skl0 ingress)" = "$ingress" ]
  grep -q skl0 "$T/helper.log"
}

@test "our filter, removed by somebody, comes back" {
  local deadline
  start_helper
  run_udp SKL_PORTS=7 -- echo 5353
  ns tc qdisc delete dev lo clsact
  deadline=$((SECONDS + 15 * ${TESTS_SLOW:-1}))
  until reply_on lo; do
    ((SECONDS < deadline))
    sleep 0.2
  done
  udp_echoes 127.0.0.1 7
}

@test "without a helper answers go on; the next one takes over, and takes away what the first put there" {
  start_helper
  run_udp SKL_PORTS=7 -- echo 5353 ::
  local server=$SPAWNED
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
  udp_echoes -n 20 127.0.0.1 7
  reply_on lo
  start_helper
  udp_echoes -n 20 127.0.0.1 7
  far_up
  wait_until reply_on skl0
  far_asks 7
  stop "$server"
  wait_until no_reply_on lo
  no_reply_on skl0
  no_clsact_on lo
  no_clsact_on skl0
}

@test "TCP over the same interfaces is what it was" {
  start_helper
  run_udp SKL_PORTS=7 -- echo 5353 ::
  run_shim SKL_PORTS=80 -- "$BUILD/tests/srv-listen" plain 8080 ::
  far_up
  wait_until reply_on skl0
  head -c 3000000 /dev/urandom >"$T/data"
  spawn socat -u OPEN:/run/test/data TCP-LISTEN:9000,bind=198.51.100.1
  wait_listen 9000
  far socat -u TCP:198.51.100.1:9000 STDOUT >"$T/got"
  cmp "$T/data" "$T/got"
  [[ $(far "$BUILD/tests/srv-ask" fd00:51::1 80) == *"reached fd00:51::1 port 80" ]]
}
