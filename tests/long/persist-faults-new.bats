#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# A helper that is killed while it makes or removes what a network namespace needs, or puts its program in place
# of another's; and --purge, killed at each of its steps.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/persist
  skl_setup
}

teardown() {
  skl_teardown
}

# Claims of both protocols, by programs that live on when the helper does not answer.
ask_both() {
  run_shim SKL_DEBUG=1 SKL_ON_ERROR=warn SKL_PORTS=7 -- "$BUILD/tests/srv-listen" signals 8080
  TCP=$SPAWNED
  wait_log libsklshim:
  run_shim SKL_DEBUG=1 SKL_ON_ERROR=warn SKL_PORTS=7 -- "$BUILD/tests/udp-serve" echo 5353
  UDP=$SPAWNED
  wait_log libsklshim:
}

stop_both() {
  stop "$TCP" KILL
  stop "$UDP" KILL
}

nothing_is_left() {
  if [[ -n $(pins) || -e /proc/$HOLDER/root/run/skl ]] || ! no_clsact_on lo; then
    pins
    ns tc qdisc show dev lo
    return 1
  fi
}

@test "killed while the namespace's first coverage is made, and in the midst of --purge" {
  local number name

  start_variant faults SKL_FAULT_KILL=0
  ask_both
  plan >"$T/plan"
  has_points <"$T/plan" "the directory of a namespace is made" "the program of a namespace is attached" \
    "an object of a namespace is pinned" "a namespace is pinned" "the memory of flows is made" \
    "the next program is pinned" "the next program has the pin" "an interface is to get the reply program" \
    "an interface has the reply program"
  while read -r -u 9 number name; do
    kill_helper
    stop_both
    ns "$BUILD/sklhelper" --purge >>"$T/purge.log"
    nothing_is_left
    start_variant faults SKL_FAULT_KILL="$number"
    ask_both
    killed_at "$number" "$name"
    start_variant .
    nothing_half_made
    kill -USR2 "$TCP"
    stop "$UDP" KILL
    run_udp SKL_PORTS=7 -- echo 5353
    UDP=$SPAWNED
    wait_until answers 127.0.0.1 8080 7
    udp_echoes 127.0.0.1 7
  done 9<"$T/plan"

  kill_helper
  : >"$T/helper.log"
  spawn_helper env SKL_FAULT_KILL=0 "$BUILD/faults/sklhelper" --purge
  helper_is_gone
  nothing_is_left
  plan >"$T/plan"
  has_points <"$T/plan" "an interface has lost the reply program" "a pin is removed"
  while read -r -u 9 number name; do
    stop_both
    start_variant .
    ask_both
    udp_echoes 127.0.0.1 7
    kill_helper
    spawn_helper env SKL_FAULT_KILL="$number" "$BUILD/faults/sklhelper" --purge
    killed_at "$number" "$name"
    ns "$BUILD/sklhelper" --purge
    nothing_is_left
    refused 127.0.0.1 7
  done 9<"$T/plan"
}

# A helper with --exit-idle removes it all when its last listener is gone.
leaves() {
  start_variant faults SKL_FAULT_KILL="$1" -- --exit-idle
  ask_both
  stop_both
  helper_is_gone
}

@test "killed while what a namespace had is removed" {
  local number name deadline=$((SECONDS + 200))

  leaves 0
  [[ -z $(pins) ]]
  plan | grep -E ' (an interface has lost|the reply program is no|the program of .* detached|a namespace is no|a pin )' \
    >"$T/plan"
  has_points <"$T/plan" "an interface has lost the reply program" "the reply program is no longer pinned" \
    "the program of a namespace is detached" "a namespace is no longer pinned" "a pin is removed"
  while read -r -u 9 number name; do
    until leaves "$number" && killed_at "$number" "$name"; do
      ((SECONDS < deadline)) # on a busy machine it may leave before it is asked
    done
    start_variant .
    nothing_half_made
    ask_both
    answers 127.0.0.1 8080 7
    udp_echoes 127.0.0.1 7
    stop_both
    kill_helper
    ns "$BUILD/sklhelper" --purge
    nothing_is_left
  done 9<"$T/plan"
}

# ---- programs that take each other's place ----

# tags_of PIN: the kernel's hash of a pinned program, and running: of the one that is attached.
tags_of() {
  bpftool -j prog show pinned "/proc/$HOLDER/root$BPFFS/$1" | jq -r .tag
}

running() {
  local id

  id=$(bpftool -j link show pinned "/proc/$HOLDER/root$BPFFS/link" | jq .prog_id)
  bpftool -j prog show id "$id" | jq -r .tag
}

@test "killed while other programs take their places: whichever run, they serve, and the next helper brings its own" {
  local number name dispatch probe reply

  start_variant .
  ask_both
  dispatch=$(tags_of dispatch) probe=$(tags_of probe) reply=$(tags_of reply)
  kill_helper
  start_variant program
  [[ $(running) != "$dispatch" && $(tags_of probe) != "$probe" && $(tags_of reply) != "$reply" ]]
  kill_helper
  : >"$T/helper.log"
  start_variant faults SKL_FAULT_KILL=0
  plan >"$T/plan"
  has_points <"$T/plan" "the next program is pinned" "the next program runs" "the next program has the pin"
  while read -r -u 9 number name; do
    kill_helper
    start_variant program
    kill_helper
    start_variant faults SKL_FAULT_KILL="$number"
    killed_at "$number" "$name"
    answers 127.0.0.1 7
    udp_echoes 127.0.0.1 7
    start_variant .
    nothing_half_made
    [[ $(running) == "$dispatch" && $(tags_of dispatch) == "$dispatch" ]]
    [[ $(tags_of probe) == "$probe" && $(tags_of reply) == "$reply" ]]
    ns tc filter show dev lo egress | grep -q "tag $reply"
    answers 127.0.0.1 7
    udp_echoes 127.0.0.1 7
    (($(listeners | jq length) == 2))
  done 9<"$T/plan"
}
