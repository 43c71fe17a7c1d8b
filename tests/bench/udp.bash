# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# UDP round trips per second, and how many answers get lost.

UDP_LOADS=4
UDP_ROUNDS=150
UDP_MS=15
UDP_COUNT=200000 # round trips of which none may be lost

udp_plain() {
  server_in "$1" "$BUILD/tests/bench-udp-server" 127.0.0.1 8080
  wait_until bound "$1" 8080 udp
}

udp_answers() {
  on "$1" "$BUILD/tests/bench-udp-client" -n 1 "$1" "/run/netns/$1" 127.0.0.1 "$2" | grep -q $'\t0.0$'
}

udp_direct() {
  udp_plain plain
  place "direct" plain 8080
}

udp_hit() {
  covered_in hit 77/udp "$BUILD/tests/bench-udp-server" 127.0.0.1 8080
  wait_until udp_answers hit 77
  place "ours" hit 77
}

# The namespace is covered, by the port of another program.
udp_miss() {
  udp_plain miss
  covered_in miss 77/udp "$BUILD/tests/bench-udp-server" 127.0.0.1 9000
  wait_until udp_answers miss 77
  place "unrelated server beside ours" miss 8080
}

udp_redirect() {
  udp_plain redirect
  on redirect nft --file "$SHOW_ROOT/tests/bench/redirect.nft"
  place "nftables redirect" redirect 77
}

# udp_measure COLUMN FIRST_ROUND OPTION...
udp_measure() {
  client "$BUILD/tests/bench-udp-client" "${@:3}" -r "$UDP_ROUNDS" -t "$UDP_MS" "${PLACES[@]}" | add udp "$1" "$2"
}

for ((load = 0; load < UDP_LOADS; load++)); do
  udp_direct
  udp_hit
  udp_miss
  udp_redirect
  udp_measure "1 at a time" $((load * UDP_ROUNDS)) -w 1
  udp_measure "32 at a time" $((load * UDP_ROUNDS)) -w 32
  udp_measure "each a new client" $((load * UDP_ROUNDS)) -w 32 -f
  if ((load < UDP_LOADS - 1)); then
    world_clear
  fi
done
client "$BUILD/tests/bench-udp-client" -w 32 -n "$UDP_COUNT" "${PLACES[@]}" | add "udp lost" "one client" 0
client "$BUILD/tests/bench-udp-client" -w 32 -f -n "$UDP_COUNT" "${PLACES[@]}" | add "udp lost" "each a new client" 0
