# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# More for the end-to-end tests: helpers that die and are followed by others. Load it after skl.bash.

# start_variant NAME [VAR=VALUE...] [-- ARG...]: build/NAME/sklhelper ("." is the usual one), until it serves or
# has ended. HELPER is its pid, and what all helpers say is in $T/helper.log.
start_variant() {
  local name=$1 vars=()

  shift
  while (($#)) && [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift || :
  spawn_with_log helper.log env "${vars[@]}" "$BUILD/$name/sklhelper" "$@"
  HELPER=$SPAWNED
  export HELPER
  wait_until serves_or_gone
}

serves_or_gone() {
  gone "$HELPER" || serves
}

serves() {
  ns "$SKL" status
}

# kill_helper: at once, unless it is dead already.
kill_helper() {
  kill -KILL "$HELPER" 2>/dev/null || :
  wait_until gone "$HELPER"
}

# listeners [JQ-FILTER]: what the helper knows, as one line, without what changes by itself.
listeners() {
  ns "$SKL" status -j | jq -c "[.listeners[] | ${1:-.} | del(.age_ms) |
    .bindings |= map(del(.lookups, .misses, .errors))]"
}

# held NAME: how many entries one of the namespace's pinned maps has.
held() {
  local map=/proc/$HOLDER/root$BPFFS/$1

  case $1 in
    # of a SOCKMAP each slot is listed; what is in a free one is an error
    sockets) bpftool -j map dump pinned "$map" | jq '[.[] | select(.value | type == "array")] | length' ;;
    *) bpftool -j map dump pinned "$map" | jq length ;;
  esac
}

# held_all: of all maps that grow and shrink.
held_all() {
  local map

  for map in members bindings sockets trie events; do
    printf '%s %s ' "$map" "$(held "$map")"
  done
  echo
}
