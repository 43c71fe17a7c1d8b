#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# SKL_* variables with mistakes in them: listen() fails with the true errno and one clear sentence, or with
# SKL_ON_ERROR=warn the server says the same and serves its own port. The helper stays as it was.

EINVAL=22
EAFNOSUPPORT=97

setup() {
  load ../lib/skl
  skl_setup
  start_helper
  run_shim SKL_PORTS=4 -- "$BUILD/tests/srv-listen" plain 8079 # the first claim makes maps, pins and a link
  wait_port 4
  stop "$SPAWNED"
  wait_refused 127.0.0.1 4
  FDS=$(helper_fds)
}

teardown() {
  skl_teardown
}

# refused_with ERRNO VAR=VALUE... -- TEXT...: the program's listen() fails, and TEXT... says why.
refused_with() {
  local errno=$1 vars=()

  shift
  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  run shim "${vars[@]}" -- "$BUILD/tests/srv-listen" plain 8080
  if ((status != errno)); then
    echo "status $status instead of $errno: $output"
    return 1
  fi
  says libsklshim: "$@"
  run_shim "${vars[@]}" SKL_ON_ERROR=warn -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 8080
  answers 127.0.0.1 8080
  output=$(<"$LOG")
  says libsklshim: "$@"
  refused 127.0.0.1 7 77
  stop "$SPAWNED"
  helper_is_well "$FDS"
}

@test "SKL_PORTS: an empty item" {
  refused_with $EINVAL SKL_PORTS=7,,77 -- SKL_PORTS empty
  refused_with $EINVAL SKL_PORTS=,7 -- SKL_PORTS empty
  refused_with $EINVAL SKL_PORTS=7, -- SKL_PORTS empty
}

@test "SKL_PORTS: port 0" {
  refused_with $EINVAL SKL_PORTS=7,0 -- SKL_PORTS '"0"' 1
}

@test "SKL_PORTS: port 65536" {
  refused_with $EINVAL SKL_PORTS=65536 -- SKL_PORTS '"65536"' 65535
  refused_with $EINVAL SKL_PORTS=18446744073709551623 -- SKL_PORTS 65535
}

@test "SKL_PORTS: a reversed range" {
  refused_with $EINVAL SKL_PORTS=77-7 -- SKL_PORTS '"77-7"' reversed
}

@test "SKL_PORTS: letters" {
  refused_with $EINVAL SKL_PORTS=7,http -- SKL_PORTS '"http"'
  refused_with $EINVAL SKL_PORTS=0x7 -- SKL_PORTS '"0x7"'
  refused_with $EINVAL "SKL_PORTS=7, 77" -- SKL_PORTS '" 77"'
  refused_with $EINVAL SKL_PORTS=-7 -- SKL_PORTS '"-7"'
  refused_with $EINVAL SKL_PORTS=7- -- SKL_PORTS '"7-"'
  refused_with $EINVAL SKL_PORTS=+7 -- SKL_PORTS '"+7"'
}

@test "SKL_PORTS: something else than tcp or udp after the slash" {
  refused_with $EINVAL SKL_PORTS=7/sctp -- SKL_PORTS '"7/sctp"' tcp
  refused_with $EINVAL SKL_PORTS=7/ -- SKL_PORTS '"7/"'
}

@test "SKL_PORTS: 4 KiB of commas" {
  refused_with $EINVAL "SKL_PORTS=$(printf '%4096s' '' | tr ' ' ,)" -- SKL_PORTS empty
}

@test "SKL_CIDRS: a bad address or prefix" {
  refused_with $EINVAL SKL_PORTS=7 SKL_CIDRS=127.0.0.0/33 -- SKL_CIDRS '"127.0.0.0/33"'
  refused_with $EINVAL SKL_PORTS=7 SKL_CIDRS=127.0.0.256 -- SKL_CIDRS '"127.0.0.256"'
  refused_with $EINVAL SKL_PORTS=7 SKL_CIDRS=localhost -- SKL_CIDRS '"localhost"'
  refused_with $EINVAL SKL_PORTS=7 SKL_CIDRS=::1/129 -- SKL_CIDRS '"::1/129"'
  refused_with $EINVAL SKL_PORTS=7 SKL_CIDRS=127.0.0.1/ -- SKL_CIDRS '"127.0.0.1/"'
  refused_with $EINVAL SKL_PORTS=7 SKL_CIDRS=127.0.0.1/-1 -- SKL_CIDRS '"127.0.0.1/-1"'
  refused_with $EINVAL SKL_PORTS=7 SKL_CIDRS=127.0.0.1,,127.0.0.2 -- SKL_CIDRS empty
}

@test "SKL_CIDRS: host bits are masked, and it is said" {
  run_shim SKL_CIDRS=127.0.0.77/24 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 127.0.0.200 8080
  answers 127.0.0.200 8080
  refused 127.0.1.1 8080
  wait_log 127.0.0.77/24
  wait_log 127.0.0.0/24
}

@test "SKL_CIDRS: only a family that the socket cannot serve" {
  refused_with $EAFNOSUPPORT SKL_CIDRS=2001:db8::/64 -- SKL_CIDRS family
}

@test "SKL_BIND: malformed" {
  refused_with $EINVAL SKL_BIND=127.0.0.1 -- SKL_BIND '"127.0.0.1"'
  refused_with $EINVAL SKL_BIND=127.0.0.1: -- SKL_BIND
  refused_with $EINVAL SKL_BIND=:7 -- SKL_BIND
  refused_with $EINVAL SKL_BIND='[::1:7' -- SKL_BIND
  refused_with $EINVAL SKL_BIND='127.0.0.1:7 127.0.0.1:0' -- SKL_BIND
}

@test "SKL_FOR: malformed" {
  refused_with $EINVAL SKL_PORTS=7 SKL_FOR=web -- SKL_FOR '"web"'
  refused_with $EINVAL SKL_PORTS=7 SKL_FOR=8000-8099 -- SKL_FOR
}

@test "SKL_WAIT and SKL_ON_ERROR: malformed" {
  run shim SKL_PORTS=7 SKL_WAIT=soon -- "$BUILD/tests/srv-listen" plain 8080
  [ "$status" -eq $EINVAL ]
  says SKL_WAIT soon
  run shim SKL_PORTS=7 SKL_ON_ERROR=shrug -- "$BUILD/tests/srv-listen" plain 8080
  [ "$status" -eq $EINVAL ]
  says SKL_ON_ERROR shrug
  helper_is_well "$FDS"
}

@test "SKL_SHARE and SKL_HOLD: malformed" {
  refused_with $EINVAL SKL_SHARE='a b' -- SKL_SHARE '"a b"'
  refused_with $EINVAL SKL_PORTS=7 SKL_SHARE=../web -- SKL_SHARE
  refused_with $EINVAL SKL_PORTS=7 SKL_HOLD=30s -- SKL_HOLD SKL_SHARE
  refused_with $EINVAL SKL_SHARE=web SKL_HOLD=2h -- SKL_HOLD '"2h"'
  refused_with $EINVAL SKL_SHARE=web SKL_HOLD=61m -- SKL_HOLD 'more than an hour'
}

@test "a variable that nobody knows is refused by name" {
  refused_with $EINVAL SKL_PORTS=7 SKL_PORT=77 -- SKL_PORT
}

@test "an empty variable is as good as none" {
  run_shim SKL_PORTS=7 SKL_CIDRS= SKL_BIND= SKL_FOR= SKL_SHARE= -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  answers 127.0.0.1 7 8080
}

@test "more text than a request holds" {
  local long
  long=7$(printf ',%d' {10000..14000})
  run shim "SKL_PORTS=$long" -- "$BUILD/tests/srv-listen" plain 8080
  [ "$status" -ne 0 ]
  says libsklshim: 16384
  run_shim "SKL_PORTS=$long" SKL_ON_ERROR=warn -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 8080
  answers 127.0.0.1 8080
  helper_is_well "$FDS"
}
