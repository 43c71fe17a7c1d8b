# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a program pays: for each listen(), and at its start.

CALLS_ROUNDS=15
CALLS_SOCKETS=200 # in each round
CALLS_STARTS=600
CALLS_SHIM=LD_PRELOAD=$BUILD/libsklshim.so

# calls_listen ROUND ROW [VAR=VALUE...]: one round
calls_listen() {
  local round=$1 row=$2 median tail

  shift 2
  read -r median tail _ < <(on calls taskset --cpu-list "$CLIENT_CPU" env "$@" "$BUILD/tests/bench-listen" "$CALLS_SOCKETS")
  printf '%s\t%s\t%s\n' "$round" "$row" "$median" | add listen "median" 0
  printf '%s\t%s\t%s\n' "$round" "$row" "$tail" | add listen "95 of 100" 0
}

for ((round = 0; round < CALLS_ROUNDS; round++)); do
  calls_listen "$round" "without the shim"
  calls_listen "$round" "shim, nothing asked for" "$CALLS_SHIM"
  calls_listen "$round" "SKL_PORTS=7,77,777" "$CALLS_SHIM" SKL_PORTS=7,77,777
  calls_listen "$round" "SKL_PORTS=*" "$CALLS_SHIM" "SKL_PORTS=*"
done

client "$BUILD/tests/bench-start" "$CALLS_STARTS" "$BUILD/libsklshim.so" "$(type -P true)" | add start "us" 0
