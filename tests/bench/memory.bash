# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What coverage takes of memory, in the kernel and in the helper, with a helper that has nothing else to do; and how
# many claims that helper takes in a second, with few listeners and with many.

MEMORY_LISTENERS=4096
MEMORY_ROUNDS=9
MEMORY_SOCKET=/run/bench/memory.sock

# memory_add TABLE COLUMN ROW FIGURE [ROUND]
memory_add() {
  printf '%s\t%s\t%s\n' "${5:-0}" "$3" "$4" | add "$1" "$2" 0
}

# memory_maps PINS: the numbers of all maps that are pinned there, that pinned programs use, and that is in `flows`.
memory_maps() {
  local pin inner

  for pin in "$1"/*; do
    case ${pin##*/} in
      link) ;;
      dispatch | probe | reply) bpftool --json prog show pinned "$pin" | jq '.map_ids[]' ;;
      *) bpftool --json map show pinned "$pin" | jq .id ;;
    esac
    if [[ $pin == */flows ]] && inner=$(bpftool --json map lookup pinned "$pin" key 0 0 0 0 2>/dev/null); then
      echo $((0x$(jq --raw-output '.value | reverse | map(.[2:]) | join("")' <<<"$inner")))
    fi
  done | sort --unique
}

# memory_pinned PINS: KiB of all these maps, and of the programs.
memory_pinned() {
  local map pin

  {
    for map in $(memory_maps "$1"); do
      bpftool --json map show id "$map"
    done
    for pin in "$1"/dispatch "$1"/probe "$1"/reply; do
      [[ ! -e $pin ]] || bpftool --json prog show pinned "$pin"
    done
  } | jq --slurp 'map(.bytes_memlock) | add / 1024'
}

# memory_kernel ROW NAMESPACE
memory_kernel() {
  memory_add "kernel memory" "KiB" "$1" "$(memory_pinned "/sys/fs/bpf/memory/net-$(stat -Lc %i "/run/netns/$2")")"
}

# memory_resident FIELD PID: KiB
memory_resident() {
  sed -n "s/^$1:[[:space:]]*\\([0-9]*\\) kB/\\1/p" "/proc/$2/status"
}

# memory_helper ROW: what it and its process for other namespaces have in memory. That one was forked: all but its
# anonymous pages are the helper's, too.
memory_helper() {
  local broker resident

  broker=$(pgrep --parent "$MEMORY_HELPER")
  resident=$(($(memory_resident VmRSS "$MEMORY_HELPER") + $(memory_resident RssAnon "$broker")))
  memory_add "helper memory" "KiB" "$1" "$resident"
}

# memory_claims ROW: beside what is there.
memory_claims() {
  local rate

  for ((round = 0; round < MEMORY_ROUNDS; round++)); do
    read -r _ _ rate < <(on memory taskset --cpu-list "$CLIENT_CPU" env "SKL_HELPER=$MEMORY_SOCKET" \
      "LD_PRELOAD=$BUILD/libsklshim.so" SKL_PORTS=7 "$BUILD/tests/bench-listen" 100)
    memory_add claims "claims/s" "$1" "$rate" "$round"
  done
}

server_in "" sklhelper --log-level error --socket "$MEMORY_SOCKET" --bpffs /sys/fs/bpf/memory
MEMORY_HELPER=$STARTED
export SKL_HELPER=$MEMORY_SOCKET
wait_until test -S "$MEMORY_SOCKET"
memory_helper "no listener"

covered_in memory 77 "$BUILD/tests/bench-tcp-server" 127.0.0.1 8080
wait_until opens memory 77
memory_helper "1 listener"
memory_kernel "TCP, 1 listener" memory
memory_claims "1 other listener"

server_in memory "$BUILD/tests/bench-listeners" "$BUILD/libsklshim.so" "$MEMORY_SOCKET" "$MEMORY_LISTENERS" \
  /run/bench/all
until [[ -e /run/bench/all ]]; do
  kill -0 "$STARTED" || fail "bench-listeners has ended"
  sleep 0.2
done
memory_helper "4,096 listeners"
memory_kernel "TCP, 4,096 listeners" memory
memory_claims "4,096 other listeners"

covered_in memory-udp 77/udp "$BUILD/tests/bench-udp-server" 127.0.0.1 8080
wait_until bound memory-udp 8080 udp
wait_until test -e "/sys/fs/bpf/memory/net-$(stat -Lc %i /run/netns/memory-udp)/reply"
memory_kernel "TCP and UDP, 1 listener" memory-udp
unset SKL_HELPER
