#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for jq
#
# skl doctor: what is wrong is found, and what it says mends it.

setup() {
  bats_require_minimum_version 1.5.0
  load ../lib/skl
  skl_setup
  SERVER=$BUILD/examples/legacy-server
}

teardown() {
  skl_teardown
}

# doctor ARG...: its findings, one line each: CHECK VERDICT SENTENCE -> MEND
doctor() {
  ns "$SKL" doctor -j "$@" | jq -r '.[] | "\(.check) \(.verdict) \(.sentence) -> \(.mend)"'
}

@test "all is well: every line says so, 0" {
  if instrumented; then
    skip "a helper with sanitizers has given up less"
  fi
  start_helper
  run_shim SKL_PORTS=7 -- "$SERVER" 8080
  wait_port 7
  run ns "$SKL" doctor "$SERVER"
  echo "$output"
  [ "$status" -eq 0 ]
  says "kernel     Linux $(uname -r)" "the programs load" "mounted on /sys/fs/bpf" "helper.sock answers, pid $HELPER, version" \
    "no program of somebody else" "are local" "takes the shim"
  run ! grep -E "^(problem|unknown)" <<<"$(grep -v -e privilege -e firewall <<<"$output")"
  [[ $output != *$'\e'* ]]
  ns "$SKL" doctor -j | jq -e 'all(.[]; .verdict | IN("ok", "problem", "unknown"))'
}

@test "no helper, a dead one, one that is no helper, no permission" {
  doctor >"$T/out" || :
  grep "^helper problem /run/skl/helper.sock: No such file or directory -> start sklhelper" "$T/out"
  run ns "$SKL" doctor
  [ "$status" -eq 1 ]
  says "problem  helper" "-> start sklhelper"
  start_helper --mode 0600
  as 65534 "$SKL" doctor >"$T/out" || :
  grep -q "Permission denied" "$T/out"
  grep -q "only root may ask, as the helper was started with --mode 0600" "$T/out"
  kill -STOP "$HELPER"
  doctor >"$T/out" || :
  kill -CONT "$HELPER"
  grep -q "^helper problem .*timed out -> see what it says in its log" "$T/out"
}

@test "who may not ask: which group is to be joined, or that there is none" {
  start_helper --group no-such-group
  as 65534 "$SKL" doctor >"$T/out" || :
  grep "^problem  helper .*Permission denied" "$T/out"
  grep -e "-> no group may ask this helper: make one and join it (groupadd -r skl; usermod -aG skl USER), start the helper again" "$T/out"
  run as 65534 "$SKL" run -p 7777 -- true
  [ "$status" -eq 125 ]
  says "Permission denied: no group may ask this helper: make one and join it (groupadd -r skl"
  stop_helper
  start_helper --group daemon
  run as 65534 "$SKL" doctor
  says "-> join the group of the socket, daemon, and log in again (usermod -aG daemon USER)"
  run as 65534 "$SKL" status
  says "Permission denied: join the group of the socket, daemon"
}

@test "addresses that are not local: the command that it names mends it" {
  local mend
  start_helper --mode 0666
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" \
    SKL_CIDRS=192.0.2.0/24,2001:db8::/64 SKL_PORTS=7777 "$SERVER" 8080 ::
  wait_port ::1 7777
  doctor >"$T/out" || :
  cat "$T/out"
  grep -q "^addresses problem 192.0.2.0/24 of listener 1 is not local here" "$T/out"
  grep -q "^addresses problem 2001:db8::/64 of listener 1" "$T/out"
  while read -r mend; do
    # shellcheck disable=SC2086 # a command
    ns $mend
  done < <(sed -n 's/^addresses problem .* -> //p' "$T/out" | sort -u)
  doctor | grep "^addresses ok"
  [[ $(ask 192.0.2.9 7777) == *"192.0.2.9 port 7777" ]]
  answers 2001:db8::9 7777
}

@test "a firewall that drops a covered port: the command that it names mends it" {
  start_helper
  run_shim SKL_PORTS=7,700-799 -- "$SERVER" 8080
  wait_port 7
  doctor | grep "^firewall ok"
  ns nft -f - <<'NFT'
table inet guard {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    tcp dport { 22, 700-750 } accept
  }
}
NFT
  doctor >"$T/out" || :
  cat "$T/out"
  [ "$(grep -c "^firewall problem" "$T/out")" -eq 1 ]
  grep -q "^firewall problem nftables drops tcp port 7 from afar (chain inet guard input)" "$T/out"
  run ask 127.0.0.1 7
  [ "$status" -ne 0 ]
  # shellcheck disable=SC2046 # a command
  ns $(sed -n 's/^firewall problem .* -> //p' "$T/out")
  doctor | grep "^firewall ok"
  answers 127.0.0.1 7
}

@test "programs: static, Go, setuid, with another loader, missing" {
  musl-gcc -static -o "$T/static" -x c - <<<'int main(void) { return 0; }'
  musl-gcc -o "$T/musl" -x c - <<<'int main(void) { return 0; }'
  start_helper --mode 0666
  doctor /run/test/static | grep "^program ok /run/test/static: it is statically linked.*supervises"
  doctor /run/test/musl | grep "^program ok /run/test/musl: its loader /lib/ld-musl.* takes the shim"
  doctor sh | grep "^program ok .*/sh: its loader /lib.* takes the shim"
  ns cp /bin/true /run/setuid
  ns chmod 4755 /run/setuid
  as 65534 "$SKL" doctor /run/setuid >"$T/out" || :
  grep "^problem  program .*setuid" "$T/out"
  grep -e "-> start it without skl and have root use skl attach --pid PID" "$T/out"
  doctor /run/test/nothing >"$T/out" || :
  grep "^program problem /run/test/nothing: No such file" "$T/out"
  doctor nothing-of-this-name >"$T/out" || :
  grep "^program problem nothing-of-this-name: not found in PATH" "$T/out"
  # a shim that its loader cannot take
  mkdir "$T/bin"
  cp "$BUILD/skl" "$BUILD/sklhelper" "$T/bin/"
  head -c 3000 "$BUILD/libsklshim.so" >"$T/bin/libsklshim.so"
  SKL=/run/test/bin/skl doctor "$BUILD/examples/legacy-server" >"$T/out" || :
  grep "^program problem .* does not take the shim" "$T/out"
}

@test "scripts: it is their interpreter that takes the shim, through env as well" {
  local line

  start_helper
  musl-gcc -static -o "$T/static" -x c - <<<'int main(void) { return 0; }'
  # script LINE: a program that begins so, in /run/test/script
  script() {
    printf '%s\nexit 0\n' "$1" >"$T/script"
    chmod 755 "$T/script"
    doctor /run/test/script >"$T/out" || :
    grep "^program" "$T/out"
  }
  for line in "#!/bin/sh" "#! /bin/sh -e" "#!/usr/bin/env sh" "#!/usr/bin/env -S A=1 sh -e"; do
    script "$line" | grep -E "^program ok /run/test/script: a script of (/usr)?/bin/sh, whose loader /lib.* takes the shim; what it executes is not looked at: .*--supervise"
  done
  script "#!/run/test/static" | grep "^program ok /run/test/script: a script of /run/test/static: it is statically linked.*supervises it"
  script "#!/usr/bin/env no-such-program" | grep "^program ok /run/test/script: a script of /usr/bin/env, whose"
  script "#!/no/such/interpreter" | grep "^program problem /run/test/script: its interpreter /no/such/interpreter: No such file"
  # neither: what it is, and no "ok"
  script "echo hello" | grep "^program unknown /run/test/script is neither an ELF program nor a script that begins with #!: /bin/sh runs it.* -> begin a script"
  script "#! " | grep "^program unknown /run/test/script is neither"
  ns cp /bin/true /run/unreadable
  ns chmod 711 /run/unreadable
  as 65534 "$SKL" doctor /run/unreadable >"$T/out" || :
  grep "^unknown  program .*cannot be read" "$T/out"
}

@test "a script through env of a program that takes no shim is supervised" {
  musl-gcc -static -o "$T/interpreter" -x c - <<<'int main(void) { return 0; }'
  printf '#!/usr/bin/env -S interpreter\n' >"$T/script"
  chmod 755 "$T/script"
  run ns env PATH="/run/test:$PATH" "$SKL" run --print -p 7 -- /run/test/script
  says "would be supervised"
}

@test "no /proc: that is the one problem, and what needs it is left out" {
  if instrumented; then
    skip "a sanitizer's run time needs one"
  fi
  start_helper
  ns unshare -m sh -c 'mount -t tmpfs none /proc; exec "$0" doctor -j "$1"' "$SKL" "$SERVER" |
    jq -r '.[] | "\(.check) \(.verdict) \(.sentence) -> \(.mend)"' >"$T/out"
  cat "$T/out"
  [ "$(head -n 1 "$T/out")" = "proc problem /proc is not mounted: what can be seen only there is not looked at -> mount -t proc proc /proc" ]
  [ "$(grep -c "^[a-z_A-Z]* problem" "$T/out")" -eq 1 ]
  grep "^kernel ok" "$T/out"
  grep "^helper ok" "$T/out"
  run ns unshare -m sh -c 'mount -t tmpfs none /proc; exec "$0" run -p 7 -- "$1" 8080' "$SKL" "$SERVER"
  [ "$status" -eq 125 ]
  [ "$output" = "skl: /proc is not mounted: mount -t proc proc /proc" ]
}

@test "sk_lookup programs of somebody else, before and after skl's, and a second helper" {
  start_helper
  spawn /usr/bin/python3 "$TESTS/programs/foreign.py" early_one
  wait_log attached
  early=$SPAWNED
  doctor >"$T/out" || :
  grep "^sk_lookup problem program [0-9]* (early_one) of somebody else .*before" "$T/out"
  run_shim SKL_PORTS=7 -- "$SERVER" 8080
  wait_port 7
  spawn /usr/bin/python3 "$TESTS/programs/foreign.py" late_one
  wait_log attached
  run ns "$SKL" doctor
  [ "$status" -eq 1 ]
  says "(early_one) of somebody else is attached to this network namespace, before" \
    "(late_one) of somebody else is attached to this network namespace, after" "bpftool link list"
  stop "$early"
  stop "$SPAWNED"
  doctor | grep "^sk_lookup ok"
  spawn "$BUILD/sklhelper" --socket /run/other.sock --bpffs /sys/fs/bpf/other
  wait_until ns test -S /run/other.sock
  run_shim SKL_HELPER=/run/other.sock SKL_PORTS=9 -- "$SERVER" 9090
  wait_port 9
  doctor >"$T/out" || :
  grep "^sk_lookup problem 2 helpers cover" "$T/out"
}

@test "helpers that speak otherwise: another version, nonsense, none at all" {
  # fake ANSWER: who answers so, twice: to the first request, and once more
  fake() {
    spawn "$BUILD/tests/fake-helper" "/run/fake-${1%%:*}.sock" /run/fake.log "$1" "$1"
    wait_until ns test -S "/run/fake-${1%%:*}.sock"
    ns env "SKL_HELPER=/run/fake-${1%%:*}.sock" "$SKL" doctor >"$T/out" || :
    grep "^problem  helper" "$T/out"
    stop "$SPAWNED" || :
  }
  fake version:2:93
  grep -q "Protocol not supported" "$T/out"
  grep -q -e "-> start the sklhelper that came with this skl" "$T/out"
  fake garbage
  grep -q "Bad message" "$T/out"
  fake hangup
  grep -q "Connection reset" "$T/out"
}

@test "on a terminal sentences are broken between words, below each other" {
  if instrumented; then
    skip "a helper with sanitizers has given up less"
  fi
  start_helper
  for width in 60 80 160; do
    ns env TERM=dumb script -qec "stty cols $width && NO_COLOR=1 '$SKL' doctor" /dev/null </dev/null | tr -d '\r' >"$T/out"
    cat "$T/out"
    (($(wc -L <"$T/out") <= width))
    grep -Evq '^(ok|problem|unknown| {20}[^ ])' "$T/out" && return 1
    # the same words as where there is no terminal
    diff <(tr -s ' \n' '\n' <"$T/out" | grep -v '^[0-9]*$') <(ns "$SKL" doctor | tr -s ' \n' '\n' | grep -v '^[0-9]*$')
  done
}

@test "mistakes" {
  run ns "$SKL" doctor one two
  [ "$status" -eq 2 ]
  run ns "$SKL" doctor --bogus
  [ "$status" -eq 2 ]
}

# As old a kernel as the system call says; what it can do is what it can.
@test "a kernel that is too old: doctor and helper say which one is needed" {
  run ns setarch --uname-2.6 "$SKL" doctor
  [ "$status" -eq 1 ]
  says "problem  kernel     Linux 2.6" "is too old" "-> boot Linux 5.10 or later"
  run ns setarch --uname-2.6 setpriv --bounding-set=-all --inh-caps=-all -- "$BUILD/sklhelper" --try
  [ "$status" -eq 1 ]
  says "BPF: Operation not permitted: Linux 2.6" "is too old: boot 5.10 or later"
}
