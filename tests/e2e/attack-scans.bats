#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What a user may have as much of as he likes, and the helper has to look through: nobody else waits for it
# (tests/programs/attack_scans.py).

LIMIT=$((2500 * ${TESTS_SLOW:-1})) # ms; generous, since machines are slow and shared; these once took 4 to 40 seconds

setup() {
  load ../lib/skl
  load ../lib/policy
  skl_setup
  policy <<<$'[attacker]\nusers = 4001\nrequests-per-second = 100000\nconnections = 1000'
  start_helper --mode 0666 --policy "$POLICY" --log-level notice
}

teardown() {
  skl_teardown
}

# attack CASE: what came of it is in $output; nobody else waits for longer than LIMIT.
attack() {
  local longest

  run ns timeout 60 /usr/bin/python3 "$TESTS/programs/attack_scans.py" "$@"
  longest=$(sed -n 's/^longest //p' <<<"$output")
  if ((status != 0 || ${longest:-999999} > LIMIT)) || [[ $output == *broken* ]]; then
    echo "attack $*: status $status"
    sort <<<"$output" | uniq -c | tail -n 30
    tail -n 20 "$T/helper.log"
    return 1
  fi
}

@test "60 processes with many descriptors each, in which the share's socket is never where it was" {
  attack descriptors
}

@test "a program that joins a share with thousands of epoll instances of 3,000 sockets each" {
  attack polled
}

@test "UDP coverage in a network namespace with 2,000 interfaces" {
  attack interfaces
}

@test "addresses in a network namespace with 50,000 routes" {
  attack routes
}
