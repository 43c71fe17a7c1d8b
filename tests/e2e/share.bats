#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for eval
#
# SKL_SHARE: several processes use one listener.

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

EBUSY=16
EINVAL=22
EADDRINUSE=98

@test "the second process gets the first one's socket, and both get connections" {
  local first
  serve SKL_SHARE=web -- 127.0.0.1 8080
  first=$SERVER
  serve SKL_SHARE=web -- 127.0.0.1 8080
  they_answer 8080 "$first" "$SERVER"
  share_is '[.name, .state, (.sockets | length), ([.members[].pid] | sort)]' \
    "[\"web\",\"live\",1,$(printf '%s\n' "$first" "$SERVER" | sort -n | jq -sc .)]"
}

@test "killing the first, or any, leaves the others; the last one ends the share" {
  local first second
  serve SKL_SHARE=web -- 127.0.0.1 8080
  first=$SERVER
  serve SKL_SHARE=web -- 127.0.0.1 8080
  second=$SERVER
  serve SKL_SHARE=web -- 127.0.0.1 8080
  kill -KILL "$first"
  wait_until gone "$first"
  they_answer 8080 "$second" "$SERVER"
  kill -KILL "$SERVER"
  wait_until gone "$SERVER"
  they_answer 8080 "$second"
  kill -KILL "$second"
  wait_refused 127.0.0.1 8080
  wait_until no_share
  helper_is_well "$FDS"
}

@test "a new share of the same name begins where the last one ended" {
  local i
  for i in 1 2 3; do
    serve SKL_SHARE=web -- 127.0.0.1 8080
    they_answer 8080 "$SERVER"
    kill -KILL "$SERVER"
    wait_until gone "$SERVER"
  done
  wait_until no_share
  helper_is_well "$FDS"
}

@test "IPv6, and both families in one" {
  local first
  serve SKL_SHARE=six -- ::1 8080
  first=$SERVER
  serve SKL_SHARE=six -- ::1 8080
  [ "$(answering ::1 8080)" = "$(printf '%s\n' "$first" "$SERVER" | sort -n)" ]
  serve SKL_SHARE=both -- :: 8081
  first=$SERVER
  serve SKL_SHARE=both -- :: 8081
  they_answer 8081 "$first" "$SERVER"
  [ "$(answering ::1 8081)" = "$(printf '%s\n' "$first" "$SERVER" | sort -n)" ]
}

@test "a program with several ports shares them all" {
  local first
  serve SKL_SHARE=web -- 127.0.0.1 8080 8081 8082
  first=$SERVER
  serve SKL_SHARE=web -- 127.0.0.1 8080 8081 8082
  they_answer 8080 "$first" "$SERVER"
  they_answer 8081 "$first" "$SERVER"
  they_answer 8082 "$first" "$SERVER"
  share_is '[.sockets[] | [.port, .holders]]' '[[8080,2],[8081,2],[8082,2]]'
  kill "$first"
  wait_until gone "$first"
  they_answer 8081 "$SERVER"
}

@test "another address, port or protocol is refused with a sentence; SKL_FOR shares one port and leaves the rest" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  run in_share SKL_SHARE=web -- 127.0.0.2 8080
  [ "$status" -eq $EINVAL ]
  says 'the share "web" is 127.0.0.1:8080/tcp' "pid $SERVER" "another SKL_SHARE"
  run in_share SKL_SHARE=web -- 0.0.0.0 8080
  [ "$status" -eq $EINVAL ]
  run in_share SKL_SHARE=web -- 127.0.0.1 8081
  [ "$status" -eq $EINVAL ]
  run shim SKL_SHARE=web -- "$BUILD/tests/udp-serve" echo 8080 127.0.0.1
  [ "$status" -ne 0 ]
  says 'udp' 'the share "web" is 127.0.0.1:8080/tcp'
  serve SKL_SHARE=web SKL_FOR=8080 -- 127.0.0.1 8080 8099
  share_is '[.sockets[].port]' '[8080]'
  they_answer 8099 "$SERVER"
}

@test "the same address under another name is refused with the name that it has" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  run in_share SKL_SHARE=other -- 127.0.0.1 8080
  [ "$status" -eq $EADDRINUSE ]
  says 'the share "web" has it' 'SKL_SHARE=web'
  run in_share SKL_SHARE=other -- 0.0.0.0 8080
  [ "$status" -eq $EADDRINUSE ]
  # and without a share it is as ever
  run in_share -- 127.0.0.1 8080
  [ "$status" -eq $EADDRINUSE ]
}

@test "SKL_ON_ERROR=warn: what is refused is said, and bind() has the last word" {
  serve SKL_SHARE=web -- 127.0.0.1 8080
  serve SKL_SHARE=web SKL_ON_ERROR=warn -- 127.0.0.1 8081
  grep -q 'the share "web" is' "$LOG"
  they_answer 8081 "$SERVER"
}

@test "close-on-exec is as the program wished; non-blocking is set for all and never taken away" {
  local first
  serve SKL_SHARE=a -- -x 127.0.0.1 8080
  grep -q 'cloexec 1 nonblock 0' "$LOG"
  # share-serve sets O_NONBLOCK after it is ready
  first=$SERVER
  serve SKL_SHARE=a -- 127.0.0.1 8080
  grep -q 'cloexec 0 nonblock 1' "$LOG"
  serve SKL_SHARE=a -- -x -n 127.0.0.1 8080
  grep -q 'cloexec 1 nonblock 1' "$LOG"
  they_answer 8080 "$first" "$SERVER" "${SPAWNS[2]}"
}

@test "O_NONBLOCK of one that joins reaches the description" {
  run_shim SKL_SHARE=a -- python3 -c '
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 8080))
s.listen()
print("listens", flush=True)
time.sleep(60)'
  wait_log listens
  run grep -q '^flags:.*4...$' "/proc/$SPAWNED/fdinfo/3"
  [ "$status" -eq 1 ]
  serve SKL_SHARE=a -- -n 127.0.0.1 8080
  grep -q '^flags:.*4...$' "/proc/${SPAWNS[1]}/fdinfo/3"
}

@test "one that joins makes the backlog longer, never shorter" {
  serve SKL_SHARE=web -- -b 200 127.0.0.1 8080
  grep -q 'backlog 200' "$LOG"
  serve SKL_SHARE=web -- -b 5 127.0.0.1 8080
  grep -q 'backlog 200' "$LOG"
  serve SKL_SHARE=web -- -b 300 127.0.0.1 8080
  grep -q 'backlog 300' "$LOG"
  serve SKL_SHARE=web -- -b -1 127.0.0.1 8080
  grep -q "backlog $(ns cat /proc/sys/net/core/somaxconn)" "$LOG"
}

@test "a socket that is in epoll before bind() is refused, not left deaf; the first one may be" {
  serve SKL_SHARE=web -- -e 127.0.0.1 8080
  they_answer 8080 "$SERVER"
  run in_share SKL_SHARE=web -- -e 127.0.0.1 8080
  [ "$status" -eq $EBUSY ]
  says "epoll before bind()" "cannot be shared"
  serve SKL_SHARE=web -- 127.0.0.1 8080
}

@test "sixteen programs at the same moment: one founds the share, all serve" {
  local i
  for ((i = 0; i < 16; i++)); do
    start_serve SKL_SHARE=web -- -s 100 127.0.0.1 8080
  done
  for ((i = 2; i <= 17; i++)); do
    wait_log "ready pid" "$T/$i.env.log"
  done
  share_is '[(.sockets | length), .sockets[0].holders]' '[1,16]'
  helper_is_well "$((FDS + 17))"
}

@test "the founder that dies between bind() and listen() keeps nobody waiting" {
  start_serve SKL_SHARE=web -- -s 60000 127.0.0.1 8080
  wait_until bound 8080
  start_serve SKL_SHARE=web SKL_DEBUG=1 -- 127.0.0.1 8080
  sleep 0.3
  run grep -q "ready pid" "$LOG"
  [ "$status" -eq 1 ]
  kill -KILL "${SPAWNS[1]}"
  wait_log "ready pid"
  they_answer 8080 "$SERVER"
}

# bound PORT: somebody has bound a TCP socket there, be it that it does not listen yet.
bound() {
  [[ -n $(ns ss -Htan state all "sport = :$1" 2>/dev/null) ]] || ! ns python3 -c '
import socket, sys
socket.socket().bind(("127.0.0.1", int(sys.argv[1])))' "$1"
}

@test "daemons: the process that listens ends, its child serves, and one that joins is a daemon too" {
  local first
  serve SKL_SHARE=web -- -f 127.0.0.1 8080
  wait_until gone "$SERVER"
  first=$(answering 127.0.0.1 8080)
  [ "$(wc -l <<<"$first")" -eq 1 ]
  [ "$first" != "$SERVER" ]
  wait_until share_is '[.members[].pid]' "[$first]"
  serve SKL_SHARE=web -- -f 127.0.0.1 8080
  wait_until gone "$SERVER"
  kill "$first"
  wait_until gone "$first"
  sleep 1.5 # longer than the helper looks
  [ "$(answering 127.0.0.1 8080 | wc -l)" -eq 1 ]
  share_is '.members | length' 1
}

@test "fork between bind() and listen()" {
  local first
  serve SKL_SHARE=web -- -g 127.0.0.1 8080
  first=$(answering 127.0.0.1 8080)
  serve SKL_SHARE=web -- -g 127.0.0.1 8080
  wait_until eval '(($(answering 127.0.0.1 8080 | wc -l) == 2))'
  kill "$first"
  wait_until eval '(($(answering 127.0.0.1 8080 | wc -l) == 1))'
}

@test "close and bind anew, as programs do that try a port first" {
  local first
  serve SKL_SHARE=web -- -k 127.0.0.1 8080
  first=$SERVER
  serve SKL_SHARE=web -- -k 127.0.0.1 8080
  they_answer 8080 "$first" "$SERVER"
  share_is '[(.sockets | length), .sockets[0].holders]' '[1,2]'
}

@test "a process that closes the socket and lives on is no member any more" {
  run_shim SKL_SHARE=web -- python3 -c '
import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 8080))
s.listen()
print("listens", flush=True)
time.sleep(0.5)
s.close()
time.sleep(60)'
  wait_log listens
  wait_until no_share
  kill -0 "$SPAWNED"
  refused 127.0.0.1 8080
}

@test "a listener that is shut down is not given to anybody" {
  run_shim SKL_SHARE=web -- python3 -c '
import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8080))
s.listen()
print("listens", flush=True)
time.sleep(0.2)
s.shutdown(socket.SHUT_RDWR)
print("is shut down", flush=True)
time.sleep(60)'
  wait_log "is shut down"
  serve SKL_SHARE=web -- 127.0.0.1 8080
  they_answer 8080 "$SERVER"
}

@test "an address that cannot be read is EFAULT as ever, a port of 0 and other families are none of it" {
  run_shim SKL_SHARE=web -- python3 -c '
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket()
assert libc.bind(s.fileno(), ctypes.c_void_p(8), 16) == -1 and ctypes.get_errno() == errno.EFAULT
assert libc.bind(s.fileno(), None, 16) == -1 and ctypes.get_errno() == errno.EFAULT
s.bind(("127.0.0.1", 0))
u = socket.socket(socket.AF_UNIX)
u.bind("\0share-test")
u.listen()
try:
    socket.socket().bind(("192.0.2.1", 8080))
    raise SystemExit("192.0.2.1 is local?")
except OSError as e:
    assert e.errno == errno.EADDRNOTAVAIL, e
print("all well", flush=True)'
  wait_log "all well"
  no_share
}

@test "limits: 64 sockets of one user, and everything is given back" {
  run shim SKL_SHARE=many -- python3 -c '
import resource, socket
socks = []
for port in range(10000, 10100):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", port))
        s.listen()
    except OSError as e:
        print(len(socks), e.strerror)
        break
    socks.append(s)'
  says "64 Too many open files" "64 sockets, which is the most"
  wait_until no_share
  helper_is_well "$FDS"
}

@test "no helper: bind() fails as listen() does, and a share of one process needs nothing else" {
  stop_helper
  run in_share SKL_SHARE=web -- 127.0.0.1 8080
  [ "$status" -eq 2 ]
  says "no helper at /run/skl/helper.sock"
}

@test "who sets no SKL_SHARE makes the same system calls as before there were shares" {
  local ask='socket clock_gettime clock_gettime setsockopt connect clock_gettime setsockopt sendmsg'
  ask+=' msg_iovlen=2 msg_controllen=24 MSG_NOSIGNAL clock_gettime setsockopt recvmsg msg_iovlen=2 msg_controllen=0 close'
  [ "$(calls_of listen socket bind=explicit listen)" = "listen getsockopt getsockopt getsockopt $ask" ]
  [ "$(calls_of bind socket bind=explicit)" = "bind getsockopt getsockopt" ]
  [ "$(calls_of bind socket=udp bind=explicit)" = "bind getsockopt getsockopt getsockopt $ask" ]
}

# calls_of CALL STEP...: from the last such call of shim-do on the system calls, a word each, and of messages what
# they consist of.
calls_of() {
  local call=$1

  shift
  ns strace -o "$T/trace" env "LD_PRELOAD=$SHIM" SKL_PORTS=7 "$BUILD/tests/shim-do" "$@" >/dev/null 2>&1 || :
  tac "$T/trace" | sed "/^$call(/q" | tac | sed '1b;/^\(getsockname\|newfstatat\|fstat\|write\)(/,$d' |
    grep -oE '^[a-z_0-9]+|msg_iovlen=[0-9]+|msg_controllen=[0-9]+|MSG_NOSIGNAL' | tr '\n' ' ' | sed 's/ $//'
}
