#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Each call in turn that the helper makes for a claim fails, of memory and of the system (tests/tools/lib-fail.c):
# the client gets an errno or success, the helper lives and loses nothing, what is refused leaves everything as it
# was, and the next claim is granted. tests/programs/fail.py has the scenarios.

setup() {
  load ../lib/skl
  skl_setup
  truncate -s 4096 "$T/control"
  spawn_with_log helper.log env "LD_PRELOAD=$BUILD/tests/lib-fail.so" FAIL_CONTROL=/run/test/control \
    "$BUILD/sklhelper"
  HELPER=$SPAWNED
  wait_until test -S "/proc/$HOLDER/root/run/skl/helper.sock"
}

teardown() {
  skl_teardown
}

# fails LEAST SCENARIO [memory]: at least so many calls could fail.
fails() {
  local least=$1

  shift
  run ns timeout 250 /usr/bin/python3 "$TESTS/programs/fail.py" /run/test/control "$HELPER" "$@"
  echo "$output"
  [[ $status == 0 && $output != *broken* ]]
  (($(sed -n "s/^$1: \([0-9]*\) calls.*/\1/p" <<<"$output") >= least))
  kill -0 "$HELPER"
  ns "$SKL" status >/dev/null
  wait_until helper_has_few_bpf_objects
}

@test "the first claim in a network namespace" {
  fails 80 first
}

@test "the first claim in a network namespace, UDP" {
  fails 80 first-udp
}

@test "a claim beside another's coverage" {
  fails 30 another
}

@test "UDP beside another's coverage" {
  fails 30 udp
}

@test "a range" {
  fails 30 range
}

@test "ranges around what another has" {
  fails 30 around
}

@test "more prefixes than stand in a chain" {
  fails 60 prefixes
}

@test "many ports" {
  fails 60 many
}

@test "all memory at once" {
  fails 5 first memory
  fails 5 another memory
  fails 5 around memory
  fails 5 prefixes memory
}
