# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# For the end-to-end tests: each has network and mount namespaces of its own,
# held by a process that dies with the test, and leaves nothing behind.
#
#   setup() { load ../lib/skl; skl_setup; }
#   teardown() { skl_teardown; }
#
# Inside, /run and /sys/fs/bpf are empty and the tree is at /run/src, where
# users other than root can read it too. $T is a directory for the test.

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
BUILD=/run/src/${TESTS_BUILD:-build}
SHIM=$BUILD/libsklshim.so
SKL=$BUILD/skl
TESTS=/run/src/tests
export ROOT BUILD SHIM SKL TESTS

# shellcheck source=tests/lib/guard.bash
source "$ROOT/tests/lib/guard.bash"

# instrumented: built with sanitizers, whose run time wants to open files (ISOLATE_INSTRUMENTED) and much memory
instrumented() {
  [[ $BUILD == */san ]]
}

# kernel_before MAJOR MINOR: is this one older?
kernel_before() {
  local major minor

  IFS=.- read -r major minor _ < <(uname -r)
  ((major < $1 || (major == $1 && minor < $2)))
}

needs_mptcp() {
  [[ -e /proc/sys/net/mptcp/enabled ]] || skip "this kernel has no MPTCP"
}

# ---- the namespaces ----

skl_setup() {
  local name

  # of what a test costs bats' look at each command is a third; so it does not know which one has failed
  if ((${TESTS_SLOW:-1} > 3)); then
    FAILED=
    trap - DEBUG
    trap 'FAILED=${FAILED:-${BASH_SOURCE[0]##*/} line $LINENO: $BASH_COMMAND}; bats_error_trap' ERR
  fi
  for name in ${!SKL_@} LD_PRELOAD; do
    unset "$name"
  done
  T=$BATS_TEST_TMPDIR
  HELPER=
  SPAWNS=()
  chmod 755 "$T" # for servers that drop their rights; the directories above it keep others out
  # shellcheck disable=SC2016 # for the inner shell
  unshare --net --mount --propagation private -- setpriv --pdeathsig KILL -- bash -c '
    source "$0/tests/lib/guard.bash"
    guard_check $$
    guard_mounts
    mkdir /run/src && mount --bind "$0" /run/src && mkdir /run/test && mount --bind "$1" /run/test || exit 1
    echo up >"$1/.holder"
    exec sleep infinity' "$ROOT" "$T" </dev/null >"$T/.holder.log" 2>&1 3>&- 4>&- &
  HOLDER=$!
  wait_until test -s "$T/.holder" || {
    cat "$T/.holder.log"
    return 1
  }
  guard_check "$HOLDER"
  NETNS=$(stat -Lc %i "/proc/$HOLDER/ns/net")
  BPFFS=/sys/fs/bpf/skl/net-$NETNS
  export T HELPER HOLDER NETNS BPFFS
}

# ns CMD...: runs it in the test's namespaces, in the current directory.
ns() {
  nsenter --target "$HOLDER" --net --mount --wdns="$PWD" -- "$@"
}

# as UID CMD...: the same as a user without any privilege.
as() {
  local uid=$1

  shift
  ns setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all -- "$@"
}

# spawn CMD...: the same in the background: SPAWNED is its pid, LOG the file with what it says.
spawn() {
  spawn_with_log "$((${#SPAWNS[@]} + 1)).$(basename "$1").log" "$@"
}

spawn_with_log() {
  LOG=$T/$1
  shift
  : >>"$LOG"
  (
    exec </dev/null >>"$LOG" 2>&1 3>&- 4>&-
    exec nsenter --target "$HOLDER" --net --mount --wdns="$PWD" -- "$@"
  ) &
  SPAWNED=$!
  SPAWNS+=("$SPAWNED")
  disown # and no word about it from the shell when it is killed
  export SPAWNED LOG
}

# in_ns: the pids of all processes in the test's network namespace, but for the one that holds it.
in_ns() {
  guard_processes "$NETNS" "$HOLDER"
}

# End of a test, passed or failed: everything that runs in its namespace is killed, daemons too.
skl_teardown() {
  local left log tries

  if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then
    [[ -z ${FAILED:-} ]] || echo "not in the line above, but in $FAILED"
    for log in "$T"/*.log; do
      [[ -s $log ]] && echo "--- ${log##*/}" && tail -n 40 "$log"
    done
  fi
  [[ -n ${NETNS:-} ]] || return 0
  if [[ $BUILD == */san && -n $HELPER ]]; then # its end is when it tells what it has lost
    kill -CONT "$HELPER" && kill -TERM "$HELPER" && wait_until gone "$HELPER"
  fi 2>/dev/null || :
  # what was only just started may not be there yet
  kill -KILL "${SPAWNS[@]}" 2>/dev/null || :
  for ((tries = 0; tries < 100; tries++)); do
    left=$(in_ns)
    [[ -n $left ]] || break
    # shellcheck disable=SC2086 # a list
    kill -KILL $left 2>/dev/null || :
    sleep 0.03
  done
  kill -KILL "$HOLDER" 2>/dev/null || :
  wait 2>/dev/null || :
  if [[ -n $left ]]; then
    echo "these processes cannot be killed: $left"
    return 1
  fi
}

# ---- the helper ----

# start_helper [ARG...]: HELPER is its pid; what it says is in $T/helper.log.
start_helper() {
  spawn_with_log helper.log "$BUILD/sklhelper" "$@"
  HELPER=$SPAWNED
  wait_until test -S "/proc/$HOLDER/root/run/skl/helper.sock"
}

stop_helper() {
  kill -TERM "$HELPER"
  wait_until gone "$HELPER"
  HELPER=
}

# helper_fds: how many descriptors the helper holds; a request, good or bad, must not change that. Those of BPF
# objects are not counted: it makes one set ahead for the next namespace, when it finds the time.
# The lowest of some looks is what it keeps: a connection may still be open, a received descriptor be closing.
helper_fds() {
  local look

  for look in 1 2 3 4 5; do
    ((look == 1)) || sleep 0.05
    find "/proc/$HELPER/fd" -mindepth 1 ! -lname 'anon_inode:b[pt]f*' 2>/dev/null | wc -l
  done | sort -n | head -n 1
}

# Two sets of maps, programs and links at most: one for the test's namespace, one for the next.
helper_has_few_bpf_objects() {
  (($(find "/proc/$HELPER/fd" -mindepth 1 -lname 'anon_inode:b[pt]f*' 2>/dev/null | wc -l) <= 30))
}

# helper_is_well FDS: alive, holds FDS descriptors (soon: it closes a connection after the answer), and serves.
helper_is_well() {
  kill -0 "$HELPER"
  if ! wait_until has_fds "$1" || ! helper_has_few_bpf_objects; then
    echo "the helper holds $(helper_fds) descriptors, not $1, and those of BPF objects:"
    ls -l "/proc/$HELPER/fd"
    return 1
  fi
  ns timeout 5 "$SKL" status >/dev/null
}

has_fds() {
  (($(helper_fds) <= $1))
}

# helper_left: the helper that `skl run` started is gone with all it made.
helper_left() {
  ! pgrep -x sklhelper --ns "$HOLDER" --nslist net >/dev/null && [[ -z $(pins) ]]
}

# pins: what is pinned in the test's bpffs.
pins() {
  find "/proc/$HOLDER/root/sys/fs/bpf" -mindepth 1 ! -name '*.debug'
}

# ---- programs ----

# run_shim [VAR=VALUE...] -- PROGRAM [ARG...]: in the background with the shim; SPAWNED is its pid, LOG its output.
run_shim() {
  local vars=()

  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  spawn env "LD_PRELOAD=$SHIM" "${vars[@]}" "$@"
}

# shim [VAR=VALUE...] -- PROGRAM [ARG...]: the same in the foreground, for at most 10 seconds.
shim() {
  local vars=()

  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  ns timeout 10 env "LD_PRELOAD=$SHIM" "${vars[@]}" "$@" </dev/null
}

# stop PID [SIGNAL]: ends it and waits until it is gone.
stop() {
  kill "-${2:-TERM}" "$1"
  wait_until gone "$1"
}

# gone PID: it is no more, or a zombie that nobody waited for.
gone() {
  local state

  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
  [[ -z $state || $state == [ZX] ]]
}

# ---- waiting: tries until it succeeds, for at most 10 seconds, or so many times as long as TESTS_SLOW says ----

wait_until() {
  local limit=$((10 * ${TESTS_SLOW:-1})) deadline pause=0.03

  ((${TESTS_SLOW:-1} <= 3)) || pause=0.1 # each look takes from what is waited for
  deadline=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "waited $limit seconds in vain: $*"
      return 1
    fi
    sleep "$pause"
  done
}

# wait_port [ADDRESS] PORT: until somebody accepts connections there.
wait_port() {
  (($# > 1)) || set -- 127.0.0.1 "$1"
  wait_until ask -l 0 "$1" "$2"
}

# wait_listen PORT: until a TCP socket of the namespace is bound there and listens; makes no connection.
wait_listen() {
  wait_until listens "$1"
}

listens() {
  local port

  printf -v port '%04X' "$1"
  grep -Eq "^ *[0-9]+: [0-9A-F]+:$port [0-9A-F]+:0000 0A " "/proc/$HOLDER/net/tcp" "/proc/$HOLDER/net/tcp6"
}

# wait_log TEXT [FILE]: until the program (the last one spawned) has said this.
wait_log() {
  wait_until grep -qF -- "$1" "${2:-$LOG}"
}

# ---- clients ----

# ask [-l LINES] ADDRESS PORT [TEXT]: see tests/tools/srv-ask.c.
ask() {
  ns "$BUILD/tests/srv-ask" "$@"
}

# answers ADDRESS PORT...: the test's own servers, and legacy-server, say which address and port was reached.
answers() {
  local address=$1 port said

  shift
  for port; do
    said=$(ask "$address" "$port") || {
      echo "$address port $port does not answer"
      return 1
    }
    if [[ " $said" != *" reached $address port $port" ]]; then
      echo "$address port $port says: $said"
      return 1
    fi
  done
}

# echoes ADDRESS PORT...: for programs that only send back what they get.
echoes() {
  local address=$1 port said text

  shift
  for port; do
    text="line $RANDOM for $port"
    said=$(ask "$address" "$port" "$text"$'\n')
    if [[ $said != "$text" ]]; then
      echo "$address port $port: '$said' came back instead of '$text'"
      return 1
    fi
  done
}

# reaches ADDRESS PORT...: the HTTP servers of tests/programs say the same.
reaches() {
  local address=$1 port said host=$1

  shift
  [[ $address != *:* ]] || host="[$address]"
  for port; do
    said=$(ns curl --silent --show-error --max-time 5 --noproxy '*' "http://$host:$port/" 2>&1) || {
      echo "http://$host:$port/: $said"
      return 1
    }
    if [[ " $said" != *" reached $address port $port" ]]; then
      echo "http://$host:$port/ says: $said"
      return 1
    fi
  done
}

# refused ADDRESS PORT...: nobody listens there.
refused() {
  local address=$1 port status

  shift
  for port; do
    status=0
    ask "$address" "$port" >/dev/null || status=$?
    if ((status != 111)); then
      echo "$address port $port: expected ECONNREFUSED (111), got status $status"
      return 1
    fi
  done
}

wait_refused() {
  wait_until refused "$@"
}

# free ADDRESS PORT...: nobody answers there any more, and a new server can have the same ports at once.
# With a helper running.
free() {
  local address=$1 list new

  wait_refused "$@" || return 1
  shift
  list=$(IFS=, && echo "$*")
  run_shim SKL_PORTS="$list" -- "$BUILD/examples/legacy-server" 65000 "$address"
  new=$SPAWNED
  wait_port "$address" 65000 && wait_port "$address" "$1" && answers "$address" "$@" && stop "$new"
}

# says TEXT...: every one is in what the last `run` printed (grep -i).
says() {
  local text

  # shellcheck disable=SC2154 # made by run
  for text; do
    grep -qiF -- "$text" <<<"$output" || {
      echo "'$text' is not in:"
      echo "$output"
      return 1
    }
  done
}
