#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Quotas: no user has so much that another one gets less, or waits for long.

LIMIT=$((50000 * ${TESTS_SLOW:-1})) # us that the helper works on other things before a claim is answered, and on it

setup() {
  load ../lib/skl
  load ../lib/many
  load ../lib/policy
  skl_setup
}

teardown() {
  skl_teardown
}

# wants UID CASE [ARG...]: tests/programs/quota.py as that user; what it says is in $output.
wants() {
  local uid=$1

  shift
  run as "$uid" timeout 60 /usr/bin/python3 "$TESTS/programs/quota.py" "$@"
  if ((status != 0)); then
    echo "quota.py $*: status $status: $output"
    return 1
  fi
}

# first_lines WORD COUNT: so many of the lines begin with this word.
begin_with() {
  (($(grep -c "^$1" <<<"$output") == $2)) || {
    echo "not $2 times $1: $output"
    return 1
  }
}

@test "listeners: as many as the quota says, and another one when one has ended" {
  policy <<'.'
[few]
users = 4001
listeners = 3
.
  start_helper --mode 0666 --policy "$POLICY"
  wants 4001 listeners 5
  begin_with ok 3
  begin_with EMFILE 2
  says "uid 4001 has 3 listeners, which is the most (listeners in $POLICY)" "again ok"
  logged "refused: tcp port" "uid 4001 has 3 listeners"
  wants 4002 listeners 5
  begin_with ok 5
  run ns /usr/bin/python3 "$TESTS/programs/quota.py" listeners 300
  begin_with ok 300 # root has no limit
}

@test "listeners: 256 for everybody, and of sockets with SO_REUSEPORT eight times as many as listeners" {
  policy <<'.'
[one]
users = 4001
listeners = 1
.
  start_helper --mode 0666 --policy "$POLICY"
  wants 4001 reuseport 10
  begin_with ok 8
  begin_with EMFILE 2
  says "uid 4001 has 8 sockets of listeners, which is the most"
  policy <<'.'
[fast]
users = 4002
requests-per-second = 10000
.
  reload
  wants 4002 listeners 258
  begin_with ok 256
  begin_with EMFILE 2
}

@test "bindings: as many as the quota says; what is refused has left nothing" {
  policy <<'.'
[default]
bindings = 4
.
  start_helper --mode 0666 --policy "$POLICY"
  wants 4001 bindings 20000,20001,20002 20003,20004 20003 20004 20001
  [[ ${lines[0]} == ok* ]]
  [[ ${lines[1]} == EMFILE*"tcp port 20004: Too many open files: uid 4001 has 4 bindings, which is the most (bindings in $POLICY)" ]]
  [[ ${lines[2]} == ok* ]]
  [[ ${lines[3]} == EMFILE* ]]
  [[ ${lines[4]} == ok* ]] # it has that
  wants 4002 bindings 20000,20001,20002 20003
  begin_with ok 2
}

@test "bindings: 60,000 ports are one, and 4096 single ones are not too many" {
  start_helper --mode 0666
  wants 4001 bindings 1024-61023 "$(seq -s, 2000 3999)" "$(seq -s, 4000 5999)"
  begin_with ok 3
  wants 4002 bindings "$(seq -s, 20000 22000)" "$(seq -s, 22000 24000)" "$(seq -s, 24000 24200)"
  begin_with ok 2
  [[ ${lines[2]} == EMFILE*"uid 4002 has 4096 bindings"* ]]
}

@test "network namespaces: 64 of one user" {
  start_helper --mode 0666
  run ns /usr/bin/python3 "$TESTS/programs/quota.py" namespaces 66 4001
  begin_with ok 65 # and one of another user's
  begin_with EMFILE 2
  [[ ${lines[66]} == ok* ]]
  says "uid 4001 has coverage in 64 network namespaces, which is the most"
}

@test "requests: a burst of one second's worth, then EAGAIN, which says how long to wait; nobody else waits" {
  policy <<'.'
[slow]
users = 4001
requests-per-second = 5
.
  start_helper --mode 0666 --policy "$POLICY"
  wants 4001 rate 20
  says "ok 5" "EAGAIN 15" "later ok"
  says "request: Resource temporarily unavailable: uid 4001 asks too often (try again in " "requests-per-second in $POLICY)"
  (($(grep -c "asks too often" "$T/helper.log") == 1)) # the log is not flooded
  wants 4002 rate 150
  [ "$output" = "ok 150" ]
  run ns /usr/bin/python3 "$TESTS/programs/quota.py" rate 500
  [ "$output" = "ok 500" ]
}

@test "requests: 64 workers of an ordinary user that start at once" {
  start_helper --mode 0666
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- \
    env "LD_PRELOAD=$SHIM" SKL_PORTS=7777 "$BUILD/tests/many-listen" workers 64 8080
  wait_until members_are 64
  wants 4001 rate 100
  [ "$output" = "ok 100" ]
}

@test "connections: a user with too many silent ones loses his own oldest, and no other" {
  local other

  policy <<'.'
[few]
users = 4001
connections = 4
.
  start_helper --mode 0666 --policy "$POLICY"
  spawn setpriv --reuid 4002 --regid 4002 --clear-groups -- /usr/bin/python3 "$TESTS/programs/quota.py" wait 1.5
  other=$LOG
  sleep 0.3
  wants 4001 silent 12 0.12
  [ "$output" = "$(printf '%d closed\n' {0..7} && printf '%d open\n' {8..10} && echo last ok)" ]
  wait_log ok "$other"
  wants 4002 silent 40 0.02
  (($(grep -c open <<<"$output") == 31))
  # for a moment there may be more, of programs that start together: but not any number
  wants 4002 silent 400 0
  (($(grep -c open <<<"$output") < 256))
}

# others_wait FLOOD MINIMUM: twenty processes of uid 4001 do this, together more than MINIMUM times; how long does a claim
# of uid 4002 wait? At the worst moment: the helper is stopped until all that can wait for it does, and that claim
# comes last. Counted is what the helper works until it has answered, because the clock also counts what the machine
# does for others; and the median of nine, since a busy virtual machine stretches single ones of these, too.
others_wait() {
  local broker said works=() logs=() asked

  as 4002 "$BUILD/tests/crowd" claim 3 100 >/dev/null # what is only done once is not what is measured
  broker=$(pgrep -P "$HELPER")
  for _ in {1..20}; do
    spawn setpriv --reuid 4001 --regid 4001 --clear-groups -- "$BUILD/tests/crowd" "$1" 8
    logs+=("$LOG")
  done
  for _ in {1..9}; do
    kill -STOP "$HELPER"
    sleep 0.2
    (sleep 0.1 && kill -CONT "$HELPER") &
    said=$(chrt -f 10 nsenter --target "$HOLDER" --net --mount --wdns=/ -- \
      setpriv --reuid 4002 --regid 4002 --clear-groups -- \
      "$BUILD/tests/crowd" claim 1 0 "$HELPER" "$broker")
    echo "$said"
    [[ $said == "claims 1 ok 1 "* ]]
    works+=("${said##*work }")
    sleep 0.2
  done
  for log in "${logs[@]}"; do
    wait_log asked "$log"
  done
  asked=$(cat "${logs[@]}" | awk '/^asked/ {n += $2} END {print n}')
  echo "asked $asked times"
  ((asked > $2 / ${TESTS_SLOW:-1})) # that was a flood
  (($(printf '%s\n' "${works[@]}" | sort -n | sed -n 5p) <= LIMIT))
}

@test "nobody waits for a user who connects and says nothing" {
  start_helper --mode 0666
  others_wait hang 5000
}

@test "nobody waits for a user who connects and goes" {
  start_helper --mode 0666
  others_wait churn 2000
}

@test "nobody waits for a user who asks and does not take the answer" {
  start_helper --mode 0666
  others_wait half 1000
}

@test "nobody waits for a user who asks for the status all the time" {
  start_helper --mode 0666
  others_wait status 1000
}

@test "nobody waits for a user who claims all the time" {
  start_helper --mode 0666
  others_wait claims 200
}

@test "nobody waits for a user who claims many ranges all the time" {
  start_helper --mode 0666
  others_wait ranges 20
}
