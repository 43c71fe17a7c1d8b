#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The main job in ten seconds: `sudo make demo`. In a network namespace of its own; the machine is not touched.

set -euo pipefail
# shellcheck source=tests/lib/show.bash
source "$(dirname "${BASH_SOURCE[0]}")/../tests/lib/show.bash"
show_start "$@"

host=127.0.0.1

title "1. A server that knows one port"
command_line "legacy-server 8080"
in_background legacy-server 8080
wait_until is_open $host 8080
answers $host 8080
refuses $host 777
ends "$STARTED"

title "2. The same program, unchanged, with three more"
command_line "skl run -p 7,77,777 -- legacy-server 8080"
in_background skl run -p 7,77,777 -- legacy-server 8080
server=$STARTED
wait_until is_open $host 777
answers $host 8080 7 77 777
refuses $host 778
note "No proxy, no NAT: the kernel hands each connection to the server's one socket:"
command_line "ss -tln"
ss -Htln | indented
(($(ss -Htln | wc -l) == 1)) || fail "there is more than one listening socket"

title "3. Who covers what, and how often it was used"
command_line "skl status"
status=$(skl status)
indented <<<"$status"
for port in 7 77 777; do
  grep -Eq "(^|[^0-9])$port([^0-9]|$)" <<<"$status" || fail "skl status does not name port $port"
done

title "4. The server is killed: its ports are free, and nothing is left"
command_line "kill -9 $server"
ends "$server"
refuses $host 8080 7 77 777
gone() {
  ! pgrep -x sklhelper --ns $$ --nslist net
}
nothing_pinned() {
  [[ -z $(find /sys/fs/bpf -mindepth 1 ! -name '*.debug') ]]
}
nothing_attached() {
  ! bpftool -j link show | grep -q "\"netns_ino\":${NETNS}[,}]"
}
wait_until gone
wait_until nothing_pinned
wait_until nothing_attached
note "The helper that skl run had started is gone; no BPF link, nothing in /sys/fs/bpf."

title "What to type next"
cat <<END
  sudo build/skl run -p 7,77,777 -- YOUR-SERVER ITS-ARGUMENTS
  sudo build/skl status               in another terminal
  sudo examples/whole-network.sh      one socket for a whole /24
  sudo examples/every-port.sh         one socket for every port
  sudo examples/ports-one-by-one.sh   ports added to a running server, seen by bpftool
  less README.md
END
