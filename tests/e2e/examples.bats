#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The demo and the examples check themselves; here they run as a user would run them.

setup() {
  ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
}

# shows SCRIPT TEXT...: it succeeds in time, says all this, and without a terminal no colour.
shows() {
  local script=$1 text

  shift
  run timeout 60 "$ROOT/examples/$script"
  echo "$output"
  [ "$status" -eq 0 ]
  for text; do
    grep -qF -- "$text" <<<"$output"
  done
  [[ $output != *$'\e'* ]]
}

@test "demo.sh" {
  local started=$SECONDS
  shows demo.sh "you reached 127.0.0.1 port 777" "connection refused" "skl status" "What to type next"
  ((SECONDS - started < 15 * ${TESTS_SLOW:-1}))
}

@test "demo.sh: colour on a terminal, none with NO_COLOR" {
  run env TERM=xterm script -qec "$ROOT/examples/demo.sh" /dev/null
  [ "$status" -eq 0 ]
  [[ $output == *$'\e[1m'* ]]
  run env TERM=xterm NO_COLOR=1 script -qec "$ROOT/examples/demo.sh" /dev/null
  [ "$status" -eq 0 ]
  [[ $output != *$'\e'* ]]
}

@test "ports-one-by-one.sh" {
  shows ports-one-by-one.sh '"hello 777"' "netns_ino" "sk_lookup" "sockmap" "sk:"
}

@test "whole-network.sh" {
  shows whole-network.sh "127.0.0.254" "127.0.0.22"
}

@test "every-port.sh" {
  shows every-port.sh "port 31337" "port 8443"
}

@test "share-socket.sh" {
  shows share-socket.sh "Address already in use" "Response from process" "skl status" "tcp 127.0.0.1:8080"
}

@test "graceful-upgrade.sh" {
  shows graceful-upgrade.sh "has joined" "SIGTERM to" "done:" "none: open for another" "none was refused"
}

@test "the examples refuse to run for others than root, in one sentence" {
  local script
  load ../lib/skl
  skl_setup
  for script in "$ROOT"/examples/*.sh; do
    run as 65534 bash "/run/src/examples/${script##*/}"
    [ "$status" -eq 1 ]
    [[ $output == *"needs root"* ]]
    [ "${#lines[@]}" -eq 1 ]
  done
  skl_teardown
}

@test "the guard refuses the machine's own network namespace" {
  # shellcheck disable=SC2016 # for the inner shell
  run bash -c 'source "$0" && guard_check 1 && echo let in' "$ROOT/tests/lib/guard.bash"
  [ "$status" -eq 1 ]
  [[ $output == *"refused"*"machine's own network namespace"* ]]
  [[ $output != *"let in"* ]]
}
