#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One socket on three ports, added one by one to a server that runs already and was started without skl; then a
# look at what is in the kernel, with stock tools. In a network namespace of its own.

set -euo pipefail
# shellcheck source=tests/lib/show.bash
source "$(dirname "${BASH_SOURCE[0]}")/../tests/lib/show.bash"
show_start "$@"

host=127.0.0.1

echoes() {
  local port said

  for port; do
    said=$(greeting $host "$port" "hello $port") || fail "port $port does not answer"
    [[ $said == "hello $port" ]] || fail "port $port says: $said"
    row $host "$port" "$GREEN\"$said\"$PLAIN"
  done
}

title "An echo server on one port"
# shellcheck disable=SC2016 # to be read
command_line 'ncat -4lke $(command -v cat) 127.0.0.1 7777'
in_background ncat -4lke "$(command -v cat)" $host 7777
server=$STARTED
wait_until is_open $host 7777
echoes 7777
refuses $host 7 77 777

title "Three more, while it runs"
command_line "sklhelper"
in_background sklhelper
wait_until test -S /run/skl/helper.sock
added=()
for port in 7 77 777; do
  command_line "skl attach --pid $server -p $port"
  skl attach --pid "$server" -p "$port" | indented
  added+=("$port")
  echoes "${added[@]}"
done
echoes 7777
refuses $host 778
command_line "skl status"
skl status | indented

title "What is in the kernel"
command_line "ls $PINS"
for pin in link sockets; do
  [[ -e $PINS/$pin ]] || fail "$PINS/$pin is not there"
done
find "$PINS" -mindepth 1 -printf '%f\n' | sort | paste -sd ' ' | indented

command_line "bpftool link show pinned $PINS/link"
link=$(bpftool link show pinned "$PINS/link")
indented <<<"$link"
[[ $link == *"netns_ino $NETNS "* && $link == *"attach_type sk_lookup"* ]] || fail "the link is not in this namespace"
note "its netns_ino is that of this namespace: $(readlink /proc/self/ns/net)"

prog=$(bpftool -j link show pinned "$PINS/link" | jq .prog_id)
command_line "bpftool prog show id $prog"
bpftool prog show id "$prog" | indented
[[ $(bpftool -j prog show id "$prog" | jq -r .type) == sk_lookup ]] || fail "program $prog is of another type"

command_line "bpftool map show pinned $PINS/sockets"
bpftool map show pinned "$PINS/sockets" | indented
[[ $(bpftool -j map show pinned "$PINS/sockets" | jq -r .type) == sockmap ]] || fail "it is no SOCKMAP"

title "The one socket in the SOCKMAP is the server's"
command_line "bpftool map dump pinned $PINS/sockets"
# each value is a socket's cookie, in bytes of which the machine's first is the lowest
cookies=$(bpftool -j map dump pinned "$PINS/sockets" | jq -c '.[] | select(.value | type == "array") | .value' |
  tr -d '[]"' | while IFS=, read -ra bytes; do
  cookie=0
  for ((i = 7; i >= 0; i--)); do
    cookie=$((cookie << 8 | bytes[i]))
  done
  echo "$cookie"
done)
printf '    cookie %s\n' "$cookies"
command_line "ss -tlne"
ss -Htlne | indented
seen=$(ss -Htlne 'sport = :7777' | sed -n 's/.* sk:\([0-9a-f]*\).*/\1/p')
[[ -n $seen && $cookies == "$((16#$seen))" ]] || fail "the SOCKMAP has cookie $cookies, ss says 0x$seen"
note "ss writes it in hexadecimal: sk:$seen is $((16#$seen))"

title "The server ends, and its ports with it"
ends "$server"
refuses $host 7777 7 77 777
