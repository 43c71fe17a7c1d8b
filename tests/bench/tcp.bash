# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# TCP connections per second: clients come to port 77 (or to 1,000 ports from 1000 on), and the server
# has 8080 (or, where that is what is compared, all 1,000).

TCP_LOADS=4   # times that all servers are started anew: it matters where their memory happens to be
TCP_ROUNDS=150 # for each
TCP_MS=15

tcp_plain() {
  server_in "$1" "$BUILD/tests/bench-tcp-server" 127.0.0.1 8080
  wait_until bound "$1" 8080
}

tcp_direct() {
  tcp_plain plain
  place "direct" plain 8080
}

tcp_hit() {
  covered_in hit 77,1000-1999 "$BUILD/tests/bench-tcp-server" 127.0.0.1 8080
  wait_until opens hit 77
  place "ours, hit" hit 77
  place "ours, hit, 1,000 ports" hit 1000-1999
}

# The namespace is covered, by the port of another program.
tcp_miss() {
  tcp_plain miss
  covered_in miss 77 "$BUILD/tests/bench-tcp-server" 127.0.0.1 9000
  wait_until opens miss 77
  place "ours, miss" miss 8080
}

tcp_redirect() {
  tcp_plain redirect
  on redirect nft --file "$SHOW_ROOT/tests/bench/redirect.nft"
  place "nftables redirect" redirect 77
}

tcp_tproxy() {
  server_in tproxy "$BUILD/tests/bench-tcp-server" 127.0.0.1 8080 1 transparent
  wait_until bound tproxy 8080
  on tproxy nft --file "$SHOW_ROOT/tests/bench/tproxy.nft"
  place "TPROXY" tproxy 77
}

tcp_socat() {
  tcp_plain socat
  server_in socat socat TCP-LISTEN:77,fork,reuseaddr,backlog=4096 TCP:127.0.0.1:8080
  wait_until bound socat 77
  place "socat fork" socat 77
}

tcp_haproxy() {
  tcp_plain haproxy
  server_in haproxy haproxy -db -f "$SHOW_ROOT/tests/bench/haproxy.cfg"
  wait_until bound haproxy 77
  place "haproxy, TCP mode" haproxy 77
}

tcp_many_sockets() {
  server_in many "$BUILD/tests/bench-tcp-server" 127.0.0.1 1000 1000
  wait_until bound many 1999
  place "1,000 listening sockets" many 1000-1999
}

for ((load = 0; load < TCP_LOADS; load++)); do
  tcp_direct
  tcp_hit
  tcp_miss
  tcp_redirect
  tcp_tproxy
  tcp_many_sockets
  tcp_haproxy
  tcp_socat
  client "$BUILD/tests/bench-tcp-client" "$TCP_ROUNDS" "$TCP_MS" "${PLACES[@]}" |
    add tcp "connections/s" $((load * TCP_ROUNDS))
  world_clear
done
