#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# SKL_HOLD: a listener outlives its last process for a while, and its connections wait.

setup() {
  load ../lib/skl
  load ../lib/share
  skl_setup
  start_helper
  FDS=$(helper_fds)
}

teardown() {
  skl_teardown
}

@test "kill -9: a client that connects meanwhile is served by the next process" {
  local client
  serve SKL_SHARE=web SKL_HOLD=30s -- 127.0.0.1 8080
  kill -KILL "$SERVER"
  wait_until gone "$SERVER"
  spawn "$BUILD/tests/srv-ask" 127.0.0.1 8080 $'x\n'
  client=$SPAWNED
  wait_until share_is '[.state, (.members | length)]' '["waiting",0]'
  run ns "$SKL" status
  says "tcp 127.0.0.1:8080" "none: open for another" "30 s"
  [ "$(share '.left_ms > 20000 and .left_ms <= 30000')" = true ]
  kill -0 "$client"
  serve SKL_SHARE=web SKL_HOLD=30s -- 127.0.0.1 8080
  wait_until gone "$client"
  [ "$(cat "$T/3.srv-ask.log")" = "$SERVER" ]
  share_is '[.state, .left_ms]' '["live",null]'
}

@test "when the time is over it is closed, and who waited is told" {
  local before
  serve SKL_SHARE=web SKL_HOLD=1s -- 127.0.0.1 8080
  kill -KILL "$SERVER"
  wait_until gone "$SERVER"
  before=$SECONDS
  spawn "$BUILD/tests/srv-ask" 127.0.0.1 8080 $'x\n'
  wait_until gone "$SPAWNED"
  grep -q . "$LOG" && grep -qv '^[0-9]' "$LOG"
  ((SECONDS - before <= 6 * ${TESTS_SLOW:-1}))
  wait_refused 127.0.0.1 8080
  no_share
  grep -q 'no process has 127.0.0.1:8080 any more, and it was held as long as was asked: closed' "$T/helper.log"
  helper_is_well "$FDS"
}

@test "without SKL_HOLD it ends with its last process" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  kill -KILL "$SERVER"
  wait_refused 127.0.0.1 8080
  serve SKL_SHARE=web SKL_HOLD=0s -- 127.0.0.1 8080
  kill -KILL "$SERVER"
  wait_refused 127.0.0.1 8080
  helper_is_well "$FDS"
}

@test "the last one to say how long counts, and one that does not say changes nothing" {
  serve SKL_SHARE=web SKL_HOLD=2m -- 127.0.0.1 8080
  share_is .hold_ms 120000
  serve SKL_SHARE=web SKL_HOLD=500ms -- 127.0.0.1 8080
  share_is .hold_ms 500
  serve SKL_SHARE=web -- 127.0.0.1 8080
  share_is .hold_ms 500
}

@test "ten times killed and started again: no connection is refused" {
  local i
  serve SKL_SHARE=web SKL_HOLD=20s -- 127.0.0.1 8080
  start_load -n 4 -w 5 127.0.0.1 8080
  for ((i = 0; i < 10; i++)); do
    kill -KILL "$SERVER"
    wait_until gone "$SERVER"
    sleep 0.1
    serve SKL_SHARE=web SKL_HOLD=20s -- 127.0.0.1 8080
    sleep 0.1 # it has some to serve
  done
  stop_load
  load_says refused=0 late=0 failed=0
  load_went_on
}

@test "a held socket keeps its ports and addresses" {
  serve SKL_SHARE=web SKL_HOLD=30s SKL_PORTS=7,77 -- 127.0.0.1 8080
  kill -KILL "$SERVER"
  wait_until gone "$SERVER"
  spawn "$BUILD/tests/srv-ask" 127.0.0.1 77 $'x\n'
  local client=$SPAWNED
  sleep 1.5 # the helper has looked after everything
  kill -0 "$client"
  serve SKL_SHARE=web SKL_HOLD=30s SKL_PORTS=7,77 -- 127.0.0.1 8080
  wait_until gone "$client"
  [ "$(cat "$T/3.srv-ask.log")" = "$SERVER" ]
  [ "$(answering 127.0.0.1 7 3)" = "$SERVER" ]
}

@test "a helper that leaves when idle does not leave while it holds a socket" {
  stop_helper
  spawn "$SKL" run --share web --hold 4s -- "$BUILD/tests/share-serve" 127.0.0.1 8080
  wait_log "ready pid"
  kill -KILL "$SPAWNED"
  wait_until gone "$SPAWNED"
  sleep 2.5 # longer than it would linger
  spawn "$BUILD/tests/srv-ask" 127.0.0.1 8080 $'x\n'
  sleep 0.3
  kill -0 "$SPAWNED"
  wait_refused 127.0.0.1 8080
  wait_until helper_left
}

# fill_descriptors: with so many that a look through all of them takes long.
fill_descriptors() {
  spawn /usr/bin/python3 -c '
import os, resource, time
most = 19000
resource.setrlimit(resource.RLIMIT_NOFILE, 2 * [most + 100])
for _ in range(8):
    if os.fork() == 0:
        break
for _ in range(most):
    os.dup(0)
print("full", flush=True)
time.sleep(600)'
  wait_until full 9
}

@test "where it takes long to look through all descriptors: shares end all the same, also several of one user at once" {
  local name port=8080 servers=()

  fill_descriptors
  for name in one two three; do
    serve "SKL_SHARE=$name" -- 127.0.0.1 "$((port++))"
    servers+=("$SERVER")
  done
  kill -KILL "${servers[@]:0:2}"
  # three looks for each, one after the other, beside whatever else runs here
  TESTS_SLOW=$((3 * ${TESTS_SLOW:-1})) wait_until ends one
  wait_until ends two
  they_answer 8082 "${servers[2]}"
  kill -KILL "${servers[2]}"
  wait_until no_share
}

@test "where it takes long to look through all descriptors: a daemon that joins meanwhile keeps the socket" {
  local answering

  fill_descriptors
  serve SKL_SHARE=web -- 127.0.0.1 8080
  kill -KILL "$SERVER"
  sleep 0.2 # it is being looked for
  run_shim SKL_SHARE=web SKL_HOLD=100ms -- "$BUILD/tests/share-serve" -f 127.0.0.1 8080
  wait_log "ready pid"
  answering=$(answering 127.0.0.1 8080 1)
  sleep 6
  they_answer 8080 "$answering"
  share_is '.sockets[0].holders' 1
  run ends web
  [ "$status" -ne 0 ]
}

# full N: so many processes say so.
full() {
  (($(grep -o full "$LOG" | wc -l) == $1))
}

# ends NAME: the helper has closed what the share had. It is not asked: whoever asks makes it look.
ends() {
  grep -q "share \"$1\": no process has .* closed" "$T/helper.log"
}

@test "skl run: --hold without --share is refused before anything starts" {
  run ns "$SKL" run -p 7 --hold 5s -- true
  [ "$status" -eq 125 ]
  says "--hold" "--share"
}
