#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016,SC2030,SC2031 # for jq; what `run` sets
#
# skl trace: what was decided about packets, to whom it may be told, and nothing of it when nobody watches.

setup() {
  load ../lib/skl
  load ../lib/udp
  skl_setup
  SERVER=$BUILD/examples/legacy-server
}

teardown() {
  skl_teardown
}

# watch [ARG...]: skl trace -j in the background; TRACE is its pid, SEEN what it prints.
watch() {
  local LOG

  spawn "$SKL" trace -j "$@"
  TRACE=$SPAWNED
  SEEN=$LOG
  wait_until traced
}

# traced: the program for watchers runs.
traced() {
  [[ -e /proc/$HOLDER/root$BPFFS/next-dispatch ]] &&
    [[ $(running) == "$(ns bpftool -j prog show pinned "$BPFFS/next-dispatch" | jq .id)" ]]
}

# not_traced: the usual one does, and nothing of the other is left.
not_traced() {
  [[ ! -e /proc/$HOLDER/root$BPFFS/next-dispatch ]] &&
    [[ $(running) == "$(ns bpftool -j prog show pinned "$BPFFS/dispatch" | jq .id)" ]]
}

# is_usual TAG: and it is the one with this tag.
is_usual() {
  not_traced && [[ $(ns bpftool -j prog show pinned "$BPFFS/dispatch" | jq -r .tag) == "$1" ]]
}

# running: the number of the program that the link has.
running() {
  ns bpftool -j link show pinned "$BPFFS/link" | jq .prog_id
}

# saw FILTER: one of the decisions that were told is so (jq).
saw() {
  grep '^{' "$SEEN" | jq -es "map(select($1)) | length > 0" >/dev/null
}

# saw_no FILTER: none is.
saw_no() {
  ! saw "$1" || {
    cat "$SEEN"
    return 1
  }
}

# told FILTER: one is, soon.
told() {
  wait_until saw "$1" || {
    cat "$SEEN"
    return 1
  }
}

# ring_buffers: the numbers of ours that there are, of whichever namespace and test.
ring_buffers() {
  bpftool -j map show | jq '.[] | select(.type == "ringbuf" and .name == "decisions") | .id' | sort
}

# gone_buffers NUMBER...: none of these is there.
gone_buffers() {
  [[ -z $(comm -12 <(printf '%s\n' "$@" | sort) <(ring_buffers)) ]]
}

@test "a connection: who, from where, to where, by which binding" {
  start_helper
  run_shim SKL_PORTS=77,8000-8099 -- "$SERVER" 8080
  server=$SPAWNED
  wait_port 77
  watch
  answers 127.0.0.1 77 8005 8080
  told ".decision == \"given\" and .protocol == \"tcp\" and .client == \"127.0.0.1\" and .client_port > 1023 and
    .address == \"127.0.0.1\" and .port == 77 and .program == \"legacy-server\" and .pid == $server and .uid == 0 and
    .ports == \"77\" and .prefix == \"0.0.0.0/0\""
  told '.port == 8005 and .ports == "8000-8099"'
  # by the numbers that the status has
  binding=$(ns "$SKL" status -j | jq '.listeners[0].bindings[] | select(.ports == "77").id')
  listener=$(ns "$SKL" status -j | jq '.listeners[0].id')
  told ".binding == $binding and .listener == $listener"
  # now, and not of its own port
  jq -es 'all(.[]; ((.time[:19] + "Z") | fromdate) - now | fabs < 60)' "$SEEN"
  saw_no '.port == 8080'
}

@test "IPv6, UDP over both, and UDP of a client that sends again" {
  start_helper
  run_shim SKL_PORTS=77 -- "$SERVER" 8080 ::
  wait_port ::1 77
  run_udp SKL_PORTS=53 -- echo 5353 ::
  watch
  answers ::1 77
  udp_echoes 127.0.0.1 53
  udp_echoes ::1 53
  told '.protocol == "tcp" and .address == "::1" and .client == "::1" and .prefix == "::/0" and .decision == "given"'
  told '.protocol == "udp" and .address == "127.0.0.1" and .port == 53 and .decision == "given"'
  told '.protocol == "udp" and .address == "::1" and .port == 53 and .program == "udp-serve"'
}

@test "a listener that is gone, told before it is forgotten" {
  start_helper
  run_shim SKL_PORTS=77 -- "$SERVER" 8080
  wait_port 77
  watch
  kill -STOP "$HELPER"
  stop_server
  refused 127.0.0.1 77
  kill -CONT "$HELPER"
  told '.decision == "gone" and .port == 77 and .program == "legacy-server" and .ports == "77"'
}

# stop_server: the legacy-server of this test dies.
stop_server() {
  local server

  server=$(pgrep -x legacy-server --ns "$HOLDER" --nslist net)
  kill -KILL "$server"
  wait_until gone "$server"
}

@test "what no prefix matches and, where its port was asked for, what nothing covers" {
  start_helper
  spawn "$SERVER" 9000
  wait_port 9000
  run_shim SKL_CIDRS=127.1.0.0/16 SKL_PORTS=77 -- "$SERVER" 8080 127.0.0.1
  wait_port 77
  watch
  refused 127.9.9.9 77
  answers 127.1.2.3 77
  answers 127.0.0.1 9000
  told '.decision == "no-prefix" and .address == "127.9.9.9" and (has("listener") | not)'
  told '.decision == "given" and .prefix == "127.1.0.0/16"'
  saw_no '.port == 9000'
  watch 9000
  answers 127.0.0.1 9000 77
  told '.decision == "uncovered" and .port == 9000'
  saw_no '.port == 77'
}

@test "what the kernel refuses: the error's name" {
  # another helper's program comes first in the namespace, and makes its choice
  spawn "$BUILD/sklhelper" --socket /run/other.sock --bpffs /sys/fs/bpf/other
  wait_until ns test -S /run/other.sock
  start_helper
  run_shim SKL_HELPER=/run/other.sock SKL_BIND=127.0.0.1/32:7 -- "$SERVER" 8082 127.0.0.3
  wait_port 7
  run_shim SKL_PORTS=7 -- "$SERVER" 8080
  wait_until ns test -e "$BPFFS"
  watch 7
  ask 127.0.0.1 7
  told '.decision == "refused" and .error == "EEXIST" and .ports == "7" and .program == "legacy-server"'
}

@test "nobody watches: the very program that runs without, and what a watcher that is killed had is gone" {
  start_helper
  run_shim SKL_PORTS=77 -- "$SERVER" 8080
  wait_port 77
  id=$(running)
  fds=$(helper_fds)
  before=$(ring_buffers)
  watch
  [ "$(running)" != "$id" ]
  mapfile -t made < <(comm -13 <(echo "$before") <(ring_buffers))
  ((${#made[@]} >= 1))
  answers 127.0.0.1 77
  kill -KILL "$TRACE"
  wait_until not_traced
  [ "$(running)" = "$id" ]
  wait_until gone_buffers "${made[@]}"
  answers 127.0.0.1 77 8080
  helper_is_well "$fds"
  # of two the last one counts; a signal ends it well
  watch
  first=$TRACE
  watch
  kill -KILL "$first"
  wait_until gone "$first"
  answers 127.0.0.1 77
  told '.port == 77'
  traced
  kill -INT "$TRACE"
  wait_until not_traced
  [ "$(running)" = "$id" ]
}

@test "a signal ends it with 0, a reader that has enough without a word" {
  start_helper
  run_shim SKL_PORTS=77 -- "$SERVER" 8080
  wait_port 77
  for signal in INT TERM; do
    # --foreground: no SIGCONT besides, which LeakSanitizer, that stops it at its end, does not survive
    run ns timeout --foreground --preserve-status --signal "$signal" "${TESTS_SLOW:-1}" "$SKL" trace
    [ "$status" -eq 0 ]
    [ -z "$output" ]
  done
  run ns bash -c '
    { "$0" trace; echo "status $?" >&2; } | head -n 1 &
    sleep "${TESTS_SLOW:-0.5}"
    "$1" 127.0.0.1 77 >/dev/null
    wait' "$SKL" "$BUILD/tests/srv-ask"
  says "TIME" "status 0"
  [ "${#lines[@]}" -eq 2 ]
  wait_until not_traced
}

@test "nobody sees another's clients; root sees all" {
  start_helper --mode 0666
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups -- env "LD_PRELOAD=$SHIM" SKL_PORTS=7001 "$SERVER" 8001
  wait_port 7001
  spawn setpriv --reuid 1002 --regid 1002 --clear-groups -- env "LD_PRELOAD=$SHIM" SKL_PORTS=7002 "$SERVER" 8002
  wait_port 7002
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all -- "$SKL" trace -j
  own=$LOG
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all -- "$SKL" trace -j 7002
  others=$LOG
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all -- "$SKL" trace -j 9000
  uncovered=$LOG
  wait_until traced
  watch
  all=$SEEN
  sleep 0.3 # all of them are known
  refused 127.0.0.1 9000
  answers 127.0.0.1 7001 7002
  SEEN=$all
  told '.port == 7002 and .uid == 1002'
  told '.port == 7001 and .uid == 1001'
  SEEN=$own
  told '.port == 7001'
  sleep 0.3
  saw_no '.port != 7001'
  [ ! -s "$others" ]
  [ ! -s "$uncovered" ]
}

@test "a helper that is killed while somebody watches: packets go on, its successor puts the usual program back" {
  start_helper
  run_shim SKL_PORTS=77 -- "$SERVER" 8080
  wait_port 77
  tag=$(ns bpftool -j prog show pinned "$BPFFS/dispatch" | jq -r .tag)
  before=$(ring_buffers)
  watch
  mapfile -t made < <(comm -13 <(echo "$before") <(ring_buffers))
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
  wait_until gone "$TRACE"
  grep -q "has ended" "$SEEN"
  answers 127.0.0.1 77 8080
  start_helper
  # the socket of the first one is still there: the second one may have begun only
  wait_until is_usual "$tag"
  answers 127.0.0.1 77 8080
  wait_until gone_buffers "${made[@]}"
  watch
  answers 127.0.0.1 77
  told '.port == 77 and .program == "legacy-server"'
}

@test "watched before anything is covered, and after all of it has gone" {
  start_helper
  spawn "$SKL" trace -j
  SEEN=$LOG
  wait_log "nothing is covered in this network namespace yet"
  run_shim SKL_PORTS=77 -- "$SERVER" 8080
  wait_port 77
  wait_until traced
  answers 127.0.0.1 77
  told '.port == 77 and .decision == "given"'
  stop_server
  wait_until ns test ! -e "$BPFFS"
  : >"$SEEN"
  run_shim SKL_PORTS=78 -- "$SERVER" 8080
  wait_until traced
  answers 127.0.0.1 78
  told '.port == 78 and .decision == "given"'
}

@test "a watcher that does not read loses what he cannot be told, and learns how much" {
  start_helper
  run_udp SKL_PORTS=53 -- echo 5353
  fds=$(helper_fds)
  watch
  kill -STOP "$TRACE"
  ns python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(60000):
    s.sendto(b"", ("127.0.0.1", 53))'
  kill -CONT "$TRACE"
  told '.lost > 1000'
  told '.port == 53'
  # all were counted, one way or the other
  wait_until all_told
  kill "$TRACE"
  helper_is_well "$fds"
}

all_told() {
  jq -es '([.[].lost // empty] | add) + ([.[] | select(.port == 53)] | length) >= 60000' "$SEEN"
}

@test "limits: so many of one user, and others still may" {
  start_helper --mode 0666
  run_shim SKL_PORTS=77 -- "$SERVER" 8080
  wait_port 77
  for _ in 1 2 3 4; do
    spawn setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all -- "$SKL" trace
  done
  sleep 0.5
  run as 1001 timeout 5 "$SKL" trace
  [ "$status" -eq 1 ]
  says "too many watch already"
  watch
  answers 127.0.0.1 77
  told '.port == 77'
}

@test "what is not asked rightly is refused, and takes nothing" {
  start_helper
  fds=$(helper_fds)
  for case in trace-no-fd trace-tcp trace-file trace-stream trace-port trace-text; do
    run ns timeout 20 /usr/bin/python3 "$TESTS/programs/wire.py" "$case"
    [ "$status" -eq 0 ]
    [[ $output != 0* ]]
  done
  helper_is_well "$fds"
  for args in "x" "0" "65536" "77 78" "--what" "--netns"; do
    # shellcheck disable=SC2086 # none, or several
    run ns timeout 5 "$SKL" trace $args
    [ "$status" -eq 2 ]
  done
  run ns "$SKL" trace --netns /run/none
  [ "$status" -eq 1 ]
  says "/run/none"
}

@test "another network namespace, by its path" {
  start_helper
  new_netns
  other=$NEW
  spawn nsenter --target "$other" --net -- env "LD_PRELOAD=$SHIM" SKL_PORTS=77 "$SERVER" 8080
  wait_until in_netns "$other" "$BUILD/tests/srv-ask" -l 0 127.0.0.1 77
  spawn "$SKL" trace -j --netns "/proc/$other/ns/net"
  SEEN=$LOG
  wait_until ns test -e "/sys/fs/bpf/skl/net-$(stat -Lc %i "/proc/$other/ns/net")/next-dispatch"
  in_netns "$other" "$BUILD/tests/srv-ask" -l 0 127.0.0.1 77
  told '.port == 77 and .decision == "given"'
}

# lines N: so many decisions are in LOG.
lines() {
  (($(grep -c " tcp " "$LOG") == $1))
}

@test "a table: in columns, within the terminal, and whole where there is none" {
  start_helper
  run_shim SKL_PORTS=77,8000-8099 -- "$SERVER" 8080
  wait_port 77
  run_shim SKL_CIDRS=127.200.200.0/24 SKL_PORTS=9 -- "$SERVER" 8081 127.0.0.1
  wait_port 9
  for width in 80 160; do
    spawn env TERM=dumb script -qefc "stty cols $width && exec '$SKL' trace" /dev/null
    wait_until traced
    answers 127.0.0.1 77 8005
    answers 127.200.200.200 9
    refused 127.200.201.1 9
    wait_until lines 4
    stop "$SPAWNED"
    wait_until not_traced
    tr -d '\r' <"$LOG" >"$T/seen"
    cat "$T/seen"
    (($(wc -L <"$T/seen") <= width))
    # each line stands below its header: what is in the place of LOCAL begins with the address
    awk '/^TIME/ { at = index($0, "LOCAL"); next }
      / tcp / { n++; if (substr($0, at, 4) != "127." || substr($0, at - 1, 1) != " ") exit 1 }
      END { exit n != 4 }' "$T/seen"
    grep -q "127.200.201.1:9 .* - .*not this address" "$T/seen"
  done
  grep -q "legacy-server/[0-9]* *8000-8099 on 0.0.0.0/0" "$T/seen"
  spawn "$SKL" trace
  wait_until traced
  answers 127.0.0.1 8005
  wait_until lines 1
  grep -Eq '^[0-9:.]{12} tcp 127.0.0.1:[0-9]+ +127.0.0.1:8005 +legacy-server/[0-9]+ 8000-8099 on 0.0.0.0/0$' "$LOG"
}
