#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What skl status counts is what happened, to the last packet.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/many
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

# count PORTS PREFIX NAME: of one binding.
count() {
  ns "$SKL" status -j | jq --arg ports "$1" --arg prefix "$2" \
    ".listeners[].bindings[] | select(.ports == \$ports and .prefix == \$prefix) | .$3"
}

# counts PORTS PREFIX LOOKUPS MISSES: is it so? What TCP sent a second time, on a slow machine, may be looked up a second time.
counts() {
  local lookups misses again

  lookups=$(count "$1" "$2" lookups)
  misses=$(count "$1" "$2" misses)
  # shellcheck disable=SC2016 # for awk
  again=$(ns awk '/^Tcp: [0-9]/ { print $13 }' /proc/self/net/snmp) # RetransSegs
  if ((lookups < $3 || lookups > $3 + again || misses != $4)); then
    echo "port $1 on $2: $lookups lookups, $misses misses; expected $3 and $4 (and sent again: $again)"
    return 1
  fi
}

@test "10,000 connections are 10,000 lookups" {
  run_shim SKL_PORTS=7,77 -- "$BUILD/tests/many-listen" workers 2 8080
  wait_until members_are 2
  counts 7 127.0.0.1/32 0 0
  many_connect 10000 127.0.0.1:7
  counts 7 127.0.0.1/32 10000 0
  counts 77 127.0.0.1/32 0 0
  many_connect 100 127.0.0.1:77 127.0.0.1:8080
  counts 7 127.0.0.1/32 10000 0
  counts 77 127.0.0.1/32 50 0
  (($(counted errors) == 0))
}

@test "clients on both processors at once" {
  local i pids=()
  run_shim SKL_PORTS=7-10 -- "$BUILD/tests/many-listen" workers 2 8080
  wait_until members_are 2
  for i in {1..4}; do
    many_connect 2500 127.0.0.1:7-10 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    wait "$i"
  done
  counts 7-10 127.0.0.1/32 10000 0
}

@test "each packet is counted by the binding that decided it" {
  run_shim SKL_PORTS=7,70-79 "SKL_BIND=127.9.0.0/16:7 127.9.9.0/24:7" -- \
    "$BUILD/tests/many-listen" sockets 1 8080 127.0.0.1
  wait_until members_are 1
  many_connect 300 127.9.8.7:7 127.9.9.1:7 127.0.0.1:75
  counts 7 127.9.0.0/16 100 0
  counts 7 127.9.9.0/24 100 0
  counts 70-79 127.0.0.1/32 100 0
  counts 7 127.0.0.1/32 0 0
}

@test "many prefixes of one port, which are looked up in the trie" {
  local binds
  binds=$(printf '127.7.%d.0/24:7 ' {0..39})
  run_shim "SKL_BIND=$binds" -- "$BUILD/tests/many-listen" sockets 1 8080 127.0.0.1
  wait_until members_are 1
  many_connect 1000 127.7.3.1:7 127.7.39.1:7
  counts 7 127.7.3.0/24 500 0
  counts 7 127.7.39.0/24 500 0
  (($(counted lookups) == 1000))
}

@test "10,000 datagrams are 10,000 lookups, of any size; those to the bound port are none" {
  run_udp SKL_PORTS=7 SKL_CIDRS=127.9.0.0/16 -- echo 5353
  counts 7 127.0.0.1/32 0 0
  udp_ask -n 8000 127.0.0.1 7
  udp_ask -n 1000 -s 0 127.0.0.1 7
  udp_ask -n 1000 -s 60000 127.0.0.1 7
  counts 7 127.0.0.1/32 10000 0
  udp_ask -n 100 127.0.0.1 5353
  udp_ask -n 100 127.9.8.7 5353 7
  counts 7 127.0.0.1/32 10000 0
  counts 5353 127.9.0.0/16 100 0
  counts 7 127.9.0.0/16 100 0
  (($(counted misses) == 0 && $(counted errors) == 0))
}

# Who is gone, is forgotten within a second, with all that was counted: so the helper is stopped meanwhile, and
# these ask the BPF program's maps. "LOOKUPS MISSES" of all there is:
counted_in_maps() {
  local lookups misses

  lookups=$(ns bpftool -j map dump pinned "$BPFFS/lookups" | jq '[.[] | (.formatted // .).values[].value] | add')
  misses=$(ns bpftool -j map dump pinned "$BPFFS/events" |
    jq '[.[] | (.formatted // .) | select(.key.reason == 0).value] | add // 0')
  echo "$lookups $misses"
}

@test "misses: a listener that was shut down, and then closed" {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" signals 8080
  wait_until members_are 1
  many_connect 5 127.0.0.1:7
  kill -STOP "$HELPER"
  kill -USR1 "$SPAWNED"
  wait_refused 127.0.0.1 8080
  run many_connect 50 127.0.0.1:7
  says_all refused=50 <<<"$output"
  [ "$(counted_in_maps)" = "55 50" ]
  kill -KILL "$SPAWNED"
  wait_until gone "$SPAWNED"
  run many_connect 100 127.0.0.1:7
  says_all refused=100 <<<"$output"
  [ "$(counted_in_maps)" = "155 150" ]
  kill -CONT "$HELPER"
  wait_until nothing_is_covered
  [[ $(counted_in_maps) == *" 0" ]]
}

# other_helper: a second one for the same namespace, with a program and a socket of its own.
other_helper() {
  spawn "$BUILD/sklhelper" --socket /run/other.sock --bpffs /sys/fs/bpf/other
  wait_until ns test -S /run/other.sock
}

@test "misses stay with a listener that comes back" {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" signals 8080
  wait_until members_are 1
  many_connect 5 127.0.0.1:7
  kill -STOP "$HELPER" # or it would forget the listener
  kill -USR1 "$SPAWNED"
  wait_refused 127.0.0.1 8080
  run many_connect 1000 127.0.0.1:7
  says_all refused=1000 <<<"$output"
  kill -USR2 "$SPAWNED"
  wait_listen 8080
  kill -CONT "$HELPER"
  many_connect 5 127.0.0.1:7
  counts 7 127.0.0.1/32 1010 1000
  [ "$(ns "$SKL" status -j | jq -c '.listeners | map([.lookups, .misses, .errors])')" = '[[1010,1000,0]]' ]
}

@test "errors, by their reason: another program of the namespace has chosen a socket before" {
  local first all
  other_helper
  run_shim SKL_HELPER=/run/other.sock SKL_BIND=127.0.0.1/32:7 -- "$BUILD/tests/many-listen" sockets 1 8082 127.0.0.3
  first=$SPAWNED
  wait_log ready
  run_shim SKL_PORTS=7,77 -- "$BUILD/tests/many-listen" workers 1 8080
  wait_until members_are 1
  # its program was there first: it gets them, and all are counted here
  many_connect 10000 127.0.0.1:7=127.0.0.3
  counts 7 127.0.0.1/32 10000 0
  all=$(count 7 127.0.0.1/32 lookups)
  [ "$(count 7 127.0.0.1/32 errors)" -eq "$all" ]
  [ "$(count 7 127.0.0.1/32 "errors_by_errno | tojson")" = "\"{\\\"EEXIST\\\":$all}\"" ]
  many_connect 100 127.0.0.1:77=127.0.0.1
  [ "$(count 77 127.0.0.1/32 errors)" -eq 0 ]
  counts 77 127.0.0.1/32 100 0
  ns "$SKL" status | grep -F "$all lookups, $all errors (EEXIST)"
  [ "$(ns "$SKL" status -j | jq -c '.listeners[0] | [.lookups, .misses, .errors]')" = \
    "[$((all + $(count 77 127.0.0.1/32 lookups))),0,$all]" ]
  stop "$first"
  many_connect 10 127.0.0.1:7=127.0.0.1
  [ "$(count 7 127.0.0.1/32 errors)" -eq "$all" ]
}

@test "misses: a UDP socket that its program has connected" {
  run_udp SKL_PORTS=7 -- connect 5353
  kill -STOP "$HELPER"
  udp_ask -b 40000 127.0.0.1 7 # it connects to this client, and binds no other
  run udp_ask 127.0.0.1 7
  [ "$status" -eq 111 ]
  run udp_ask 127.0.0.1 7
  [ "$status" -eq 111 ]
  [ "$(counted_in_maps)" = "3 2" ]
  kill -CONT "$HELPER"
}

nothing_is_covered() {
  [[ $(ns "$SKL" status) == "Nothing is covered." ]]
}

@test "counters outlive the helper, and a new listener starts at zero" {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until members_are 1
  local server=$SPAWNED
  many_connect 50 127.0.0.1:7
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
  many_connect 50 127.0.0.1:7
  start_helper
  wait_until ns "$SKL" status # the socket of the other is still there
  counts 7 127.0.0.1/32 100 0
  many_connect 50 127.0.0.1:7
  counts 7 127.0.0.1/32 150 0
  stop "$server"
  wait_until nothing_is_covered
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until members_are 1
  counts 7 127.0.0.1/32 0 0
}
