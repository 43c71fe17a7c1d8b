#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Requests that no shim would send: each is answered with an errno and a sentence, or hung up on, and leaves the
# helper alive with the descriptors it had. tests/programs/wire.py has the cases.

setup() {
  load ../lib/skl
  skl_setup
  start_helper
  wire good
  [[ $output == 0* ]]
  wait_until forgotten
  FDS=$(helper_fds)
}

teardown() {
  skl_teardown
}

# wire CASE [ARG...]
wire() {
  run ns timeout 20 /usr/bin/python3 "$TESTS/programs/wire.py" "$@"
  [ "$status" -eq 0 ]
}

# The first claim's socket is closed by now, and the helper has noticed.
forgotten() {
  ! ns "$SKL" status | grep -q 4000
}

# refused_with ERRNO CASE TEXT...
refused_with() {
  local errno=$1

  wire "$2"
  if [[ $output != "$errno "?* ]]; then
    echo "$2: expected $errno and a sentence, got: $output"
    return 1
  fi
  shift 2
  says "$@"
  helper_is_well "$FDS"
}

@test "good requests over both families, and status" {
  wire good
  [[ $output == "0"* ]]
  wire good6
  [[ $output == "0"* ]]
  wire status
  [[ $output == "0"* ]]
  helper_is_well "$FDS"
}

@test "an empty message" {
  wire empty
  helper_is_well "$FDS"
}

@test "a truncated request" {
  refused_with EBADMSG short request
  refused_with EBADMSG header-cut request
}

@test "a length that is not the message's" {
  refused_with EBADMSG says-longer 100 bytes
  refused_with EBADMSG says-shorter 30 bytes
}

@test "an oversized request" {
  refused_with EMSGSIZE oversized request longer
  refused_with EMSGSIZE huge request longer
}

@test "another magic number, and noise" {
  refused_with EBADMSG magic request
  refused_with EBADMSG noise request
}

@test "another version" {
  refused_with EPROTONOSUPPORT version "version 2" 1
  refused_with EPROTONOSUPPORT version-0 "version 0" 1
}

@test "reserved bits" {
  refused_with EBADMSG reserved request
}

@test "another kind of request" {
  refused_with EOPNOTSUPP kind 99
  refused_with EOPNOTSUPP kind-0 0
}

@test "text without NUL, without =, and with control characters" {
  refused_with EINVAL no-nul NUL
  refused_with EINVAL no-equals SKL_PORTS
  refused_with EINVAL not-text SKL_PORTS
  [[ $output != *$'\e'* ]]
}

@test "no descriptor" {
  refused_with EBADF no-fd socket
}

@test "two descriptors, and very many" {
  refused_with ETOOMANYREFS two-fds one
  refused_with ETOOMANYREFS many-fds one
}

@test "a descriptor where none belongs" {
  wire status-fd
  helper_is_well "$FDS"
}

@test "a file" {
  refused_with ENOTSOCK file socket
}

@test "a unix socket" {
  refused_with EAFNOSUPPORT unix "address family"
}

@test "a TCP socket that does not listen" {
  refused_with EINVAL unconnected listen 4000
}

@test "an accepted connection" {
  refused_with EINVAL connection connection
}

@test "an MPTCP listener" {
  needs_mptcp
  refused_with EOPNOTSUPP mptcp MPTCP
}

@test "what a socket is comes from the kernel, not from the kind of request" {
  local case
  for case in udp udp-as-tcp udp-attach; do
    wire $case
    [[ $output == "0"* ]]
    wait_until forgotten
  done
  wire tcp-as-udp
  [[ $output == "0"* ]]
  [ "$(grep -c 'covers udp port 4001' "$T/helper.log")" -eq 3 ]
  [ "$(grep -c 'covers tcp port 4001' "$T/helper.log")" -eq 2 ]
  helper_is_well "$FDS"
}

@test "a UDP socket that is not bound, one that is connected, and a raw one" {
  refused_with EINVAL udp-unbound bound
  refused_with EISCONN udp-connected connected
  refused_with EPROTONOSUPPORT raw "nor UDP"
}

@test "two requests in one connection" {
  wire twice
  helper_is_well "$FDS"
}

@test "askers that do not wait for the answer" {
  wire hang-up
  [[ $output == "0"* ]]
  helper_is_well "$FDS"
}

@test "askers that say nothing do not keep others from being served" {
  wire idle
  [[ $output == "0"* ]]
  helper_is_well "$FDS"
}
