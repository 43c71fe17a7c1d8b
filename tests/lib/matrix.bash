# shellcheck shell=bash disable=SC2034 # much is read by tests/programs/matrix/run
# SPDX-License-Identifier: BSD-2-Clause
#
# The words that the files of tests/programs/matrix/ are made of, and how one program is tried.
#
#   package NAME [NEEDED...]   the Debian package whose version is shown, and others that it or its client need
#   title TEXT                 its name in the table, where that is not the file's
#   modes MODE...              preload, supervised, attach; all three where nothing is said
#   without MODE WHY           this mode does not cover it, which is tested, too
#   protocols tcp|udp...       tcp where nothing is said
#   families 4|6...            both where nothing is said
#   port NUMBER                where it listens by itself: 8080 where nothing is said
#   user NAME                  who starts it: root where nobody is said
#   routed                     the extra addresses are local already with preload: it gives up the right to that early
#   options OPTION...          more for `skl run`
#   patience SECONDS           how long it may take to come up: 20
#   again SECONDS              how long a question may be repeated: not at all where nothing is said
#   note TEXT                  for the table
#   kernel VERSION             the oldest that it is for
#   prepare                    a function: what is to be done before, in $T
#   version                    a function: what is shown as its version, if not the package's
#
#   start                      a function: starts it by `serve PROGRAM ARG...`; the directory is $T, empty
#   ask ADDRESS PORT PROTOCOL  a function: succeeds when the answer can only be this program's

EXTRA=7777
CIDRS=198.51.100.0/24,2001:db8:51::/64
declare -A BESIDE=([4]=198.51.100.9 [6]=2001:db8:51::9) OWN=([4]=127.0.0.1 [6]=::1)

package() {
  PACKAGE=$1
  NEEDS+=("${@:2}")
}
title() { TITLE=$1; }
modes() { MODES=("$@"); }
without() { WITHOUT[$1]=$2; }
protocols() { PROTOCOLS=("$@"); }
families() { FAMILIES=("$@"); }
port() { PORT=$1; }
user() { USER_IS=$1; }
routed() { ROUTED=yes; }
note() { NOTE=$1; }
options() { OPTIONS=("$@"); }
patience() { PATIENCE=$1; }
again() { AGAIN=$1; }
kernel() { KERNEL=$1; }

# matrix_read NAME: what its file says
matrix_read() {
  PACKAGE=
  NEEDS=(curl python3)
  TITLE=$1
  MODES=(preload supervised attach)
  declare -gA WITHOUT=()
  PROTOCOLS=(tcp)
  FAMILIES=(4 6)
  PORT=8080
  USER_IS=root
  ROUTED=
  NOTE=
  OPTIONS=()
  PATIENCE=20
  AGAIN=0
  KERNEL=0
  # shellcheck disable=SC2317 # replaced by some files
  version() { dpkg-query -W -f '${Version}' "$PACKAGE"; }
  # shellcheck disable=SC2317
  prepare() { true; }
  # shellcheck disable=SC1090 # one of many
  source "$ROOT/tests/programs/matrix/$1.sh"
}

# matrix_version: upstream's part of it
matrix_version() {
  version | sed -E 's/^[0-9]+://; s/[-+~][^-]*$//; s/[+~].*//'
}

join() {
  local IFS=/

  echo "$*"
}

# ---- for start() ----

# serve PROGRAM [ARG...]: in the background, in the way that is tried
serve() {
  as_user "${COVER[@]}" "$@" </dev/null >>"$T/log" 2>&1 &
}

# background PROGRAM [ARG...]: without any of it; "${COVER[@]}" is what stands before a program that is tried
background() {
  as_user "$@" </dev/null >>"$T/log" 2>&1 &
}

# as_user PROGRAM [ARG...]: as who starts it
as_user() {
  if [[ $USER_IS == root ]]; then
    exec "$@"
  fi
  exec setpriv --reuid "$USER_IS" --regid "$(id -g "$USER_IS")" --init-groups --inh-caps=-all -- env HOME="$T" "$@"
}

# ---- for ask() ----

# host ADDRESS: as it stands in a URL
host() {
  case $1 in
    *:*) echo "[$1]" ;;
    *) echo "$1" ;;
  esac
}

# http ADDRESS PORT [PATH [OPTION...]]: the answer with its header
http() {
  curl --silent --show-error --include --max-time 10 --noproxy '*' "${@:4}" "http://$(host "$1"):$2${3:-/}"
}

# says TEXT...: all of it is on stdin; what is there is shown if not
says() {
  local said text

  said=$(tr -d '\0')
  for text; do
    if [[ $said != *"$text"* ]]; then
      printf 'not "%s" but: %s\n' "$text" "${said:0:500}"
      return 1
    fi
  done
}

# talk ADDRESS PORT LINES [TEXT]: what comes back, so many lines of it
talk() {
  "$BUILD/tests/srv-ask" -l "$3" "$1" "$2" ${4:+"$4"}
}

# exchange ADDRESS PORT tcp|udp BYTES: what comes back first; BYTES as printf has them
exchange() {
  /usr/bin/python3 -c '
import socket, sys
address, port, protocol = sys.argv[1], int(sys.argv[2]), sys.argv[3]
text = sys.argv[4].encode().decode("unicode_escape").encode("latin1")
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
    socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
s.settimeout(3)
s.connect((address, port))
s.send(text)
sys.stdout.buffer.write(s.recv(65535))' "$@"
}

# digs ADDRESS PORT tcp|udp NAME TYPE: what a resolver finds there
digs() {
  local how=+notcp

  [[ $3 != tcp ]] || how=+tcp
  dig "@$1" -p "$2" "$how" +short +tries=1 +time=3 +ignore "${@:4}"
}

# ---- one program in one mode ----

# matrix_row NAME MODE: status 0 if it is as its file says
matrix_row() {
  local status=0

  BUILD=/run/src/${TESTS_BUILD:-build}
  SKL=$BUILD/skl
  T=/run/test
  export T PORT BUILD
  matrix_read "$1"
  mkdir "$T" && cd "$T" || return 1
  chown "$USER_IS" "$T"
  if [[ $2 == preload && $ROUTED ]] || [[ $2 != attach && $USER_IS != root ]]; then
    ip route add local 198.51.100.0/24 dev lo && ip route add local 2001:db8:51::/64 dev lo || return 1
  fi
  "$BUILD/sklhelper" --mode 0666 >"/run/helper.log" 2>&1 &
  within 5 test -S /run/skl/helper.sock || return 1
  matrix_try "$2" || status=$?
  if ((status != 0)); then
    echo "--- the program:" && tail -n 30 "$T/log"
    echo "--- the helper:" && tail -n 10 /run/helper.log
  fi
  return "$status"
}

matrix_try() {
  local family protocol

  cover "$1"
  prepare >>"$T/log" 2>&1 || return 1
  start
  for family in "${FAMILIES[@]}"; do
    for protocol in "${PROTOCOLS[@]}"; do
      within "$PATIENCE" ask "${OWN[$family]}" "$PORT" "$protocol" || return 1
    done
  done
  case $1 in
    attach | "not attach") attach_all || return 1 ;;
    supervised) supervised || { echo "it is not supervised" && return 1; } ;;
    preload) ! supervised || { echo "it is supervised" && return 1; } ;;
  esac
  for family in "${FAMILIES[@]}"; do
    for protocol in "${PROTOCOLS[@]}"; do
      "covered_${1/ /_}" "$family" "$protocol" || return 1
    done
  done
}

# cover MODE: what stands before the program then, as COVER
cover() {
  COVER=()
  case $1 in
    # the program must be one that skl would not supervise, or else one that it does of its own accord
    preload) COVER=("$SKL" run) ;;
    supervised)
      COVER=("$SKL" run)
      [[ -n ${WITHOUT[preload]:-} ]] || COVER+=(--supervise)
      ;;
    "not preload") COVER=(env LD_PRELOAD="$BUILD/libsklshim.so" SKL_PORTS="$EXTRA" SKL_CIDRS="$CIDRS") ;;
    "not supervised") COVER=("$SKL" run --supervise) ;;
  esac
  [[ ${COVER[1]:-} != run ]] || COVER+=("${OPTIONS[@]}" -p "$EXTRA" -c "$CIDRS" --)
}

# supervised: somebody answers for the calls of the program
supervised() {
  pgrep -x skl-supervise >/dev/null
}

# within SECONDS CMD...: tries until it succeeds; what it said last is shown if not
within() {
  local deadline=$((SECONDS + $1)) said

  until said=$("${@:2}" 2>&1); do
    if ((SECONDS >= deadline)); then
      printf '%s, not within %s s: %s\n' "${*:2}" "$1" "$said"
      return 1
    fi
    sleep 0.1
  done
}

# covered FAMILY PROTOCOL: it answers on the extra port and on the extra address; a port beside does not
covered() {
  local address

  for address in "${OWN[$1]}" "${BESIDE[$1]}"; do
    within "$AGAIN" ask "$address" "$EXTRA" "$2" || return 1
  done
  within "$AGAIN" ask "${BESIDE[$1]}" "$PORT" "$2" || return 1
  steered "$1" "$2" || return 1
  ! "$BUILD/tests/srv-ask" "${OWN[$1]}" $((EXTRA + 1)) 2>/dev/null || {
    echo "port $((EXTRA + 1)) answers, too"
    return 1
  }
}

covered_preload() { covered "$@"; }
covered_supervised() { covered "$@"; }
covered_attach() { covered "$@"; }

# steered FAMILY PROTOCOL: the helper knows a listener whose extra port has been looked up; one that the program has made
# anew since has not
steered() {
  local has='.'

  [[ $1 == 4 ]] || has=':'
  "$SKL" status -j | jq -e --arg has "$has" --arg protocol "$2" --argjson extra "$EXTRA" --argjson again "$AGAIN" \
    '[.listeners[] | select(.protocol == $protocol and .state == "live") | .bindings[] |
      select(.first == $extra and (.prefix | contains($has))) | .lookups + $again] | add > 0' >/dev/null || {
    echo "the helper has steered nothing:"
    "$SKL" status
    return 1
  }
}

# not_covered FAMILY PROTOCOL: the extra port does not answer
not_covered() {
  if ask "${OWN[$1]}" "$EXTRA" "$2" >/dev/null 2>&1; then
    echo "it is covered all the same"
    return 1
  fi
}

covered_not_preload() { not_covered "$@"; }
covered_not_supervised() { not_covered "$@"; }
covered_not_attach() { not_covered "$@"; }

# attach_all: the listener of each address on the port
attach_all() {
  local listener address pid

  while read -r listener pid; do
    address=${listener%:*}
    [[ $address != '*' ]] || address='*'
    "$SKL" attach --pid "$pid" --listen "$address:$PORT" -p "$EXTRA" -c "$CIDRS" || return 1
  done < <(ss --no-header --listening --tcp --numeric --processes "sport = :$PORT" |
    sed -nE 's/^[^ ]+ +[^ ]+ +[^ ]+ +([^ ]+) .*pid=([0-9]+),.*/\1 \2/p' | sort -u -k 1,1)
}
