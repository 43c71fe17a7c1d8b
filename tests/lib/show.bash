# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# For scripts that show something: what they say is checked before it is said.

SHOW_ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
BUILD=$SHOW_ROOT/${TESTS_BUILD:-build}
export BUILD

# shellcheck source=tests/lib/guard.bash
source "$SHOW_ROOT/tests/lib/guard.bash"

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
  BOLD='' GREEN='' RED='' DIM='' PLAIN=''
fi

# show_start ARG...: from here on in namespaces of our own, where nothing outlives the script.
show_start() {
  local missing

  guard_enter "$@"
  for missing in skl sklhelper libsklshim.so examples/legacy-server; do
    [[ -e $BUILD/$missing ]] || fail "build/$missing is not there: run make first"
  done
  NETNS=$(stat -Lc %i /proc/self/ns/net)
  PINS=/sys/fs/bpf/skl/net-$NETNS
  LOG=/run/show.log
  export NETNS PINS LOG
  PATH=$BUILD:$BUILD/examples:$PATH
  trap show_end EXIT
  trap 'exit 130' INT TERM
}

show_end() {
  local status=$? pid alive=yes

  if ((status != 0)) && [[ -s $LOG ]]; then
    sed 's/^/  | /' "$LOG" >&2
  fi
  while [[ -n $alive ]]; do # until there is only what was started to look for others, and is gone
    alive=
    for pid in $(guard_processes "$NETNS" $$); do
      kill -KILL "$pid" 2>/dev/null && alive=yes
    done
    sleep 0.03
  done
  exit "$status"
}

fail() {
  echo "${RED}not as announced: $*$PLAIN" >&2
  exit 1
}

title() {
  printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"
}

note() {
  printf '  %s%s%s\n' "$DIM" "$*" "$PLAIN"
}

# command_line TEXT: what somebody would type.
command_line() {
  printf '  $ %s\n' "$*"
}

# in_background CMD...: STARTED is its pid; what it says is shown only when something fails.
in_background() {
  "$@" </dev/null >>"$LOG" 2>&1 &
  export STARTED=$!
  disown
}

# wait_until CMD...: for at most 10 seconds, or so many times as long as TESTS_SLOW says.
wait_until() {
  local limit=$((10 * ${TESTS_SLOW:-1})) deadline

  deadline=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "waited $limit seconds for: $*"
    sleep 0.02
  done
}

# greeting ADDRESS PORT [TEXT]: the first line that the server there says, after TEXT where given.
greeting() {
  # shellcheck disable=SC2016 # for the inner shell
  timeout 5 bash -c '
    exec 3<>"/dev/tcp/$0/$1" || exit 111
    [[ -z $2 ]] || echo "$2" >&3
    IFS= read -r line <&3 && echo "$line"' "$1" "$2" "${3:-}" 2>/dev/null
}

is_open() {
  # shellcheck disable=SC2016 # for the inner shell
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null
}

is_refused() {
  local status=0

  is_open "$@" || status=$?
  ((status == 1)) # 124 would be a connection that is neither made nor refused
}

row() {
  printf '    %s  port %-5s  %s\n' "$1" "$2" "$3"
}

# answers ADDRESS PORT... : legacy-server says there which port it is.
answers() {
  local address=$1 port said

  shift
  for port; do
    said=$(greeting "$address" "$port") || fail "$address port $port does not answer"
    [[ $said == *"you reached $address port $port" ]] || fail "$address port $port says: $said"
    row "$address" "$port" "$GREEN\"$said\"$PLAIN"
  done
}

refuses() {
  local address=$1 port

  shift
  for port; do
    is_refused "$address" "$port" || fail "$address port $port is not refused"
    row "$address" "$port" "${DIM}connection refused$PLAIN"
  done
}

# ends PID: kills it and waits until it is gone.
ends() {
  kill -KILL "$1"
  wait_until test ! -e "/proc/$1"
}

indented() {
  sed 's/^/    /'
}
