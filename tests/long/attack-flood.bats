#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Malformed requests by the tens of thousands, with descriptors of every kind attached (tests/tools/flood.c): the
# helper loses nothing, and a claim of another user is answered all the while. TESTS_LONG=1: a million.

setup() {
  LONG=${TESTS_LONG:-}
  load ../lib/skl
  skl_setup
  start_helper --mode 0666
}

teardown() {
  skl_teardown
}

# flood COUNT: what came of it is in $output.
flood() {
  ATTACK_END=3500 run ns timeout 3500 /usr/bin/python3 "$TESTS/programs/attack.py" flood "$BUILD/tests/flood" "$1"
  if ((status != 0)) || [[ $output == *broken* ]]; then
    echo "flood: status $status"
    echo "$output"
    return 1
  fi
  (($(awk '/^sent/ { n += $2 } END { print n }' <<<"$output") == $1))
}

# memory: of the helper, in KiB. Its share of the maps is not counted.
memory() {
  sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$HELPER/status"
}

@test "malformed requests of one user cost the helper nothing, and others no claim" {
  local count=30000 first=6000 fds before

  if [[ -n $LONG ]]; then
    count=1000000
    first=60000
  fi
  flood $first # until every place and every cache is used
  wait_until forgotten
  fds=$(helper_fds)
  before=$(memory)
  flood $count
  echo "$output"
  wait_until forgotten
  helper_is_well "$fds"
  echo "memory: $before KiB, then $(memory) KiB"
  # its own tables have 2 MiB, of which what was never used takes none
  if ! instrumented; then # whose allocator keeps what is freed
    (($(memory) <= before + 2048))
  fi
  (($(sed -n 's/^Threads:[^0-9]*//p' "/proc/$HELPER/status") == 1))
}

forgotten() {
  [[ $(ns "$SKL" status -j | jq '.listeners | length') == 0 ]]
}
