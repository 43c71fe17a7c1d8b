#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Ports that somebody else has, and ports that one may not have: nobody gets what bind() would have refused.

EACCES=13
EADDRINUSE=98

setup() {
  load ../lib/skl
  skl_setup
}

teardown() {
  skl_teardown
}

# An ordinary server, without the shim; OTHER is its pid.
other() {
  spawn "$BUILD/tests/srv-listen" plain "$@"
  OTHER=$SPAWNED
  wait_listen "$1"
}

# claim VAR=VALUE... : the server that asks; 8080 on 127.0.0.1.
claim() {
  run_shim "$@" -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 8080
}

claim_refused() {
  run shim "$@" -- "$BUILD/tests/srv-listen" plain 8080
}

# whose ADDRESS PORT: the pid of the server that answers there.
whose() {
  ask "$1" "$2" | sed -n 's/^srv-listen \([0-9]*\):.*/\1/p'
}

@test "an exact port that another server is bound to: EADDRINUSE" {
  start_helper
  other 7
  claim_refused SKL_PORTS=7,77
  [ "$status" -eq $EADDRINUSE ]
  says libsklshim: "port 7" "in use"
  refused 127.0.0.1 77 8080
  [ "$(whose 127.0.0.1 7)" -eq "$OTHER" ]
  claim SKL_PORTS=7,77 SKL_ON_ERROR=warn
  answers 127.0.0.1 8080 7
  refused 127.0.0.1 77
  [ "$(whose 127.0.0.1 7)" -eq "$OTHER" ]
}

@test "an exact port that another user's server holds on every address: EADDRINUSE, also for root" {
  local everywhere holder
  start_helper
  for everywhere in 0.0.0.0 ::; do
    spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
      "$BUILD/tests/srv-listen" plain 7007 $everywhere
    holder=$SPAWNED
    wait_listen 7007
    claim_refused SKL_PORTS=7007
    [ "$status" -eq $EADDRINUSE ]
    says "port 7007" "uid 4001"
    [ "$(whose 127.0.0.1 7007)" -eq "$holder" ]
    stop "$holder"
  done
}

@test "a more precise address than that of one's own server is what this is for" {
  start_helper
  other 7 0.0.0.0
  claim SKL_PORTS=7
  wait_until test_whose "$SPAWNED" 7
  [ "$(whose 127.0.0.2 7)" -eq "$OTHER" ]
  stop "$SPAWNED"
  wait_until test_whose "$OTHER" 7
}

@test "a port that another holds on another address is free on one's own" {
  start_helper
  other 7 127.0.0.2
  claim SKL_PORTS=7
  wait_port 7
  answers 127.0.0.1 7
  answers 127.0.0.2 7
  [ "$(whose 127.0.0.2 7)" -eq "$OTHER" ]
  [ "$(whose 127.0.0.1 7)" -eq "$SPAWNED" ]
}

@test "an exact port that another server covers: EADDRINUSE" {
  start_helper
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8081
  wait_port 7
  local first=$SPAWNED
  claim_refused SKL_PORTS=7,77
  [ "$status" -eq $EADDRINUSE ]
  says "port 7" "in use"
  refused 127.0.0.1 77 8080
  [ "$(whose 127.0.0.1 7)" -eq "$first" ]
  claim SKL_PORTS=7,77 SKL_ON_ERROR=warn
  [ "$(whose 127.0.0.1 7)" -eq "$first" ]
  answers 127.0.0.1 8080 8081 7
}

@test "what another user covers is not to be had, also not more precisely" {
  start_helper --mode 0666
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" \
    SKL_PORTS=7000 SKL_CIDRS=127.0.0.0/24 "$BUILD/tests/srv-listen" plain 8081
  wait_port 127.0.0.9 7000
  local first=$SPAWNED
  run as 4002 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=7000 "$BUILD/tests/srv-listen" plain 8080 127.0.0.5
  [ "$status" -eq $EADDRINUSE ]
  says "port 7000"
  [ "$(whose 127.0.0.5 7000)" -eq "$first" ]
  [ "$(whose 127.0.0.9 7000)" -eq "$first" ]
}

@test "inside a range a held port is left out and named; its owner keeps it" {
  start_helper
  other 7005
  claim SKL_PORTS=7000-7010
  wait_port 7000
  wait_log 7005
  [ "$(whose 127.0.0.1 7005)" -eq "$OTHER" ]
  [ "$(whose 127.0.0.1 7004)" -eq "$SPAWNED" ]
  [ "$(whose 127.0.0.1 7006)" -eq "$SPAWNED" ]
  run ns "$SKL" status
  says 7000-7010 7005
}

@test "with * too, for bound and for covered ports" {
  start_helper
  other 22
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8081
  wait_port 7
  local seven=$SPAWNED
  claim 'SKL_PORTS=*'
  wait_port 60000
  wait_log 22
  answers 127.0.0.1 1 7 22 8080 8081 65535
  [ "$(whose 127.0.0.1 22)" -eq "$OTHER" ]
  [ "$(whose 127.0.0.1 7)" -eq "$seven" ]
  [ "$(whose 127.0.0.1 8081)" -eq "$seven" ]
  [ "$(whose 127.0.0.1 65535)" -eq "$SPAWNED" ]
  run ns "$SKL" status
  says "*" 22
}

@test "a wide binding gives way when somebody binds one of its ports later" {
  start_helper
  claim 'SKL_PORTS=*'
  wait_port 7005
  local wide=$SPAWNED
  [ "$(whose 127.0.0.1 7005)" -eq "$wide" ]
  other 7005
  sleep "${TESTS_SLOW:-1}" # a second
  [ "$(whose 127.0.0.1 7005)" -eq "$OTHER" ]
  [ "$(whose 127.0.0.1 7004)" -eq "$wide" ]
  run ns "$SKL" status
  says 7005
}

@test "an exact claim of the same user wins over its wide binding; that of another user does not" {
  start_helper --mode 0666
  claim 'SKL_PORTS=*'
  wait_port 7005
  local wide=$SPAWNED exact
  run_shim SKL_PORTS=7006 -- "$BUILD/tests/srv-listen" plain 8081
  exact=$SPAWNED
  wait_until test_whose "$exact" 7006
  [ "$(whose 127.0.0.1 7005)" -eq "$wide" ]
  run as 4001 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=7007 "$BUILD/tests/srv-listen" plain 8082
  [ "$status" -eq $EADDRINUSE ]
  says "port 7007"
  [ "$(whose 127.0.0.1 7007)" -eq "$wide" ]
  stop "$exact"
  wait_until test_whose "$wide" 7006
}

test_whose() {
  [[ $(whose 127.0.0.1 "$2") == "$1" ]]
}

@test "a low port needs the right to bind it: EACCES" {
  start_helper --mode 0666
  run as 4001 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=7007,22 "$BUILD/tests/srv-listen" plain 8080
  [ "$status" -eq $EACCES ]
  says libsklshim: "port 22" "Permission denied" "uid 4001" 1024
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" \
    SKL_PORTS=7007,22 SKL_ON_ERROR=warn "$BUILD/tests/srv-listen" plain 8080
  wait_port 8080
  answers 127.0.0.1 8080
  refused 127.0.0.1 22 7007
  wait_log "uid 4001"
}

@test "a low port inside a range or * needs it as well" {
  start_helper --mode 0666
  run as 4001 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=1000-2000 "$BUILD/tests/srv-listen" plain 8080
  if [ "$status" -ne $EACCES ]; then # refused as a whole, or left out and said: never given
    echo "status $status: $output"
    return 1
  fi
  says "uid 4001"
}

@test "a low port with CAP_NET_BIND_SERVICE" {
  start_helper --mode 0666
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all,+net_bind_service \
    --ambient-caps=+net_bind_service -- env "LD_PRELOAD=$SHIM" SKL_PORTS=22 "$BUILD/tests/srv-listen" plain 8080
  wait_port 22
  answers 127.0.0.1 22 8080
}

@test "a low port where the namespace lets everybody bind it" {
  start_helper --mode 0666
  ns sysctl -qw net.ipv4.ip_unprivileged_port_start=20
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" \
    SKL_PORTS=22 "$BUILD/tests/srv-listen" plain 8080
  wait_port 22
  answers 127.0.0.1 22 8080
  run as 4001 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=19 "$BUILD/tests/srv-listen" plain 8081
  [ "$status" -eq $EACCES ]
  says "port 19" "uid 4001"
}
