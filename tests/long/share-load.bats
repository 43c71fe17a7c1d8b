#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2153 # SERVER is made by serve
#
# Under load: no connection is refused while servers of a share come and go. TESTS_LONG=1 makes it 60 s and 20 upgrades.

setup() {
  load ../lib/skl
  load ../lib/share
  skl_setup
  start_helper
  SERVE=$BUILD/tests/share-serve
  if [[ -n ${TESTS_LONG:-} ]]; then
    UPGRADES=20
    PAUSE=2.5
  else
    UPGRADES=5
    PAUSE=0.3
  fi
}

teardown() {
  skl_teardown
}

# A server has one connection at a time for each of its threads. So this is how many may be cut off when some of
# them die, and no more: what waits in the queue is the next one's. The queue is full of them: there are 64 clients.
# cut_off_at_most THREADS SERVERS
cut_off_at_most() {
  (($(counted_by_load cut) <= $1 * $2)) || {
    echo "more than $(($1 * $2)) were cut off: $(cat "$LOAD_LOG")"
    return 1
  }
}

@test "64 connections while a server that drains is upgraded: none is refused, none is cut off" {
  local i
  serve SKL_SHARE=web -- -d -t 4 -p 1 127.0.0.1 8080
  start_load -n 64 127.0.0.1 8080
  for ((i = 0; i < UPGRADES; i++)); do
    upgrade web --after 200ms -- "$SERVE" -d -t 4 -p 1 127.0.0.1 8080
    sleep "$PAUSE"
  done
  stop_load
  load_says refused=0 cut=0 late=0 failed=0 servers=$((UPGRADES + 1))
  load_went_on 1000
}

@test "64 connections while a server that just dies is upgraded: none is refused, cut off are only accepted ones" {
  local i
  serve SKL_SHARE=web -- -t 4 -p 1 127.0.0.1 8080
  start_load -n 64 127.0.0.1 8080
  for ((i = 0; i < UPGRADES; i++)); do
    upgrade web --after 200ms -- "$SERVE" -t 4 -p 1 127.0.0.1 8080
    sleep "$PAUSE"
  done
  stop_load
  load_says refused=0 late=0 failed=0 servers=$((UPGRADES + 1))
  load_went_on 1000
  cut_off_at_most 4 "$UPGRADES"
}

@test "64 connections while a server is killed and started again, with SKL_HOLD: the same" {
  local i
  serve SKL_SHARE=web SKL_HOLD=30s -- -t 4 -p 1 -b 1000 127.0.0.1 8080
  start_load -n 64 127.0.0.1 8080
  for ((i = 0; i < UPGRADES; i++)); do
    sleep "$PAUSE"
    stop "$SERVER" KILL
    sleep 0.2
    serve SKL_SHARE=web SKL_HOLD=30s -- -t 4 -p 1 -b 1000 127.0.0.1 8080
  done
  sleep "$PAUSE"
  stop_load
  load_says refused=0 late=0 failed=0 servers=$((UPGRADES + 1))
  load_went_on 1000
  cut_off_at_most 4 "$UPGRADES"
}

@test "8 processes: all get connections, and any 7 may be killed" {
  local i servers=()
  for ((i = 0; i < 8; i++)); do
    serve SKL_SHARE=web -- -t 1 127.0.0.1 8080
    servers+=("$SERVER")
  done
  start_load -n 64 127.0.0.1 8080
  sleep 1
  mapfile -t servers < <(shuf -e "${servers[@]}")
  for ((i = 0; i < 7; i++)); do
    stop "${servers[i]}" KILL
    sleep 0.2
  done
  sleep 0.5
  stop_load
  load_says refused=0 late=0 failed=0 servers=8
  load_went_on 1000
  cut_off_at_most 1 7
  they_answer 8080 "${servers[7]}"
}

@test "the same over extra ports" {
  local i
  serve SKL_SHARE=web SKL_PORTS=7 -- -d -t 4 127.0.0.1 8080
  start_load -n 64 127.0.0.1 7
  export SKL_PORTS=7
  for ((i = 0; i < 3; i++)); do
    upgrade web --after 100ms -- "$SERVE" -d -t 4 127.0.0.1 8080
  done
  stop_load
  load_says refused=0 cut=0 late=0 failed=0 servers=4
  load_went_on 1000
}
