#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One socket for every port of an address, without taking from others what they have. In a network namespace of
# its own.

set -euo pipefail
# shellcheck source=tests/lib/show.bash
source "$(dirname "${BASH_SOURCE[0]}")/../tests/lib/show.bash"
show_start "$@"

host=127.0.0.1

in_background sklhelper
wait_until test -S /run/skl/helper.sock

owner() {
  ss -Htlnp "sport = :$1" | sed -n 's/.*pid=\([0-9]*\),.*/\1/p'
}

title "An ordinary server on port 22"
command_line "legacy-server 22 $host"
in_background legacy-server 22 $host
ordinary=$STARTED
wait_until is_open $host 22
answers $host 22

title "One socket for every port"
command_line "skl run -p '*' -- legacy-server 8080 $host"
in_background skl run -p '*' -- legacy-server 8080 $host
every=$STARTED
wait_until is_open $host 65535
answers $host 1 21 23 80 443 8080 31337 65535

title "Port 22 stays with the one who has it, and is named"
command_line "skl status"
status=$(skl status)
indented <<<"$status"
[[ $status == *"*"*"22"* ]] || fail "skl status does not say that 22 is left out"
# the server behind every port is asked to wait, and port 22 answers all the same
kill -STOP "$every"
answers $host 22
kill -CONT "$every"
[[ $(owner 22) == "$ordinary" ]] || fail "port 22 is not the ordinary server's"

title "Somebody binds one of them later: within a second it is theirs"
command_line "legacy-server 8443 $host"
in_background legacy-server 8443 $host
later=$STARTED
sleep 1
kill -STOP "$every"
answers $host 8443
kill -CONT "$every"
[[ $(owner 8443) == "$later" ]] || fail "port 8443 is not the later server's"
command_line "skl status"
skl status | indented

title "The server ends, and its ports with it; the others go on"
ends "$every"
refuses $host 1 8080 65535
answers $host 22 8443
