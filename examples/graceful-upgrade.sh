#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A python3 HTTP server is replaced while it is in use: no request is refused, and in the end only the new process
# answers. Then it is killed, and the port stays open until another one comes.
# In a network namespace of its own.

set -euo pipefail
# shellcheck source=tests/lib/show.bash
source "$(dirname "${BASH_SOURCE[0]}")/../tests/lib/show.bash"
HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
show_start "$@"

response() {
  curl --silent --max-time 20 --noproxy '*' http://127.0.0.1:8080/
}

waiting() {
  skl status | grep -q "none: open for"
}

# A client that asks all the time, and writes down whenever it gets no answer.
client() {
  while :; do
    if response >/dev/null; then
      echo >>/run/answered
    else
      echo "curl: exit code $?" >>/run/refused
    fi
  done
}

title "A server in the share \"web\", and a client that asks all the time"
command_line "skl run --share web --hold 30s -- python3 share-http.py 8080"
in_background skl run --share web --hold 30s -- /usr/bin/python3 "$HERE/share-http.py" 8080
old=$STARTED
wait_until response
note "$(response)"
: >/run/refused
client &
disown # no word about its end

title "The next version takes over"
command_line "skl upgrade web --after 2s -- python3 share-http.py 8080"
# no pipe: the new server has the same output, and keeps it open
skl upgrade web --after 2s -- /usr/bin/python3 "$HERE/share-http.py" 8080 </dev/null >/run/upgrade 2>>"$LOG"
indented </run/upgrade
new=$(sed -n 's/.*done: \([0-9]*\) serves web/\1/p' /run/upgrade)
[[ -n $new && $new != "$old" && ! -e /proc/$old ]] || fail "process $old is not replaced by another"

title "Only the new process answers"
for ((i = 0; i < 6; i++)); do
  [[ $(response) == "Response from process $new" ]] || fail "another process than $new answers"
  note "$(response)"
done

title "It is killed with SIGKILL, and another one is started a second later: who asks meanwhile waits"
command_line "kill -KILL $new"
ends "$new"
sleep 1
wait_until waiting
skl status | indented
command_line "skl run --share web --hold 30s -- python3 share-http.py 8080"
in_background skl run --share web --hold 30s -- /usr/bin/python3 "$HERE/share-http.py" 8080
wait_until response
note "$(response)"

# What was being answered when the process was killed is cut off (52 and 56), nothing else may go wrong.
if grep -v -e 'exit code 52' -e 'exit code 56' /run/refused; then
  fail "requests were refused"
fi
printf '\n  %s%d requests were answered, none was refused%s\n' "$GREEN" "$(wc -l </run/answered)" "$PLAIN"
