#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2030,SC2031 # bats runs each test in a shell of its own
#
# A share belongs to its user.

setup() {
  load ../lib/skl
  load ../lib/share
  skl_setup
  start_helper --mode 0666
  FDS=$(helper_fds)
}

teardown() {
  skl_teardown
}

ALICE=4001
BOB=4002
EACCES=13
EADDRINUSE=98

# serve_as UID [VAR=VALUE...] -- ...: share-serve as that user, once it is ready.
serve_as() {
  local uid=$1 vars=()

  shift
  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  spawn setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" "${vars[@]}" \
    "$BUILD/tests/share-serve" "$@"
  SERVER=$SPAWNED
  wait_log "ready pid"
}

# try_as UID [VAR=VALUE...] -- ...: the same for `run`, when it is not to come up.
try_as() {
  local uid=$1 vars=()

  shift
  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  as "$uid" timeout 10 env "LD_PRELOAD=$SHIM" "${vars[@]}" "$BUILD/tests/share-serve" "$@" 2>&1
}

@test "programs of other users than root: shared, or refused with the reason" {
  if kernel_before 5 14; then
    run try_as $ALICE SKL_SHARE=web -- 127.0.0.1 8080
    [ "$status" -eq $EACCES ]
    says "SKL_SHARE" "cannot be seen by the helper (of other users' programs from Linux 5.14 on)"
    no_share
  else
    serve_as $ALICE SKL_SHARE=web -- 127.0.0.1 8080
    they_answer 8080 "$SERVER"
  fi
}

@test "users share with themselves, and with nobody else, by whatever name" {
  needs_others
  local first
  serve_as $ALICE SKL_SHARE=web -- 127.0.0.1 8080
  first=$SERVER
  run try_as $BOB SKL_SHARE=web -- 127.0.0.1 8080
  [ "$status" -eq $EADDRINUSE ]
  says "a share of uid $ALICE has it"
  [[ $output != *'"web"'* ]]
  run try_as $BOB SKL_SHARE=other -- 0.0.0.0 8080
  [ "$status" -eq $EADDRINUSE ]
  # nor root by accident: it is its own share that is meant
  run in_share SKL_SHARE=web -- 127.0.0.1 8080
  [ "$status" -eq $EADDRINUSE ]
  serve_as $ALICE SKL_SHARE=web -- 127.0.0.1 8080
  they_answer 8080 "$first" "$SERVER"
  # each has a share of that name
  serve_as $BOB SKL_SHARE=web -- 127.0.0.1 8081
  they_answer 8081 "$SERVER"
}

@test "another user's held socket is neither to be had nor to be kept open" {
  needs_others
  serve_as $ALICE SKL_SHARE=web SKL_HOLD=3s -- 127.0.0.1 8080
  stop "$SERVER" KILL
  wait_until share_is .state '"waiting"'
  run try_as $BOB SKL_SHARE=web SKL_HOLD=1h -- 127.0.0.1 8080
  [ "$status" -eq 22 ]
  run try_as $BOB SKL_SHARE=web SKL_HOLD=1m -- 127.0.0.1 8080
  [ "$status" -eq $EADDRINUSE ]
  share_is '[.uid, .hold_ms]' "[$ALICE,3000]"
  wait_until no_share
  wait_refused 127.0.0.1 8080
}

@test "nobody else sees a share; root sees all" {
  needs_others
  serve_as $ALICE SKL_SHARE=web -- 127.0.0.1 8080
  [ "$(as $BOB "$SKL" status -j | jq -c .shares)" = '[]' ]
  run as $BOB "$SKL" status
  [ "$output" = "Nothing is covered." ]
  [ "$(as $ALICE "$SKL" status -j | jq -c '[.shares[].name]')" = '["web"]' ]
  share_is .uid "$ALICE"
}

@test "nobody else upgrades a share or stops its processes" {
  needs_others
  serve_as $ALICE SKL_SHARE=web -- 127.0.0.1 8080
  run as $BOB "$SKL" upgrade web --after 0 --timeout 1s -- sleep 1
  [ "$status" -eq 1 ]
  says "no such share of this user"
  # one of his own by that name, on another port, does not lead to hers
  local hers=$SERVER
  serve_as $BOB SKL_SHARE=web -- 127.0.0.1 8081
  as $BOB "$SKL" upgrade web --after 0 -- "$BUILD/tests/share-serve" 127.0.0.1 8081 >"$T/out" 2>&1 3>&- 4>&- </dev/null
  grep -q "SIGTERM to $SERVER" "$T/out"
  kill -0 "$hers"
  they_answer 8080 "$hers"
}

@test "who merely got hold of somebody's listener cannot have it kept open" {
  # what a CGI program inherits, for example
  spawn python3 -c '
import os, socket, subprocess, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8080))
s.listen()
os.set_inheritable(s.fileno(), True)
def drop():
    os.setgroups([])
    os.setgid('$BOB')
    os.setuid('$BOB')
p = subprocess.run(["python3", "-c", "import socket, sys; socket.socket(fileno=int(sys.argv[1])).listen()",
                    str(s.fileno())], close_fds=False, preexec_fn=drop,
                   env={"LD_PRELOAD": "'"$SHIM"'", "SKL_SHARE": "mine", "SKL_HOLD": "60m", "PATH": os.environ["PATH"]},
                   capture_output=True, text=True)
print(p.stderr, "end", flush=True)'
  wait_log end
  grep -q "Permission denied: a socket that uid 0 made is not uid $BOB's to be shared" "$LOG"
  no_share
  wait_until gone "$SPAWNED"
  wait_refused 127.0.0.1 8080
}

@test "a low port needs the right to it, also to join" {
  needs_others
  spawn setpriv --reuid $ALICE --regid $ALICE --clear-groups --inh-caps=+net_bind_service \
    --ambient-caps=+net_bind_service -- env "LD_PRELOAD=$SHIM" SKL_SHARE=web "$BUILD/tests/share-serve" 127.0.0.1 80
  wait_log "ready pid"
  SERVER=$SPAWNED
  run try_as $ALICE SKL_SHARE=web -- 127.0.0.1 80
  [ "$status" -eq $EACCES ]
  says "uid $ALICE may not bind ports below 1024"
  they_answer 80 "$SERVER"
  spawn setpriv --reuid $ALICE --regid $ALICE --clear-groups --inh-caps=+net_bind_service \
    --ambient-caps=+net_bind_service -- env "LD_PRELOAD=$SHIM" SKL_SHARE=web "$BUILD/tests/share-serve" 127.0.0.1 80
  wait_log "ready pid"
  they_answer 80 "$SERVER" "$SPAWNED"
}

@test "a program that binds as root and listens as another user founds root's share, and its successor finds it" {
  local code='
import os, socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8080))
os.setgid('$BOB')
os.setuid('$BOB')
s.listen()
print("listens", flush=True)
while True:
    c = s.accept()[0]
    c.recv(10)
    c.send(b"%d\n" % os.getpid())
    c.close()
'
  run_shim SKL_SHARE=web -- python3 -c "$code"
  local first=$SPAWNED
  wait_log listens
  share_is '[.uid, .sockets[0].holders]' '[0,1]'
  run_shim SKL_SHARE=web -- python3 -c "$code"
  wait_log listens
  they_answer 8080 "$first" "$SPAWNED"
}

@test "the limit of one user is over all of his shares, and leaves room for others" {
  needs_others
  spawn setpriv --reuid $ALICE --regid $ALICE --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" SKL_SHARE=many \
    python3 -c '
import socket, time
socks = [socket.socket() for _ in range(64)]
for i, s in enumerate(socks):
    s.bind(("127.0.0.1", 10000 + i))
    s.listen()
print("listens", flush=True)
time.sleep(100)'
  wait_log listens
  run try_as $ALICE SKL_SHARE=more -- 127.0.0.1 8080
  [ "$status" -eq 24 ]
  says "the shares of uid $ALICE have 64 sockets, which is the most"
  serve_as $BOB SKL_SHARE=web -- 127.0.0.1 8080
  they_answer 8080 "$SERVER"
  stop "$SERVER"
  stop "${SPAWNS[1]}" KILL
  wait_until no_share
  helper_is_well "$FDS"
}
