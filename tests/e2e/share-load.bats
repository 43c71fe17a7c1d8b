#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Under load: no connection is refused while servers of a share come and go. SKL_LONG=1 makes it 60 s and 20 upgrades.

setup() {
  load ../lib/skl
  load ../lib/share
  skl_setup
  start_helper
  SERVE=$BUILD/tests/share-serve
  if [[ -n ${SKL_LONG:-} ]]; then
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

# accepted_unanswered FILE: connections that servers had accepted when they died.
accepted_unanswered() {
  local accepted answered

  read -r accepted answered < <(counters "$1")
  echo $((accepted - answered))
}

@test "64 connections while a server that drains is upgraded: none is refused, none is cut off" {
  local i
  serve SKL_SHARE=web -- -d -t 4 -p 1 -c /run/test/counters 127.0.0.1 8080
  start_load -n 64 127.0.0.1 8080
  for ((i = 0; i < UPGRADES; i++)); do
    upgrade web --after 200ms -- "$SERVE" -d -t 4 -p 1 -c /run/test/counters 127.0.0.1 8080
    sleep "$PAUSE"
  done
  stop_load
  load_says refused=0 cut=0 late=0 failed=0 servers=$((UPGRADES + 1))
  load_went_on 1000
  [ "$(accepted_unanswered "$T/counters")" -eq 0 ]
}

@test "64 connections while a server that just dies is upgraded: none is refused, cut off are only accepted ones" {
  local i
  serve SKL_SHARE=web -- -t 4 -p 1 -c /run/test/counters 127.0.0.1 8080
  start_load -n 64 127.0.0.1 8080
  for ((i = 0; i < UPGRADES; i++)); do
    upgrade web --after 200ms -- "$SERVE" -t 4 -p 1 -c /run/test/counters 127.0.0.1 8080
    sleep "$PAUSE"
  done
  stop_load
  echo "accepted and not answered: $(accepted_unanswered "$T/counters")"
  load_says refused=0 late=0 failed=0 servers=$((UPGRADES + 1))
  load_went_on 1000
  (($(counted_by_load cut) <= $(accepted_unanswered "$T/counters")))
}

@test "64 connections while a server is killed and started again, with SKL_HOLD: the same" {
  local i
  serve SKL_SHARE=web SKL_HOLD=30s -- -t 4 -p 1 -b 1000 -c /run/test/counters 127.0.0.1 8080
  start_load -n 64 127.0.0.1 8080
  for ((i = 0; i < UPGRADES; i++)); do
    sleep "$PAUSE"
    stop "$SERVER" KILL
    sleep 0.2
    serve SKL_SHARE=web SKL_HOLD=30s -- -t 4 -p 1 -b 1000 -c /run/test/counters 127.0.0.1 8080
  done
  sleep "$PAUSE"
  stop_load
  echo "accepted and not answered: $(accepted_unanswered "$T/counters")"
  load_says refused=0 late=0 failed=0 servers=$((UPGRADES + 1))
  load_went_on 1000
  (($(counted_by_load cut) <= $(accepted_unanswered "$T/counters")))
}

@test "8 processes: all get connections, and any 7 may be killed" {
  local i servers=()
  for ((i = 0; i < 8; i++)); do
    serve SKL_SHARE=web -- -t 1 -c /run/test/counters 127.0.0.1 8080
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
  (($(counted_by_load cut) <= $(accepted_unanswered "$T/counters")))
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
