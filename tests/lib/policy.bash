# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# More for the end-to-end tests: policy files, and users without any privilege. Load it after skl.bash.

# policy: writes what stands on stdin to $POLICY, as root's.
policy() {
  export POLICY=$T/policy.conf
  cat >"$POLICY"
  chmod 644 "$POLICY"
}

# reload: the helper reads its policy again, and says what came of it.
reload() {
  local said

  said=$(grep -c 'in force\|not taken\|not there' "$T/helper.log" || :)
  kill -HUP "$HELPER"
  wait_until says_more "$said"
}

says_more() {
  (($(grep -c 'in force\|not taken\|not there' "$T/helper.log") > $1))
}

# user_is UID[:GROUP,...]: the arguments of setpriv, in WHO.
user_is() {
  local uid=${1%%:*} groups=

  [[ $1 != *:* ]] || groups=${1#*:}
  WHO=(setpriv --reuid "$uid" --regid "$uid" --inh-caps=-all)
  if [[ $groups ]]; then
    WHO+=(--groups "$groups")
  else
    WHO+=(--clear-groups)
  fi
}

# run_as USER [VAR=VALUE...] -- PROGRAM [ARG...]: as run_shim, as that user.
run_as() {
  local vars=()

  user_is "$1"
  shift
  while [[ $1 != -- ]]; do
    vars+=("$1")
    shift
  done
  shift
  spawn "${WHO[@]}" -- env "LD_PRELOAD=$SHIM" "${vars[@]}" "$@"
}

# claim_as USER VAR=VALUE...: what the helper says to a claim of that user for a socket on 127.0.0.1 port 4000,
# as "ERRNO SENTENCE", which is 0 where it is granted. The socket is gone afterwards.
claim_as() {
  user_is "$1"
  shift
  ns "${WHO[@]}" -- /usr/bin/python3 "$TESTS/programs/wire.py" good "$@"
}

# granted USER VAR=VALUE... / denied ERRNO USER VAR=VALUE...: the same, and what it must be; sets `output`.
granted() {
  run claim_as "$@"
  # shellcheck disable=SC2154 # made by run
  [[ $output == 0* ]] || {
    echo "$*: $output"
    return 1
  }
}

denied() {
  local errno=$1

  shift
  run claim_as "$@"
  [[ $output == "$errno "* ]] || {
    echo "$*: $output, not $errno"
    return 1
  }
}

# whose ADDRESS PORT: the pid of the srv-listen that answers there.
whose() {
  ask "$1" "$2" | sed -n 's/^srv-listen \([0-9]*\):.*/\1/p'
}

# is_of PID ADDRESS PORT
is_of() {
  [[ $(whose "$2" "$3") == "$1" ]]
}

# logged TEXT...: each is in the helper's log.
logged() {
  local text

  for text; do
    grep -qF -- "$text" "$T/helper.log" || {
      echo "not in the helper's log: $text"
      return 1
    }
  done
}
