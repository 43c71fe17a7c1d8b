#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for jq
#
# skl detach: coverage ends, its program goes on.

setup() {
  load ../lib/skl
  load ../lib/udp
  skl_setup
  SERVER=$BUILD/examples/legacy-server
}

teardown() {
  skl_teardown
}

# id_of FILTER: the number that this jq filter finds in the status.
id_of() {
  ns "$SKL" status -j | jq -er "$1"
}

@test "a listener's number: all that it covers ends, its own port stays, its ports are free" {
  start_helper
  run_shim SKL_PORTS=7,77,8000-8099 -- "$SERVER" 8080
  wait_port 77
  fds=$(helper_fds)
  run ns "$SKL" detach "$(id_of '.listeners[0].id')"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  refused 127.0.0.1 7 77 8000 8099
  answers 127.0.0.1 8080
  [ "$(ns "$SKL" status)" = "Nothing is covered." ]
  free 127.0.0.1 7 77 8050
  helper_is_well "$fds"
  grep -q "detached" "$T/helper.log"
}

@test "a binding's number: that one ends, the others go on; with the last one the listener" {
  start_helper
  run_shim SKL_PORTS=7,77,8000-8099 -- "$SERVER" 8080
  wait_port 77
  ns "$SKL" detach "$(id_of '.listeners[0].bindings[] | select(.ports == "7").id')"
  refused 127.0.0.1 7
  answers 127.0.0.1 77 8000 8080
  ns "$SKL" detach "$(id_of '.listeners[0].bindings[] | select(.ports == "8000-8099").id')"
  refused 127.0.0.1 7 8000 8099
  answers 127.0.0.1 77 8080
  ns "$SKL" detach "$(id_of '.listeners[0].bindings[] | select(.ports == "77").id')"
  refused 127.0.0.1 77
  answers 127.0.0.1 8080
  [ "$(ns "$SKL" status)" = "Nothing is covered." ]
}

@test "what stood behind a binding that ends comes forward" {
  start_helper
  run_shim SKL_PORTS=8000-8099 -- "$SERVER" 8080
  wait_port 8050
  local first=$SPAWNED
  run_shim SKL_PORTS=8050 -- "$SERVER" 9090
  # a single port that another listener has by a range of the same user is narrower
  wait_port 9090
  ask 127.0.0.1 8050 >"$T/before"
  ns "$SKL" detach "$(id_of '.listeners[] | select(.port == 9090).id')"
  answers 127.0.0.1 8050 8051 9090
  ns "$SKL" status -j | jq -e '[.listeners[].port] == [8080]'
  stop "$first"
  wait_refused 127.0.0.1 8050
}

@test "UDP: the extra port ends, and the reply program goes with the last listener" {
  start_helper
  run_udp SKL_PORTS=7 -- echo 5353
  udp_echoes 127.0.0.1 7
  ns "$SKL" detach "$(id_of '.listeners[0].id')"
  run udp_ask 127.0.0.1 7
  [ "$status" -ne 0 ]
  udp_echoes 127.0.0.1 5353
}

@test "nobody ends what is another's, or learns of it; root may" {
  start_helper --mode 0666
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups -- env "LD_PRELOAD=$SHIM" SKL_PORTS=7777 "$SERVER" 8080
  wait_port 7777
  id=$(id_of '.listeners[0].id')
  binding=$(id_of '.listeners[0].bindings[0].id')
  for number in "$id" "$binding"; do
    run as 1002 "$SKL" detach "$number"
    [ "$status" -eq 1 ]
    says "none of yours has the number $number"
  done
  run as 1002 "$SKL" detach 99999
  says "none of yours has the number 99999"
  answers 127.0.0.1 7777
  run as 1001 "$SKL" detach "$binding"
  [ "$status" -eq 0 ]
  refused 127.0.0.1 7777
}

@test "mistakes are told with the one right example" {
  for args in "" "x" "-1" "1x" "184467440737095516160" "--what"; do
    # shellcheck disable=SC2086 # none, or one
    run ns "$SKL" detach $args
    [ "$status" -eq 2 ]
  done
  run ns "$SKL" detach 1
  [ "$status" -eq 1 ]
  says "no helper"
  start_helper
  run ns "$SKL" detach 1 2
  [ "$status" -eq 1 ]
  says "number 1" "number 2"
}
