#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016,SC2153 # for inner shells and eval; SERVER is made by serve
#
# skl upgrade: the next version joins, the old one leaves.

setup() {
  load ../lib/skl
  load ../lib/share
  skl_setup
  start_helper
  SERVE=$BUILD/tests/share-serve
}

teardown() {
  skl_teardown
}

# alone PID: it is the only process of the share.
alone() {
  share_is '[.members[].pid]' "[$1]"
}

@test "the new program answers, the old one is gone, and each step is told" {
  serve SKL_SHARE=web -- -d 127.0.0.1 8080
  upgrade web --after 200ms -- "$SERVE" -d 127.0.0.1 8080
  gone "$SERVER"
  local new
  new=$(answering 127.0.0.1 8080)
  [ "$(wc -w <<<"$new")" -eq 1 ]
  alone "$new"
  upgrade_says "share web is tcp 127.0.0.1:8080, with 1 process" "started $SERVE: pid $new" \
    "$new share-serve has joined" "SIGTERM to $SERVER share-serve" "done: $new serves web"
  # and again, from the one that skl upgrade has started
  upgrade web --after 0 -- "$SERVE" -d 127.0.0.1 8080
  gone "$new"
  [ "$(answering 127.0.0.1 8080)" != "$new" ]
}

@test "the new program has its time before the old one stops" {
  serve SKL_SHARE=web -- -d 127.0.0.1 8080
  local before=${EPOCHREALTIME/./}
  upgrade web --after 1500ms -- "$SERVE" -d 127.0.0.1 8080
  ((${EPOCHREALTIME/./} - before >= 1500000))
  gone "$SERVER"
}

# fails_with CODE [OPTION...] -- PROGRAM...: and the old one goes on alone.
fails_with() {
  local code=$1 status=0

  shift
  upgrade web "$@" || status=$?
  cat "$UPGRADE_LOG"
  [ "$status" -eq "$code" ]
  kill -0 "$SERVER"
  they_answer 8080 "$SERVER"
  wait_until alone "$SERVER"
}

@test "a new program that ends, cannot be run, does not listen or listens elsewhere: the old one is not touched" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  fails_with 125 --after 0 -- false
  upgrade_says "ended with exit code 1" "the old processes go on"
  fails_with 125 --after 0 -- true
  upgrade_says "ended with exit code 0" "the old processes go on"
  fails_with 125 --after 0 -- /nonexistent
  upgrade_says "No such file" "ended with exit code 127"
  fails_with 125 --after 0 -- sh -c 'kill -SEGV $$'
  upgrade_says "ended by signal 11"
  fails_with 125 --after 0 --timeout 700ms -- sleep 100
  upgrade_says "does not listen in this share after"
  fails_with 125 --after 0 --timeout 2s -- "$SERVE" 127.0.0.1 8081
  upgrade_says 'the share "web" is 127.0.0.1:8080/tcp'
  run pgrep -f 'sleep 100' --ns "$HOLDER" --nslist net
  [ -z "$output" ]
}

@test "a new program that ends soon after it has joined: the old one is not touched" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  fails_with 125 --after 2s -- timeout -s KILL 0.6 "$SERVE" 127.0.0.1 8080
  fails_with 125 --after 2s -- sh -c '"$0" 127.0.0.1 8080 & sleep 0.7; kill -KILL $!; exec sleep 30' "$SERVE"
  upgrade_says "has joined" "has left the share again"
}

@test "interrupted before the old one was told: the new one is stopped" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  spawn_with_log up.log "$SKL" upgrade web --after 60s -- "$SERVE" 127.0.0.1 8080
  wait_log "has joined"
  stop "$SPAWNED" INT
  grep -q "interrupted by signal 2" "$LOG"
  wait_until alone "$SERVER"
  they_answer 8080 "$SERVER"
}

@test "--keep-old starts one more" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  upgrade web --after 0 --keep-old -- "$SERVE" 127.0.0.1 8080
  kill -0 "$SERVER"
  [ "$(answering 127.0.0.1 8080 | wc -l)" -eq 2 ]
}

@test "--signal, by name and number; what nobody knows is refused before anything starts" {
  spawn env "LD_PRELOAD=$SHIM" SKL_SHARE=web bash -c 'trap "" TERM USR1; "$0" 127.0.0.1 8080' "$SERVE"
  wait_log "ready pid"
  upgrade web --after 0 --signal SIGKILL -- "$SERVE" 127.0.0.1 8080
  upgrade_says "SIGKILL to"
  upgrade web --after 0 --signal 15 -- "$SERVE" 127.0.0.1 8080
  upgrade_says "SIGTERM to"
  run ns "$SKL" upgrade web --signal NONSENSE -- true
  [ "$status" -eq 2 ]
  says "NONSENSE: not a signal"
  run ns "$SKL" upgrade web --after soon -- true
  [ "$status" -eq 2 ]
  run ns "$SKL" upgrade web
  [ "$status" -eq 2 ]
  run ns "$SKL" upgrade --bogus web -- true
  [ "$status" -eq 2 ]
}

@test "an old one that does not end is told of, by the exit code too" {
  spawn env "LD_PRELOAD=$SHIM" SKL_SHARE=web python3 -c '
import signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.socket()
s.bind(("127.0.0.1", 8080))
s.listen()
print("listens", flush=True)
time.sleep(100)'
  wait_log listens
  local status=0 old=$SPAWNED
  upgrade web --after 0 --timeout 1s -- "$SERVE" 127.0.0.1 8080 || status=$?
  [ "$status" -eq 124 ]
  upgrade_says "$old python3: still there after 1 s" "not all done"
  kill -0 "$old"
}

@test "what a process calls itself moves no cursor" {
  spawn env "LD_PRELOAD=$SHIM" SKL_SHARE=web python3 -c '
import socket, time
open("/proc/self/comm", "w").write("a\033[2J\rdone")
s = socket.socket()
s.bind(("127.0.0.1", 8080))
s.listen()
print("listens", flush=True)
time.sleep(100)'
  wait_log listens
  upgrade web --after 0 -- "$SERVE" 127.0.0.1 8080
  upgrade_says "a?[2J?done"
  if grep -q '[[:cntrl:]]' "$UPGRADE_LOG"; then
    cat -v "$UPGRADE_LOG"
    return 1
  fi
}

@test "no such share, no helper: nothing is started" {
  run ns "$SKL" upgrade web -- touch "$T/started"
  [ "$status" -eq 1 ]
  says "no such share" "skl run --share web"
  stop_helper
  run ns "$SKL" upgrade web -- touch "$T/started"
  [ "$status" -eq 1 ]
  says "no helper answers"
  [ ! -e "$T/started" ]
}

@test "daemons: the new one leaves its parent, the old one's daemon is told" {
  local old new
  serve SKL_SHARE=web -- -f 127.0.0.1 8080
  old=$(answering 127.0.0.1 8080)
  upgrade web --after 1500ms -- "$SERVE" -f 127.0.0.1 8080
  gone "$old"
  new=$(answering 127.0.0.1 8080)
  [ "$(wc -w <<<"$new")" -eq 1 ]
  upgrade_says "SIGTERM to $old" "done: $new serves web"
}

@test "of a master and its workers only the master is told" {
  spawn env "LD_PRELOAD=$SHIM" SKL_SHARE=web python3 "$TESTS/programs/share-prefork.py" 8080 3
  local old=$SPAWNED
  wait_log "serves"
  wait_until eval '(($(answering 127.0.0.1 8080 | wc -l) == 3))'
  upgrade web --after 500ms -- python3 "$TESTS/programs/share-prefork.py" 8080 2
  gone "$old"
  upgrade_says "with 4 processes" "SIGTERM to $old python3"
  [ "$(grep -c 'SIGTERM to' "$UPGRADE_LOG")" -eq 1 ]
  [ "$(answering 127.0.0.1 8080 | wc -l)" -eq 2 ]
}

@test "a held share without a process gets one" {
  serve SKL_SHARE=web SKL_HOLD=30s -- 127.0.0.1 8080
  stop "$SERVER" KILL
  upgrade web --after 0 -- "$SERVE" 127.0.0.1 8080
  upgrade_says "with 0 processes"
  [ "$(answering 127.0.0.1 8080 | wc -w)" -eq 1 ]
}

@test "the service manager is told of the new main process before the old one ends" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  spawn python3 "$TESTS/programs/share-manager.py" /run/manager
  wait_until ns test -S /run/manager
  ns env NOTIFY_SOCKET=/run/manager "$SKL" upgrade web --after 0 -- "$SERVE" 127.0.0.1 8080 \
    </dev/null >"$T/out" 2>&1 3>&- 4>&-
  grep -qx "MAINPID=$(answering 127.0.0.1 8080)" "$LOG"
  grep -qx "BARRIER=1" "$LOG"
}
