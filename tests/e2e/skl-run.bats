#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016,SC2030,SC2031,SC2153 # for the inner shell; what `run` sets; HELPER is the library's
#
# skl run: becomes the program, with nothing set up before, and never lets coverage be missing without a word.

bats_require_minimum_version 1.5.0

setup() {
  load ../lib/skl
  skl_setup
  SERVER=$BUILD/examples/legacy-server
}

teardown() {
  skl_teardown
}

# helpers: the pids of the helpers in the test's namespace. The broker that a helper keeps beside it is not one.
helpers() {
  local pid

  for pid in $(pgrep -x sklhelper --ns "$HOLDER" --nslist net); do
    [[ $(ps -o comm= -p "$(ps -o ppid= -p "$pid")") == sklhelper ]] || echo "$pid"
  done
}

# without_helper: a copy of skl and the shim in /run/alone, with no helper beside it.
without_helper() {
  ns mkdir /run/alone
  ns cp "$SKL" "$SHIM" /run/alone/
}

# helper_script: a program in the place of the helper, from stdin.
helper_script() {
  without_helper
  ns tee /run/alone/sklhelper >/dev/null
  ns chmod +x /run/alone/sklhelper
}

@test "nothing set up: starts a helper, covers, and both leave together" {
  spawn "$SKL" run -p 7,77,777 -- "$SERVER" 8080 127.0.0.1
  wait_port 777
  answers 127.0.0.1 7 77 777 8080
  refused 127.0.0.1 78
  [ "$(helpers | wc -l)" -eq 1 ]
  stop "$SPAWNED"
  wait_refused 127.0.0.1 7 77 777 8080
  wait_until helper_left
  ns test ! -e /run/skl/helper.sock
}

@test "the program keeps skl's PID, its files, signals and exit code" {
  run ns sh -c 'echo $$; exec "$0" run -p 7 -- sh -c "echo \$\$; exit 42"' "$SKL"
  [ "$status" -eq 42 ]
  [ "${lines[0]}" = "${lines[1]}" ]
  run ns "$SKL" run -p 7 -- sh -c 'kill -TERM $$'
  [ "$status" -eq 143 ]
  # what was closed is closed, what was open is open, and nothing is new
  run ns bash -c 'exec 0<&- 9</dev/null; exec "$0" run -p 7 -- ls -U /proc/self/fd' "$SKL"
  [ "$status" -eq 0 ]
  expected=$(ns bash -c 'exec 0<&- 9</dev/null; exec ls -U /proc/self/fd')
  [ "$output" = "$expected" ]
  # a signal that skl's caller ignores stays ignored, one that he blocks stays blocked
  run ns bash -c 'trap "" USR1; exec "$0" run -p 7 -- grep -E "Sig(Ign|Blk)" /proc/self/status' "$SKL"
  expected=$(ns bash -c 'trap "" USR1; exec grep -E "Sig(Ign|Blk)" /proc/self/status')
  [ "$output" = "$expected" ]
}

@test "the program has no child that it does not know" {
  run ns "$SKL" run -p 7 -- python3 -c '
import os
try:
    print("child", os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("none")'
  [ "$output" = none ]
}

@test "a second run joins the first one's helper" {
  spawn "$SKL" run -p 7 -- "$SERVER" 8080 127.0.0.1
  first=$SPAWNED
  wait_port 7
  spawn "$SKL" run -p 8 -- "$SERVER" 8081 127.0.0.1
  wait_port 8
  [ "$(helpers | wc -l)" -eq 1 ]
  # the helper belongs to both: it stays when the one that started it has gone
  stop "$first"
  wait_refused 127.0.0.1 7
  sleep 3
  answers 127.0.0.1 8 8081
}

@test "many started at the same moment share one helper" {
  local i many=$((${TESTS_SLOW:-1} > 3 ? 6 : 20)) # the helper that comes first is to be ready in 10 s

  for ((i = 1; i <= many; i++)); do
    spawn "$SKL" run -p "$((100 + i))" -- "$SERVER" "$((8000 + i))" 127.0.0.1
  done
  for ((i = 1; i <= many; i++)); do
    wait_port "$((100 + i))"
  done
  [ "$(helpers | wc -l)" -eq 1 ]
  (($(ns "$SKL" status -j | jq '.listeners | length') == many))
}

@test "a helper that is just leaving is followed by a new one" {
  local i

  # the shortest programs there are, at the pace at which their helper leaves
  for i in {1..3}; do
    run ns timeout 10 "$SKL" run -p 7 -- true
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    wait_until helper_left
  done
}

@test "a dead helper's socket is taken over" {
  start_helper
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
  ns test -S /run/skl/helper.sock
  spawn "$SKL" run -p 7 -- "$SERVER" 8080 127.0.0.1
  wait_port 7
  answers 127.0.0.1 7 8080
}

@test "the helper takes nothing over from who starts it" {
  local helper

  spawn env SECRET=1 SKL_DEBUG=1 "LD_PRELOAD=$SHIM" bash -c '
    trap "" HUP TERM; exec 7</etc/passwd; cd /run/src; exec "$0" run -p 7 -- "$1" 8080 127.0.0.1' "$SKL" "$SERVER"
  wait_port 7
  helper=$(helpers)
  [ "$(tr '\0' '\n' <"/proc/$helper/environ" | cut -d= -f1)" = PATH ]
  [ "$(readlink "/proc/$helper/cwd")" = /sys/fs/bpf/skl ]
  [ "$(ps -o sid= -p "$helper")" -ne "$(ps -o sid= -p "$SPAWNED")" ]
  [ "$(readlink "/proc/$helper/fd/0")" = /dev/null ]
  [ "$(readlink "/proc/$helper/fd/1")" = /dev/null ]
  [ -z "$(find "/proc/$helper/fd" -lname '*passwd')" ]
  # it ends by the signals that were ignored
  kill -TERM "$helper"
  wait_until gone "$helper"
}

@test "options become variables, replace inherited ones, and are joined when repeated" {
  run ns env SKL_PORTS=1 SKL_BIND=2 SKL_FOR=3 SKL_ON_ERROR=fail \
    "$SKL" run -p 7 -p 77 -c 192.0.2.0/24 -c 2001:db8::/64 -b 192.0.2.1:80 -b '[2001:db8::]/64:*' --for 8080 --warn -- env
  [ "$status" -eq 0 ]
  grep -qx 'SKL_PORTS=7,77' <<<"$output"
  grep -qx 'SKL_CIDRS=192.0.2.0/24,2001:db8::/64' <<<"$output"
  grep -qxF 'SKL_BIND=192.0.2.1:80 [2001:db8::]/64:*' <<<"$output"
  grep -qx 'SKL_FOR=8080' <<<"$output"
  grep -qx 'SKL_ON_ERROR=warn' <<<"$output"
  run ns "$SKL" run --ports=7 --share web --hold 30s -- env
  grep -qx 'SKL_SHARE=web' <<<"$output"
  grep -qx 'SKL_HOLD=30s' <<<"$output"
  # what is not an option is inherited
  run ns env SKL_PORTS=7 "$SKL" run --for 8080 env
  grep -qx 'SKL_PORTS=7' <<<"$output"
}

@test "options end at the program" {
  run ns "$SKL" run -p 7 echo -p 9 --warn --help
  [ "$output" = "-p 9 --warn --help" ]
}

@test "the shim is added to LD_PRELOAD as the last one, and only once" {
  run ns env "LD_PRELOAD=libm.so.6" "$SKL" run -p 7 -- printenv LD_PRELOAD
  [ "$output" = "libm.so.6:$SHIM" ]
  run ns env "LD_PRELOAD=libm.so.6 $SHIM" "$SKL" run -p 7 -- printenv LD_PRELOAD
  [ "$output" = "libm.so.6 $SHIM" ]
  run ns env "LD_PRELOAD=$BUILD/./libsklshim.so:libm.so.6" "$SKL" run -p 7 -- printenv LD_PRELOAD
  [ "$output" = "$BUILD/./libsklshim.so:libm.so.6" ]
  run ns "$SKL" run -p 7 -- printenv LD_PRELOAD
  [ "$output" = "$SHIM" ]
}

@test "a musl program gets a path that its loader understands" {
  musl-gcc -o "$T/musl" -x c - <<<'#include <stdio.h>
    #include <stdlib.h>
    int main(void) { puts(getenv("LD_PRELOAD")); }'
  run ns "$SKL" run -p 7 -- "/run/test/musl"
  [ "$status" -eq 0 ]
  [ "$output" = "$SHIM" ]
}

@test "a relative SKL_HELPER leads to the same place from everywhere" {
  ns mkdir -p /run/here/sub
  ns chmod 755 /run/here
  spawn env -C /run/here SKL_HELPER=sub/sock "$SKL" run -p 7 -- sh -c 'cd / && exec "$0" 8080 127.0.0.1' "$SERVER"
  wait_port 7
  ns test -S /run/here/sub/sock
}

@test "exit codes: 125 for what is skl's, 126 and 127 for the program" {
  local arguments

  run -127 ns "$SKL" run -p 7 -- no-such-program
  [ "$output" = "skl: no-such-program: not found in PATH" ]
  run -127 ns "$SKL" run -p 7 -- /run/no-such-program
  [ "$output" = "skl: /run/no-such-program: No such file or directory" ]
  run ns "$SKL" run -p 7 -- /etc/passwd
  [ "$status" -eq 126 ]
  says "/etc/passwd: Permission denied"
  run ns "$SKL" run -p 7 -- /etc
  [ "$status" -eq 126 ]
  for arguments in "" "true" "-p" "-p 7" "--bogus -p 7 true" "-x -p 7 true" "--for 8080 true"; do
    # shellcheck disable=SC2086 # several arguments
    run ns "$SKL" run $arguments
    [ "$status" -eq 125 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == "skl: "* ]]
  done
  run ns "$SKL" run -p "" true
  [ "$status" -eq 125 ]
  # nothing of that has started a helper
  helper_left
  printf '#!/no/such/interpreter\n' >"$T/script"
  chmod +x "$T/script"
  run -127 ns "$SKL" run -p 7 -- /run/test/script
  says "interpreter"
}

@test "an option's value that the helper would refuse: 125 before anything is started, by the option's name" {
  local option value why how

  while read -r option value why; do
    for how in "" --warn --check --print; do
      # shellcheck disable=SC2086 # none or one
      run ns timeout 10 "$SKL" run $how --share web -p 7 "$option" "$value" -- echo ran
      [ "$status" -eq 125 ]
      [ "$output" = "skl: $option: $why" ]
    done
  done <<'MISTAKES'
-p 99999 "99999": ports end at 65535
-p 0 "0": ports begin at 1
-p 5-3 "5-3": the range is reversed
-p abc "abc" is not a port, a range of ports or *
-p 8001/sctp "8001/sctp": after the slash comes tcp or udp
-c 1.2.3 "1.2.3" is not an address or prefix, as 192.0.2.0/24 or 2001:db8::/64
-c 192.0.2.1/24,1.2.3 "1.2.3" is not an address or prefix, as 192.0.2.0/24 or 2001:db8::/64
-b foo "foo" is not CIDR:PORTS, as 192.0.2.0/24:80-89,443/tcp or [2001:db8::]/64:*
--for x "x" is not a port, a range of ports or *
--for 7-9 "7-9" is not a single port that the program binds: no range and no * here
--share a/b "a/b" is not a name: 1 to 64 letters, digits, dots, underscores and dashes
--hold soon "soon" is not a time, as 30s, 500ms or 2m
--hold 90m "90m" is more than an hour
MISTAKES
  helper_left
  # what is right, or only remarkable, is left to the helper
  run ns "$SKL" run -p 7 -c 192.0.2.1/24 --share web --hold 30s -- echo ran
  [ "$status" -eq 0 ]
  [ "$output" = ran ]
}

@test "which ports: the message names the one right example" {
  run ns "$SKL" run "$SERVER"
  [ "$status" -eq 125 ]
  says "skl run -p 7,77,777 -- ./server"
}

@test "no helper and no privilege: one sentence, and --warn runs the program without" {
  run as 65534 "$SKL" run -p 7777 -- echo ran
  [ "$status" -eq 125 ]
  [ "${#lines[@]}" -eq 1 ]
  says "/run/skl/helper.sock: No such file or directory" "sklhelper"
  run as 65534 "$SKL" run --warn -p 7777 -- echo ran
  [ "$status" -eq 0 ]
  says "without coverage"
  [ "${lines[-1]}" = ran ]
  run as 65534 env SKL_ON_ERROR=warn "$SKL" run -p 7777 -- echo ran
  [ "$status" -eq 0 ]
  [ "${lines[-1]}" = ran ]
}

@test "capabilities without root are enough to try" {
  helper_script <<<'#!/bin/sh
echo "I was started by $(id -u)" >&2
exit 1'
  local enough=-all,+bpf,+net_admin,+sys_admin,+sys_ptrace

  run ns setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=$enough --ambient-caps=$enough -- /run/alone/skl run -p 7777 -- true
  [ "$status" -eq 125 ]
  says "I was started by 65534"
  run ns setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=${enough%,*} \
    --ambient-caps=${enough%,*} -- /run/alone/skl run -p 7777 -- true
  [ "$status" -eq 125 ]
  [[ $output != *"I was started"* ]]
}

@test "a helper that may not be asked" {
  start_helper
  run as 65534 "$SKL" run -p 7777 -- true
  [ "$status" -eq 125 ]
  says "/run/skl/helper.sock: Permission denied"
}

@test "with SKL_WAIT, a helper that somebody else will start is not started" {
  spawn env SKL_WAIT=10s "$SKL" run -p 7 -- "$SERVER" 8080 127.0.0.1
  server=$SPAWNED
  sleep 0.5
  [ -z "$(helpers)" ]
  start_helper
  wait_port 7
  answers 127.0.0.1 7 8080
  kill -0 "$server"
}

@test "a helper that cannot start: its own words, 125" {
  helper_script <<<'#!/bin/sh
echo "<3>sklhelper: bpf: the reason" >&2
exit 1'
  run ns timeout 10 /run/alone/skl run -p 7 -- echo ran
  [ "$status" -eq 125 ]
  says "skl: sklhelper: bpf: the reason" "/run/skl/helper.sock"
  [[ $output != *"<3>"* && $output != *ran* ]]
  run ns timeout 10 /run/alone/skl run --warn -p 7 -- echo ran
  [ "$status" -eq 0 ]
  [ "${lines[-1]}" = ran ]
}

@test "a helper that is not installed, a shim that is not installed" {
  without_helper
  run ns /run/alone/skl run -p 7 -- true
  [ "$status" -eq 125 ]
  says "sklhelper: No such file or directory"
  ns rm /run/alone/libsklshim.so
  run ns /run/alone/skl run -p 7 -- true
  [ "$status" -eq 125 ]
  says "libsklshim.so: No such file or directory"
}

@test "a path that LD_PRELOAD cannot name" {
  ns mkdir "/run/with space" "/run/with:colon"
  ns cp "$SKL" "$SHIM" "/run/with space"
  ns cp "$SKL" "$SHIM" "/run/with:colon"
  run ns "/run/with space/skl" run -p 7 -- true
  [ "$status" -eq 125 ]
  says "a space or a colon"
  run ns "/run/with:colon/skl" run -p 7 -- true
  [ "$status" -eq 125 ]
  says "a space or a colon"
}

@test "SKL_DISABLE: said, and run without a helper" {
  run ns env SKL_DISABLE=1 "$SKL" run -p 7 -- echo ran
  [ "$status" -eq 0 ]
  says "SKL_DISABLE" "without coverage"
  [ "${lines[-1]}" = ran ]
  helper_left
}

# out_of_reach UID WHY CMD...: refused with WHY and `skl attach`; with --warn it is said, and it runs.
out_of_reach() {
  local uid=$1 why=$2 helper=

  shift 2
  run ns setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$SKL" run -p 7777 -- "$@"
  [ "$status" -eq 125 ]
  [ "${#lines[@]}" -eq 1 ]
  says "$why" "have root use \`skl attach --pid"
  run ns setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$SKL" run --warn -p 7777 -- "$@"
  says "$why" "without coverage"
}

@test "a program that gains rights is out of the shim's reach, unless it gains none" {
  start_helper --mode 666
  ns cp /bin/true /run/setuid
  ns chmod 4755 /run/setuid
  out_of_reach 65534 "setuid" /run/setuid
  [ "$status" -eq 0 ]
  run ns "$SKL" run -p 7 -- /run/setuid # root's, started by root
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  run as 65534 setpriv --no-new-privs "$SKL" run -p 7777 -- /run/setuid
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  ns chmod 2755 /run/setuid
  out_of_reach 65534 "setgid" /run/setuid
  ns chmod 755 /run/setuid
  # version 2, effective, CAP_NET_BIND_SERVICE permitted
  ns python3 -c 'import os, struct
os.setxattr("/run/setuid", "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))'
  out_of_reach 65534 "file capabilities" /run/setuid
  run ns "$SKL" run -p 7 -- /run/setuid
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "a program that may be run but not read is run" {
  start_helper --mode 666
  ns cp /bin/true /run/unreadable
  ns chmod 711 /run/unreadable
  run as 65534 "$SKL" run -p 7777 -- /run/unreadable
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "the helper refuses to expect: its sentence, 125" {
  ns mkdir /run/skl
  spawn "$BUILD/tests/fake-helper" /run/skl/helper.sock "$T/asked" "error:24:request: no more of them"
  wait_until ns test -S /run/skl/helper.sock
  run ns "$SKL" run -p 7 -- echo ran
  [ "$status" -eq 125 ]
  [ "$output" = "skl: /run/skl/helper.sock: request: no more of them" ]
  grep -q 'magic=good version=1 kind=5 length=good pid=0 .* fds=0$' "$T/asked"
}

@test "help and version" {
  run ns "$SKL"
  [ "$status" -eq 2 ]
  says "usage: skl"
  run ns "$SKL" help
  [ "$status" -eq 0 ]
  says run status attach version
  for command in run status attach; do
    run ns "$SKL" help "$command"
    [ "$status" -eq 0 ]
    says "usage: skl $command"
    help=$output
    run ns "$SKL" "$command" --help
    [ "$status" -eq 0 ]
    [ "$output" = "$help" ]
  done
  run ns "$SKL" bogus
  [ "$status" -eq 2 ]
  says "skl: bogus: no such command"
  run ns "$SKL" version
  [ "$status" -eq 0 ]
  [[ $output == "skl "?* ]]
  run ns sh -c '"$0" help >/dev/full' "$SKL"
  [ "$status" -eq 1 ]
  says "No space left"
}

@test "--print: the variables, as a shell reads them, and nothing is started" {
  run ns "$SKL" run --print -p 7,77 -b "127.0.0.0/8:80 127.1.0.0/16:81" --for 8080 -- sh -c 'echo never'
  [ "$status" -eq 0 ]
  echo "$output"
  says "SKL_PORTS='7,77'" "SKL_BIND='127.0.0.0/8:80 127.1.0.0/16:81'" "SKL_FOR='8080'" "LD_PRELOAD='$BUILD/libsklshim.so'"
  [ "${#lines[@]}" -eq 4 ]
  [ "$(ns env SKL_HELPER="it's" "$SKL" run --print -p 7 -- sh | grep HELPER)" = "SKL_HELPER='it'\\''s'" ]
  [ -z "$(pgrep -x sklhelper --ns "$HOLDER" --nslist net)" ]
}
