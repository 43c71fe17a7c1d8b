#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# As much as the tables hold: whoever answers is the one whose rule comes first, also while rules come and go.
# A plan says what there is (tests/tools/plan.h), and plan-ask knows by it who has to answer.

setup() {
  load ../lib/skl
  load ../lib/many
  skl_setup
  ns ip route add local 2001:db8::/32 dev lo
  PLAN=/run/test/plan
}

teardown() {
  skl_teardown
}

# serve_plan [PAUSE]: what stands in the plan; SERVED is the process.
serve_plan() {
  spawn "$BUILD/tests/plan-serve" /run/test/state $PLAN "$@"
  SERVED=$SPAWNED
  wait_log ready
}

ask_plan() {
  ns "$BUILD/tests/plan-ask" "$@" $PLAN
}

@test "trial" {
  start_helper
  awk 'BEGIN {
    for (i = 0; i < 4096; i++) {
       a = sprintf("127.100.%d.%d", i / 256, i % 256)
       printf "l%d 0 stays %s 1000 %s/32:%d-%d\n", i, a, a, 2000 + i, 2000 + i
    }
  }' >"$T/plan"
  serve_plan
  cat $LOG
  grep VmRSS /proc/$HELPER/status
  time ask_plan 10000
  false
}

@test "trial 2" {
  start_helper
  awk 'BEGIN {
    for (i = 0; i < 100; i++) {
       a = sprintf("127.100.%d.%d", i / 256, i % 256)
       printf "l%d 0 stays %s 1000", i, a
       for (k = 0; k < 100; k++) {
	 n = k * 100 + i
	 printf " 127.%d.%d.0/%d:7-7", n / 256, n % 256, 24
       }
       printf "\n"
    }
  }' >"$T/plan"
  serve_plan
  cat $LOG
  grep VmRSS /proc/$HELPER/status
  time ask_plan 10000
  false
}
