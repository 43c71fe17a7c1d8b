# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# More for the end-to-end tests: one socket, many processes. Load it after skl.bash.

# serve [VAR=VALUE...] -- [OPTION...] ADDRESS PORT...: share-serve with the shim, once it is ready. SERVER is its pid.
serve() {
  start_serve "$@"
  wait_log "ready pid"
}

# start_serve: the same without waiting.
start_serve() {
  local vars=()

  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  run_shim "${vars[@]}" -- "$BUILD/tests/share-serve" "$@"
  SERVER=$SPAWNED
  export SERVER
}

# in_share [VAR=VALUE...] -- ...: what share-serve says in the foreground when it does not come up; for `run`.
in_share() {
  local vars=()

  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  shim "${vars[@]}" -- "$BUILD/tests/share-serve" "$@" 2>&1
}

# answering ADDRESS PORT [TIMES]: the processes that answer there, sorted, each once.
answering() {
  ns /usr/bin/python3 "$TESTS/programs/answering.py" "$1" "$2" "${3:-24}" | sort -n
}

# they_answer PORT PID...: these and no others, on 127.0.0.1.
they_answer() {
  local port=$1

  shift
  [[ $(answering 127.0.0.1 "$port") == "$(printf '%s\n' "$@" | sort -un)" ]]
}

# a share of their own is nothing that other users than root can have on old kernels
needs_others() {
  if kernel_before 5 14; then
    skip "before Linux 5.14 the helper cannot see which sockets another user's program has"
  fi
}

# ---- what the helper knows ----

# share FILTER: of the share, or the shares one after the other, by jq.
share() {
  ns "$SKL" status -j | jq -c ".shares[] | $1"
}

# share_is FILTER VALUE
share_is() {
  [[ $(share "$1") == "$2" ]]
}

no_share() {
  [[ $(ns "$SKL" status -j | jq '.shares | length') == 0 ]]
}

# ---- a client that never stops ----

# start_load [OPTION...] ADDRESS PORT: share-load in the background.
start_load() {
  spawn "$BUILD/tests/share-load" -s 250 "$@"
  LOAD=$SPAWNED
  LOAD_LOG=$LOG
}

# stop_load: waits until it has ended, and prints what it counted.
stop_load() {
  stop "$LOAD"
  cat "$LOAD_LOG"
}

# counted_by_load NAME: of what it has printed.
counted_by_load() {
  sed -n "/^ok /s/.*\<$1 \([0-9]*\).*/\1/p;/^ok /{/^ok \([0-9]*\)/!d}" "$LOAD_LOG" | head -n 1
}

# load_says NAME=VALUE...: exactly these.
load_says() {
  local one

  for one; do
    if [[ $(counted_by_load "${one%=*}") != "${one#*=}" ]]; then
      echo "$one expected: $(cat "$LOAD_LOG")"
      return 1
    fi
  done
}

# load_went_on: it had many answers.
load_went_on() {
  (($(counted_by_load ok) > ${1:-100}))
}

# ---- upgrade ----

# upgrade NAME [OPTION...] -- PROGRAM...: what it says is in $UPGRADE_LOG, and of the new program too. Its exit code is
# that of skl upgrade.
upgrade() {
  UPGRADE_LOG=$T/upgrade.log
  ns "$SKL" upgrade "$@" </dev/null >"$UPGRADE_LOG" 2>&1 3>&- 4>&-
}

# upgrade_says TEXT...
upgrade_says() {
  local text

  for text; do
    grep -qF -- "$text" "$UPGRADE_LOG" || {
      echo "'$text' is not in:"
      cat "$UPGRADE_LOG"
      return 1
    }
  done
}
