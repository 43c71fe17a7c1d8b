#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# UDP servers as Debian ships them, unmodified. dig, like every resolver, drops answers from the wrong place.

setup() {
  load ../lib/skl
  load ../lib/udp
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

# digs [OPTION...] ADDRESS PORT...: a.example is 192.0.2.7 there, by UDP and by TCP.
digs() {
  local address=$1 port how said

  shift
  for port; do
    for how in +notcp +tcp; do
      said=$(ns dig "@$address" -p "$port" $how +short +tries=1 +time=2 +ignore "a$RANDOM.example" A)
      if [[ $said != 192.0.2.7 ]]; then
        echo "dig @$address -p $port $how: $said"
        return 1
      fi
    done
  done
}

# dig_refused ADDRESS PORT...: neither by UDP nor by TCP.
dig_refused() {
  udp_refused "$@" && refused "$@"
}

# ---- dnsmasq ----

DNSMASQ=(dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= --log-facility=-)

@test "dnsmasq with a socket for each address: TCP and UDP, both families, extra addresses" {
  run_shim SKL_PORTS=53,853 SKL_CIDRS=127.9.0.0/16 -- "${DNSMASQ[@]}" --port=5300 --address=/example/192.0.2.7 \
    --bind-interfaces --listen-address=127.0.0.1,127.0.0.5,::1
  wait_until digs ::1 853
  digs 127.0.0.1 5300 53 853
  digs 127.0.0.5 5300 53
  digs 127.9.8.7 5300 53 853
  digs ::1 5300 53 853
  dig_refused 127.0.0.2 53
  dig_refused 127.0.0.1 54
  stop "$SPAWNED"
  wait_until dig_refused 127.0.0.1 53 853
}

@test "dnsmasq with a socket on every address: UDP; of TCP it closes what did not reach the port that it is told" {
  local address port
  run_shim SKL_PORTS=53,853 SKL_CIDRS=127.9.0.0/16 -- "${DNSMASQ[@]}" --port=5300 --address=/example/192.0.2.7
  wait_until claimed 5300
  for address in 127.0.0.1 127.9.8.7 ::1; do
    for port in 5300 53 853; do
      [ "$(ns dig "@$address" -p $port +short +tries=1 +time=2 a.example)" = 192.0.2.7 ]
    done
  done
  digs 127.0.0.1 5300
  run ns dig @127.0.0.1 -p 53 +tcp +tries=1 +time=2 a.example
  [ "$status" -ne 0 ]
  says "end of file"
}

@test "dnsmasq as a TFTP server, by SKL_FOR: the transfer goes on from where tftp says" {
  mkdir "$T/tftp"
  head -c 300000 /dev/urandom >"$T/tftp/file"
  chmod 644 "$T/tftp/file"
  run_shim SKL_PORTS=7769 SKL_FOR=69/udp -- "${DNSMASQ[@]}" --port=5300 --enable-tftp --tftp-root=/run/test/tftp
  wait_until claimed 69
  ns curl -sS --max-time 10 -o "$T/got" tftp://127.0.0.1:7769/file
  cmp "$T/got" "$T/tftp/file"
  udp_refused 127.0.0.1 5301
}

@test "two programs, TCP and UDP on the same extra port: each its own" {
  run_shim SKL_PORTS=53/udp -- "${DNSMASQ[@]}" --port=5300 --address=/example/192.0.2.7
  wait_until claimed 5300
  run_shim SKL_PORTS=53 -- "$BUILD/examples/legacy-server" 8080
  wait_port 53
  answers 127.0.0.1 53
  [ "$(ns dig @127.0.0.1 -p 53 +short +tries=1 +time=2 a.example)" = 192.0.2.7 ]
}

# ---- unbound ----

# upstream: who the resolvers ask, without the shim.
upstream() {
  spawn "${DNSMASQ[@]}" --port=5301 --listen-address=127.0.0.1 --bind-interfaces --address=/example/192.0.2.7
  wait_bound 5301
}

# unbound_conf LINE...: an unbound that asks the upstream, or has the zone itself where LINE says so.
unbound_conf() {
  {
    printf '%s\n' server: 'interface: 0.0.0.0@5300' 'interface: ::0@5300' 'access-control: 0.0.0.0/0 allow' \
      'access-control: ::0/0 allow' 'do-daemonize: no' 'use-syslog: no' 'logfile: ""' 'pidfile: ""' 'directory: ""' \
      'chroot: ""' 'do-not-query-localhost: no' 'module-config: "iterator"' 'num-threads: 2'
    printf '%s\n' "$@"
    printf '%s\n' forward-zone: 'name: "."' 'forward-addr: 127.0.0.1@5301'
  } >"$T/unbound.conf"
}

@test "unbound, two threads with sockets of their own: TCP and UDP, both families, extra addresses" {
  unbound_conf 'interface-automatic: no' 'local-zone: "example." redirect' 'local-data: "example. A 192.0.2.7"'
  run_shim SKL_PORTS=53,853 SKL_CIDRS=127.9.0.0/16 -- unbound -d -p -c "$T/unbound.conf"
  wait_until digs ::1 853
  for _ in {1..5}; do
    digs 127.0.0.1 5300 53 853
    digs 127.9.8.7 5300 53 853
    digs ::1 5300 53 853
  done
  stop "$SPAWNED"
  wait_until dig_refused 127.0.0.1 53 853
}

@test "a resolver's own questions are left alone, which is said once" {
  upstream
  unbound_conf 'username: ""'
  run_shim SKL_PORTS=53 -- unbound -d -p -c "$T/unbound.conf"
  wait_until digs ::1 53
  for _ in {1..20}; do
    digs 127.0.0.1 53
  done
  [ "$(grep -c libsklshim "$LOG")" -eq 1 ]
  grep -q "libsklshim: udp: further sockets of this program are left alone" "$LOG"
  (($(ns "$SKL" status -j | jq '.listeners | length') == 4))
}

@test "a resolver that gave up its rights still asks its own questions, with a helper that may be asked by root only" {
  upstream
  unbound_conf 'username: "nobody"'
  run_shim SKL_PORTS=53 -- unbound -d -p -c "$T/unbound.conf"
  wait_until digs ::1 53
  for _ in {1..20}; do
    digs 127.0.0.1 53
  done
  [ "$(grep -c libsklshim "$LOG")" -eq 1 ]
  grep -q "libsklshim: udp: further sockets of this program are left alone: Permission denied: uid 65534" "$LOG"
}

@test "a resolver still asks its own questions when the helper is gone" {
  upstream
  unbound_conf 'username: ""'
  run_shim SKL_PORTS=53 -- unbound -d -p -c "$T/unbound.conf"
  wait_until digs ::1 53
  stop_helper
  for _ in {1..5}; do
    digs 127.0.0.1 53 5300
  done
  start_helper
  for _ in {1..5}; do
    digs 127.0.0.1 53 5300
  done
}

# ---- those that connect their socket, and bind a successor ----

# takes_over: ten clients, one after the other, each with a port of its own.
takes_over() {
  for _ in {1..10}; do
    wait_second udp_ask -w 100 127.0.0.1 7
    wait_second udp_ask -w 100 127.0.0.1 5353
  done
}

# wait_second CMD...: tries until it succeeds, for at most a second.
wait_second() {
  local deadline=$((${EPOCHREALTIME/[.,]/} + 1000000 * ${TESTS_SLOW:-1}))

  until "$@"; do
    if ((${EPOCHREALTIME/[.,]/} > deadline)); then
      echo "not within a second: $*"
      return 1
    fi
  done
}

@test "socat UDP-RECVFROM,fork" {
  run_shim SKL_PORTS=7 -- socat UDP4-RECVFROM:5353,bind=127.0.0.1,reuseaddr,fork EXEC:cat
  wait_until claimed 5353
  udp_echoes -n 20 127.0.0.1 7 5353
  takes_over
}

@test "socat UDP-LISTEN,fork: the successor takes over within a second" {
  run_shim SKL_PORTS=7 -- socat UDP4-LISTEN:5353,bind=127.0.0.1,reuseaddr,fork EXEC:cat
  wait_until claimed 5353
  takes_over
}

@test "ncat -u -l -k: the successor takes over within a second" {
  run_shim SKL_PORTS=7 -- ncat -u4lke "$(command -v cat)" 127.0.0.1 5353
  wait_until claimed 5353
  takes_over
}

@test "ncat -u as a client of an extra port" {
  run_udp SKL_PORTS=7 -- echo 5353
  [ "$({ echo hello && sleep "${TESTS_SLOW:-1}"; } | ns timeout $((5 * ${TESTS_SLOW:-1})) ncat -u -w 2 127.0.0.1 7)" = hello ]
}

@test "a socket connected to its client gets what that sends to the bound port, but not what goes to an extra one" {
  local first
  run_udp SKL_PORTS=7 -- succeed 5353
  # the kernel looks for connected sockets by the port that a datagram goes to, and that is not theirs
  for port in 5353 7; do
    first=$(udp_ask -b 40000 -t who 127.0.0.1 $port)
    [[ $first == *connected ]]
    wait_until udp_ask -w 100 127.0.0.1 5353 # there is a successor
    if ((port == 5353)); then
      [ "$(udp_ask -b 40000 -t who 127.0.0.1 $port)" = "$first" ]
    else
      [ "$(udp_ask -b 40001 -t who 127.0.0.1 $port)" != "$first" ]
    fi
  done
}

@test "iperf3: TCP on an extra port" {
  run_shim SKL_PORTS=5202 -- iperf3 -s
  wait_listen 5201
  wait_until ns timeout 10 iperf3 -c 127.0.0.1 -p 5202 -n 1M
}

@test "iperf3 -u: its handshake works on an extra port, its data cannot: by then its socket is connected" {
  run_shim SKL_PORTS=5202 -- iperf3 -s
  wait_listen 5201
  wait_until iperf3_ends_with "receiver" -p 5201
  wait_until iperf3_ends_with "unable to write to stream socket: Connection refused" -p 5202
}

# Between two tests iperf3 does not listen.
iperf3_ends_with() {
  ns timeout 10 iperf3 -c 127.0.0.1 -u -n 100K "${@:2}" 2>&1 | tee "$T/iperf3.log"
  [[ $(tail -n 3 "$T/iperf3.log") == *"$1"* ]] && grep -q "connected to 127.0.0.1 port $3" "$T/iperf3.log"
}
