# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# More for the end-to-end tests: helpers that die and are followed by others. Load it after skl.bash.

# spawn_helper COMMAND...: HELPER is its pid; does not wait for it.
spawn_helper() {
  spawn_with_log helper.log "$@"
  HELPER=$SPAWNED
  export HELPER
}

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
  spawn_helper env "${vars[@]}" "$BUILD/$name/sklhelper" "$@"
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
  helper_is_gone
}

helper_is_gone() {
  wait_until gone "$HELPER"
}

# still_there PID...
still_there() {
  local pid

  for pid; do
    if gone "$pid"; then
      echo "process $pid is gone"
      return 1
    fi
  done
}

# listeners [JQ-FILTER]: what the helper knows, as one line, without what changes by itself.
listeners() {
  ns "$SKL" status -j | jq -c "[.listeners[] | ${1:-.} | del(.age_ms, .lookups, .misses, .errors) |
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

# ---- build/faults/sklhelper: killed between two of its steps ----

# plan: the points at which it is to be killed, from what the one that was not killed has said: "NUMBER NAME"
# lines. With TESTS_LONG=1 it is every point, otherwise the first and the last of those in a row that are alike.
plan() {
  sed -n 's/^sklhelper: passes point \([0-9]*\): /\1 /p' "$T/helper.log" | awk -v all="${TESTS_LONG:-}" '
    { name = $0; sub(/^[0-9]* /, "", name); lines[NR] = $0; names[NR] = name }
    END { for (i = 1; i <= NR; i++) if (all || names[i] != names[i - 1] || names[i] != names[i + 1]) print lines[i] }'
}

# killed_at NUMBER NAME: the helper has died there.
killed_at() {
  wait_until gone "$HELPER"
  grep -qxF "sklhelper: killed at point $1: $2" "$T/helper.log" || {
    echo "not killed at point $1: $2"
    return 1
  }
}

# has_points NAME...: among those of the plan on stdin.
has_points() {
  local planned name

  planned=$(cut -d' ' -f2-)
  for name; do
    grep -qxF -- "$name" <<<"$planned" || {
      echo "the helper never passes the point where $name; it does where:"
      sort -u <<<"$planned"
      return 1
    }
  done
}

# Neither half-made nor half-removed directories, nor programs that were to take another's place.
nothing_half_made() {
  ! pins | grep -E '/(new|old|damaged|next)-'
}
