#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Crowds, crashes and restarts: nothing is lost and nothing hangs.

EMFILE=24
EOPNOTSUPP=95

setup() {
  load ../lib/skl
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

@test "listen() again on a covered socket changes the backlog and nothing else" {
  run_shim SKL_PORTS=7,77 SKL_DEBUG=1 -- "$BUILD/tests/srv-listen" twice 8080
  wait_port 77
  answers 127.0.0.1 8080 7 77
  (($(ns "$SKL" status -j | jq '[.listeners[]] | length') == 1))
  stop "$SPAWNED"
  free 127.0.0.1 7 77
}

@test "shutdown(), then listen() again: refused in between, served afterwards" {
  run_shim SKL_PORTS=7,77 -- "$BUILD/tests/srv-listen" signals 8080
  wait_port 77
  kill -USR1 "$SPAWNED"
  wait_refused 127.0.0.1 8080 7 77
  kill -USR2 "$SPAWNED"
  wait_port 8080
  wait_port 77
  answers 127.0.0.1 8080 7 77
  # and once more, after the helper has had the time to forget the listener
  kill -USR1 "$SPAWNED"
  wait_refused 127.0.0.1 8080 7 77
  sleep 2
  kill -USR2 "$SPAWNED"
  wait_port 77
  answers 127.0.0.1 8080 7 77
  stop "$SPAWNED"
  free 127.0.0.1 7 77
}

@test "the same server restarted at once, twenty times" {
  local i before

  for ((i = 0; i < 20; i++)); do
    run_shim SKL_PORTS=7,77,777 -- "$BUILD/tests/srv-listen" plain 8080
    wait_port 777
    answers 127.0.0.1 8080 7 77 777
    kill "-$( ((i % 2)) && echo KILL || echo TERM)" "$SPAWNED"
    wait_until gone "$SPAWNED"
    ((i > 1)) || before=$(helper_fds)
  done
  helper_is_well "$before"
}

@test "200 servers started at the same moment" {
  local fds many=$((${TESTS_SLOW:-1} > 3 ? 40 : 200)) # each is to have its answer within 5 s

  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  fds=$(helper_fds)
  # shellcheck disable=SC2016 # for the inner shell
  spawn bash -c '
    for ((i = 0; i < $2; i++)); do
      LD_PRELOAD=$0 SKL_PORTS=$((20000 + i)),$((30000 + i)) "$1" plain $((10000 + i)) &
    done
    wait' "$SHIM" "$BUILD/tests/srv-listen" "$many"
  local crowd=$SPAWNED
  wait_until all_answer "$many"
  helper_is_well "$fds"
  (($(ns "$SKL" status -j | jq '[.listeners[]] | length') == many + 1))
  # shellcheck disable=SC2046 # a list
  kill $(pgrep -P "$crowd")
  wait_until gone "$crowd"
  refused 127.0.0.1 10000 20000 $((29999 + many))
  answers 127.0.0.1 7
  wait_until one_left
  helper_is_well "$fds"
}

# all_answer COUNT
all_answer() {
  # shellcheck disable=SC2016 # for the inner shell
  ns bash -c '
    for ((i = 0; i < $1; i++)); do
      for port in $((20000 + i)) $((30000 + i)); do
        [[ $("$0" 127.0.0.1 $port) == *" reached 127.0.0.1 port $port" ]] || exit 1
      done
    done' "$BUILD/tests/srv-ask" "$1"
}

one_left() {
  (($(ns "$SKL" status -j | jq '[.listeners[]] | length') == 1))
}

last_is() {
  [[ $(tail -n 1 "$2") == "$1" ]]
}

@test "SIGKILL while connections arrive: they are answered, refused or reset, never left waiting" {
  local clients seen

  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  local first=$SPAWNED
  # shellcheck disable=SC2016 # for the inner shell
  spawn bash -c '
    until [[ -e $1 ]]; do
      "$0" 127.0.0.1 7 >/dev/null
      echo $?
    done' "$BUILD/tests/srv-ask" "$T/stop"
  clients=$SPAWNED
  seen=$LOG
  wait_log 0 "$seen"
  kill -KILL "$first"
  wait_log 111 "$seen"
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  # who was on the way then has an answer by now
  wait_until last_is 0 "$seen"
  touch "$T/stop"
  wait_until gone "$clients"
  [[ $(sort -u "$seen" | grep -vxE '0|104|111') == "" ]]
  [[ $(tail -n 1 "$seen") == 0 ]]
}

@test "no descriptor is left in the program: EMFILE" {
  run shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" fdlimit 8080
  [ "$status" -eq $EMFILE ]
  says libsklshim: "open files"
  run_shim SKL_PORTS=7 SKL_ON_ERROR=warn -- "$BUILD/tests/srv-listen" fdlimit 8080
  wait_port 8080
  answers 127.0.0.1 8080
  wait_log "open files"
}

@test "an MPTCP listener: EOPNOTSUPP" {
  needs_mptcp
  run shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" mptcp 8080
  [ "$status" -eq $EOPNOTSUPP ]
  says libsklshim: MPTCP
  run_shim SKL_PORTS=7 SKL_ON_ERROR=warn -- "$BUILD/tests/srv-listen" mptcp 8080
  wait_port 8080
  answers 127.0.0.1 8080
  refused 127.0.0.1 7
}

@test "the helper is killed: traffic goes on, and the next helper takes over" {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  local first=$SPAWNED
  stop "$HELPER" KILL
  answers 127.0.0.1 8080 7
  rm -f "/proc/$HOLDER/root/run/skl/helper.sock"
  start_helper
  answers 127.0.0.1 8080 7
  run ns "$SKL" status
  says 8080 7
  run shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8081
  [ "$status" -eq 98 ]
  stop "$first"
  free 127.0.0.1 7
}
