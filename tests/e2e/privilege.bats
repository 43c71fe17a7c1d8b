#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What the helper's two processes keep once they serve, read back from the kernel.

MAIN=0000008000001000   # CAP_BPF, CAP_NET_ADMIN
BROKER=0000000000281000 # CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_NET_ADMIN
NONE=0000000000000000
RIGHTS=+bpf,+net_admin,+sys_admin,+sys_ptrace
HELPER_UID=4100

setup() {
  load ../lib/skl
  skl_setup
}

teardown() {
  skl_teardown
}

broker() {
  pgrep --parent "$HELPER"
}

# keeps PID CAPABILITIES: these in the effective and permitted sets, none in the others, and no way to more.
keeps() {
  local expected

  expected=$(printf '%s\t%s\n' CapInh: $NONE CapPrm: "$2" CapEff: "$2" CapAmb: $NONE NoNewPrivs: 1)
  diff <(echo "$expected") <(grep -E '^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs):' "/proc/$1/status") || return 1
  instrumented || grep -qx $'Seccomp:\t2' "/proc/$1/status"
}

@test "started by root: two processes with exactly what they need, and no bounding set" {
  local pid

  start_helper
  keeps "$HELPER" $MAIN
  keeps "$(broker)" $BROKER
  for pid in "$HELPER" "$(broker)"; do
    grep -qx "CapBnd:	$NONE" "/proc/$pid/status"
  done
}

@test "the process that hears clients sees its pins and nothing else of the file system" {
  if instrumented; then
    skip "a sanitizer is in it"
  fi
  start_helper
  [ "$(readlink "/proc/$HELPER/root")" = /sys/fs/bpf/skl ]
  [ "$(readlink "/proc/$HELPER/cwd")" = /sys/fs/bpf/skl ]
}

@test "the broker has no descriptor of a client, of the socket, of a map" {
  start_helper
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  few() { # standard ones, the socketpair, its own network namespace
    (($(find "/proc/$(broker)/fd" -mindepth 1 | wc -l) <= 5)) &&
      [[ -z $(find "/proc/$(broker)/fd" -mindepth 1 -lname 'anon_inode:*') ]]
  }
  wait_until few # it may just be at work
}

@test "claims, status, removal: what serves them opens nothing, makes no socket and executes nothing" {
  local trace=$T/trace

  if instrumented; then
    skip "a sanitizer is in it"
  fi
  spawn_with_log helper.log strace -f -o "$trace" "$BUILD/sklhelper" --mode 0666
  wait_until test -S "/proc/$HOLDER/root/run/skl/helper.sock"
  wait_until grep -q ready "$T/helper.log"
  HELPER=$(in_ns | while read -r pid; do
    [[ $(cat "/proc/$pid/comm") != sklhelper ]] || echo "$pid"
  done | sort -n | head -n 1)
  run_shim SKL_PORTS=77,80-99 SKL_CIDRS=127.0.0.0/8 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 77
  as 4001 env LD_PRELOAD="$SHIM" SKL_PORTS=8001 timeout 2 "$BUILD/tests/srv-listen" plain 8000 || :
  ns "$SKL" status >/dev/null
  run_shim SKL_PORTS=53 -- "$BUILD/tests/udp-serve" echo 5353
  wait_until grep -q "udp port 53" "$T/helper.log"
  stop "$SPAWNED" KILL
  wait_until grep -q "5353): gone" "$T/helper.log"
  for pid in "${SPAWNS[@]:1}"; do
    kill -KILL "$pid" 2>/dev/null || :
  done
  wait_until test ! -e "/proc/$HOLDER/root$BPFFS"
  kill -TERM "$HELPER"
  wait_until gone "$HELPER"
  # from the moment on in which the filter is there
  sed -n "/^$HELPER .*SECCOMP_SET_MODE_FILTER/,\$p" "$trace" | grep "^$HELPER " >"$trace.main"
  (($(grep -c 'bpf(' "$trace.main") > 50))
  run grep -E ' (open|openat|openat2|creat|socket|socketpair|connect|execve|setns|unshare|ptrace|mount)\(' "$trace.main"
  run grep -v 'O_DIRECTORY' <<<"$output" # its pins are listed to be removed
  echo "$output"
  [ -z "$output" ]
  run grep -E 'BPF_(PROG_LOAD|MAP_CREATE|BTF_LOAD)|SIGSYS' "$trace.main"
  echo "$output"
  [ -z "$output" ]
}

@test "a capability that is missing is named, and the helper does not start without" {
  local name

  for name in bpf net_admin sys_admin sys_ptrace; do
    run ns timeout 10 setpriv --bounding-set="-$name" --inh-caps="-$name" -- "$BUILD/sklhelper"
    ((status == 1))
    says "CAP_${name^^} is missing"
  done
  if ! instrumented; then
    run ns timeout 10 setpriv --bounding-set=-sys_chroot --inh-caps=-sys_chroot -- "$BUILD/sklhelper"
    ((status == 1))
    says CAP_SYS_CHROOT
  fi
  [ ! -e "/proc/$HOLDER/root/run/skl/helper.sock" ]
}

# start_as_user [COMMAND...]: the helper as a user with ambient capabilities alone, in a bpffs as tmpfiles.d makes it
start_as_user() {
  ns chmod 711 /sys/fs/bpf
  ns mkdir -p /sys/fs/bpf/skl /run/skl
  ns chown $HELPER_UID:$HELPER_UID /sys/fs/bpf/skl /run/skl
  spawn_with_log helper.log "$@" setpriv --reuid $HELPER_UID --regid $HELPER_UID --clear-groups \
    --bounding-set=-all,$RIGHTS --inh-caps=-all,$RIGHTS --ambient-caps=-all,$RIGHTS -- "$BUILD/sklhelper" --mode 0666
  HELPER=$SPAWNED
}

@test "as an ordinary user with ambient capabilities: TCP, UDP, low ports, a restart" {
  local limit=()

  # maps count as locked memory there
  if kernel_before 5 11; then
    start_as_user prlimit --memlock=65536
    wait_log "LimitMEMLOCK=infinity or CAP_SYS_RESOURCE"
    wait_until gone "$HELPER"
    limit=(prlimit --memlock=unlimited)
  fi
  start_as_user "${limit[@]}"
  wait_until test -S "/proc/$HOLDER/root/run/skl/helper.sock"
  keeps "$HELPER" $MAIN
  keeps "$(broker)" $BROKER
  run_shim SKL_PORTS=7,77 SKL_CIDRS=127.0.0.0/8 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 77
  answers 127.9.8.7 7 77
  run_shim SKL_PORTS=53 -- "$BUILD/tests/udp-serve" echo 5353
  wait_until ns "$BUILD/tests/udp-ask" 127.0.0.1 53
  run as 4001 env LD_PRELOAD="$SHIM" SKL_PORTS=22 timeout 5 "$BUILD/tests/srv-listen" plain 8001
  says "Permission denied"
  run_shim SKL_PORTS=23 -- setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all,+net_bind_service \
    --ambient-caps=-all,+net_bind_service -- "$BUILD/tests/srv-listen" plain 8002
  wait_port 23
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
  answers 127.9.8.7 7 77
  start_as_user "${limit[@]}"
  wait_until grep -q "taken over with 3 listeners" "$T/helper.log"
  answers 127.0.0.1 7 77 23
  (($(ns "$SKL" status -j | jq '.listeners | length') == 3))
  # who is the same user may not look into it
  instrumented || [ "$(stat -c %u "/proc/$HELPER/fd")" = 0 ]
  run ns setpriv --reuid $HELPER_UID --regid $HELPER_UID --clear-groups --inh-caps=-all -- ls "/proc/$HELPER/fd"
  instrumented || ((status != 0))
  stop_helper
  [ ! -e "/proc/$HOLDER/root/run/skl/helper.sock" ]
}

# activated ARG...: the helper with a socket that was made before it
activated() {
  spawn_with_log helper.log systemd-socket-activate --listen=/run/skl/helper.sock "$@" "$BUILD/sklhelper"
  HELPER=$SPAWNED
  wait_until test -S "/proc/$HOLDER/root/run/skl/helper.sock"
}

@test "with the socket of a service manager: serves it, and leaves it where it is" {
  ns mkdir -m 0755 /run/skl
  activated --seqpacket
  run grep ready "$T/helper.log"
  [ -z "$output" ]
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 7
  grep -q "ready at /run/skl/helper.sock" "$T/helper.log"
  keeps "$HELPER" $MAIN
  stop "$HELPER"
  [ -S "/proc/$HOLDER/root/run/skl/helper.sock" ]
  answers 127.0.0.1 7
}

@test "a socket of another kind from a service manager is refused" {
  ns mkdir -m 0755 /run/skl
  activated
  ns timeout 5 "$SKL" status || :
  ns timeout 5 socat -u /dev/null UNIX-CONNECT:/run/skl/helper.sock || :
  wait_log "ListenSequentialPacket=" "$T/helper.log"
  wait_until gone "$HELPER"
}

@test "says that it is ready when it is, by sd_notify" {
  ns mkdir -m 0755 /run/skl
  spawn socat -u UNIX-RECV:/run/skl/notify STDOUT
  local told=$LOG

  wait_until test -S "/proc/$HOLDER/root/run/skl/notify"
  spawn_with_log helper.log env NOTIFY_SOCKET=/run/skl/notify "$BUILD/sklhelper"
  HELPER=$SPAWNED
  wait_log READY=1 "$told"
  ns "$SKL" status
  keeps "$HELPER" $MAIN
}

@test "in the journal each line has its priority, on a terminal none" {
  local log=$T/journal.log

  : >"$log"
  spawn_with_log journal.log env JOURNAL_STREAM="$(stat -c %d:%i "$log")" "$BUILD/sklhelper" --mode 0666
  HELPER=$SPAWNED
  wait_log "<5>version" "$log"
  run as 4001 env LD_PRELOAD="$SHIM" SKL_PORTS=22 timeout 5 "$BUILD/tests/srv-listen" plain 8001
  wait_log "<5>uid 4001" "$log"
  [ "$(grep -cE '^<[3-7]>' "$log")" = "$(wc -l <"$log")" ]
  stop_helper
  # the variable of another stream, as programs inherit it in a desktop session
  spawn_with_log other.log env JOURNAL_STREAM=1:1 "$BUILD/sklhelper"
  HELPER=$SPAWNED
  wait_log "sklhelper: version" "$T/other.log"
}
