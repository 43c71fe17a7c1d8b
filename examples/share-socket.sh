#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Two python3 HTTP servers that know nothing of each other share port 8080; each request is answered by one of them.
# In a network namespace of its own.

set -euo pipefail
# shellcheck source=tests/lib/show.bash
source "$(dirname "${BASH_SOURCE[0]}")/../tests/lib/show.bash"
HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
show_start "$@"

server=(/usr/bin/python3 "$HERE/share-http.py" 8080)

response() {
  curl --silent --max-time 5 --noproxy '*' http://127.0.0.1:8080/
}

title "A server on port 8080, in the share \"web\""
command_line "skl run --share web -- python3 share-http.py 8080"
in_background skl run --share web -- "${server[@]}"
first=$STARTED
wait_until response
note "$(response)"

title "The same once more: without the share it would say \"Address already in use\""
command_line "python3 share-http.py 8080"
said=$("${server[@]}" 2>&1 || :)
[[ $said == *"Address already in use"* ]] || fail "the second server says: $said"
note "${said##*$'\n'}"
command_line "skl run --share web -- python3 share-http.py 8080"
in_background skl run --share web -- "${server[@]}"
second=$STARTED

# joined PID: it is one of the share's processes, and listens.
joined() {
  skl status -j | jq -e --argjson pid "$1" '.shares[].members[] | select(.pid == $pid and .joined > 0)'
}
wait_until joined "$second"

title "Requests go to both"
command_line "curl http://127.0.0.1:8080/"
declare -A answered=()
for ((i = 0; i < 6 || (i < 600 && ${#answered[@]} < 2); i++)); do
  said=$(response) || fail "a request is not answered"
  note "$said"
  answered[${said##* }]=yes
done
[[ ${#answered[@]} -eq 2 && -n ${answered[$first]:-} && -n ${answered[$second]:-} ]] ||
  fail "processes ${!answered[*]} answered, not $first and $second"

command_line "skl status"
skl status | indented

title "One of them is killed: the other has every request"
ends "$first"
for ((i = 0; i < 6; i++)); do
  [[ $(response) == "Response from process $second" ]] || fail "process $second does not answer"
done
note "$(response)"
ends "$second"
