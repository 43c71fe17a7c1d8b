#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# skl status PORT [ADDRESS]: what it says is what a connection gets.

setup() {
  load ../lib/skl
  skl_setup
}

teardown() {
  skl_teardown
}

# server PORT ADDRESS [VAR=VALUE...]: tells its pid to each client.
server() {
  local port=$1 address=$2

  shift 2
  run_shim "$@" -- "$BUILD/tests/srv-listen" plain "$port" "$address"
  wait_port "$([[ $address == 0.0.0.0 ]] && echo 127.0.0.1 || echo "$address")" "$port"
}

# agrees ADDRESS PORT: a connection reaches the process that the status names, or nobody where it names nobody.
agrees() {
  local said pid

  said=$(ns "$SKL" status "$2/tcp" "$1")
  if ! pid=$(ask "$1" "$2" 2>/dev/null); then
    [[ $said == "tcp port $2 on $1: nobody"* ]] || { echo "nobody answers, but: $said" && return 1; }
    return 0
  fi
  pid=${pid#srv-listen }
  pid=${pid%%:*}
  case $said in
    "tcp port $2 on $1: listener "*", pid $pid, "*) covered=$((covered + 1)) ;;
    "tcp port $2 on $1: a socket of "*", by the ordinary lookup"*) ordinary=$((ordinary + 1)) ;;
    *) echo "process $pid answers, but: $said" && return 1 ;;
  esac
}

@test "precedence: the answer names who gets the connection, for every region that rules and sockets make" {
  local address port covered=0 ordinary=0
  start_helper
  server 8001 0.0.0.0 "SKL_PORTS=700-799" SKL_CIDRS=127.0.0.0/8
  server 8002 127.0.0.1 "SKL_BIND=127.1.0.0/16:700-749 127.1.2.0/24:777 127.1.2.3:1-65535"
  server 8003 127.0.0.1 "SKL_BIND=127.1.0.0/16:710,720-729 127.1.2.0/24:700-799"
  server 8004 127.0.0.1 "SKL_BIND=127.9.0.0/16:*"
  run_shim -- "$BUILD/tests/srv-listen" plain 740 127.0.0.1
  wait_port 740
  run_shim -- "$BUILD/tests/srv-listen" plain 745 0.0.0.0
  wait_port 745
  sleep 1 # until ranges have given way
  for address in 127.0.0.1 127.1.0.1 127.1.2.1 127.1.2.3 127.9.9.9 127.200.0.1; do
    for port in 699 700 710 720 725 740 745 749 750 777 799 800 8001 8004; do
      agrees "$address" "$port"
    done
  done
  ((covered > 40 && ordinary > 5))
}

@test "the answer says why: prefix, range, who was first, who has it" {
  start_helper
  server 8001 0.0.0.0 SKL_PORTS=700-799
  server 8002 127.0.0.1 "SKL_BIND=127.0.0.0/8:777 0.0.0.0/0:750-760"
  run ns "$SKL" status 777/tcp 127.0.0.1
  [ "$status" -eq 0 ]
  says "tcp port 777 on 127.0.0.1: listener" "bound to 127.0.0.1:8002" "for tcp port 777 on 127.0.0.0/8" \
    "bound to 0.0.0.0:8001" "for tcp ports 700-799 on 0.0.0.0/0: its prefix is shorter"
  run ns "$SKL" status 755/tcp 127.0.0.1
  says "for tcp ports 750-760 on 0.0.0.0/0" "its range is wider"
  run ns "$SKL" status 8001/tcp 127.0.0.1
  [ "$output" = "tcp port 8001 on 127.0.0.1: a socket of root that is bound to every address, by the ordinary lookup" ]
  run ns "$SKL" status 9/tcp 127.0.0.1
  [ "$output" = "tcp port 9 on 127.0.0.1: nobody: nothing covers it, and nobody is bound there" ]
}

@test "without an address: every prefix that makes a difference, and the rest; both protocols" {
  start_helper
  server 8001 127.0.0.1 "SKL_BIND=127.1.0.0/16:777 127.1.2.0/24:777"
  run ns "$SKL" status 777
  [ "$status" -eq 0 ]
  says "tcp port 777 on 127.1.2.0/24: listener" "tcp port 777 on 127.1.0.0/16: listener" \
    "tcp port 777 on the rest of IPv4: nobody" "udp port 777: nobody"
  run ns "$SKL" status 8001/tcp
  [ "$output" = "tcp port 8001 on 127.0.0.1/32: a socket of root that is bound to 127.0.0.1, by the ordinary lookup" ]
}

@test "IPv6" {
  start_helper
  server 8001 ::1 "SKL_BIND=[::]/0:700-799"
  run ns "$SKL" status 777 ::1
  [ "$status" -eq 0 ]
  says "tcp port 777 on ::1: listener" "for tcp ports 700-799 on ::/0"
}

@test "mistakes" {
  for args in "x" "0" "70000" "7-8" "7 there" "7 127.0.0.0/8" "7 127.0.0.1 more" "-j 7"; do
    # shellcheck disable=SC2086 # some
    run ns "$SKL" status $args
    [ "$status" -eq 2 ]
  done
  run ns "$SKL" status 7
  [ "$status" -eq 1 ]
}
