#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016,SC2030,SC2031 # for jq; what `run` sets
#
# skl run --check: the answer is the claim's, and nothing of it stays.

setup() {
  load ../lib/skl
  load ../lib/udp
  skl_setup
  SERVER=$BUILD/examples/legacy-server
}

teardown() {
  skl_teardown
}

# checked CODE ARG...: skl run --check with these ends so.
checked() {
  local code=$1

  shift
  run ns timeout 20 "$SKL" run "$@"
  if [[ $status != "$code" ]]; then
    echo "status $status, not $code: $output"
    return 1
  fi
}

nothing_covered() {
  [[ $(ns "$SKL" status) == "Nothing is covered." ]]
}

@test "granted: says so, starts no program and covers nothing" {
  start_helper
  fds=$(helper_fds)
  checked 0 --check -p 7,77,8000-8099 -- touch /run/started
  [ "$output" = "tcp: granted" ]
  ns test ! -e /run/started
  nothing_covered
  refused 127.0.0.1 7 77 8000
  helper_is_well "$fds"
  grep -q "asks whether: it would be granted" "$T/helper.log"
  # the very same ports are there for who really asks
  run_shim SKL_PORTS=7,77,8000-8099 -- "$SERVER" 8080
  wait_port 77
  answers 127.0.0.1 7 77 8000 8080
}

@test "refused: the sentence of the claim, and 1" {
  start_helper
  run_shim SKL_PORTS=77 -- "$SERVER" 8080
  wait_port 77
  spawn "$SERVER" 9000
  wait_port 9000
  before=$(ns "$SKL" status -j | jq 'del(.. | .age_ms?)')
  # one that is covered, one that is bound, and one that is inside a range: as with the claim itself
  checked 1 --check -p 77 -- "$SERVER"
  says "tcp: refused" "port 77" "in use"
  checked 1 --check -p 9000 -- "$SERVER"
  says "tcp: refused" "port 9000" "in use"
  checked 0 --check -p 8990-9010 -- "$SERVER"
  says "tcp: granted" "less 9000"
  run shim SKL_PORTS=9000 -- "$SERVER" 8081
  [ "$status" -ne 0 ]
  says "port 9000" "in use"
  # what was there is there
  [ "$(ns "$SKL" status -j | jq 'del(.. | .age_ms?)')" = "$before" ]
  answers 127.0.0.1 77 8080
}

@test "where the program would listen" {
  start_helper
  spawn "$SERVER" 9000 127.0.0.2
  wait_port 127.0.0.2 9000
  checked 1 --check=127.0.0.2:8080 -p 9000 -- "$SERVER"
  checked 0 --check=127.0.0.3:8080 -p 9000 -- "$SERVER"
  checked 0 "--check=[::1]:8080" -p 9000 -- "$SERVER"
  checked 1 --check=127.0.0.2:9000 -p 9001 -- "$SERVER"
  says "refused" "port 9000" "could not bind it either"
  checked 1 --check --for 9000 -p 9001 -- "$SERVER"
  says "could not bind it either"
  checked 125 --check=nonsense -p 7 -- "$SERVER"
  says "--check=nonsense" "127.0.0.1:80"
}

@test "UDP, alone and with TCP; no reply program is left" {
  start_helper
  checked 0 --check -p 53/udp -- "$SERVER"
  [ "$output" = "udp: granted" ]
  run_udp SKL_PORTS=53 -- echo 5353 ::
  checked 1 --check -p 7/tcp,53/udp -- "$SERVER"
  says "tcp: granted" "udp: refused" "port 53"
  stop "$SPAWNED"
  wait_until nothing_covered
  checked 0 --check -p 7/tcp,53/udp -- "$SERVER"
  says "tcp: granted" "udp: granted"
  wait_until no_reply
}

no_reply() {
  ! reply_on lo
}

@test "a user's rights are his own" {
  start_helper --mode 0666
  run as 1001 "$SKL" run --check -p 80 -- "$SERVER"
  [ "$status" -eq 1 ]
  says "refused" "Permission denied" "uid 1001"
  run as 1001 "$SKL" run --check -p 8000 -- "$SERVER"
  [ "$status" -eq 0 ]
}

@test "prefixes that are not local: what the claim would say, and no route of ours" {
  start_helper --mode 0666
  before=$(ns ip route show table local)
  run as 1001 "$SKL" run --check -c 192.0.2.0/24 -p 8000 -- "$SERVER"
  [ "$status" -eq 0 ]
  says "granted" "192.0.2.0/24: is not local here"
  checked 0 --check -c 192.0.2.0/24 -p 8000 -- "$SERVER"
  [ "$output" = "tcp: granted" ]
  [ "$(ns ip route show table local)" = "$before" ]
}

@test "a share that is there: what its socket would get, and its process stays the only one" {
  start_helper
  spawn "$SKL" run --share web -p 77 -- "$SERVER" 8080
  wait_port 77
  checked 0 --check --share web -p 77,78 -- "$SERVER"
  [ "$output" = "tcp: granted" ]
  refused 127.0.0.1 78
  spawn "$SERVER" 79
  wait_port 79
  checked 1 --check --share web -p 77,79 -- "$SERVER"
  says "port 79" "in use"
  ns "$SKL" status -j | jq -e '.shares | length == 1 and (.[0].sockets | length == 1)'
  answers 127.0.0.1 77 8080
}

@test "the variables count, mistakes are refused with the helper's own sentence, and who cannot ask is told" {
  start_helper
  run ns env SKL_PORTS=99999 "$SKL" run --check -- "$SERVER"
  [ "$status" -eq 1 ]
  says "refused" "SKL_PORTS" "99999"
  run ns env SKL_PORTS=7 SKL_NONSENSE=1 "$SKL" run --check -- "$SERVER"
  [ "$status" -eq 1 ]
  says "SKL_NONSENSE"
  checked 127 --check -p 7 -- /run/not-there
  checked 125 --check -- "$SERVER"
  stop_helper
  run ns env SKL_HELPER=/run/none.sock setpriv --reuid 1001 --regid 1001 --clear-groups "$SKL" run --check -p 7000 -- "$SERVER"
  [ "$status" -eq 125 ]
  says "/run/none.sock" "no helper answers there"
}

@test "with nothing set up a helper is started for the answer, and leaves with all it made" {
  checked 0 --check -p 7,77 -- "$SERVER"
  [ "$output" = "tcp: granted" ]
  wait_until helper_left
}
