#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Hostile claims: no user gets what another one has, or rights that are not his own. tests/programs/attack.py
# has the cases; in it uid 4001 attacks, and uid 4002 is who suffers.

setup() {
  load ../lib/skl
  load ../lib/policy
  skl_setup
  # as if there were no quotas: what is tried here must fail without them
  policy <<<$'[attacker]\nusers = 4001\nrequests-per-second = 100000\nbindings = 100000\nconnections = 1000'
  start_helper --mode 0666 --policy "$POLICY"
}

teardown() {
  skl_teardown
}

# attack CASE [ARG...]: what came of it is in $output, for came().
attack() {
  run ns timeout 60 /usr/bin/python3 "$TESTS/programs/attack.py" "$@"
  if ((status != 0)) || [[ $output == *broken* ]]; then
    echo "attack $*: status $status"
    echo "$output"
    return 1
  fi
}

# came "NAME VALUE"...: these lines are in what the attack said.
came() {
  local line

  for line; do
    grep -qxF -- "$line" <<<"$output" || {
      echo "'$line' is not in:"
      echo "$output"
      return 1
    }
  done
}

@test "a listener that is shut down while its claim of ranges is decided" {
  local fds

  attack status
  fds=$(helper_fds)
  attack shut-down
  came "status ok"
  helper_is_well "$fds"
}

@test "a socket that got another address since it was claimed takes nothing from who has the old one now" {
  attack false-record
  came "first ok" "second ok" "own 10" "stolen 0"
}

@test "a port that another user has bound, and does not listen on yet" {
  if kernel_before 6 8; then
    skip "before Linux 6.8 the kernel does not list sockets that are bound only"
  fi
  attack bound-only
  came "exact EADDRINUSE" "everywhere EADDRINUSE" "reached ok" "own 1" "stolen 0"
}

@test "with no room left for anything, what has ended does not go to who comes next, nor after a restart" {
  local victim thief

  run_shim SKL_PORTS=80 SKL_CIDRS=127.0.0.0/24 -- "$BUILD/tests/srv-listen" plain 3000 0.0.0.0
  victim=$SPAWNED
  wait_port 127.0.0.9 80
  spawn /usr/bin/python3 "$TESTS/programs/attack.py" leak
  thief=$LOG
  wait_log "full" "$thief"
  answers 127.0.0.5 80 3000
  stop "$victim"
  wait_refused 127.0.0.5 80
  for _ in {1..8}; do # slow machines have time: these are 8,000 claims
    grep -q "placed" "$thief" || wait_log "placed" "$thief" || :
  done
  grep -q "placed" "$thief"
  refused 127.0.0.5 80
  stop_helper
  refused 127.0.0.5 80
  start_helper --mode 0666 --policy "$POLICY"
  refused 127.0.0.1 80
  refused 127.0.0.5 80 3000
  (($(ns "$SKL" status -j | jq '[.listeners[].bindings[] | select(.first == 80)] | length') == 0))
  # its place in the tables was not lost either
  run_shim SKL_PORTS=80 SKL_CIDRS=127.0.0.0/24 -- "$BUILD/tests/srv-listen" plain 3000 0.0.0.0
  wait_port 127.0.0.9 80
  answers 127.0.0.9 80 3000
  run cat "$thief"
  [[ $output != *stolen* && $output != *broken* ]]
}

@test "a setuid program of a container lends its rights to nobody" {
  attack setuid-in-container
  came "root ok" "plain EACCES" "raised yes" "exec EACCES" "port ECONNREFUSED"
}

@test "the number of a network namespace that is gone, given to another" {
  for _ in 1 2 3 4 5; do # others may be given the number first
    attack reused-number
    came "first ok ok"
    [[ $output == *"reused never"* ]] || break
  done
  if [[ $output == *"reused never"* ]]; then
    skip "the kernel did not give the number again"
  fi
  came "reused ok ok"
}

@test "to say that a socket was taken from somebody else's process does not make it shown" {
  local foreign child

  spawn setpriv --reuid 4002 --regid 4002 --clear-groups --inh-caps=-all -- "$BUILD/tests/srv-listen" plain 8080
  foreign=$SPAWNED
  wait_listen 8080
  spawn /usr/bin/python3 "$TESTS/programs/attack.py" foreign-pid "$foreign"
  wait_log "child "
  child=$(sed -n 's/^child //p' "$LOG")
  run cat "$LOG"
  came "foreign ok" "own ok"
  shown() { # PORT: "PID PROGRAM" of its listener
    ns "$SKL" status -j | jq -r ".listeners[] | select(.port == $1) | \"\(.pid) \(.program)\""
  }
  [ "$(shown 4001)" = "$child python3" ]
  [[ $(shown 4000) == *" python3" ]]
  [[ $(shown 4000) != "$foreign "* ]]
}

@test "to say that a socket was taken from a process that is not there changes nothing" {
  attack absent-pid
  came "absent-0 ok" "absent-1 ok" "absent-2 ok" "other-kind EBADMSG"
}

@test "a process that connected and is gone has no capability, whoever has its connection" {
  run ns timeout 60 setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all,+net_bind_service \
    --ambient-caps=-all,+net_bind_service -- /usr/bin/python3 "$TESTS/programs/attack.py" gone-peer
  ((status == 0))
  came "alive ok" "low EACCES" "high ok"
}

@test "the number of a process that is gone, given to one with a capability" {
  if [[ ! -e /proc/sys/kernel/ns_last_pid ]]; then
    skip "this kernel does not let the number be chosen"
  fi
  if kernel_before 6 5; then
    skip "before Linux 6.5 the kernel tells the number of who connected, and no more"
  fi
  attack reused-pid
  came "reused yes" "low EACCES"
  refused 127.0.0.1 80
}
