#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# UDP sockets answer on ports and addresses they never bound, from there. tests/tools/udp-ask.c is a client that
# takes no answer from elsewhere.

EADDRINUSE=98

setup() {
  load ../lib/skl
  load ../lib/udp
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

@test "a bound socket answers on 7, 77 and 777, and no longer when it is gone" {
  run_udp SKL_PORTS=7,77,777 -- echo 5353
  udp_echoes 127.0.0.1 5353 7 77 777
  udp_refused 127.0.0.1 8 78 5354
  udp_refused 127.0.0.2 7 5353
  refused 127.0.0.1 7
  stop "$SPAWNED"
  wait_udp_refused 127.0.0.1 7 77 777 5353
  run_udp SKL_PORTS=7 -- echo 5354
  udp_echoes 127.0.0.1 5354 7
}

@test "IPv6, and a socket that serves both families" {
  run_udp SKL_PORTS=7,77 -- echo 5353 ::1
  udp_echoes ::1 5353 7 77
  udp_refused 127.0.0.1 7
  stop "$SPAWNED"
  wait_udp_refused ::1 7
  run_udp SKL_PORTS=7,77 -- echo 5353 ::
  udp_echoes ::1 5353 7 77
  udp_echoes 127.0.0.1 5353 7 77
  udp_echoes 127.9.8.7 7 77
  stop "$SPAWNED"
  wait_udp_refused 127.0.0.1 7
  run_udp SKL_PORTS=7 -- echo 5353 ::ffff:127.0.0.1
  udp_echoes 127.0.0.1 5353 7
  udp_refused ::1 7
}

@test "payloads of 0, 1, 1472, 1473, 9000 and 65507 bytes" {
  local bytes
  run_udp SKL_PORTS=7 SKL_CIDRS=127.9.0.0/16,::1 -- echo 5353 ::
  for bytes in 0 1 1472 1473 9000 65507; do
    udp_echoes -s "$bytes" 127.0.0.1 7 5353
    udp_echoes -s "$bytes" 127.9.8.7 7 5353
    udp_echoes -s "$bytes" ::1 7 5353
  done
}

@test "fragments, too: the same across a pair of devices" {
  local bytes
  run_udp SKL_PORTS=7 -- echo 5353 ::
  far_up
  wait_until reply_on skl0
  for bytes in 0 1 1452 1453 1472 1473 9000 65507; do
    far "$BUILD/tests/udp-ask" -s "$bytes" -n 3 198.51.100.1 7 5353
    far "$BUILD/tests/udp-ask" -s "$bytes" -n 3 fd00:51::1 7 5353
  done
}

@test "a client that uses two extra ports and the bound one in turn gets each answer from the right one" {
  run_udp SKL_PORTS=7,77 SKL_CIDRS=127.9.0.0/16 -- echo 5353 0.0.0.0
  udp_echoes -n 100 -b 40000 127.0.0.1 7 77 5353
  udp_echoes -n 100 -b 40000 127.9.8.7 77 5353 7
  # the same from another address, while what was remembered of the first is still there
  udp_echoes -n 2 -b 40000 127.0.0.1 7 77 5353
}

@test "many clients at once, each with two ports" {
  run_udp SKL_PORTS=7,77 -- echo 5353 0.0.0.0
  local i pids=()
  for i in {1..8}; do
    udp_ask -n 500 127.0.0."$i" 7 77 &
    pids+=($!)
    udp_ask -u -n 500 127.0.0."$i" 77 7 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    wait "$i"
  done
}

@test "recvmmsg and sendmmsg" {
  run_udp SKL_PORTS=7,77 -- batch 5353
  local i pids=()
  for i in {1..4}; do
    udp_ask -n 500 127.0.0.1 7 77 5353 &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    wait "$i"
  done
}

@test "a socket in epoll before it is bound" {
  run_udp SKL_PORTS=7,77 -- early 5353
  udp_echoes -n 20 127.0.0.1 7 77 5353
}

# What the kernel makes of a socket in a SOCKMAP: tests/bpf/kernel-facts.c has the details.
@test "what the calls return that programs look at a datagram with; three differ" {
  local ordinary="peek and truncate, no room: 32
peek and truncate, room for 1: 32
peek, room for all: 32
error queue: Resource temporarily unavailable
truncate, room for 1: 32
the next, no room: Resource temporarily unavailable
the next, room for all: Resource temporarily unavailable
after that: Resource temporarily unavailable
end" covered="peek and truncate, no room: 0
peek and truncate, room for 1: 32
peek, room for all: 32
error queue: Resource temporarily unavailable
truncate, room for 1: 32
the next, no room: 0
the next, room for all: Resource temporarily unavailable
after that: Resource temporarily unavailable
end"

  spawn "$BUILD/tests/udp-serve" look 5000
  wait_bound 5000
  run udp_ask -w 100 127.0.0.1 5000
  wait_log end
  [ "$(<"$LOG")" = "FIONREAD: 32
$ordinary" ]
  # since then a socket in a SOCKMAP receives by another function
  ! kernel_before 5 13 || covered=$ordinary
  run_udp SKL_PORTS=7 -- look 5353
  run udp_ask -w 100 127.0.0.1 7
  wait_log end
  grep -Ex 'FIONREAD: (0|32)' "$LOG" # it differs between kernels
  [ "$(grep -v FIONREAD "$LOG")" = "$covered" ]
}

@test "four SO_REUSEPORT sockets: each gets its share, and the others go on when one is gone" {
  run_udp SKL_PORTS=7 -- reuseport 5353
  wait_until workers_are 4
  local first
  first=$(workers | head -n 1)
  kill -KILL "$first"
  wait_until gone "$first"
  for _ in {1..20}; do
    udp_echoes 127.0.0.1 7 5353
  done
  wait_until workers_are 3
}

workers() {
  for _ in {1..60}; do
    udp_who 127.0.0.1 7
  done | sort -u
}

workers_are() {
  (($(workers | wc -l) == $1))
}

# ---- what is asked for ----

@test "SKL_CIDRS on loopback, with and without SKL_PORTS" {
  run_udp SKL_CIDRS=127.9.0.0/16 -- echo 5353
  udp_echoes 127.0.0.1 5353
  udp_echoes 127.9.8.7 5353
  udp_echoes 127.9.255.254 5353
  udp_refused 127.8.0.1 5353
  udp_refused 127.9.8.7 7
  stop "$SPAWNED"
  wait_udp_refused 127.9.8.7 5353
  run_udp SKL_CIDRS=127.9.0.0/16 SKL_PORTS=7 -- echo 5353
  udp_echoes 127.0.0.1 5353 7
  udp_echoes 127.9.8.7 7 5353
  udp_echoes -n 20 -b 40000 127.9.8.7 7 5353
  udp_echoes -n 20 -b 40000 127.0.0.1 5353 7
}

@test "a program that names the address that was asked as its answer's source, where that is only routed here" {
  run_udp SKL_CIDRS=127.9.0.0/16,2001:db8:7::/64 SKL_PORTS=7 -- named 5353 ::
  udp_echoes 2001:db8:7::9 7 5353
  udp_echoes 127.9.8.7 7 5353
  udp_echoes ::1 7 5353
  run cat "/proc/$HOLDER/root/proc/sys/net/ipv6/ip_nonlocal_bind"
  [ "$output" = 0 ]
}

@test "/udp and /tcp in SKL_PORTS, for a program with a socket of each" {
  run_shim SKL_PORTS=7/udp,77/tcp,777 -- /usr/bin/python3 "$TESTS/programs/both.py" 5353
  wait_port 127.0.0.1 77
  wait_udp 127.0.0.1 777
  udp_echoes 127.0.0.1 5353 7 777
  udp_refused 127.0.0.1 77
  echoes 127.0.0.1 5353 77 777
  refused 127.0.0.1 7
}

@test "ports of the other protocol only: nothing is covered, and nothing goes wrong" {
  run_udp SKL_PORTS=7/tcp -- echo 5353
  udp_echoes 127.0.0.1 5353
  udp_refused 127.0.0.1 7
  refused 127.0.0.1 7
}

@test "SKL_BIND" {
  run_udp "SKL_BIND=127.9.0.0/16:53,7000-7003/udp [::1]:53 127.8.0.0/16:80/tcp" -- echo 5353 ::
  udp_echoes 127.9.8.7 53 7000 7003
  udp_echoes ::1 53
  udp_refused 127.0.0.1 53
  udp_refused 127.9.8.7 80 7004
  udp_refused 127.8.0.1 80
}

@test "SKL_FOR with a protocol" {
  run_shim SKL_PORTS=7 SKL_FOR=5353/udp -- /usr/bin/python3 "$TESTS/programs/both.py" 5353
  wait_udp 127.0.0.1 7
  wait_port 5353
  refused 127.0.0.1 7
  stop "$SPAWNED"
  wait_udp_refused 127.0.0.1 7
  run_shim SKL_PORTS=7 SKL_FOR=5353/tcp -- /usr/bin/python3 "$TESTS/programs/both.py" 5353
  wait_port 7
  udp_echoes 127.0.0.1 5353
  udp_refused 127.0.0.1 7
}

@test "a connected socket, and one without a port of its own, are left alone" {
  run shim SKL_PORTS=7 -- /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
t.connect(("127.0.0.1", 9))'
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  (($(ns "$SKL" status -j | jq '.listeners | length') == 0))
}

# ---- who has what ----

@test "an exact port that another UDP socket is bound to: EADDRINUSE; a TCP socket there does not matter" {
  spawn "$BUILD/tests/udp-serve" echo 7
  local other=$SPAWNED
  wait_bound 7
  run shim SKL_PORTS=7,77 -- "$BUILD/tests/udp-serve" echo 5353
  [ "$status" -eq $EADDRINUSE ]
  says libsklshim: "udp port 7" "in use"
  udp_refused 127.0.0.1 77 5353
  [ "$(udp_who 127.0.0.1 7)" -eq "$other" ]
  stop "$other"
  spawn "$BUILD/tests/srv-listen" plain 7
  wait_listen 7
  run_udp SKL_PORTS=7,77 -- echo 5353
  udp_echoes 127.0.0.1 7 77
  answers 127.0.0.1 7
}

@test "inside a range a held port is left out and named; later ones are given up within a second" {
  spawn "$BUILD/tests/udp-serve" echo 7005
  local other=$SPAWNED wide
  wait_bound 7005
  run_udp SKL_PORTS=7000-7010 -- echo 5353
  wide=$SPAWNED
  wait_log 7005
  [ "$(udp_who 127.0.0.1 7005)" -eq "$other" ]
  [ "$(udp_who 127.0.0.1 7004)" -eq "$wide" ]
  spawn "$BUILD/tests/udp-serve" echo 7006
  other=$SPAWNED
  wait_bound 7006
  sleep "${TESTS_SLOW:-1}"
  [ "$(udp_who 127.0.0.1 7006)" -eq "$other" ]
  [ "$(udp_who 127.0.0.1 7007)" -eq "$wide" ]
  run ns "$SKL" status
  says 7000-7010 7005-7006
  stop "$other"
  wait_udp 127.0.0.1 7006
  udp_echoes 127.0.0.1 7006 7007
}

@test "* leaves out the ports that programs here send from, and says so; a named range has them" {
  run_udp 'SKL_PORTS=*/udp' -- echo 5353 0.0.0.0
  wait_log 32768-60999
  udp_echoes 127.0.0.1 1 53 32767 61000 65535 5353
  udp_refused 127.0.0.1 32768 60999
  run ns "$SKL" status
  says 1-32767 61000-65535
  stop "$SPAWNED"
  wait_udp_refused 127.0.0.1 53
  ns sysctl -qw net.ipv4.ip_local_port_range='2000 2999'
  run_udp 'SKL_PORTS=*' -- echo 5353
  wait_log 2000-2999
  udp_echoes 127.0.0.1 1999 3000 40000
  udp_refused 127.0.0.1 2000 2999
  stop "$SPAWNED"
  wait_udp_refused 127.0.0.1 1999
  run_udp 'SKL_PORTS=1900-2099' -- echo 5353
  # the client's own port is one of them
  udp_echoes -b 40000 127.0.0.1 1999 2000 2050 2099
}

@test "a range that has the sending ports of this machine: a program's own questions still get their answers" {
  run_udp 'SKL_PORTS=30000-65000' -- echo 5353 0.0.0.0
  spawn "$BUILD/tests/udp-serve" echo 53 127.0.0.2
  wait_bound 53
  # the answer comes to a connected socket, which no rule is asked about
  udp_ask -n 200 127.0.0.2 53
}

@test "a low port needs the right to bind it" {
  stop_helper
  start_helper --mode 0666
  run as 4001 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=53 "$BUILD/tests/udp-serve" echo 5353
  [ "$status" -eq 13 ]
  says libsklshim: "udp port 53" "Permission denied" "uid 4001"
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" \
    SKL_PORTS=5300 "$BUILD/tests/udp-serve" echo 5353
  wait_udp 127.0.0.1 5300
  udp_echoes 127.0.0.1 5300
}
