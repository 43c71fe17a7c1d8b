#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Helpers are killed and started again, and new ones bring other programs, while clients connect: nobody is
# refused, and everybody reaches whom they should. TESTS_LONG=1 takes a minute, with five times as many kills.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/many
  load ../lib/persist
  skl_setup
}

teardown() {
  skl_teardown
}

FEW=$((${TESTS_SLOW:-1} > 3 ? 6 : 20)) # on a slow machine each helper is to be ready before the next one comes, too
KILLS=$((${TESTS_LONG:-0} ? 5 * FEW : FEW))
LONG=$(((${TESTS_LONG:-0} ? 60 : 12) * (${TESTS_SLOW:-1} > 3 ? 3 : 1))) # seconds

# Clients of a single port, of a range and of a network, each of which says whom it reached, until $T/stop is there.
# What they came to is in the logs: a line of sums for each batch.
clients() {
  # shellcheck disable=SC2016 # for the inner shell
  spawn_with_log connect.log bash -c '
    until [[ -e $0 ]]; do
      "$1" 40 "127.0.0.1:7=$2" "127.0.0.1:8000-8099=$3" "127.5.0.0/16:77=$3" "127.0.0.1:9001=$3"
    done' "/run/test/stop" "$BUILD/tests/many-connect" "$FIRST" "$SECOND"
  CONNECTING=$SPAWNED
  # shellcheck disable=SC2016 # for the inner shell
  spawn_with_log udp.log bash -c '
    until [[ -e $0 ]]; do
      "$1" -n 20 127.0.0.1 7 53 && echo ok || echo "status $?"
    done' "/run/test/stop" "$BUILD/tests/udp-ask"
  ASKING=$SPAWNED
}

servers() {
  start_variant .
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 9000
  FIRST=$SPAWNED
  run_shim SKL_PORTS=8000-8099 SKL_BIND=127.5.0.0/16:77 -- "$BUILD/tests/srv-listen" plain 9001
  SECOND=$SPAWNED
  run_udp SKL_PORTS=7,53 -- echo 5353
  wait_until answers 127.0.0.1 7 8099
}

# sum NAME: over all batches.
sum() {
  sed -n "s/.*\<$1 \([0-9]*\).*/\1/p" "$T/connect.log" | awk '{ n += $1 } END { print n + 0 }'
}

# all_were_served LEAST: as many connections, and none went otherwise than it should.
all_were_served() {
  touch "$T/stop"
  wait_until gone "$CONNECTING"
  wait_until gone "$ASKING"
  echo "# connections: $(sum ok) ok, $(sum refused) refused, $(sum lost) lost, $(sum silent) silent," \
    "$(sum wrong) wrong; datagrams: $(($(grep -c ok "$T/udp.log") * 40)) answered" >&3
  (($(sum ok) >= $1 && $(sum refused) + $(sum lost) + $(sum silent) + $(sum wrong) == 0)) &&
    [[ $(sort -u "$T/udp.log") == ok ]]
}

# even_pace N OF: sleeps until it is time for the Nth of so many.
even_pace() {
  local left

  left=$(awk -v now="$EPOCHREALTIME" -v start="$START" -v n="$1" -v of="$2" -v long="$LONG" \
    'BEGIN { left = start + n * long / of - now; print (left > 0 ? left : 0) }')
  sleep "$left"
}

@test "helpers are killed while clients connect: none is refused, none reaches another" {
  local n before

  servers
  before=$(listeners)
  clients
  START=$EPOCHREALTIME
  for ((n = 1; n <= KILLS; n++)); do
    even_pace "$n" "$KILLS"
    kill_helper
    spawn_helper "$BUILD/sklhelper"
  done
  wait_until serves
  all_were_served 200
  [[ $(listeners) == "$before" ]]
  (($(grep -c "taken over with 3 listeners" "$T/helper.log") >= KILLS / 2))
}

@test "helpers with other programs take over while clients connect: none is refused, none reaches another" {
  local n before variant

  servers
  before=$(listeners)
  clients
  for ((n = 1; n <= FEW; n++)); do
    variant=$( ((n % 2)) && echo program || echo .)
    kill_helper
    start_variant "$variant"
  done
  all_were_served 200
  [[ $(listeners) == "$before" ]]
  (($(grep -c "its programs were replaced by those of this version" "$T/helper.log") == FEW))
}

@test "SIGTERM leaves coverage in place, and the next helper takes it over with its counters" {
  local before

  servers
  before=$(ns "$SKL" status -j | jq -c 'del(.listeners[].age_ms)')
  stop_helper
  [[ ! -e /proc/$HOLDER/root/run/skl/helper.sock ]]
  start_variant .
  [[ $(ns "$SKL" status -j | jq -c 'del(.listeners[].age_ms)') == "$before" ]]
  answers 127.0.0.1 7 8050
  answers 127.5.6.7 77
  udp_echoes 127.0.0.1 53
}

@test "helpers started at the same moment: one serves, the others name it" {
  local n alive=() others=() pid

  for ((n = 0; n < 8; n++)); do
    spawn_with_log "crowd.$n.log" "$BUILD/sklhelper"
    others+=("$SPAWNED")
  done
  wait_until serves
  wait_until one_of "${others[@]}"
  for pid in "${others[@]}"; do
    gone "$pid" || alive+=("$pid")
  done
  ((${#alive[@]} == 1))
  (($(cat "$T"/crowd.*.log | grep -c "another helper (pid ${alive[0]}) works there") == 7))
  # one that has its state elsewhere cannot have the socket, either
  run ns "$BUILD/sklhelper" --bpffs /sys/fs/bpf/other
  [ "$status" -eq 1 ]
  says "/run/skl/helper.sock: another helper (pid ${alive[0]}) works there"
  export HELPER=${alive[0]}
  helper_is_well "$(helper_fds)"
}

one_of() {
  local pid n=0

  for pid; do
    gone "$pid" || n=$((n + 1))
  done
  ((n == 1))
}
