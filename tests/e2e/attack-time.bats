#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# How long one user can make others wait: uid 4001 does his worst, and uid 4002 asks for the status all the time
# (tests/programs/attack.py). The limit is generous, since machines are slow and shared; each of these once took
# 4 to 30 seconds.

LIMIT=$((2500 * ${TESTS_SLOW:-1})) # ms

setup() {
  load ../lib/skl
  load ../lib/policy
  skl_setup
  # as if there were no quotas: attack-quota.bats is about those
  policy <<<$'[attacker]\nusers = 4001\nrequests-per-second = 100000\nbindings = 100000\nconnections = 1000'
}

teardown() {
  skl_teardown
}

# attack CASE [ARG...]: what came of it is in $output.
attack() {
  run ns timeout 60 /usr/bin/python3 "$TESTS/programs/attack.py" "$@"
  if ((status != 0)) || [[ $output == *broken* ]]; then
    echo "attack $*: status $status"
    echo "$output"
    return 1
  fi
}

# came "NAME VALUE"...: these lines are in what the attack said.
came() {
  local line

  for line; do
    grep -qxF -- "$line" <<<"$output" || {
      echo "'$line' is not in:"
      echo "$output"
      return 1
    }
  done
}

# nobody_waits: for longer than LIMIT.
nobody_waits() {
  local longest

  longest=$(sed -n 's/^longest //p' <<<"$output")
  if ((${longest:-999999} > LIMIT)); then
    echo "a request of another user took ${longest:-too many} ms:"
    echo "$output"
    return 1
  fi
}

@test "two thousand ports on the same address, named thousands of times" {
  start_helper --mode 0666 --policy "$POLICY"
  attack duplicates
  came "claim E2BIG"
  nobody_waits
}

@test "ranges that overlap: as many as a user may have, and more" {
  start_helper --mode 0666 --policy "$POLICY"
  attack overlapping 400
  came "claim EMFILE"
  nobody_waits
  attack overlapping 120
  came "claim ok"
  nobody_waits
}

@test "ten prefixes on each of 400 ports, and the end of that program" {
  start_helper --mode 0666 --policy "$POLICY"
  attack tries
  came "claim ok"
  nobody_waits
}

@test "the end of 12,000 bindings, of which many have something counted" {
  start_helper --mode 0666 --policy "$POLICY"
  attack misses
  came "claim ok" "missed 1000"
  nobody_waits
}

@test "sockets that take long to close, attached in every way" {
  start_helper --mode 0666 --policy "$POLICY"
  attack linger only second textless
  came "only EINVAL" "second ETOOMANYREFS" "textless closed"
  nobody_waits
}

@test "a socket that takes long to close, in a message behind the request" {
  start_helper --mode 0666 --policy "$POLICY"
  attack linger unread
  nobody_waits
}

@test "a socket that takes long to close, on its way to a listener of AF_UNIX" {
  start_helper --mode 0666 --policy "$POLICY"
  attack linger queued
  came "queued EAFNOSUPPORT"
  nobody_waits
}

@test "600 sockets that take long to close" {
  start_helper --mode 0666 --policy "$POLICY"
  attack crowd
  came "answered 600"
  nobody_waits
}

@test "700 connections without a word" {
  start_helper --mode 0666 --policy "$POLICY"
  attack silence
  came "silent 700"
  nobody_waits
}

@test "without a descriptor left the helper waits; it does not spin" {
  local fds said

  start_helper --mode 0666 --policy "$POLICY"
  attack status
  fds=$(helper_fds)
  prlimit --pid "$HELPER" --nofile="$(($(find "/proc/$HELPER/fd" -mindepth 1 | wc -l) + 20)):"
  attack no-descriptors
  said=$(grep -c "no descriptor left" "$T/helper.log")
  echo "said $said times"
  ((said > 0 && said < 30))
  prlimit --pid "$HELPER" --nofile=1024:
  attack status
  came "status ok"
  helper_is_well "$fds"
}

@test "one user does not have all the places of programs that are expected" {
  start_helper --mode 0666 --policy "$POLICY" --exit-idle
  attack expects
  came "places 63" "other ok" # and one has the process that asked 257 times
}

@test "many users do not have all the places of programs that are expected: root has some" {
  start_helper --mode 0666 --policy "$POLICY" --exit-idle
  attack expects-of-many
  came "places 192" "root ok"
}
