#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Java makes every socket an IPv6 one, an address of IPv4 becomes ::ffff:a.b.c.d, and listen() is called in
# another thread than the first.

setup() {
  load ../lib/skl
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

# java_server [ARG...]
java_server() {
  run_shim SKL_PORTS=80,443 -- java -Xshare:auto -XX:TieredStopAtLevel=1 -Djava.io.tmpdir=/run/test \
    -XX:-UsePerfData "$TESTS/programs/Reached.java" "$@"
}

@test "java: a server on every address covers both families" {
  java_server 8080
  wait_port 127.0.0.1 443
  answers 127.0.0.1 8080 80 443
  [[ $(ask ::1 8080) == *" port 8080" ]]
  [[ $(ask ::1 80) == "reached 0:0:0:0:0:0:0:1"*" port 80" ]]
  stop "$SPAWNED"
  wait_refused ::1 80
  free 127.0.0.1 80 443
}

@test "java: a server bound to 127.0.0.1 covers that address only" {
  java_server 8080 127.0.0.1
  wait_port 127.0.0.1 443
  answers 127.0.0.1 8080 80 443
  refused ::1 80
  refused 127.0.0.2 80
  stop "$SPAWNED"
  free 127.0.0.1 80 443
}
