# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Where the bench measures: network namespaces of its own, one for each way to serve, all with the same server at
# 127.0.0.1 port 8080; servers, proxies and the helper on one CPU, clients on the other.

PLACES=() # what clients take turns at, see turns.h
SERVERS=()

world_start() {
  local cpus

  cpus=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
  SERVER_CPU=${cpus%%[-,]*}
  CLIENT_CPU=${cpus##*[-,]}
  mkdir /run/netns
  ulimit -n "$(ulimit -Hn)"
  taskset --pid --cpu-list "$SERVER_CPU" $$ >/dev/null
  server_in "" sklhelper --log-level error
  wait_until test -S /run/skl/helper.sock
  SERVERS=() # it stays
}

# on NAME CMD...: in the network namespace of this name, which is made where it is not there yet; "" is our own.
on() {
  local name=$1

  shift
  if [[ -z $name ]]; then
    "$@"
    return
  fi
  if [[ ! -e /run/netns/$name ]]; then
    touch "/run/netns/$name"
    unshare "--net=/run/netns/$name" -- sh -c 'ip link set lo up &&
      echo 10000 65000 >/proc/sys/net/ipv4/ip_local_port_range'
  fi
  nsenter "--net=/run/netns/$name" -- "$@"
}

# server_in NAME CMD...: in the background, until world_clear.
server_in() {
  on "$1" true
  if [[ -n $1 ]]; then
    in_background nsenter "--net=/run/netns/$1" -- "${@:2}"
  else
    in_background "${@:2}"
  fi
  SERVERS+=("$STARTED")
}

# covered_in NAME PORTS CMD...: the same with the shim.
covered_in() {
  server_in "$1" env "LD_PRELOAD=$BUILD/libsklshim.so" "SKL_PORTS=$2" "${@:3}"
}

client() {
  taskset --cpu-list "$CLIENT_CPU" "$@"
}

# place ROW NAMESPACE PORTS: where clients go from here on.
place() {
  PLACES+=("$1" "/run/netns/$2" 127.0.0.1 "$3")
}

# bound NAMESPACE PORT [PROTOCOL]: a socket has this port.
bound() {
  local port

  printf -v port '%04X' "$2"
  on "$1" grep -q "^ *[0-9]*: [0-9A-F]*:$port 00000000:0000" "/proc/self/net/${3:-tcp}"
}

# opens NAMESPACE PORT: connections are taken there.
opens() {
  # shellcheck disable=SC2016 # for the inner shell
  on "$1" timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0"' "$2"
}

# add TABLE COLUMN FIRST_ROUND: lines of round, row and figure are added to the samples.
add() {
  awk -F '\t' -v OFS='\t' -v table="$1" -v column="$2" -v first="$3" '
    NF != 3 {exit 1}
    {print table, column, $2, first + $1, $3}' >>"$SAMPLES"
}

# world_clear: all servers end; the namespaces stay.
world_clear() {
  local pid

  for pid in "${SERVERS[@]}"; do
    kill -KILL "$pid" 2>/dev/null || :
    wait_until test ! -e "/proc/$pid"
  done
  SERVERS=()
  PLACES=()
}
