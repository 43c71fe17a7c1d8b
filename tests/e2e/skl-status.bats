#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for jq and the inner shell
#
# skl status: what a person reads and what a program reads, also when the helper says something odd.

setup() {
  bats_require_minimum_version 1.5.0
  load ../lib/skl
  skl_setup
  SERVER=$BUILD/examples/legacy-server
}

teardown() {
  skl_teardown
}

# follows_schema: does the document on stdin follow status.schema.json? Says where not. It knows the words of
# JSON Schema that this schema uses, and stops at any other.
follows_schema() {
  jq -r --slurpfile schema "$ROOT/helper/cli/status.schema.json" '
    def kind: if type == "number" and . == floor then "integer" else type end;
    def check($s; $at):
      ($s | keys - ["$schema", "title", "description", "type", "const", "enum", "required", "properties", "items",
        "additionalProperties", "pattern", "minimum", "maximum"] | .[] | error("the schema uses " + .)),
      (. as $value | $s
        | if has("type") and ([.type] | flatten | index($value | kind) | not) then "\($at): type \($value | kind)"
          else empty end,
          if has("const") and .const != $value then "\($at): not \(.const)" else empty end,
          if has("enum") and (.enum | index([$value]) | not) then "\($at): \($value) is not expected" else empty end,
          if has("required") then .required - ($value | keys) | .[] | "\($at): lacks \(.)" else empty end,
          if has("pattern") and ($value | test($s.pattern) | not) then "\($at): \($value) has another form"
          else empty end,
          if has("minimum") and $value != null and $value < .minimum then "\($at): too small" else empty end,
          if has("maximum") and $value != null and $value > .maximum then "\($at): too large" else empty end),
      (if type == "object" and ($s | has("properties")) then
        keys[] as $k
        | if $s.properties | has($k) then .[$k] | check($s.properties[$k]; "\($at).\($k)")
          else "\($at): \($k) is not in the schema" end
      else empty end),
      (if type == "object" and ($s | has("additionalProperties")) then
        keys[] as $k | .[$k] | check($s.additionalProperties; "\($at).\($k)")
      else empty end),
      (if type == "array" and ($s | has("items")) then
        range(length) as $i | .[$i] | check($s.items; "\($at)[\($i)]")
      else empty end);
    check($schema[0]; "")' | if grep .; then return 1; fi
}

# reports RECORD...: a helper that answers with these, as Python sees them:
#   listener(id, program=b"server", family=AF_INET, address="127.0.0.1", port=8080, ...)
#   binding(id, listener, prefix="127.0.0.1", length=32, first=7, last=7, ...)
#   error(binding, errno, count)
reports() {
  local IFS=+

  ns mkdir -p /run/skl
  ns rm -f /run/skl/helper.sock
  spawn python3 -c '
import os, struct, sys
from socket import *

def listener(id, program=b"server", family=AF_INET, address="127.0.0.1", port=8080, v6only=0, members=1, state=1,
             ifindex=0, uid=0, netns=os.stat("/proc/self/ns/net").st_ino, pid=4711, length=88):
    return struct.pack("=IIQQQIiIHHBBBB4x16s16s", 1, length, id, netns, 1000, uid, pid, ifindex, port, members,
                       family, 6, v6only, state, inet_pton(family if family in (AF_INET, AF_INET6) else AF_INET,
                       address), program)

def binding(id, listener, prefix="127.0.0.1", length=32, first=7, last=7, lookups=0, misses=0, errors=0, less=b"",
            left_out=0, state=1):
    family = AF_INET6 if ":" in prefix else AF_INET
    return struct.pack("=IIQQQQQHHBBBB16sH62sII", 2, 144, id, listener, lookups, misses, errors, first, last, family,
                       6, length, 0, inet_pton(family, prefix), left_out, less, state, 0)

def error(binding, error, count):
    return struct.pack("=IIQQII", 6, 32, binding, count, error, 0)

records = eval(sys.argv[1])
s = socket(AF_UNIX, SOCK_SEQPACKET)
s.bind("/run/skl/helper.sock")
s.listen()
while True:
    connection = s.accept()[0]
    connection.recv(4096)
    fd = os.memfd_create("report")
    os.write(fd, records)
    send_fds(connection, [struct.pack("=IHHIi", 0x5F6C6B73, 1, 0, 16, 0)], [fd])
    os.close(fd)
    connection.close()' "b''+$*"
  wait_until ns test -S /run/skl/helper.sock
}

@test "no helper: a sentence, 1, and nothing that looks like JSON" {
  run ns "$SKL" status
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 1 ]
  says "skl: /run/skl/helper.sock: No such file or directory"
  run ns sh -c '"$0" status -j 2>/dev/null' "$SKL"
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  run ns "$SKL" status --bogus
  [ "$status" -eq 2 ]
  run ns "$SKL" status 1 127.0.0.1 what
  [ "$status" -eq 2 ]
}

@test "a helper that is gone: it is said that its coverage goes on" {
  local signal

  for signal in KILL TERM; do
    start_helper
    run_shim SKL_PORTS=7 -- "$BUILD/examples/legacy-server" 8080 127.0.0.1
    wait_port 7
    kill -"$signal" "$HELPER"
    wait_until gone "$HELPER"
    run ns "$SKL" status
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    says "no helper answers there: start sklhelper" "; what is covered stays covered"
    run ns "$SKL" doctor
    says "problem  helper" "; what is covered stays covered"
    answers 127.0.0.1 7
    stop "$SPAWNED"
    ns rm -f /run/skl/helper.sock # of the one that was killed: the next one is waited for by it
  done
}

@test "nothing is covered" {
  start_helper
  run ns "$SKL" status
  [ "$status" -eq 0 ]
  [ "$output" = "Nothing is covered." ]
  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  [ "$(jq -c . "$T/json")" = '{"version":1,"listeners":[],"shares":[]}' ]
}

@test "who covers what, and how often it was used" {
  start_helper
  run_shim SKL_PORTS=7,8000-8001 -- "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  wait_until answers 127.0.0.1 8001
  answers 127.0.0.1 7 7 7 8080
  refused 127.0.0.1 8
  run ns "$SKL" status
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 4 ]
  [[ ${lines[0]} == "ID  PROGRAM "*" LISTENS ON" ]]
  [[ ${lines[1]} =~ ^\ *[0-9]+\ \ legacy-server\ +$SPAWNED\ \ root\ +tcp\ 127\.0\.0\.1:8080$ ]]
  [[ ${lines[2]} =~ ^\ +127\.0\.0\.1\ +port\ 7\ +3\ lookups$ ]]
  [[ ${lines[3]} =~ ^\ +127\.0\.0\.1\ +ports\ 8000-8001\ +1\ lookup$ ]]

  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  jq -e --argjson pid "$SPAWNED" --argjson netns "$NETNS" '
    .listeners | length == 1 and (.[0]
      | .state == "live" and .protocol == "tcp" and .family == "ipv4" and .address == "127.0.0.1" and .port == 8080
        and (.dual_stack | not) and .device == null and .uid == 0 and .user == "root" and .pid == $pid
        and .program == "legacy-server" and .members == 1 and .age_ms < 60000 and .netns == $netns
        and ([.bindings[] | {prefix, ports, first, last, less, left_out, lookups, misses, errors}] == [
          {prefix: "127.0.0.1/32", ports: "7", first: 7, last: 7, less: "", left_out: 0, lookups: 3, misses: 0,
            errors: 0},
          {prefix: "127.0.0.1/32", ports: "8000-8001", first: 8000, last: 8001, less: "", left_out: 0, lookups: 1,
            misses: 0, errors: 0}]))' "$T/json"
}

@test "what every port does not get is named" {
  start_helper
  spawn "$SERVER" 2222 127.0.0.1
  wait_listen 2222
  run_shim 'SKL_PORTS=*' -- "$SERVER" 8080 127.0.0.1
  wait_listen 8080
  wait_until answers 127.0.0.1 77
  run ns "$SKL" status
  says "ports * less 2222"
  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  jq -e '.listeners[0].bindings[0] | .ports == "*" and .last == 65535 and .less == "2222" and .left_out == 1' "$T/json"
}

@test "one family, both, and several sockets can be told apart" {
  start_helper
  run_shim SKL_PORTS=7 -- "$SERVER" 8080 ::
  wait_listen 8080
  run_shim SKL_PORTS=8 -- "$SERVER" 8081 0.0.0.0
  wait_listen 8081
  run_shim SKL_PORTS=9 -- "$BUILD/tests/srv-listen" reuseport 8082 ::1
  wait_until ns sh -c '"$0" status | grep -q "3 sockets"' "$SKL"
  run ns "$SKL" status
  says "tcp *:8080" "tcp 0.0.0.0:8081" "tcp [::1]:8082, 3 sockets"
  grep -Eq '^ +::/0 +port 7 ' <<<"$output"
  grep -Eq '^ +0\.0\.0\.0/0 +port 7 ' <<<"$output"
  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  jq -c '[.listeners[] | [.family, .address, .dual_stack, .members]]' "$T/json" >"$T/families"
  cat "$T/families"
  [ "$(cat "$T/families")" = \
    '[["ipv6","::",true,1],["ipv4","0.0.0.0",false,1],["ipv6","::1",false,3]]' ]
}

@test "listeners are in the order of their ids; counters and remarks" {
  reports 'listener(9, port=9000, members=4)' 'binding(4, 9, "192.0.2.0", 24, 1, 65535, 5, 1, 2, b"22,53", 2)' \
    'listener(3, family=AF_INET6, address="::", v6only=1, uid=54321)' 'binding(5, 3, "2001:db8::1", 128)' \
    'listener(12, state=2, ifindex=1, netns=77)' 'listener(13, ifindex=1)'
  run ns "$SKL" status
  [ "$status" -eq 0 ]
  [[ ${lines[1]} == " 3  server   4711  54321  tcp [::]:8080" ]]
  [[ ${lines[2]} == "      2001:db8::1  port 7  0 lookups" ]]
  [[ ${lines[3]} == " 9  server   4711  root   tcp 127.0.0.1:9000, 4 sockets" ]]
  [[ ${lines[4]} == "      192.0.2.0/24  ports * less 22,53  5 lookups, 1 miss, 2 errors" ]]
  [[ ${lines[5]} == "12  server   4711  root   tcp 127.0.0.1:8080, on device 1, in netns 77, closed" ]]
  [[ ${lines[6]} == "13  server   4711  root   tcp 127.0.0.1:8080, on lo" ]]
  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  [ "$(jq -c '[.listeners[] | [.id, .state, .device, .user, (.bindings | length)]]' "$T/json")" = \
    '[[3,"live",null,null,1],[9,"live",null,"root",1],[12,"stale",1,"root",0],[13,"live",1,"root",0]]' ]
}

@test "errors by their reasons" {
  reports 'listener(1)' 'binding(2, 1, lookups=9, errors=5)' 'error(2, 17, 3)' 'error(2, 999, 2)' \
    'binding(3, 1, first=8, last=8, lookups=4, misses=1, errors=1)' 'error(3, 97, 1)' \
    'binding(4, 1, first=9, last=9, errors=1)'
  run ns "$SKL" status
  [ "$status" -eq 0 ]
  [[ ${lines[2]} == *"port 7  9 lookups, 5 errors (EEXIST 3, 999 2)" ]]
  [[ ${lines[3]} == *"port 8  4 lookups, 1 miss, 1 error (EAFNOSUPPORT)" ]]
  [[ ${lines[4]} == *"port 9  0 lookups, 1 error" ]]
  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  [ "$(jq -c '.listeners[0] | [.lookups, .misses, .errors, [.bindings[].errors_by_errno]]' "$T/json")" = \
    '[13,1,7,[{"EEXIST":3,"999":2},{"EAFNOSUPPORT":1},{}]]' ]
}

@test "the schema check fails where it should" {
  reports 'listener(1)' 'binding(2, 1)'
  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  local change

  for change in '.version = 2' 'del(.listeners[0].pid)' '.listeners[0].port = 65536' '.listeners[0].user = 7' \
    '.listeners[0].state = "odd"' '.listeners[0].more = 1' '.listeners[0].bindings[0].prefix = "7"' \
    '.listeners[0].bindings[0].first = 1.5' '.listeners = {}' \
    '.listeners[0].bindings[0].errors_by_errno.EEXIST = 0'; do
    ! jq "$change" "$T/json" | follows_schema || {
      echo "not noticed: $change"
      false
    }
  done
}

@test "no program's name reaches the terminal's controls or breaks the JSON" {
  # an escape sequence, a C1 control, a byte that is not UTF-8, a quote
  reports 'listener(1, program=b"\x1b[2J\"\\\xc2\x9b\xff\n\xc3\xa9")'
  run ns "$SKL" status
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 2 ]
  [[ ${lines[1]} == " 1  ?[2J\"\\????é "* ]]
  ns "$SKL" status -j >"$T/json"
  follows_schema <"$T/json"
  jq -e '.listeners[0].program == "\u001b[2J\"\\\u009b?\n\u00e9"' "$T/json"
}

@test "what is not known yet is skipped: other records, longer records" {
  reports 'struct.pack("=II8s", 77, 16, b"whatever")' 'listener(1, length=96)' 'bytes(8)' 'binding(2, 1)'
  run ns "$SKL" status
  [ "$status" -eq 0 ]
  [ "${#lines[@]}" -eq 3 ]
}

@test "malformed reports are refused whole" {
  local report

  for report in 'listener(1)[:80]' 'struct.pack("=II", 1, 0)*2' 'struct.pack("=II", 77, 12)+bytes(8)' 'listener(1)+b"abc"' \
    'struct.pack("=II", 77, 0xfffffff8)' 'listener(1, length=80)' 'binding(2, 1)' 'listener(1)+binding(2, 3)' \
    'listener(1)+binding(2, 1, length=33)' 'listener(1)+binding(2, 1, first=8)' 'listener(1, family=9)' \
    'listener(1, state=3)' 'listener(1)+error(2, 17, 1)' 'listener(1)+binding(2, 1)+error(3, 17, 1)' \
    'listener(1)+binding(2, 1)+error(2, 0, 1)'; do
    reports "$report"
    run ns timeout 5 "$SKL" status
    echo "$report: $output"
    [ "$status" -eq 1 ]
    [ "$output" = "skl: /run/skl/helper.sock: what the helper reports cannot be read: Bad message" ]
    stop "$SPAWNED"
  done
}

@test "answers that are none" {
  local answer says

  ns mkdir -p /run/skl
  while read -r answer says; do
    ns rm -f /run/skl/helper.sock
    spawn "$BUILD/tests/fake-helper" /run/skl/helper.sock "$T/asked" "$answer"
    wait_until ns test -S /run/skl/helper.sock
    run ns timeout 5 "$SKL" status
    echo "$answer: $output"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == "skl: /run/skl/helper.sock: $says"* ]]
    gone "$SPAWNED" || stop "$SPAWNED"
  done <<'END'
ok what answers there is not a helper
error:13:nobody nobody
error:13 Permission denied
version:2:93:other the helper speaks another version
garbage what answers there is not a helper
short what answers there is not a helper
empty the helper hung up
hangup the helper hung up
vanish the helper hung up
oversized what answers there is not a helper
miscounted what answers there is not a helper
END
  ns rm -f /run/skl/helper.sock
  spawn ncat -lkU /run/skl/helper.sock
  wait_until ns test -S /run/skl/helper.sock
  run ns timeout 5 "$SKL" status
  [ "$status" -eq 1 ]
  says "not a helper's"
}

@test "a helper that does not answer is given up, and said" {
  ns mkdir -p /run/skl
  spawn "$BUILD/tests/fake-helper" /run/skl/helper.sock "$T/asked" silent
  wait_until ns test -S /run/skl/helper.sock
  run ns timeout 15 "$SKL" status
  [ "$status" -eq 1 ]
  [ "$output" = "skl: /run/skl/helper.sock: the helper did not answer within 10 s" ]
}

# on_terminal COLUMNS: what status shows there.
on_terminal() {
  ns env TERM=dumb script -qec "stty cols $1 && '$SKL' status" /dev/null </dev/null | tr -d '\r'
}

@test "lines end at the edge of a terminal; what is left out is then counted" {
  reports 'listener(1, members=2, netns=4026532999)' \
    'binding(2, 1, "2001:db8:1:2:3:4:5:6", 128, 1, 65535, 7, less=b"22,53,1000,1001,1002,1003,1004,1005", left_out=8)'
  run ns "$SKL" status
  says "2001:db8:1:2:3:4:5:6  ports * less 22,53,1000,1001,1002,1003,1004,1005  7 lookups" "2 sockets, in netns 4026532999"
  run on_terminal 120
  says "ports * less 22,53,1000,1001,1002,1003,1004,1005  7 lookups"
  run on_terminal 80
  says "2001:db8:1:2:3:4:5:6  ports * less 8 of them  7 lookups"
  run on_terminal 60
  [ "${#lines[@]}" -eq 3 ]
  [ "${lines[1]}" = " 1  server   4711  root  tcp 127.0.0.1:8080, 2 sockets, in >" ]
  for line in "${lines[@]}"; do
    ((${#line} <= 60))
  done
}

@test "many listeners" {
  reports 'b"".join(listener(i, port=i) + b"".join(binding(i, i, first=j, last=j) for j in range(1, 101)) for i in range(1, 501))'
  ns "$SKL" status >"$T/table"
  (($(wc -l <"$T/table") == 1 + 500 * 101))
  ns "$SKL" status -j >"$T/json"
  (($(jq '[.listeners[].bindings[]] | length' "$T/json") == 50000))
}

@test "a socket that may not be asked, a full disk" {
  start_helper
  run as 65534 "$SKL" status
  [ "$status" -eq 1 ]
  says "/run/skl/helper.sock: Permission denied"
  run ns sh -c '"$0" status >/dev/full' "$SKL"
  [ "$status" -eq 1 ]
  says "No space left"
}

# ---- a part of it, and as it changes ----

@test "filters: by process, port, user and namespace" {
  start_helper --mode 0666
  run_shim SKL_PORTS=7,700-799 -- "$SERVER" 8080
  local first=$SPAWNED
  wait_port 7
  spawn setpriv --reuid 65534 --regid 65534 --clear-groups -- env "LD_PRELOAD=$SHIM" SKL_PORTS=7777 "$SERVER" 8081
  wait_port 7777
  [ "$(shown)" = "8080,8081" ]
  [ "$(shown --pid "$first")" = "8080" ]
  [ "$(shown --pid 1)" = "" ]
  [ "$(shown --port 750)" = "8080" ]
  [ "$(shown --port 8081)" = "8081" ]
  [ "$(shown --port 7777)" = "8081" ]
  [ "$(shown --user nobody)" = "8081" ]
  [ "$(shown --user 0)" = "8080" ]
  [ "$(shown --user 0 --port 7777)" = "" ]
  [ "$(shown --netns "$NETNS")" = "8080,8081" ]
  [ "$(shown --netns /proc/self/ns/net)" = "8080,8081" ]
  [ "$(shown --netns 1)" = "" ]
  [ "$(ns "$SKL" status --port 9)" = "Nothing is covered." ]
  for args in "--pid x" "--pid 0" "--port 0" "--port 65536" "--user no.such.user" "--netns /nowhere" "--pid" "-w -j"; do
    # shellcheck disable=SC2086 # two words
    run ns "$SKL" status $args
    [ "$status" -eq 2 ]
  done
}

# shown OPTION...: the bound ports of the listeners that the filters let pass.
shown() {
  ns "$SKL" status -j "$@" | jq -r '[.listeners[].port] | join(",")'
}

@test "watching: again each second, with how often each binding was used; a signal ends it in order" {
  start_helper
  run_shim SKL_PORTS=7,77 -- "$SERVER" 8080
  wait_port 8080
  wait_until ns "$SKL" status --port 77
  spawn "$SKL" status -w
  local watcher=$SPAWNED
  wait_log "0/s"
  answers 127.0.0.1 77 77 77
  wait_log "3 lookups, 0/s"
  grep -q "lookups*, [123]/s" "$LOG"
  run ! grep -q $'\e' "$LOG" # no terminal
  stop "$watcher" INT
  spawn script -qefc "stty rows 4; $SKL status -w" /dev/null
  wait_log $'\e[H\e[J'
  wait_log "port 7 "
  run ! grep -q "port 77 " "$LOG" # no room for it
  stop "$SPAWNED" || :
  # with more room than that, what is not shown is counted
  run_shim SKL_PORTS=100,101,102,103,104,105,106,107,108,109 -- "$SERVER" 8081
  wait_port 109
  spawn script -qefc "stty rows 9 cols 80; $SKL status -w" /dev/null
  wait_log "8 more lines: --pid, --port, --user, --netns show less"
}
