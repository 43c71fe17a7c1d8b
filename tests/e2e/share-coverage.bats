#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Shares together with extra ports and addresses, with UDP, and with SO_REUSEPORT.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/share
  skl_setup
  start_helper
  FDS=$(helper_fds)
}

teardown() {
  skl_teardown
}

@test "coverage counts once: the second process adds nothing, and the first one's end takes nothing away" {
  local first
  serve SKL_SHARE=web SKL_PORTS=7,77 SKL_CIDRS=127.0.1.0/24 -- 127.0.0.1 8080
  first=$SERVER
  [ "$(ns "$SKL" status -j | jq -c '[.listeners[] | (.bindings | length)]')" = '[5]' ]
  serve SKL_SHARE=web SKL_PORTS=7,77 SKL_CIDRS=127.0.1.0/24 -- 127.0.0.1 8080
  [ "$(ns "$SKL" status -j | jq -c '[.listeners[] | (.bindings | length)]')" = '[5]' ]
  [ "$(answering 127.0.1.9 77)" = "$(printf '%s\n' "$first" "$SERVER" | sort -n)" ]
  kill -KILL "$first"
  wait_until gone "$first"
  sleep 1.5
  [ "$(answering 127.0.0.1 7)" = "$SERVER" ]
  [ "$(answering 127.0.1.200 8080)" = "$SERVER" ]
  stop "$SERVER"
  wait_refused 127.0.0.1 7 77 8080
  wait_until no_share
}

@test "the successor of a program with two listeners: the first has the coverage, the second is left alone, as before" {
  local first
  serve SKL_SHARE=web SKL_PORTS=7 -- 127.0.0.1 8080 8081
  first=$SERVER
  serve SKL_SHARE=web SKL_PORTS=7 -- 127.0.0.1 8080 8081
  stop "$first"
  sleep 1.2
  [ "$(answering 127.0.0.1 7 3)" = "$SERVER" ]
  serve SKL_SHARE=web SKL_PORTS=7 -- 127.0.0.1 8080 8081
  [ "$(ns "$SKL" status -j | jq -c '[.listeners[] | [.port, (.bindings | length)]]')" = '[[8080,1]]' ]
}

@test "one that joins with more ports adds them; what a refused one wanted is not left behind" {
  serve SKL_SHARE=web SKL_PORTS=7 -- 127.0.0.1 8080
  serve SKL_SHARE=web SKL_PORTS=7,77 -- 127.0.0.1 8080
  [ "$(answering 127.0.0.1 77 | wc -l)" -eq 2 ]
  # somebody else's port
  run_shim -- "$BUILD/examples/legacy-server" 9000 127.0.0.1
  wait_port 9000
  run in_share SKL_SHARE=web SKL_PORTS=9000 -- 127.0.0.1 8080
  [ "$status" -eq 98 ]
  wait_until share_is '.members | length' 2
  run in_share SKL_SHARE=new SKL_PORTS=9000 -- 127.0.0.1 8082
  [ "$status" -eq 98 ]
  wait_until share_is .name '"web"'
}

@test "SKL_FOR: one port is shared and covered, the other is neither" {
  local first
  serve SKL_SHARE=web SKL_FOR=8080 SKL_PORTS=7 -- 127.0.0.1 8080 8081
  first=$SERVER
  run in_share SKL_SHARE=web SKL_FOR=8080 SKL_PORTS=7 -- 127.0.0.1 8080 8081
  [ "$status" -eq 98 ]
  serve SKL_SHARE=web SKL_FOR=8080 SKL_PORTS=7 -- 127.0.0.1 8080 8082
  they_answer 7 "$first" "$SERVER"
  they_answer 8081 "$first"
  they_answer 8082 "$SERVER"
}

# udp_members: how many processes answer on the port, of some datagrams.
udp_members() {
  local i

  for ((i = 0; i < 12; i++)); do
    udp_who 127.0.0.1 "$1"
  done | sort -u | wc -l
}

@test "UDP: the next process has the socket of the first, its own port and the extra one" {
  local first
  run_udp SKL_SHARE=dns SKL_PORTS=53 -- echo 5353 127.0.0.1
  first=$SPAWNED
  udp_echoes 127.0.0.1 5353 53
  run_shim SKL_SHARE=dns SKL_PORTS=53 -- "$BUILD/tests/udp-serve" echo 5353 127.0.0.1
  wait_until share_is '[.sockets[0].protocol, .sockets[0].holders]' '["udp",2]'
  udp_echoes 127.0.0.1 5353 53
  stop "$first" KILL
  sleep 1.2
  udp_echoes 127.0.0.1 5353 53
  stop "$SPAWNED" KILL
  wait_udp_refused 127.0.0.1 5353
  wait_until no_share
  helper_is_well "$((FDS + 3))" # the namespace is watched for a while
}

@test "UDP with SKL_HOLD: what is sent while no process is there is answered by the next one" {
  run_udp SKL_SHARE=dns SKL_HOLD=30s -- echo 5353 127.0.0.1 || :
  wait_bound 5353
  stop "$SPAWNED" KILL
  spawn "$BUILD/tests/udp-ask" -w 8000 127.0.0.1 5353
  local client=$SPAWNED
  sleep 0.5
  kill -0 "$client"
  run_shim SKL_SHARE=dns SKL_HOLD=30s -- "$BUILD/tests/udp-serve" echo 5353 127.0.0.1
  wait_until gone "$client"
  run cat "$T"/*udp-ask.log
  [ -z "$output" ] || [[ $output != *refused* ]]
}

@test "UDP: further ports of a program are left to itself, as the sockets of a resolver's own questions" {
  run_shim SKL_SHARE=dns -- python3 -c '
import socket, time
a = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
for s, port in zip(a, (5353, 40001, 40002)):
    s.bind(("127.0.0.1", port))
print("bound", flush=True)
time.sleep(60)'
  wait_log bound
  share_is '[.sockets[].port]' '[5353]'
  run_shim SKL_SHARE=dns -- python3 -c '
import socket, time
a = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
for s, port in zip(a, (5353, 40003, 40004)):
    s.bind(("127.0.0.1", port))
print("bound", flush=True)
time.sleep(60)'
  wait_log bound
  share_is '[.sockets[] | [.port, .holders]]' '[[5353,2]]'
}

@test "SO_REUSEPORT: the n-th bind() of the next program gets the n-th socket" {
  local first
  serve SKL_SHARE=web SKL_PORTS=7 -- -r 4 127.0.0.1 8080
  first=$SERVER
  share_is '[.sockets[].holders]' '[1,1,1,1]'
  serve SKL_SHARE=web SKL_PORTS=7 -- -r 4 127.0.0.1 8080
  share_is '[.sockets[].holders]' '[2,2,2,2]'
  stop "$first"
  they_answer 8080 "$SERVER"
  they_answer 7 "$SERVER"
}

@test "SO_REUSEPORT: more sockets than before are added; of fewer, those that are left over close soon" {
  local first
  serve SKL_SHARE=web SKL_HOLD=60s -- -r 2 127.0.0.1 8080
  first=$SERVER
  serve SKL_SHARE=web SKL_HOLD=60s -- -r 4 127.0.0.1 8080
  share_is '[.sockets[].holders]' '[2,2,1,1]'
  stop "$first" KILL
  first=$SERVER
  serve SKL_SHARE=web SKL_HOLD=60s -- -r 1 127.0.0.1 8080
  stop "$first" KILL
  # whoever was in the queues of the others had bad luck; from now on all get an answer
  wait_until share_is '[.sockets[].holders]' '[1]'
  they_answer 8080 "$SERVER"
}

@test "SO_REUSEPORT: all are held while no process is there, and all are taken again" {
  serve SKL_SHARE=web SKL_HOLD=60s -- -r 3 127.0.0.1 8080
  stop "$SERVER" KILL
  sleep 3 # longer than a left-over one is kept
  share_is '[.sockets[].holders]' '[0,0,0]'
  serve SKL_SHARE=web SKL_HOLD=60s -- -r 3 127.0.0.1 8080
  share_is '[.sockets[].holders]' '[1,1,1]'
  they_answer 8080 "$SERVER"
}

@test "skl detach ends the coverage and leaves the share" {
  serve SKL_SHARE=web SKL_PORTS=7 -- 127.0.0.1 8080
  ns "$SKL" detach "$(ns "$SKL" status -j | jq '.listeners[0].id')"
  wait_refused 127.0.0.1 7
  they_answer 8080 "$SERVER"
  share_is .name '"web"'
}
