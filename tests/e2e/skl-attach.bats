#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for the inner shell
#
# skl attach: coverage for programs that run already or cannot load the shim.

setup() {
  load ../lib/skl
  skl_setup
  SERVER=$BUILD/examples/legacy-server
}

teardown() {
  skl_teardown
}

# listens_on ADDRESS/PORT...: one program with a socket on each of these; SPAWNED is its pid.
listens_on() {
  spawn python3 -c '
import signal, socket, sys
sockets = []
for address, port in (a.split("/") for a in sys.argv[1:]):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind((address, int(port)))
    s.listen()
    sockets += [s, s.dup()]
print("ready", flush=True)
signal.pause()' "$@"
  wait_log ready
}

@test "a program that runs already gets ports one by one" {
  start_helper
  spawn "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  refused 127.0.0.1 7 77
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 0 ]
  [ "$output" = "tcp 127.0.0.1:8080 of process $SPAWNED is attached" ]
  grep -Eq "uid 0 pid $SPAWNED \(legacy-server\), asked by pid [0-9]+ \(skl\) 127.0.0.1:8080: new listener" "$T/helper.log"
  answers 127.0.0.1 7 8080
  refused 127.0.0.1 77
  run ns "$SKL" attach --pid "$SPAWNED" -p 77 -p 777 -c 127.0.1.0/24 -b 127.0.2.0/24:80
  [ "$status" -eq 0 ]
  answers 127.0.0.1 7 77 777 8080
  answers 127.0.1.9 77 777 8080
  answers 127.0.2.9 80
  refused 127.0.2.9 77
  (($(ns "$SKL" status -j | jq '.listeners | length') == 1))
  # again is not a mistake, and adds nothing
  before=$(ns "$SKL" status -j | jq '[.listeners[].bindings[]] | length')
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 0 ]
  (($(ns "$SKL" status -j | jq '[.listeners[].bindings[]] | length') == before))
  stop "$SPAWNED"
  wait_refused 127.0.0.1 7 77 777 8080
}

@test "without a helper one is started, which stays as long as the program" {
  spawn "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 0 ]
  sleep 3
  answers 127.0.0.1 7
  ns pgrep -x sklhelper --ns "$HOLDER" --nslist net
  stop "$SPAWNED"
  wait_until helper_left
}

@test "without a helper and privilege: one sentence" {
  run as 65534 sh -c '"$1" 8080 127.0.0.1 & sleep 0.5; "$0" attach --pid $! -p 7777; s=$?; kill $!; exit $s' "$SKL" "$SERVER"
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 1 ]
}

@test "a static program" {
  start_helper
  musl-gcc -static -o "$T/static" "$ROOT/examples/legacy-server.c"
  spawn /run/test/static 8080 127.0.0.1
  wait_listen 8080
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 0 ]
  answers 127.0.0.1 7 8080
}

@test "sockets with SO_REUSEPORT are attached together" {
  start_helper
  listens_on 127.0.0.1/8080 127.0.0.1/8080 127.0.0.1/8080
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 0 ]
  [ "$output" = "tcp 127.0.0.1:8080 of process $SPAWNED is attached" ]
  (($(ns "$SKL" status -j | jq '.listeners[0].members') == 3))
}

@test "of several listeners one must be named" {
  local wanted got

  start_helper
  listens_on 127.0.0.1/8080 ::1/8080 0.0.0.0/8081 ::/8082 ::ffff:127.0.0.2/8083
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 6 ]
  says "it listens on several addresses" "--listen 127.0.0.1:8080" "--listen [::1]:8080" "--listen 0.0.0.0:8081" \
    "--listen *:8082" "--listen [::ffff:127.0.0.2]:8083"
  (($(ns "$SKL" status -j | jq '.listeners | length') == 0))

  port=100
  while read -r wanted got; do
    run ns "$SKL" attach --pid "$SPAWNED" -p "$((++port))" --listen "$wanted"
    echo "$wanted: $output"
    [ "$status" -eq 0 ]
    [ "$(cut -d' ' -f2 <<<"$output" | paste -sd ' ')" = "$got" ]
  done <<'END'
127.0.0.1:8080 127.0.0.1:8080
[::1]:8080 [::1]:8080
0.0.0.0:8081 0.0.0.0:8081
*:8081 0.0.0.0:8081
*:8082 *:8082
[::]:8082 *:8082
8083 [::ffff:127.0.0.2]:8083
:8083 [::ffff:127.0.0.2]:8083
127.0.0.2:8083 [::ffff:127.0.0.2]:8083
8080 127.0.0.1:8080 [::1]:8080
END
  run ns "$SKL" attach --pid "$SPAWNED" -p 7 --listen 127.0.0.1:8081
  [ "$status" -eq 1 ]
  says "it does not listen on 127.0.0.1:8081" "--listen 0.0.0.0:8081"
}

@test "what the helper refuses or remarks is told" {
  start_helper
  spawn "$SERVER" 2222 127.0.0.1
  wait_listen 2222
  spawn "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  run ns "$SKL" attach --pid "$SPAWNED" -p 2222
  [ "$status" -eq 1 ]
  says "skl: tcp port 2222: Address already in use"
  run ns "$SKL" attach --pid "$SPAWNED" -p 0
  [ "$status" -eq 2 ]
  [ "$output" = 'skl: -p: "0": ports begin at 1' ]
  run ns "$SKL" attach --pid "$SPAWNED" -p '*'
  [ "$status" -eq 0 ]
  says "less 2222" "is attached"
}

@test "processes without a listening TCP socket, and no processes" {
  start_helper
  run ns "$SKL" attach --pid "$HOLDER" -p 7
  [ "$status" -eq 1 ]
  says "process $HOLDER: it has no listening TCP socket"
  # a connection and a bound socket are none
  spawn python3 -c '
import signal, socket
u = socket.socket(type=socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 9000))
b = socket.socket()
b.bind(("127.0.0.1", 9001))
print("ready", flush=True)
signal.pause()'
  wait_log ready
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 1 ]
  says "no listening TCP socket"
  stop "$SPAWNED"
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 1 ]
  says "process $SPAWNED: No such process"
}

@test "an MPTCP listener is refused with what to do" {
  needs_mptcp
  start_helper
  spawn "$BUILD/tests/srv-listen" mptcp 8080
  wait_listen 8080
  run ns "$SKL" attach --pid "$SPAWNED" -p 7
  [ "$status" -eq 1 ]
  says "MPTCP"
}

@test "another user's process: refused, and why" {
  start_helper --mode 666
  spawn "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  run as 65534 "$SKL" attach --pid "$SPAWNED" -p 7777
  [ "$status" -eq 1 ]
  says "process $SPAWNED: Permission denied" "trace"
}

@test "one's own process that gained rights: it is said that root has to do it, and root can" {
  start_helper --mode 666
  ns cp "$SERVER" /run/gains
  ns chmod 4755 /run/gains
  spawn setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all -- /run/gains 8080 127.0.0.1
  wait_listen 8080
  run as 65534 "$SKL" attach --pid "$SPAWNED" -p 7777
  [ "$status" -eq 1 ]
  says "process $SPAWNED: Permission denied"
  [[ -e /proc/sys/kernel/yama/ptrace_scope ]] || says "it gained rights when it was started" "root has to use skl attach"
  ns "$SKL" attach --pid "$SPAWNED" -p 7777
  answers 127.0.0.1 7777
}

@test "one's own process, as far as the system lets users trace" {
  local scope

  start_helper --mode 666
  spawn setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all -- "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  scope=$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)
  run as 65534 "$SKL" attach --pid "$SPAWNED" -p 7777
  if ((scope == 0)); then
    [ "$status" -eq 0 ]
    answers 127.0.0.1 7777
    run as 65534 "$SKL" attach --pid "$SPAWNED" -p 7
    [ "$status" -eq 1 ]
    says "skl: tcp port 7: Permission denied"
  else
    [ "$status" -eq 1 ]
    says "ptrace_scope is $scope"
  fi
}

@test "mistakes in the command are 2, one sentence each" {
  local arguments

  for arguments in "" "-p 7" "--pid 1" "--pid x -p 7" "--pid 0 -p 7" "--pid -1 -p 7" "--pid 99999999999 -p 7" \
    "--pid 1 -p 7 more" "--pid 1 -p 7 --listen x" "--pid 1 -p 7 --listen 127.0.0.1" "--pid 1 -p 7 --listen :0" \
    "--pid 1 -p 7 --listen 127.0.0.1:65536" "--pid 1 -p 7 --listen ::1:80" "--pid 1 -p 7 --listen [::1:80" \
    "--pid 1 -p" "--pid 1 --bogus"; do
    # shellcheck disable=SC2086 # several arguments
    run ns "$SKL" attach $arguments
    echo "$arguments: $output"
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == "skl: "* ]]
  done
  run ns "$SKL" attach --pid 1 -p ""
  [ "$status" -eq 2 ]
}

@test "the socket is not kept open by attaching" {
  start_helper
  spawn "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  ns "$SKL" attach --pid "$SPAWNED" -p 7
  stop "$SPAWNED" KILL
  wait_refused 127.0.0.1 8080 7
  free 127.0.0.1 7 8080
}
