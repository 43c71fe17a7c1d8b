#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The ways in which programs come to a listening socket: tests/tools/srv-listen.c has them all.

setup() {
  load ../lib/skl
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

# works MODE [ADDRESS [PORTS]]: the bound port and the extra ones answer, each with its own number; the others
# do not; with the end of the program they are free.
works() {
  local mode=$1 address=${2:-127.0.0.1}

  run_shim SKL_PORTS=7,77,777 -- "$BUILD/tests/srv-listen" "$mode" 8080 "$address"
  wait_port "$address" 777
  answers "$address" 8080 7 77 777
  refused "$address" 8 8081
  end
  free "$address" 7 77 777
}

# Ends the program with all its processes.
end() {
  pkill -x srv-listen --ns "$HOLDER" --nslist net
  wait_until ended
}

ended() {
  ! pgrep -x srv-listen --ns "$HOLDER" --nslist net
}

@test "listen in the main thread" {
  works plain
}

@test "listen in another thread than bind" {
  works thread
}

@test "fork before everything" {
  works fork
}

@test "bind in the parent, listen in the child" {
  works split
}

@test "listen in a process that exits, while its child serves" {
  works daemon
}

@test "all descriptors above 2 are closed at start" {
  works closeall
}

@test "the listener is descriptor 0" {
  works stdin
}

@test "the environment is wiped before listen" {
  works noenv
}

@test "IPv6" {
  works plain ::1
}

@test "an IPv6 socket that serves both families covers both" {
  run_shim SKL_PORTS=7,77 -- "$BUILD/tests/srv-listen" plain 8080 ::
  wait_port ::1 77
  answers ::1 8080 7 77
  [[ $(ask 127.0.0.1 77) == *"reached ::ffff:127.0.0.1 port 77" ]]
  [[ $(ask 127.0.0.1 8080) == *"reached ::ffff:127.0.0.1 port 8080" ]]
  stop "$SPAWNED"
  wait_refused 127.0.0.1 7 77
  free ::1 7 77
}

@test "IPv4, and then IPv6 that serves both families, on one port: each has the CIDRs of its own" {
  run_shim SKL_PORTS=77 SKL_CIDRS=198.51.100.0/24,2001:db8:51::/64 -- /usr/bin/python3 -c '
import selectors, socket
at = selectors.DefaultSelector()
for family, address in (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind((address, 8080))
    s.listen()
    at.register(s, selectors.EVENT_READ)
while True:
    for key, _ in at.select():
        c = key.fileobj.accept()[0]
        c.sendall(b"reached %s port %d\n" % (c.getsockname()[0].encode(), c.getsockname()[1]))
        c.close()'
  wait_port ::1 77
  answers 127.0.0.1 8080 77
  answers ::1 8080 77
  answers 198.51.100.9 8080 77
  answers 2001:db8:51::9 8080 77
}

@test "an IPv4-mapped address" {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080 ::ffff:127.0.0.1
  wait_port 127.0.0.1 7
  [[ $(ask 127.0.0.1 7) == *"reached ::ffff:127.0.0.1 port 7" ]]
  refused ::1 7
  refused 127.0.0.2 7
  stop "$SPAWNED"
  free 127.0.0.1 7
}

@test "three SO_REUSEPORT sockets: each gets its share, and the others go on when one is gone" {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" reuseport 8080
  wait_port 127.0.0.1 7
  wait_until three_members
  local first
  first=$(members | head -n 1)
  kill "$first"
  wait_until gone "$first"
  for _ in {1..20}; do
    answers 127.0.0.1 7
  done
  end
  free 127.0.0.1 7
}

# The processes that answered some connections to port 7.
members() {
  for _ in {1..40}; do
    ask 127.0.0.1 7
  done | sed -n 's/^srv-listen \([0-9]*\):.*/\1/p' | sort -u
}

three_members() {
  (($(members | wc -l) == 3))
}

@test "linked with musl" {
  musl-gcc -O1 -o "$T/legacy-musl" "$ROOT/examples/legacy-server.c"
  run_shim SKL_PORTS=7,77 -- "$T/legacy-musl" 8080
  wait_port 127.0.0.1 77
  answers 127.0.0.1 8080 7 77
  stop "$SPAWNED"
  free 127.0.0.1 7 77
}

no_complaint() {
  ! grep AddressSanitizer "$T"/*.log
}

@test "under AddressSanitizer, linked statically as clang does" {
  clang -fsanitize=address -O1 -o "$T/legacy-asan" "$ROOT/examples/legacy-server.c"
  run_shim SKL_PORTS=7,77 -- "$T/legacy-asan" 8080
  wait_port 127.0.0.1 77
  answers 127.0.0.1 8080 7 77
  stop "$SPAWNED"
  free 127.0.0.1 7 77
  no_complaint
}

@test "under AddressSanitizer as a shared library, as gcc does" {
  gcc -fsanitize=address -O1 -o "$T/legacy-asan" "$ROOT/examples/legacy-server.c"
  # libasan wants to be first, or to be told that it is not
  run_shim SKL_PORTS=7,77 ASAN_OPTIONS=verify_asan_link_order=0 -- "$T/legacy-asan" 8080
  wait_port 127.0.0.1 77
  answers 127.0.0.1 8080 7 77
  stop "$SPAWNED"
  free 127.0.0.1 7 77
  no_complaint
}
