#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The policy file: what it grants, and no more; while the helper runs, too.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/policy
  skl_setup
}

teardown() {
  skl_teardown
}

@test "a low port by a grant for the user just works; others are told which file would grant it" {
  policy <<'.'
[web]
users = 1001
ports = 80,443
.
  start_helper --mode 0666 --policy "$POLICY"
  run_as 1001 SKL_PORTS=80,443,8081 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 80
  answers 127.0.0.1 80 443 8080 8081
  wait_log "covers tcp port 80 on 127.0.0.1/32, by [web]" "$T/helper.log"
  logged "covers tcp port 443 on 127.0.0.1/32, by [web]"
  grep -q 'covers tcp port 8081 on 127.0.0.1/32$' "$T/helper.log"
  denied EACCES 1002 SKL_PORTS=81
  says "tcp port 81: Permission denied: uid 1002 may not cover ports below 1024 (grant it in $POLICY)"
  denied EACCES 1001 SKL_PORTS=81
  logged "uid 1002 pid" "refused: tcp port 81: Permission denied: uid 1002 may not cover"
}

@test "by group: the process's own and its further ones, as they were when it asked" {
  policy <<'.'
[web]
groups = 33, 2000
ports = 80
.
  start_helper --mode 0666 --policy "$POLICY"
  granted 33 SKL_PORTS=80
  granted 1001:5,33,6 SKL_PORTS=80
  granted 2000 SKL_PORTS=80
  denied EACCES 1001:5,34,6 SKL_PORTS=80
  denied EACCES 1001 SKL_PORTS=80
  granted "1001:$(seq -s, 5000 5500),2000" SKL_PORTS=80 # more groups than anything small has room for
}

@test "by name, too" {
  policy <<'.'
[web]
users = nobody
groups = www-data
ports = 80
.
  start_helper --mode 0666 --policy "$POLICY"
  granted "$(id -u nobody)" SKL_PORTS=80
  granted "1001:$(getent group www-data | cut -d: -f3)" SKL_PORTS=80
  denied EACCES 1001 SKL_PORTS=80
}

@test "several grants add up, a range must be covered by them as a whole, * is what one may have of it" {
  local other

  policy <<'.'
[a]
users = 1001
ports = 20-22,25
[b]
groups = 1001
ports = 1000-1023
[c]
users = 1002
ports = 30-40
.
  start_helper --mode 0666 --policy "$POLICY"
  granted 1001 SKL_PORTS=21-22,1000-2000
  granted 1001 SKL_PORTS=25
  denied EACCES 1001 SKL_PORTS=20-23
  says "port 23"
  denied EACCES 1001 SKL_PORTS=30
  run_as 1001 'SKL_PORTS=*' -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 1000
  answers 127.0.0.1 20 21 22 1000 1023 1024 65535
  refused 127.0.0.1 19 23 25 30 999
  wait_log "less granted ports that stand alone"
  # and it gives way there as anywhere
  spawn "$BUILD/tests/srv-listen" plain 22
  other=$SPAWNED
  wait_until is_of "$other" 127.0.0.1 22
  answers 127.0.0.1 21
}

@test "protocols" {
  policy <<'.'
[dns]
users = 1001
ports = 53
protocols = udp
.
  start_helper --mode 0666 --policy "$POLICY"
  denied EACCES 1001 SKL_PORTS=53/tcp
  run_as 1001 SKL_PORTS=53/udp -- "$BUILD/tests/udp-serve" echo 5353
  wait_udp 127.0.0.1 53
  udp_echoes 127.0.0.1 53 5353
  logged "covers udp port 53 on 127.0.0.1/32, by [dns]"
}

@test "addresses: inside the CIDRs of the grant, and nowhere else" {
  policy <<'.'
[web]
users = 1001
ports = 80-89
cidrs = 127.1.0.0/16 ::1
.
  start_helper --mode 0666 --policy "$POLICY"
  run_as 1001 SKL_BIND='127.1.2.0/24:80,82-85 127.1.3.4:81' -- "$BUILD/tests/srv-listen" plain 8080 0.0.0.0
  wait_port 127.1.2.3 80
  answers 127.1.2.200 80 83
  answers 127.1.3.4 81
  refused 127.1.3.4 80
  refused 127.0.0.1 80
  denied EACCES 1001 SKL_PORTS=80
  says "[web] grants port 80 to uid 1001 on 127.1.0.0/16 and others, not on 127.0.0.1/32" "SKL_BIND" "line 1 of $POLICY"
  denied EACCES 1001 SKL_BIND=127.0.0.0/8:80
  granted 1001 SKL_BIND=127.0.0.0/8:8088 # which is free anyway
}

@test "takeover: a port of another user's socket, while the coverage lasts" {
  local other

  policy <<'.'
[web]
users = 1001
ports = 80,7000
takeover = yes
[too]
users = 1001
ports = 81
.
  start_helper --mode 0666 --policy "$POLICY"
  for port in 80 81 7000; do
    spawn "$BUILD/tests/srv-listen" plain $port
    wait_listen $port
  done
  other=$SPAWNED
  denied EADDRINUSE 1001 SKL_PORTS=81
  denied EADDRINUSE 1002 SKL_PORTS=7000
  run_as 1001 SKL_PORTS=80,7000 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until is_of "$SPAWNED" 127.0.0.1 80
  is_of "$SPAWNED" 127.0.0.1 7000
  stop "$SPAWNED"
  wait_until is_of "$other" 127.0.0.1 7000
}

@test "takeover: a port that another user covers is his no more; also after a restart of the helper" {
  local victim thief

  policy <<'.'
[web]
users = 1001
ports = 7000,7001
takeover = yes
.
  start_helper --mode 0666 --policy "$POLICY"
  run_as 1002 SKL_PORTS=7000-7001,7002,7001,7000 -- "$BUILD/tests/srv-listen" plain 8082
  victim=$SPAWNED
  wait_port 7000
  is_of "$victim" 127.0.0.1 7000
  run_as 1001 SKL_PORTS=7000,7001 -- "$BUILD/tests/srv-listen" plain 8081
  thief=$SPAWNED
  wait_until is_of "$thief" 127.0.0.1 7000
  is_of "$thief" 127.0.0.1 7001
  is_of "$victim" 127.0.0.1 7002
  is_of "$victim" 127.0.0.1 8082
  logged "(srv-listen, uid 1002): loses tcp port 7000 on 127.0.0.1/32: uid 1001 took it over, by [web]" \
    "(srv-listen, uid 1002): loses tcp port 7001 on 127.0.0.1/32"
  [ "$(ns "$SKL" status -j | jq '[.listeners[] | select(.uid == 1002).bindings[] | select(.first == .last)] | length')" -eq 1 ]
  stop_helper
  start_helper --mode 0666 --policy "$POLICY"
  is_of "$thief" 127.0.0.1 7000
  # who has lost it does not take it back by asking again
  denied EADDRINUSE 1002 SKL_PORTS=7000
  is_of "$thief" 127.0.0.1 7000
  # the range that it has besides gets the port when it is free again
  stop "$thief"
  wait_until is_of "$victim" 127.0.0.1 7000
}

@test "takeover: a claim that is refused has taken nothing" {
  local victim

  policy <<'.'
[web]
users = 1001
ports = 7000
takeover = yes
.
  start_helper --mode 0666 --policy "$POLICY"
  run_as 1002 SKL_PORTS=7000,7001 -- "$BUILD/tests/srv-listen" plain 8082
  victim=$SPAWNED
  wait_port 7000
  denied EADDRINUSE 1001 SKL_PORTS=7000,7001
  denied EACCES 1001 SKL_PORTS=7000,80
  is_of "$victim" 127.0.0.1 7000
  run grep loses "$T/helper.log"
  [ "$status" -eq 1 ]
  granted 1001 SKL_PORTS=7000
  logged "loses tcp port 7000"
}

@test "takeover: a UDP port that another user's covered socket is bound to" {
  policy <<'.'
[dns]
users = 1001
ports = 5300
takeover = yes
.
  start_helper --mode 0666 --policy "$POLICY"
  run_as 1002 SKL_PORTS=5301 -- "$BUILD/tests/udp-serve" echo 5300
  wait_udp 127.0.0.1 5301
  local victim=$SPAWNED thief
  [ "$(udp_who 127.0.0.1 5300)" = "$victim" ]
  run_as 1001 SKL_PORTS=5300 -- "$BUILD/tests/udp-serve" echo 5400
  thief=$SPAWNED
  wait_udp 127.0.0.1 5400
  wait_until udp_is_of "$thief" 127.0.0.1 5300
  udp_is_of "$victim" 127.0.0.1 5301
  udp_echoes 127.0.0.1 5300 5400 5301
  stop "$thief"
  wait_until udp_is_of "$victim" 127.0.0.1 5300
}

udp_is_of() {
  [[ $(udp_who "$2" "$3") == "$1" ]]
}

@test "routes: a prefix becomes local for a user without any privilege, while he covers it" {
  policy <<'.'
[net]
users = 1001
cidrs = 192.0.2.0/24 2001:db8::/64
routes = yes
.
  start_helper --mode 0666 --policy "$POLICY"
  run_as 1001 SKL_PORTS=8081 SKL_CIDRS=192.0.2.0/25,2001:db8::/64,198.51.100.0/24 -- \
    "$BUILD/tests/srv-listen" plain 8080 ::
  wait_port 192.0.2.77 8081
  [[ $(ask 192.0.2.77 8081) == *"reached ::ffff:192.0.2.77 port 8081" ]]
  [[ $(ask 192.0.2.77 8080) == *"reached ::ffff:192.0.2.77 port 8080" ]]
  answers 2001:db8::77 8081
  wait_log "198.51.100.0/24: is not local here"
  run ns ip -4 route show table local
  says "local 192.0.2.0/25 dev lo"
  [[ $output != *198.51.100* ]]
  run ns ip -6 route show table local
  says "local 2001:db8::/64 dev lo"
  # a wider one than is granted, and another user's
  run claim_as 1001 SKL_BIND=192.0.2.0/23:7000
  says "192.0.2.0/23: is only in part local here"
  run claim_as 1002 SKL_BIND=192.0.2.128/25:7000
  says "192.0.2.128/25: is not local here"
  stop "$SPAWNED"
  wait_until no_routes_of_ours
}

no_routes_of_ours() {
  [[ -z $(ns ip route show table local proto 83)$(ns ip -6 route show table local proto 83) ]]
}

@test "reload: a new grant holds at once; what was granted before stays when its grant goes" {
  policy <<'.'
[web]
users = 1001
ports = 80
.
  start_helper --mode 0666 --policy "$POLICY"
  logged "$POLICY: in force, with 1 grants"
  run_as 1001 SKL_PORTS=80 -- "$BUILD/tests/srv-listen" signals 8080
  wait_port 80
  denied EACCES 1001 SKL_PORTS=81
  policy <<'.'
[web]
users = 1001
ports = 81
.
  denied EACCES 1001 SKL_PORTS=81 # not before it is told
  reload
  granted 1001 SKL_PORTS=81
  denied EACCES 1001 SKL_BIND=127.0.0.9:80
  answers 127.0.0.1 80 8080
  kill -USR2 "$SPAWNED" # it calls listen() again, and would end if that failed
  sleep 0.3
  answers 127.0.0.1 80 8080
}

@test "reload: a bad file is said with its lines, and what was in force stays" {
  local fds

  policy <<'.'
[web]
users = 1001
ports = 80
.
  start_helper --mode 0666 --policy "$POLICY"
  granted 1001 SKL_PORTS=80
  fds=$(helper_fds)
  policy <<'.'
[web]
users = 1001
ports = 81,http
what = this
.
  reload
  logged "$POLICY:3: \"http\" is not a port" "$POLICY:4: \"what\" is no key" \
    "$POLICY: not taken: what was in force before stays"
  granted 1001 SKL_PORTS=80
  denied EACCES 1001 SKL_PORTS=81
  chmod 666 "$POLICY"
  reload
  logged "$POLICY: has mode 0666, so others than its owner may write it: chmod go-w $POLICY"
  rm "$POLICY"
  reload
  logged "$POLICY: No such file or directory"
  granted 1001 SKL_PORTS=80
  helper_is_well "$fds"
}

@test "a bad file at start: all its mistakes, and no helper" {
  policy <<'.'
users = alice
[web]
users = no-such-user-here
ports = 0
.
  run ns timeout 10 "$BUILD/sklhelper" --policy "$POLICY"
  [ "$status" -eq 1 ]
  says "$POLICY:1: \"users\" stands before the first section" \
    "$POLICY:3: there is no user \"no-such-user-here\"" "$POLICY:4: \"0\": ports begin at 1" \
    "$POLICY: not taken: does not start with it"
  [ ! -e "/proc/$HOLDER/root/run/skl/helper.sock" ]
  [ -z "$(in_ns)" ] # nor its broker
}

@test "a file that somebody else may have written, or that is none, is not believed" {
  policy <<<''
  chown 1001 "$POLICY"
  run ns timeout 10 "$BUILD/sklhelper" --policy "$POLICY"
  [ "$status" -eq 1 ]
  says "$POLICY: belongs to uid 1001, who may not grant anything: chown root $POLICY"
  chown 0 "$POLICY"
  chmod 664 "$POLICY"
  run ns timeout 10 "$BUILD/sklhelper" --policy "$POLICY"
  [ "$status" -eq 1 ]
  says "has mode 0664"
  run ns timeout 10 "$BUILD/sklhelper" --policy "$T"
  [ "$status" -eq 1 ]
  says "$T: is no regular file"
  mkfifo "$T/fifo"
  run ns timeout 10 "$BUILD/sklhelper" --policy "$T/fifo"
  [ "$status" -eq 1 ]
  says "is no regular file"
  run ns timeout 10 "$BUILD/sklhelper" --policy "$T/none"
  [ "$status" -eq 1 ]
  says "$T/none: No such file or directory"
}

# With an /etc of the test's own.
private_etc() {
  # shellcheck disable=SC2016 # for the inner shell
  ns sh -c 'mkdir /run/etc && cp -a /etc/. /run/etc && mount --bind /run/etc /etc && rm -rf /etc/skl && mkdir /etc/skl'
}

@test "the default file is read where there is one, and may be missing" {
  private_etc
  start_helper --mode 0666
  denied EACCES 1001 SKL_PORTS=80
  says "(grant it in /etc/skl/policy.conf)"
  printf '[web]\nusers = 1001\nports = 80\n' | ns tee /etc/skl/policy.conf
  reload
  granted 1001 SKL_PORTS=80
  run ns "$SKL" doctor --policy 1001 80/tcp
  [ "$status" -eq 0 ]
  says "granted by [web], /etc/skl/policy.conf line 1"
  ns rm /etc/skl/policy.conf
  reload
  logged "/etc/skl/policy.conf: not there: nothing is granted any more"
  denied EACCES 1001 SKL_PORTS=80
  run ns "$SKL" doctor --policy 1001 80/tcp
  [ "$status" -eq 1 ]
  run ns "$BUILD/sklhelper" --check-policy
  [ "$status" -eq 0 ]
  says "/etc/skl/policy.conf: not there: nothing is granted beyond what bind() allows"
}

@test "--check-policy says what each line grants, and each mistake by its line" {
  policy <<'.'
; a comment
[web]
users = nobody, 1001
groups = www-data
ports = 80,8000-8099
cidrs = 192.0.2.0/24
takeover = yes
[default]
listeners = 7
.
  run ns "$BUILD/sklhelper" --check-policy --policy "$POLICY"
  [ "$status" -eq 0 ]
  says "$POLICY:2: [web]: a grant" "$POLICY:3: is for the users nobody (uid $(id -u nobody)), uid 1001" \
    "$POLICY:4: is for every process with one of the groups www-data" \
    "$POLICY:5: ports that may be covered: 80, 8000-8099" "$POLICY:6: only on these addresses: 192.0.2.0/24" \
    "$POLICY:7: a single one of these ports may be taken" "$POLICY:9: quota of each of these users: 7 listeners" \
    "everybody else: 7 listeners, 4096 bindings, 200 requests-per-second, 32 connections"
  printf 'ports = x\n[empty]\n' >>"$POLICY"
  run ns "$BUILD/sklhelper" --check-policy --policy "$POLICY"
  [ "$status" -eq 1 ]
  says "$POLICY:5: ports that may be covered" "$POLICY:10: mistake: ports in [default]" \
    "$POLICY:11: mistake: [empty] names nobody" "$POLICY:11: mistake: [empty] grants nothing" "3 mistakes"
  [ ! -e "/proc/$HOLDER/root/run/skl" ] # it does nothing else
  chown 4001 "$POLICY"
  run ns "$BUILD/sklhelper" --check-policy --policy "$POLICY"
  [ "$status" -eq 1 ]
  says "mistake: belongs to uid 4001"
  run ns "$BUILD/sklhelper" --check-policy --policy "$T/none"
  [ "$status" -eq 1 ]
}

@test "the example is a good policy" {
  policy <"$ROOT/examples/policy.conf"
  # its users and groups are no users here
  sed -i 's/alice/nobody/' "$POLICY"
  run ns "$BUILD/sklhelper" --check-policy --policy "$POLICY"
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "skl doctor says what the helper does" {
  local who port cidr said verdict helper n=0

  policy <<'.'
[web]
users = 1001
ports = 80-82,443
protocols = tcp
cidrs = 127.0.0.0/16 ::1
[mail]
groups = 33
ports = 25
[all]
users = 1002
ports = *
.
  start_helper --mode 0666 --policy "$POLICY"
  for who in 1001 1002 1003 33; do
    for port in 25 80 81-82 82-83 443 79 1023-1030 8080 '*'; do
      for cidr in 127.0.0.1 127.0.5.0/24 127.0.0.0/8; do
        run ns "$SKL" doctor --policy "$who" --file "$POLICY" "$port/tcp" "$cidr"
        verdict=$status said=$output
        run claim_as "$who" "SKL_BIND=$cidr:$port"
        case $output in
          0*) helper=0 ;;
          EACCES*) helper=1 ;;
          *) helper=$output ;;
        esac
        if [[ $verdict != "$helper" || $said != "$who may"* ]]; then
          echo "$who $port $cidr: doctor $verdict: $said"
          echo "the helper: $output"
          return 1
        fi
        n=$((n + 1))
      done
    done
  done
  ((n == 108))
}

@test "skl doctor: the words, and how it is used" {
  policy <<'.'
; two
[web]
users = nobody
ports = 80
cidrs = 192.0.2.0/24
takeover = yes
routes = yes
.
  doctor() {
    run ns "$SKL" doctor --file "$POLICY" "$@"
    echo "$output"
  }
  doctor --policy nobody 80/tcp 192.0.2.0/24
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = "nobody may cover tcp port 80 on 192.0.2.0/24: granted by [web], $POLICY line 2" ]
  [ "${lines[1]}" = "nobody may take tcp port 80 over from another user who has it: granted by [web], $POLICY line 2" ]
  [ "${lines[2]}" = "a local route for 192.0.2.0/24 may be added for nobody: granted by [web], $POLICY line 2" ]
  doctor --policy nobody 80
  [ "$status" -eq 1 ]
  says "may not cover tcp port 80 on every address: [web], $POLICY line 2, grants port 80 on other addresses only: 192.0.2.0/24" \
    "may not cover udp port 80 on every address"
  doctor --policy nobody 81/udp 10.0.0.0/8
  [ "$status" -eq 1 ]
  [ "$output" = "nobody may not cover udp port 81 on 10.0.0.0/8: ports below 1024 need CAP_NET_BIND_SERVICE, and no grant in $POLICY names it" ]
  doctor --policy 4711 8080/tcp ::1
  [ "$status" -eq 0 ]
  [ "$output" = "4711 may cover tcp port 8080 on ::1/128: ports from 1024 on are anybody's" ]
  doctor --policy root 80/tcp
  [ "$status" -eq 0 ]
  says "has CAP_NET_BIND_SERVICE"
  ns sysctl -qw net.ipv4.ip_unprivileged_port_start=20
  doctor --policy 4711 21/tcp
  [ "$status" -eq 0 ]
  doctor --policy 4711 19/tcp
  [ "$status" -eq 1 ]

  doctor
  [ "$status" -eq 2 ]
  says "skl doctor --policy alice 80/tcp 192.0.2.0/24"
  doctor --policy
  [ "$status" -eq 2 ]
  doctor --policy nobody
  [ "$status" -eq 2 ]
  says "skl doctor --policy alice"
  doctor --policy nobody 80 10.0.0.0/8 x
  [ "$status" -eq 2 ]
  doctor --policy nobody http
  [ "$status" -eq 2 ]
  says "is not a port"
  doctor --policy nobody 80 nowhere
  [ "$status" -eq 2 ]
  says "not an address"
  doctor --policy no-such-user-here 80
  [ "$status" -eq 2 ]
  says 'there is no user "no-such-user-here"'
  echo nonsense >>"$POLICY"
  doctor --policy nobody 80
  [ "$status" -eq 2 ]
  says "$POLICY:8: this is neither"
  run ns "$SKL" doctor --policy nobody --file "$T/none" 80
  [ "$status" -eq 2 ]
  says "$T/none: No such file"
}
