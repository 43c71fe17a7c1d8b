#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Fifty programs of five users that claim, serve and die at random, TCP and UDP (tests/programs/stress.py): then
# the helper's word, its maps, /proc and who answers agree. TESTS_LONG=1: for a minute.

setup() {
  SECONDS_LONG=12
  [[ -z ${TESTS_LONG:-} ]] || SECONDS_LONG=60
  load ../lib/skl
  skl_setup
  start_helper --mode 0666
}

teardown() {
  skl_teardown
}

@test "fifty programs that claim and die at random: registry, maps and /proc agree" {
  local fds seed=${EPOCHREALTIME/[.,]/}

  ns timeout 5 "$SKL" status
  fds=$(helper_fds)
  run ns timeout 200 /usr/bin/python3 "$TESTS/programs/stress.py" "$SECONDS_LONG" "$BPFFS" "$seed"
  echo "seed $seed: $output"
  [[ $status == 0 && $output != *broken* && $output == *agreed* ]]
  wait_until nothing_covered
  wait_until no_pins
  helper_is_well "$fds"
}

nothing_covered() {
  [[ $(ns "$SKL" status) == "Nothing is covered." ]]
}

no_pins() {
  [[ -z $(find "/proc/$HOLDER/root$BPFFS" -mindepth 1 2>/dev/null) ]]
}
