#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# As much as the tables hold. A plan says who covers what (tests/tools/plan.h), and plan-ask, which knows nothing
# else, finds out by it who has to answer: also while listeners come and go.

CLAIM_MS=$((50 * ${TESTS_SLOW:-1})) # more than that one would notice in a listen()
HELPER_KB=8192 # resident

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/many
  skl_setup
  ns ip route add local 2001:d00::/24 dev lo # the neighbours of 2001:db8::/32, too
  ns sysctl --quiet --write net.ipv6.ip_nonlocal_bind=1 # what is bound to `::` serves both families
  PLAN=$T/plan
}

teardown() {
  skl_teardown
}

# serve_plan [PAUSE]: makes what stands in the plan; SERVED is the process, LOG says how long the claims took.
serve_plan() {
  spawn "$BUILD/tests/plan-serve" "$PLAN.state" "$PLAN" "$@"
  SERVED=$SPAWNED
  local deadline=$((SECONDS + 120 * ${TESTS_SLOW:-1})) users
  users=$(awk '{ print $2 }' "$PLAN" | sort -u | wc -l)
  until (($(grep -c ^ready: "$LOG") == users)); do
    kill -0 "$SERVED"
    ((SECONDS < deadline))
    sleep 0.05
  done
}

# ask_plan [-t STATE] COUNT: so many connections, judged.
ask_plan() {
  ns "$BUILD/tests/plan-ask" "$@" "$PLAN"
}

# asked_right COUNT: all are answered by whom they have to be, and for each that is one and no other.
asked_right() {
  run ask_plan "$1"
  says_all right="$1" sure="$1" change=0 <<<"$output"
}

# helper_ms: of processor time that it took until now.
helper_ms() {
  local stat

  stat=$(<"/proc/$HELPER/stat")
  # shellcheck disable=SC2086 # words
  set -- ${stat##*) }
  echo $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK)))
}

# cheap BEFORE COUNT: since then the helper served so many claims, and none of them can have been dear.
cheap() {
  local each=$((($(helper_ms) - $1) / $2))

  echo "a claim takes the helper $each ms"
  ((each < CLAIM_MS)) || instrumented
}

helper_is_small() {
  local resident

  resident=$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$HELPER/status")
  echo "the helper has $resident kB resident"
  ((resident <= HELPER_KB)) || instrumented
}

nobody_is_left() {
  [[ $(ns "$SKL" status) == "Nothing is covered." ]]
}

listeners_are() {
  (($(ns "$SKL" status -j | jq '.listeners | length') == $1))
}

@test "60,000 ports on several prefixes of both families, ranges within ranges" {
  local a b c d
  start_helper
  run_shim SKL_PORTS=5000-64999 SKL_CIDRS=127.1.0.0/16,127.2.0.0/16,127.3.0.0/17,127.4.4.4 -- \
    "$BUILD/tests/srv-listen" plain 80 127.0.0.1
  a=$SPAWNED
  run_shim SKL_PORTS=20000-29999,30000 SKL_CIDRS=127.1.0.0/16,127.2.9.0/24 -- \
    "$BUILD/tests/srv-listen" plain 81 127.0.0.2
  b=$SPAWNED
  run_shim SKL_PORTS=5000-64999 SKL_CIDRS=2001:db8:1::/48,2001:db8:2::/64,2001:db8:3::3 -- \
    "$BUILD/tests/srv-listen" plain 80 ::1
  c=$SPAWNED
  wait_until members_are 3
  run_shim SKL_PORTS=* SKL_CIDRS=2001:db8:1:5::/64 -- "$BUILD/tests/srv-listen" plain 81 ::1
  d=$SPAWNED
  wait_until members_are 4
  cat >"$PLAN" <<END
$a 0 stays 127.0.0.1 80 127.0.0.1/32:80 127.0.0.1/32:5000-64999 127.1.0.0/16:80 127.1.0.0/16:5000-64999 127.2.0.0/16:80 127.2.0.0/16:5000-64999 127.3.0.0/17:80 127.3.0.0/17:5000-64999 127.4.4.4/32:80 127.4.4.4/32:5000-64999
$b 0 stays 127.0.0.2 81 127.0.0.2/32:81 127.0.0.2/32:20000-29999 127.0.0.2/32:30000 127.1.0.0/16:81 127.1.0.0/16:20000-29999 127.1.0.0/16:30000 127.2.9.0/24:81 127.2.9.0/24:20000-29999 127.2.9.0/24:30000
$c 0 stays ::1 80 [::1]/128:80 [::1]/128:5000-64999 [2001:db8:1::]/48:80 [2001:db8:1::]/48:5000-64999 [2001:db8:2::]/64:80 [2001:db8:2::]/64:5000-64999 [2001:db8:3::3]/128:80 [2001:db8:3::3]/128:5000-64999
$d 0 stays ::1 81 [::1]/128:81 [::1]/128:1-65535 [2001:db8:1:5::]/64:81 [2001:db8:1:5::]/64:1-65535
END
  asked_right 10000
  kill -KILL "$d"
  wait_until members_are 3
  sed -i '$d' "$PLAN"
  asked_right 3000
}

@test "10,000 prefixes on one port, one within the other; the next one is as cheap; a new helper finds them" {
  start_helper
  # nested, and what is within another is seldom its listener's
  awk 'BEGIN {
    for (i = 0; i < 100; i++) {
      printf "l%d 0 stays :: %d", i, 1000 + i
      for (n = i; n < 10000; n += 100) {
        if ((m = n) < 40) printf " 127.%d.0.0/16:7", m
        else if ((m -= 40) < 2000) printf " 127.%d.%d.0/24:7", m % 40, int(m / 40) * 4
        else if ((m -= 2000) < 4000) printf " 127.%d.%d.%d/28:7", m % 40, int(m / 40) % 50 * 4, int(m / 2000) * 16
        else if ((m -= 4000) < 1960) printf " 127.%d.%d.5/32:7", m % 40, int(m / 40) * 4
        else if ((m -= 1960) < 500) printf " [2001:db8:%x::]/48:7", m
        else printf " [2001:db8:%x:%x::]/%d:7", m % 500, int(m / 500), 63 + int(m / 500) % 3
      }
      printf "\n"
    }
  }' >"$PLAN"
  (($(grep -Eo '[^ ]+/[0-9]+:7' "$PLAN" | sort -u | wc -l) == 10000))
  serve_plan
  cat "$LOG"
  asked_right 10000
  comes_and_goes 127.200.0.0/16:7 127.200.1.1 7
  kill -KILL "$HELPER"
  wait_until gone "$HELPER"
  asked_right 1000
  start_helper
  asked_right 2000
  run_shim SKL_BIND=127.200.0.0/16:7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until answers 127.200.1.1 7
  asked_right 2000
  stop "$SPAWNED"
  kill -KILL "$SERVED"
  wait_until nobody_is_left
  wait_until trie_is_empty
}

# or gone with all the rest of the namespace, which the helper takes away when it has nothing to do
trie_is_empty() {
  [[ ! -e /proc/$HOLDER/root$BPFFS ]] || (($(ns bpftool -j map dump pinned "$BPFFS/trie" | jq length) == 0))
}

# comes_and_goes BINDING ADDRESS PORT: one listener more, twenty times, and none of these claims is dear.
comes_and_goes() {
  local before

  before=$(helper_ms)
  for _ in {1..20}; do
    run_shim "SKL_BIND=$1" -- "$BUILD/tests/srv-listen" plain 8080 127.99.99.99
    wait_until answers "$2" "$3"
    stop "$SPAWNED"
    wait_until is_anothers "$2" "$3"
  done
  cheap "$before" 20
}

# is_anothers ADDRESS PORT: whoever answers there, it is not the one that comes and goes.
is_anothers() {
  [[ $(ask "$1" "$2") != srv-listen* ]]
}

@test "4,096 listeners, beside 60,000 ports on four prefixes and 10,000 prefixes on a port; the helper stays small" {
  start_helper
  awk 'BEGIN {
    printf "wide 0 stays 127.99.0.1 1000 127.100.0.0/16:2000-61999 127.101.0.0/16:2000-61999"
    print " 127.0.0.0/8:2000-61999 127.102.0.0/15:2000-61999"
    print "wide6 0 stays 2001:db8:ffff::ffff 1000 [2001:db8::]/32:2000-61999 [2001:db8:8000::]/33:2000-61999"
    for (i = 0; i < 4094; i++) {
      if (i % 8 == 7) {
        printf "l%d 0 stays 2001:db8:ffff::%x 1000", i, i
        printf " [2001:db8:%x::]/48:%d [2001:db8:%x::]/47:%d\n", i, 2000 + i, i - 1, 10000 + i
      } else {
        a = sprintf("127.100.%d.%d", i / 256, i % 256)
        printf "l%d 0 stays %s 1000 %s/32:%d\n", i, a, a, 2000 + i
      }
    }
  }' >"$PLAN"
  serve_plan
  cat "$LOG"
  local all=$SERVED
  listeners_are 4096
  helper_is_small
  asked_right 10000
  mv "$PLAN" "$T/first"
  rm "$PLAN.state"
  awk 'BEGIN {
    for (i = 0; i < 10; i++) {
      printf "many%d 0 stays 127.99.0.2 %d", i, 1000 + i
      for (k = 0; k < 1000; k++)
        printf " 127.%d.%d.%d/%d:7", 50 + i, k / 4, k % 4 * 64, 26 + k % 2
      print ""
    }
  }' >"$PLAN"
  serve_plan
  cat "$T/first" >>"$PLAN"
  asked_right 10000
  # UDP has its own ports
  run_udp SKL_PORTS=2000-9999 -- echo 1000
  udp_echoes 127.0.0.1 2000 9999
  asked_right 1000
  comes_and_goes 127.100.3.3/32:4000 127.100.3.3 4000
  comes_and_goes 127.50.1.1/32:7 127.50.1.1 7
  kill -KILL "$all" "$SERVED"
  wait_until listeners_are 1
}

# ---- while it changes ----

# calm COUNT FILE: where plan-ask told of so many connections, while listeners came and went. Nobody was answered by
# another than he had to be, and nobody was refused who had a rule; and for most it could be told who has to answer.
calm() {
  says_all wrong=0 refused=0 lost=0 silent=0 failures=0 <"$2" &&
    (($(tally right <"$2") + $(tally change <"$2") == $1)) &&
    (($(tally sure <"$2") > $1 / 2)) && (($(tally changes <"$2") > 100))
}

@test "100,000 connections while claims, deaths and three users' ranges come and go" {
  local clients=() log deadline each=$((${TESTS_SLOW:-1} > 3 ? 8000 : 50000))
  start_helper --mode 0666
  awk 'BEGIN {
    # what stays, with nothing above it that comes and goes
    print "wide 0 stays :: 1100 127.20.0.0/16:5000-64999 127.21.0.0/16:5000-64999 [2001:db8:20::]/48:5000-64999"
    printf "deep 0 stays 127.99.0.1 1001"
    for (k = 0; k < 900; k++) printf " 127.30.%d.%d/28:7", k / 16, k % 16 * 16
    print ""
    # what stays, and others come within it: exact ports and smaller ranges of its prefix, longer prefixes
    print "under 0 stays :: 1102 127.40.0.0/16:5000-64999 127.41.0.0/16:5000-64999 [2001:db8:40::]/48:5000-64999"
    print "below 0 stays :: 1103 127.30.0.0/15:7 [2001:db8:31::]/48:7"
    for (i = 0; i < 20; i++) {
      printf "exact%d 0 comes :: %d 127.40.0.0/16:%d [2001:db8:40::]/48:%d\n", i, 1200 + i, 6000 + i, 6000 + i
      printf "range%d 0 comes 127.99.2.%d 1000 127.40.0.0/16:%d-%d\n", i, i + 1, 10000 + 100 * i, 10250 + 110 * i
      printf "prefix%d 0 comes 127.99.3.%d 1000 127.41.%d.0/24:8000-8999 127.41.%d.0/25:8000-8499\n", i, i + 1, i, i + 1
      # keys of the same class of the trie as those that stay
      printf "trie%d 0 comes :: %d", i, 1240 + i
      for (k = 0; k < 50; k++) printf " 127.31.%d.%d/30:7", k, i * 8
      printf " [2001:db8:31:%x::]/64:7 [2001:db8:31:%x::]/63:7\n", i * 2, i * 2
    }
    # two more users: nobody takes what the other had first
    print "a 4071 stays 127.99.0.2 2000 127.60.0.0/16:30000-39999 127.62.0.0/16:30000-30999"
    print "b 4072 stays 127.99.0.3 2000 127.61.0.0/16:30000-39999 127.62.128.0/17:30500-31499"
    for (i = 0; i < 8; i++) {
      printf "a%d 4071 comes 127.99.5.%d 2000 127.60.%d.0/24:35000-44999 127.61.%d.0/24:39000-40999\n", i, i + 1, i, i
      printf "b%d 4072 comes 127.99.6.%d 2000 127.60.%d.0/25:39500-45499 127.61.%d.0/25:31000-40499\n", i, i + 1, i, i
    }
  }' >"$PLAN"
  serve_plan 10
  cat "$LOG"
  for _ in 1 2; do
    spawn "$BUILD/tests/plan-ask" -t "$PLAN.state" "$each" "$PLAN"
    clients+=("$LOG")
  done
  deadline=$((SECONDS + 200 * ${TESTS_SLOW:-1}))
  for log in "${clients[@]}"; do
    until grep -q '^ok' "$log"; do
      kill -0 "$SERVED"
      ((SECONDS < deadline))
      sleep 0.1
    done
    cat "$log"
    calm "$each" "$log"
  done
  helper_is_small
  helper_is_well "$(helper_fds)"
  kill -KILL "$SERVED"
  wait_until nobody_is_left
}
