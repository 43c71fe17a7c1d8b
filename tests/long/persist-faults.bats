#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# A helper that is killed between any two of its steps: what was covered stays so, the next helper finishes or
# undoes what was half done, and nothing is left of it.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/persist
  skl_setup
}

teardown() {
  skl_teardown
}

# Nine prefixes of one port: they are in the trie. One of them takes a route.
WIDE="198.18.0.0/24:99 $(printf '127.%d.0.0/16:99 ' 2 3 4 5 6 7 8 9)"

# recover N: sometimes the next helper is killed as well, at the first thing that it has to mend.
recover() {
  if (($1 % 4 == 0)); then
    start_variant faults SKL_FAULT_KILL=$((1 + $1 % 3))
    kill_helper
  fi
  start_variant .
  ! gone "$HELPER" && nothing_half_made
}

# ---- in a namespace that has coverage already ----

# Their claims succeed or fail while the helper is killed; either is said.
new_tcp() {
  run_shim SKL_DEBUG=1 SKL_ON_ERROR=warn SKL_PORTS=77,8000-8003 SKL_BIND="$WIDE" \
    -- "$BUILD/tests/srv-listen" signals 9000
  TCP=$SPAWNED
  wait_log libsklshim:
}

new_udp() {
  run_shim SKL_DEBUG=1 SKL_ON_ERROR=warn SKL_PORTS=77,8000-8003 -- "$BUILD/tests/udp-serve" echo 5354
  UDP=$SPAWNED
  wait_log libsklshim:
}

stop_new() {
  local pid

  for pid in $TCP $UDP; do
    stop "$pid" KILL
  done
  TCP='' UDP=''
}

# What the helper knows: the old ones are as they were, with counters that go on, and of the new ones all or nothing.
table_is_sane() {
  local problems

  lookups=$((lookups + 1))
  answers 127.0.0.1 7 && udp_ask 127.0.0.1 7 || return 1
  problems=$(ns "$SKL" status -j | jq -r --argjson before "$before" --argjson lookups "$lookups" '
    def old: .port == 8080 or .port == 5353;
    def all_or_nothing($port; $all): [.listeners[] | select(.port == $port) | .bindings[]] | length
      | select(. != 0 and . != $all) | "port \($port): \(.) of \($all) bindings";
    ([.listeners[] | select(old) | del(.age_ms, .lookups, .misses, .errors) | .bindings |= map(del(.lookups, .misses, .errors))]
      | select(. != $before) | "the old ones: \(.)"),
    (.listeners[] | select(.port == 8080) | .bindings[0] | select(.lookups != $lookups or .misses + .errors != 0)
      | "the counters of port 8080: \(.)"),
    all_or_nothing(9000; 11), all_or_nothing(5354; 2)')
  [[ -z $problems ]] || {
    echo "$problems"
    return 1
  }
}

# The same claims again, by the same TCP socket (listen() once more) and by another UDP socket.
claim_again() {
  if [[ -n $TCP ]]; then
    kill -USR2 "$TCP"
  else
    new_tcp
  fi
  [[ -z $UDP ]] || stop "$UDP" KILL
  new_udp
  wait_until new_ones_answer
}

new_ones_answer() {
  answers 127.0.0.1 77 8003 && answers 198.18.0.9 99 && answers 127.9.0.1 99 && udp_ask 127.0.0.1 77 8002
}

# One life of a helper: it finds what the dead have left, and is asked for as much again.
live() {
  [[ -n $TCP ]] || { new_tcp && new_udp; }
  kill_helper
  stop_new
  start_variant faults SKL_FAULT_KILL="$1"
  gone "$HELPER" || new_tcp
  gone "$HELPER" || new_udp
}

@test "killed at each step of claims and of what the dead leave, for TCP, UDP, ranges and many prefixes" {
  local before held lookups number name TCP='' UDP=''

  start_variant .
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until answers 127.0.0.1 7
  run_udp SKL_PORTS=7 -- echo 5353
  before=$(listeners)
  lookups=$(ns "$SKL" status -j | jq '.listeners[] | select(.port == 8080) | .bindings[0].lookups')
  held=$(held_all)
  live 0
  plan >"$T/plan"
  has_points <"$T/plan" "a claim begins" "a socket is recorded" "a socket is in the map" "a member is added" \
    "a binding is recorded" "a node is written" "a word is written" "a key is in the trie" "a claim is done" \
    "a claim ends" "a binding is no longer recorded" "a key is out of the trie" "a socket is out of the map" \
    "a socket is no longer recorded" "a route is recorded" "a route is made" "a route is deleted"
  while read -r -u 9 number name; do
    live "$number"
    killed_at "$number" "$name"
    recover "$number"
    table_is_sane
    claim_again
  done 9<"$T/plan"
  stop_new
  wait_refused 127.0.0.1 77 8000
  wait_until same_held "$held"
  wait_until no_route_is_left
  udp_refused 127.0.0.1 77
  table_is_sane
}

no_route_is_left() {
  [[ -z $(ns ip route show table local proto 83) ]]
}

same_held() {
  [[ $(held_all) == "$1" ]]
}
