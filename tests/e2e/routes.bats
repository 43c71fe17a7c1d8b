#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Addresses that are not local yet: made so with the grant and for as long as they are used, else told how.

EADDRINUSE=98

setup() {
  load ../lib/skl
  load ../lib/udp
  skl_setup
  LISTEN=$BUILD/tests/srv-listen
  # shellcheck disable=SC2034 # by tables_are_clean
  BEFORE=$(tables)
}

teardown() {
  skl_teardown
}

# tables: what is local in the test's namespace, but for link-local addresses, which take their time.
tables() {
  ns ip -4 route show table local
  ns ip -6 route show table local | sed '/ fe80:/d'
}

tables_are_clean() {
  if [[ $(tables) != "$BEFORE" ]]; then
    diff <(echo "$BEFORE") <(tables)
    return 1
  fi
}

# ours PREFIX...: there is a route of ours for each, and no other.
ours() {
  local there

  there=$(tables | sed -n 's/^local \([^ ]*\) dev lo proto 83 .*/\1/p' | sort | xargs)
  if [[ $there != "$(printf '%s\n' "$@" | sort | xargs)" ]]; then
    echo "routes of ours: ${there:-none}"
    return 1
  fi
}

# routed PREFIX true|false: what status says of all bindings for it.
routed() {
  local said

  said=$(ns "$SKL" status -j | jq -c --arg prefix "$1" \
    '[.listeners[].bindings[] | select(.prefix == $prefix) | .routed] | unique')
  if [[ $said != "[$2]" ]]; then
    echo "status says that $1 is routed: $said"
    return 1
  fi
}

# as_user [VAR=VALUE...] -- PROGRAM [ARG...]: as run_shim, by a user without any privilege.
as_user() {
  local vars=()

  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    env "LD_PRELOAD=$SHIM" "${vars[@]}" "$@"
}

# up [ADDRESS] PORT: the program answers there, and so its claim is over; connections are made before it is.
up() {
  (($# > 1)) || set -- 127.0.0.1 "$1"
  wait_until answers "$1" "$2"
}

# still_there: the other namespace can talk to this one.
still_there() {
  local status=0

  far "$BUILD/tests/srv-ask" 198.51.100.1 9 || status=$?
  ((status == 111))
}

kill_helper() {
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
}

# as_user_looked ADDRESS PORT ARG...: as_user ARG... and up; once more where a busy machine was too slow for the helper to
# look at all prefixes in the time that an ordinary user's claim has.
as_user_looked() {
  local address=$1 port=$2

  shift 2
  for _ in {1..5}; do
    as_user "$@"
    up "$address" "$port"
    grep -q "was not looked at" "$LOG" || return 0
    stop "$SPAWNED"
    wait_until not_covered 8080
  done
  return 1
}

# remarked TEXT: the last program's log has this line from the shim.
remarked() {
  grep -qxF "libsklshim: $1" "$LOG" || {
    cat "$LOG"
    return 1
  }
}

silent() {
  run ! grep libsklshim "$LOG"
}

@test "with the grant: both families are reached, and nothing is left afterwards" {
  start_helper
  run_shim SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- "$LISTEN" plain 8080 ::
  up ::1 8080
  ours 192.0.2.0/24 2001:db8::/64
  answers 2001:db8::5 7 8080
  [[ $(ask 192.0.2.9 7) == *"reached ::ffff:192.0.2.9 port 7" ]]
  [[ $(ask 192.0.2.255 8080) == *"reached ::ffff:192.0.2.255 port 8080" ]]
  routed 192.0.2.0/24 true
  routed 2001:db8::/64 true
  routed 0.0.0.0/0 false
  silent
  stop "$SPAWNED"
  wait_until tables_are_clean
}

@test "a socket bound to one address, one bound to all without extra ports, UDP, SKL_BIND: each gets its route" {
  local programs=()
  start_helper
  run_shim SKL_CIDRS=192.0.2.0/28 -- "$LISTEN" plain 8080
  programs+=("$SPAWNED")
  run_shim SKL_CIDRS=192.0.2.16/28 -- "$LISTEN" plain 8081 0.0.0.0
  programs+=("$SPAWNED")
  run_udp SKL_CIDRS=192.0.2.32/28 -- echo 5353 0.0.0.0
  programs+=("$SPAWNED")
  run_shim 'SKL_BIND=192.0.2.48/28:7 192.0.2.64/28:8082 192.0.2.80/28:9/udp' -- "$LISTEN" plain 8082 0.0.0.0
  programs+=("$SPAWNED")
  up 8080
  up 8081
  up 8082
  ours 192.0.2.0/28 192.0.2.16/28 192.0.2.32/28 192.0.2.48/28 192.0.2.64/28
  answers 192.0.2.1 8080
  answers 192.0.2.17 8081
  udp_echoes 192.0.2.33 5353
  answers 192.0.2.49 7
  answers 192.0.2.65 8082
  stop "${programs[1]}"
  wait_until ours 192.0.2.0/28 192.0.2.32/28 192.0.2.48/28 192.0.2.64/28
  kill -KILL "${programs[@]}" || :
  wait_until tables_are_clean
}

@test "a route stays until its last user goes; one inside another is its own" {
  local first second third
  start_helper
  run_shim SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8080
  first=$SPAWNED
  run_shim SKL_PORTS=77 SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8081
  second=$SPAWNED
  up 8080
  up 8081
  ours 192.0.2.0/24
  run_shim SKL_CIDRS=192.0.2.128/25 -- "$LISTEN" plain 8082
  third=$SPAWNED
  up 8082
  ours 192.0.2.0/24 192.0.2.128/25
  stop "$first"
  wait_refused 127.0.0.1 8080
  wait_until not_covered 8080
  ours 192.0.2.0/24 192.0.2.128/25
  answers 192.0.2.9 77 8081
  stop "$second"
  wait_until ours 192.0.2.128/25
  answers 192.0.2.129 8082
  stop "$third"
  wait_until tables_are_clean
}

# not_covered PORT: no listener that is bound there is known any more.
not_covered() {
  ns "$SKL" status -j | jq -e --argjson port "$1" '[.listeners[] | select(.port == $port)] | length == 0'
}

@test "skl detach: of one user, of the other" {
  local id
  start_helper
  run_shim SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8080
  up 7
  run_shim 'SKL_BIND=192.0.2.0/24:9' -- "$LISTEN" plain 8081
  wait_until answers 192.0.2.1 9
  ns "$SKL" detach "$(ns "$SKL" status -j | jq '.listeners[] | select(.port == 8080) | .id')"
  answers 192.0.2.1 9
  ours 192.0.2.0/24
  id=$(ns "$SKL" status -j | jq '.listeners[] | select(.port == 8081) | .bindings[0].id')
  ns "$SKL" detach "$id"
  tables_are_clean
  answers 127.0.0.1 8080 8081
}

@test "a helper that is killed leaves the route to the next one, which takes it away in the end" {
  start_helper
  run_shim SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- "$LISTEN" plain 8080 ::
  local server=$SPAWNED
  up ::1 7
  kill_helper
  ours 192.0.2.0/24 2001:db8::/64
  answers 2001:db8::5 7
  start_helper
  wait_until routed 192.0.2.0/24 true
  ours 192.0.2.0/24 2001:db8::/64
  answers 2001:db8::5 7
  stop "$server"
  wait_until tables_are_clean
}

@test "one that is stopped does, too; and what ended meanwhile is taken away at once" {
  start_helper
  run_shim SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8080
  up 8080
  local first=$SPAWNED
  run_shim SKL_CIDRS=198.51.100.0/24 -- "$LISTEN" plain 8081
  up 8081
  stop_helper
  ours 192.0.2.0/24 198.51.100.0/24
  stop "$first"
  start_helper
  wait_until ours 198.51.100.0/24
  answers 198.51.100.7 8081
}

@test "after a restart what is missing comes back, and what nobody uses goes" {
  local i
  start_helper
  run_shim SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- "$LISTEN" plain 8080 ::
  up ::1 8080
  kill_helper
  # as if it had died between the record and the route, and the other way round
  ns ip route delete local 192.0.2.0/24 dev lo
  for i in {1..40}; do
    ns ip route add local "10.9.$i.0/24" dev lo proto 83
  done
  ns ip -6 route add local 2001:db8:9::/64 dev lo proto 83
  ns ip route add local 10.10.0.0/24 dev lo
  start_helper
  wait_until ours 192.0.2.0/24 2001:db8::/64
  [[ $(ask 192.0.2.9 8080) == *"reached ::ffff:192.0.2.9 port 8080" ]]
  ns ip route show table local | grep -q '^local 10.10.0.0/24 dev lo'
}

@test "a helper that is killed while it makes routes leaves none that the next one does not delete" {
  local list pause server
  list=$(printf '10.1.%d.0/24,' {1..99})2001:db8::/64
  for pause in 0.005 0.01 0.015 0.02 0.025 0.03 0.04; do
    start_helper
    run_shim SKL_ON_ERROR=warn SKL_PORTS=7 SKL_CIDRS="$list" -- "$LISTEN" plain 8080
    server=$SPAWNED
    sleep "$pause"
    kill_helper
    tables | grep -c 'proto 83' || :
    wait_port 8080
    start_helper
    stop "$server"
    wait_until tables_are_clean
    stop_helper
  done
}

@test "a helper that leaves takes the route along" {
  spawn "$SKL" run -p 7 -c 192.0.2.0/24 -- "$LISTEN" plain 8080
  up 192.0.2.9 7
  ours 192.0.2.0/24
  stop "$SPAWNED"
  wait_until helper_left
  tables_are_clean
}

@test "without the grant: the answer names the command; an administrator's route brings the coverage to life" {
  start_helper --mode 0666
  as_user_looked ::1 7777 SKL_PORTS=7777 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- "$LISTEN" plain 8080 ::
  remarked "192.0.2.0/24: is not local here, so no packet arrives (ip route add local 192.0.2.0/24 dev lo)"
  remarked "2001:db8::/64: is not local here, so no packet arrives (ip route add local 2001:db8::/64 dev lo)"
  tables_are_clean
  routed 192.0.2.0/24 false
  run ask 192.0.2.9 7777
  [ "$status" -eq 101 ] # ENETUNREACH
  # as it says
  ns ip route add local 192.0.2.0/24 dev lo
  ns ip route add local 2001:db8::/64 dev lo
  answers 2001:db8::5 7777 8080
  [[ $(ask 192.0.2.9 7777) == *"reached ::ffff:192.0.2.9 port 7777" ]]
  local with_routes
  with_routes=$(tables)
  stop "$SPAWNED"
  wait_until not_covered 8080
  [ "$(tables)" = "$with_routes" ]
  # and now there is nothing to be said
  as_user SKL_PORTS=7777 SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8080
  up 192.0.2.9 7777
  silent
}

@test "without the grant: skl run says it, too; UDP alike" {
  start_helper --mode 0666
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    "$SKL" run -p 7777 -c 192.0.2.1 -- "$BUILD/tests/udp-serve" echo 5353 0.0.0.0
  wait_udp 127.0.0.1 7777
  remarked "192.0.2.1/32: is not local here, so no packet arrives (ip route add local 192.0.2.1/32 dev lo)"
  ns ip route add local 192.0.2.1/32 dev lo
  udp_echoes 192.0.2.1 7777 5353
}

@test "what decides is CAP_NET_ADMIN over the namespace, not the user's number" {
  start_helper --mode 0666
  spawn setpriv --bounding-set=-net_admin --inh-caps=-net_admin -- \
    env "LD_PRELOAD=$SHIM" SKL_CIDRS=192.0.2.0/24 "$LISTEN" plain 8080
  up 8080
  remarked "192.0.2.0/24: is not local here, so no packet arrives (ip route add local 192.0.2.0/24 dev lo)"
  tables_are_clean
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=+net_admin --ambient-caps=+net_admin -- \
    env "LD_PRELOAD=$SHIM" SKL_CIDRS=192.0.2.0/24 "$LISTEN" plain 8081
  up 8081
  silent
  ours 192.0.2.0/24
}

@test "rootless: its own root gets routes there, and nowhere else" {
  local LOG
  start_helper --mode 0666
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    unshare --user --map-root-user --net -- sh -c 'ip link set lo up && echo up && exec sleep infinity'
  local rootless=$SPAWNED
  wait_log up
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    nsenter --target "$rootless" --user --net --preserve-credentials -- \
    env "LD_PRELOAD=$SHIM" SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 "$LISTEN" plain 8080 ::
  wait_until in_netns "$rootless" "$BUILD/tests/srv-ask" 192.0.2.9 7
  [[ $(in_netns "$rootless" "$BUILD/tests/srv-ask" 2001:db8::5 8080) == *"reached 2001:db8::5 port 8080" ]]
  silent
  tables_are_clean
  stop "$SPAWNED"
  wait_until not_covered 8080
  [ -z "$(in_netns "$rootless" ip route show table all proto 83)" ]
  # as root there, with a socket of the namespace that is not its own
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    nsenter --target "$rootless" --user --preserve-credentials -- \
    env "LD_PRELOAD=$SHIM" SKL_CIDRS=192.0.2.0/24 "$LISTEN" plain 8080
  up 8080
  remarked "192.0.2.0/24: is not local here, so no packet arrives (ip route add local 192.0.2.0/24 dev lo)"
  tables_are_clean
}

@test "routes of others are left alone, whatever their protocol, before and after" {
  local with_routes
  start_helper
  ns ip route add local 192.0.2.0/24 dev lo
  ns ip -6 route add local 2001:db8::/48 dev lo proto static
  with_routes=$(tables)
  run_shim SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24,192.0.2.128/25,2001:db8::/64 -- "$LISTEN" plain 8080 ::
  up ::1 7
  silent
  routed 192.0.2.0/24 false
  answers 2001:db8::5 7
  [ "$(tables)" = "$with_routes" ]
  stop "$SPAWNED"
  wait_until not_covered 8080
  [ "$(tables)" = "$with_routes" ]
  # one that takes the place of ours while it is used
  run_shim SKL_CIDRS=198.51.100.0/24 -- "$LISTEN" plain 8080
  up 8080
  ours 198.51.100.0/24
  ns ip route replace local 198.51.100.0/24 dev lo
  with_routes=$(tables)
  stop "$SPAWNED"
  wait_until not_covered 8080
  [ "$(tables)" = "$with_routes" ]
}

@test "what is local needs no route, and no word" {
  start_helper --mode 0666
  ns ip address add 198.51.100.1/24 dev lo
  ns ip -6 address add 2001:db8::1/128 dev lo
  BEFORE=$(tables)
  # two halves of 10.1.0.0/16; a /24 with a hole in it: a broadcast address
  ns ip route add local 10.1.0.0/17 dev lo
  ns ip route add local 10.1.128.0/17 dev lo
  ns ip route add local 10.2.0.0/24 dev lo
  ns ip route add broadcast 10.2.0.0/32 dev lo table local
  local with_routes
  with_routes=$(tables)
  as_user_looked ::1 8080 \
    SKL_CIDRS=127.0.0.0/8,127.3.0.0/16,198.51.100.1,2001:db8::1,::1,10.1.0.0/16,10.2.0.0/24,0.0.0.0/0,::/0 -- \
    "$LISTEN" plain 8080 ::
  silent
  run_shim SKL_CIDRS=127.0.0.0/8,127.3.0.0/16,198.51.100.1,2001:db8::1,::1,10.1.0.0/16,10.2.0.0/24,0.0.0.0/0,::/0 -- \
    "$LISTEN" plain 8081 ::
  up ::1 8081
  silent
  [ "$(tables)" = "$with_routes" ]
}

@test "what is local in part is told so" {
  start_helper --mode 0666
  ns ip route add local 192.0.2.64/28 dev lo
  as_user SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8080
  up 8080
  remarked "192.0.2.0/24: is only in part local here, and for the rest no packet arrives (ip route add local 192.0.2.0/24 dev lo)"
  answers 192.0.2.65 8080
}

@test "no route takes too much: half of all addresses, multicast, link-local" {
  start_helper
  run_shim SKL_CIDRS=0.0.0.0/1,224.0.0.0/8,fe80::/16 -- "$LISTEN" plain 8080 ::
  up ::1 8080
  tables_are_clean
  remarked "0.0.0.0/1: is not local here, so no packet arrives (and no route is made for a prefix of this kind)" ||
    remarked "0.0.0.0/1: is only in part local here, and for the rest no packet arrives (and no route is made for a prefix of this kind)"
  remarked "224.0.0.0/8: is not local here, so no packet arrives (and no route is made for a prefix of this kind)"
  remarked "fe80::/16: is not local here, so no packet arrives (and no route is made for a prefix of this kind)"
}

@test "no route cuts off the network of an interface, or a gateway; a smaller prefix is fine" {
  start_helper
  far_up
  BEFORE=$(tables)
  ns ip route add 203.0.113.0/24 via 198.51.100.2
  ns ip route add default via 198.51.100.2
  ns ip -6 route add default via fd00:51::2
  run_shim SKL_PORTS=7 SKL_CIDRS=198.51.0.0/16,198.51.100.0/30,203.0.113.0/24 -- "$LISTEN" plain 8080
  up 7
  remarked "198.51.0.0/16: is only in part local here, and for the rest no packet arrives (a route for all of it would cut off 198.51.100.0/24: name smaller prefixes)"
  remarked "198.51.100.0/30: is only in part local here, and for the rest no packet arrives (a route for all of it would cut off 198.51.100.2/32: name smaller prefixes)"
  remarked "203.0.113.0/24: is not local here, so no packet arrives (a route for all of it would cut off 203.0.113.0/24: name smaller prefixes)"
  tables_are_clean
  run_shim SKL_PORTS=7 SKL_CIDRS=fd00:51::/64,fd00:51::/48 -- "$LISTEN" plain 8081 ::1
  up ::1 7
  grep -q "fd00:51::/64: .* cut off fd00:51::/64" "$LOG"
  grep -q "fd00:51::/48: .* cut off fd00:51::/64" "$LOG"
  tables_are_clean
  still_there
  # a part of that network which nobody there has: neighbours are told by ARP that it is here
  run_shim SKL_PORTS=77 SKL_CIDRS=198.51.100.128/25,203.0.113.7 -- "$LISTEN" plain 8082
  up 77
  silent
  ours 198.51.100.128/25 203.0.113.7
  [[ $(far "$BUILD/tests/srv-ask" 198.51.100.200 77) == *"reached 198.51.100.200 port 77" ]]
  still_there
}

@test "a route gives way within a second to a network that comes after it" {
  start_helper
  run_shim SKL_PORTS=7 SKL_CIDRS=198.51.100.0/24,fd00:51::/48,192.0.2.0/24,203.0.113.0/24 -- "$LISTEN" plain 8080 ::
  up ::1 7
  ours 198.51.100.0/24 fd00:51::/48 192.0.2.0/24 203.0.113.0/24
  far_up
  wait_until ours 192.0.2.0/24 203.0.113.0/24
  routed 198.51.100.0/24 false
  routed 192.0.2.0/24 true
  [[ $(far "$BUILD/tests/srv-ask" 198.51.100.1 7) == *"reached ::ffff:198.51.100.1 port 7" ]]
  [[ $(far "$BUILD/tests/srv-ask" fd00:51::1 7) == *"reached fd00:51::1 port 7" ]]
  ns ip route add 203.0.113.64/26 via 198.51.100.2
  wait_until ours 192.0.2.0/24
}

@test "an interface's own address inside the prefix is not cut off: IPv6 has a route for it, too" {
  start_helper
  far_up
  ns ip address add 2001:db8::7/128 dev skl0 nodad
  run_shim SKL_PORTS=7 SKL_CIDRS=2001:db8::/64 -- "$LISTEN" plain 8080 ::
  up ::1 7
  silent
  ours 2001:db8::/64
  answers 2001:db8::7 7
  answers 2001:db8::8 7
}

@test "a range reached from another namespace: TCP and UDP, both families, with strict reverse path filters" {
  start_helper
  far_up
  BEFORE=$(tables)
  ns sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.skl0.rp_filter=1
  far sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.skl1.rp_filter=1
  far ip route add 192.0.2.0/24 via 198.51.100.1
  far ip route add 2001:db8::/64 via fd00:51::1
  run_shim SKL_PORTS=7,77 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- "$LISTEN" plain 8080 ::
  local tcp=$SPAWNED
  run_udp SKL_PORTS=7,77 SKL_CIDRS=192.0.2.0/24,2001:db8::/64 -- echo 5353 ::
  local udp=$SPAWNED
  up ::1 7
  [[ $(far "$BUILD/tests/srv-ask" 192.0.2.1 7) == "srv-listen $tcp: you reached ::ffff:192.0.2.1 port 7" ]]
  [[ $(far "$BUILD/tests/srv-ask" 192.0.2.255 8080) == "srv-listen $tcp: you reached ::ffff:192.0.2.255 port 8080" ]]
  [[ $(far "$BUILD/tests/srv-ask" 2001:db8::abcd 77) == "srv-listen $tcp: you reached 2001:db8::abcd port 77" ]]
  far "$BUILD/tests/udp-ask" 192.0.2.1 5353 7 77
  far "$BUILD/tests/udp-ask" -u 192.0.2.200 5353 7 77
  far "$BUILD/tests/udp-ask" -s 9000 192.0.2.200 7
  far "$BUILD/tests/udp-ask" 2001:db8::abcd 5353 7 77
  far "$BUILD/tests/udp-ask" -u 2001:db8::1 5353 7 77
  far "$BUILD/tests/udp-ask" -s 9000 2001:db8::1 7
  stop "$tcp"
  far "$BUILD/tests/udp-ask" 192.0.2.1 7
  ours 192.0.2.0/24 2001:db8::/64
  stop "$udp"
  wait_until tables_are_clean
}

@test "a refused claim leaves no route" {
  start_helper
  run_shim SKL_PORTS=7 -- "$LISTEN" plain 8080
  up 7
  run shim SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8081
  [ "$status" -eq $EADDRINUSE ]
  tables_are_clean
}

@test "a route that cannot be made is remarked with the reason, and the coverage is granted all the same" {
  start_helper
  ns sysctl -qw net.ipv6.conf.lo.disable_ipv6=1
  ns ip route add local 192.0.2.0/24 dev lo
  ns ip route replace broadcast 192.0.2.0/24 dev lo table local
  ns ip route delete local 192.0.2.0/24 dev lo 2>/dev/null || :
  run_shim SKL_PORTS=7 SKL_CIDRS=192.0.2.0/24 -- "$LISTEN" plain 8080
  up 7
  remarked "192.0.2.0/24: is not local here, so no packet arrives, and a route could not be added: File exists (ip route add local 192.0.2.0/24 dev lo)"
  routed 192.0.2.0/24 false
}

@test "routes have a limit, and remarks an end" {
  local list
  start_helper
  list=$(printf '10.1.%d.0/24,' {0..199})$(printf '10.2.%d.0/24,' {0..79})10.3.0.0/24
  run_shim SKL_CIDRS="$list" -- "$LISTEN" plain 8080
  up 8080
  (($(tables | grep -c 'proto 83') == 256))
  grep -q '^libsklshim: 10.2.56.0/24: .*could not be added: Too many open files' "$LOG"
  (($(grep -c ^libsklshim "$LOG") == 4))
  answers 10.1.0.1 8080
  answers 10.2.55.1 8080
  stop "$SPAWNED"
  wait_until tables_are_clean
}

@test "a namespace with routes is not kept alive by the helper" {
  start_helper
  new_netns
  spawn nsenter --target "$NEW" --net -- env "LD_PRELOAD=$SHIM" SKL_CIDRS=192.0.2.0/24 "$LISTEN" plain 8080
  wait_until in_netns "$NEW" "$BUILD/tests/srv-ask" 192.0.2.9 8080
  # its device's other end shows when the namespace is really destroyed
  ns ip link add skl0 type veth peer name skl1 netns "$NEW"
  kill -KILL "$SPAWNED" "$NEW"
  wait_until no_device skl0
}

no_device() {
  ! ns ip link show "$1"
}
