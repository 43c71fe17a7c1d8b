#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Coverage whose listener is gone is noticed without traffic, its ports are free at once; coverage that hides a
# program's own port is shown; and a UDP socket that is no listener any more goes on answering.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/persist
  skl_setup
}

teardown() {
  skl_teardown
}

# A server that closes its listening socket at SIGUSR1 and lives on, holding a connection.
closer() {
  run_shim "$@" -- python3 -c '
import signal, socket
listener = socket.create_server(("127.0.0.1", 8080))
signal.signal(signal.SIGUSR1, lambda *_: listener.close())
while True:
    signal.pause()'
  CLOSER=$SPAWNED
  wait_until known 8080
}

# known PORT: the helper knows a living listener that is bound there.
known() {
  ns "$SKL" status -j | jq -e --argjson port "$1" '.listeners[] | select(.port == $port and .state == "live")'
}

forgotten() {
  ns "$SKL" status -j | jq -e '.listeners == []'
}

# taken_at_once ADDRESS PORT: another program's claim for it is granted, whoever has had it.
taken_at_once() {
  run_shim SKL_PORTS="$2" -- "$BUILD/tests/srv-listen" plain 9090 "$1"
  wait_until answers "$1" "$2"
}

@test "closed while its process lives: the next claim has the ports at once" {
  start_variant .
  closer SKL_PORTS=7
  kill -USR1 "$CLOSER"
  wait_until refused 127.0.0.1 8080
  taken_at_once 127.0.0.1 7
  still_there "$CLOSER"
  (($(listeners 'select(.port == 8080)' | jq length) == 0))
}

@test "closed, shut down, or gone with its process: noticed within two seconds, without traffic" {
  start_variant .
  closer SKL_PORTS=7
  run_shim SKL_PORTS=77 -- "$BUILD/tests/srv-listen" signals 8081
  local shut=$SPAWNED
  wait_until known 8081
  run_shim SKL_PORTS=777 -- "$BUILD/tests/srv-listen" plain 8082
  wait_until known 8082
  kill -USR1 "$CLOSER" "$shut"
  kill -KILL "$SPAWNED"
  sleep $((2 * ${TESTS_SLOW:-1}))
  forgotten
  still_there "$CLOSER" "$shut"
  # its own port is still bound by the one that was shut down
  refused 127.0.0.1 7 77 777 8081
}

@test "gone while no helper was there: the next one does not cover it" {
  start_variant .
  closer SKL_PORTS=7 SKL_BIND=127.5.0.0/16:77
  kill_helper
  kill -USR1 "$CLOSER"
  wait_until refused 127.0.0.1 8080
  start_variant .
  forgotten
  taken_at_once 127.5.0.1 77
}

# shadowed PORT UID: what status says of the binding of this port.
shadowed() {
  ns "$SKL" status -j | jq -e --argjson port "$1" --argjson uid "$2" \
    '.listeners[].bindings[] | select(.first == $port and .state == "shadowed" and .shadowed_uid == $uid)'
}

live() {
  ns "$SKL" status -j | jq -e --argjson port "$1" \
    '.listeners[].bindings[] | select(.first == $port and .state == "live" and .shadowed_uid == null)'
}

@test "a program that binds a covered port afterwards is shadowed, while it is there" {
  start_variant .
  run_shim SKL_PORTS=7007,7077,7700-7709 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until answers 127.0.0.1 7007
  run_udp SKL_PORTS=7007 -- echo 5353
  live 7007
  (($(ns "$SKL" status | grep -c shadowed) == 0))

  spawn setpriv --reuid 1234 --clear-groups "$BUILD/tests/srv-listen" plain 7007
  local theirs=$SPAWNED
  wait_listen 7007
  wait_until shadowed 7007 1234
  live 7077
  ns "$SKL" status >"$T/table"
  cat "$T/table"
  [[ $(grep -c shadowed "$T/table") == 1 ]]
  grep "port 7007 .*, a program of uid 1234 is shadowed" "$T/table"
  answers 127.0.0.1 7007 # by the one that covers it
  stop "$theirs" KILL
  wait_until live 7007

  # in a namespace with no range, too, and after a restart; other addresses and protocols are no harm
  kill_helper
  start_variant .
  spawn "$BUILD/tests/udp-serve" echo 7007
  theirs=$SPAWNED
  wait_bound 7007
  wait_until shadowed 7007 0
  ns "$SKL" status -j | jq -e '[.listeners[].bindings[] | select(.state == "shadowed").protocol] == ["udp"]'
  stop "$theirs" KILL
  spawn "$BUILD/tests/srv-listen" plain 7077 127.0.0.2
  wait_listen 7077
  sleep 1
  live 7077
}

@test "shadowed in a namespace with single ports only, asked often: the sockets are not listed each time" {
  local asked

  start_variant .
  run_shim SKL_PORTS=7007 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until answers 127.0.0.1 7007
  spawn "$BUILD/tests/srv-listen" plain 7007
  wait_until shadowed 7007 0
  spawn strace -qq -f -p "$HELPER" -e trace=sendto,socket -o "/run/test/trace"
  sleep 1
  for ((asked = 0; asked < 20; asked++)); do
    ns "$SKL" status >/dev/null
  done
  stop "$SPAWNED" INT
  # each look asks once for TCP; no more than two a second, and the tests' own pace is slower than one in ten
  (($(grep -c 'sendto.*TCPDIAG_GETSOCK\|sendto.*AF_NETLINK\|sendto(.*NLM_F_DUMP' "$T/trace") <= 12))
}

@test "a UDP socket that its program connected goes on answering from the port that was asked" {
  local server client said

  start_variant .
  # one socket, connected to its first client, whom it answers when it is no listener any more
  run_shim SKL_PORTS=7 -- socat UDP4-LISTEN:5353,bind=127.0.0.1 \
    SYSTEM:'head -c 5; while [ ! -e /run/test/answer ]; do sleep 0.1; done; echo late; sleep 60'
  server=$SPAWNED
  wait_until claimed 5353
  spawn python3 -c '
import socket, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(30)
client.connect(("127.0.0.1", 7))
client.send(b"first")
for i in range(2):
    print(client.recv(100).decode(), flush=True)'
  client=$SPAWNED
  said=$LOG
  wait_log first
  wait_until forgotten
  reply_on lo
  # with a new helper, too
  kill_helper
  start_variant .
  sleep 1
  reply_on lo
  touch "$T/answer"
  wait_log late "$said"
  wait_until gone "$client"
  # and no longer than the socket is there
  stop "$server" KILL
  # shellcheck disable=SC2046 # a list
  kill $(pgrep -f 'sleep 60' --ns "$HOLDER" --nslist net) || :
  wait_until no_clsact_on lo
}
