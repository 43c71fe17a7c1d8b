#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# A helper that is started anew: with a service manager that keeps descriptors, shares and held sockets live on.

setup() {
  load ../lib/skl
  load ../lib/share
  skl_setup
}

teardown() {
  skl_teardown
}

# start_managed: a helper under share-manager.py. HELPER is its pid, what the manager hears is in $MANAGER_LOG.
start_managed() {
  spawn_with_log manager.log python3 "$TESTS/programs/share-manager.py" /run/manager "$BUILD/sklhelper"
  MANAGER_LOG=$LOG
  wait_started 1
}

# wait_started TIMES: it runs, for so many times now.
wait_started() {
  wait_until eval "((\$(grep -c READY=1 '$MANAGER_LOG') == $1))"
  HELPER=$(sed -n 's/^started \([0-9]*\) .*/\1/p' "$MANAGER_LOG" | tail -n 1)
}

@test "a share is the same after a restart, with its processes; and a new one joins" {
  local first
  start_managed
  serve SKL_SHARE=web SKL_HOLD=20s -- 127.0.0.1 8080
  first=$SERVER
  grep -q "^FDNAME=skl-share-0-20000-[0-9a-f]*-[0-9a-f]*-web$" "$MANAGER_LOG"
  kill -KILL "$HELPER"
  wait_started 2
  grep -q 'share "web" of uid 0: taken over' "$MANAGER_LOG"
  wait_until share_is '[.name, .hold_ms, .state, [.members[] | (.pid, .program)]]' \
    "[\"web\",20000,\"live\",[$first,\"share-serve\"]]"
  serve SKL_SHARE=web -- 127.0.0.1 8080
  they_answer 8080 "$first" "$SERVER"
  kill -TERM "$HELPER"
  wait_started 3
  stop "$first" KILL
  they_answer 8080 "$SERVER"
}

@test "the manager's copy does not keep a share alive, and goes with it" {
  start_managed
  serve SKL_SHARE=web -- 127.0.0.1 8080
  stop "$SERVER" KILL
  wait_until grep -q "^FDSTOREREMOVE=1" "$MANAGER_LOG"
  wait_refused 127.0.0.1 8080
  no_share
}

@test "a held socket survives the restart, and so does who waits in its queue" {
  start_managed
  serve SKL_SHARE=web SKL_HOLD=30s -- 127.0.0.1 8080
  stop "$SERVER" KILL
  spawn "$BUILD/tests/srv-ask" 127.0.0.1 8080 $'x\n'
  local client=$SPAWNED
  sleep 0.2
  kill -KILL "$HELPER"
  wait_started 2
  wait_until share_is .state '"waiting"'
  kill -0 "$client"
  serve SKL_SHARE=web -- 127.0.0.1 8080
  wait_until gone "$client"
  they_answer 8080 "$SERVER"
}

@test "another hold than before is remembered" {
  start_managed
  serve SKL_SHARE=web SKL_HOLD=30s -- 127.0.0.1 8080
  serve SKL_SHARE=web SKL_HOLD=7s -- 127.0.0.1 8080
  kill -KILL "$HELPER"
  wait_started 2
  wait_until share_is .hold_ms 7000
  [ "$(share .sockets | jq length)" -eq 1 ]
}

@test "the program that founded it may still add to it, another not" {
  start_managed
  run_shim SKL_SHARE=web -- python3 -c '
import signal, socket, time
a = []
def add(*_):
    s = socket.socket()
    s.bind(("127.0.0.1", 8080 + len(a)))
    s.listen()
    a.append(s)
    print("listens", len(a), flush=True)
add()
signal.signal(signal.SIGUSR1, add)
while True:
    time.sleep(1)'
  wait_log "listens 1"
  kill -KILL "$HELPER"
  wait_started 2
  kill -USR1 "$SPAWNED"
  wait_log "listens 2"
  run in_share SKL_SHARE=web -- 127.0.0.1 8090
  [ "$status" -eq 22 ]
}

@test "descriptors that are not what their name says are let go" {
  ns python3 -c '
import os, socket, sys
a = socket.socket()
a.bind(("127.0.0.1", 8080))
a.listen()
b = socket.socket()
for i, s in enumerate((a, b)):
    os.dup2(s.fileno(), 20 + i)
for i in range(2):
    os.dup2(20 + i, 3 + i)
os.closerange(5, 100)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2",
                  LISTEN_FDNAMES="skl-share-0-0-1-1-web:skl-share-nonsense")
os.execv(sys.argv[1], sys.argv[1:])' "$BUILD/sklhelper" --log-level info </dev/null >"$T/helper.log" 2>&1 3>&- &
  HELPER=$!
  wait_until ns test -S /run/skl/helper.sock
  wait_until grep -q "skl-share-0-0-1-1-web: cannot be taken over" "$T/helper.log"
  wait_until grep -q "skl-share-nonsense: cannot be taken over" "$T/helper.log"
  no_share
  kill "$HELPER"
  wait "$HELPER" || :
}

@test "without a service manager the processes go on; a held socket is closed, and a new program founds the share anew" {
  local first
  start_helper
  serve SKL_SHARE=web SKL_HOLD=30s -- 127.0.0.1 8080
  first=$SERVER
  serve SKL_SHARE=held SKL_HOLD=30s -- 127.0.0.1 8081
  stop "$SERVER" KILL
  stop_helper
  wait_refused 127.0.0.1 8081
  start_helper
  no_share
  they_answer 8080 "$first"
  run in_share SKL_SHARE=web -- 127.0.0.1 8080
  [ "$status" -eq 98 ]
  stop "$first" KILL
  serve SKL_SHARE=web -- 127.0.0.1 8080
  they_answer 8080 "$SERVER"
}

# The script that runs in there says what it sees; what it should have seen is below.
@test "booted with systemd: reload replaces the main process, and a helper that ends keeps the share in the store" {
  local status=0

  needs_others # its service is www-data's
  bash "$ROOT/tests/lib/boot.bash" "$ROOT/tests/programs/booted-share.sh" || status=$?
  if ((status == 77)); then
    skip "systemd cannot be booted here"
  fi
  ((status == 0))
}
