#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One socket for port 80 of a whole /24, while another server keeps one of its addresses on every port.
# In a network namespace of its own.

set -euo pipefail
# shellcheck source=tests/lib/show.bash
source "$(dirname "${BASH_SOURCE[0]}")/../tests/lib/show.bash"
show_start "$@"

in_background sklhelper
wait_until test -S /run/skl/helper.sock

# who ADDRESS PORT PID: it answers there, and PID it is who does.
who() {
  local client owner said

  exec {client}<>"/dev/tcp/$1/$2" || fail "$1 port $2 does not answer"
  IFS= read -r -t 5 said <&"$client" || fail "$1 port $2 says nothing"
  [[ $said == *"you reached $1 port $2" ]] || fail "$1 port $2 says: $said"
  owner=$(ss -Htnp state established "src $1 and sport = :$2" | sed -n 's/.*pid=\([0-9]*\),.*/\1/p')
  exec {client}>&-
  [[ $owner == "$3" ]] || fail "$1 port $2 is served by process ${owner:-unknown}, not $3"
  row "$1" "$2" "$GREEN\"$said\"$PLAIN, process $owner"
}

title "A server that keeps 127.0.0.22, on every port"
command_line "skl run -p '*' -- legacy-server 22000 127.0.0.22"
in_background skl run -p '*' -- legacy-server 22000 127.0.0.22
keeper=$STARTED
wait_until is_open 127.0.0.22 80
for port in 1 80 22000 65535; do
  who 127.0.0.22 $port "$keeper"
done

title "Another one for port 80 of the whole network around it"
command_line "skl run -b 127.0.0.0/24:80 -- legacy-server 8080 127.0.0.1"
in_background skl run -b 127.0.0.0/24:80 -- legacy-server 8080 127.0.0.1
network=$STARTED
wait_until is_open 127.0.0.21 80
for last in 1 21 23 128 254; do
  who 127.0.0.$last 80 "$network"
done
note "the longer prefix wins, whoever came first:"
who 127.0.0.22 80 "$keeper"
note "and nothing beyond what was asked for:"
refuses 127.0.0.21 81
refuses 127.0.1.1 80
who 127.0.0.1 8080 "$network"

command_line "skl status"
skl status | indented

title "The keeper ends: now its port 80 is the network's as well"
ends "$keeper"
wait_until is_open 127.0.0.22 80
who 127.0.0.22 80 "$network"
refuses 127.0.0.22 81 22000
ends "$network"
refuses 127.0.0.22 80
