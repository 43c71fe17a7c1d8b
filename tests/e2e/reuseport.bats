#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Servers with many sockets on one address (SO_REUSEPORT): the kernel balances among all of them on extra ports
# as it does on their own, whoever comes and goes.

WORKERS=64

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/many
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

# starts_workers: all 64, covered on port 7; WORKER_PIDS are they, PARENT who waits for them.
starts_workers() {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/many-listen" workers $WORKERS 8080
  PARENT=$SPAWNED
  wait_until members_are $WORKERS
  mapfile -t WORKER_PIDS < <(pgrep -P "$PARENT")
}

# chi_square: of lines "PID COUNT", against an even spread over as many as there are lines.
chi_square() {
  awk '{ n++; sum += $2; squares += $2 * $2 } END { printf "%d\n", squares * n / sum - sum }'
}

# even_spread PORT: 10,000 connections reach every worker, none half or twice as often as would be its share. The
# kernel's hash is not chance: on the bound port, too, chi square is above the 63 that this would give.
even_spread() {
  local said n

  said=$(many_connect -s 10000 "127.0.0.1:$1")
  said=$(tail -n +2 <<<"$said")
  n=$(wc -l <<<"$said")
  echo "port $1: $n workers, chi square $(chi_square <<<"$said")"
  ((n == WORKERS && $(chi_square <<<"$said") < 250)) &&
    awk -v share=$((10000 / WORKERS)) '$2 < share / 2 || $2 > share * 2 { print; exit 1 }' <<<"$said"
}

@test "64 workers: 10,000 connections to an extra port are spread as those to their own" {
  starts_workers
  even_spread 8080
  even_spread 7
  (($(ns "$SKL" status -j | jq '.listeners | length') == 1))
}

@test "63 of 64 workers die, in any order, while connections come: none is refused" {
  local victims
  starts_workers
  mapfile -t victims < <(printf '%s\n' "${WORKER_PIDS[@]}" | shuf | tail -n +2)
  spawn "$BUILD/tests/many-connect" "$((${TESTS_SLOW:-1} > 3 ? 8000 : 50000))" 127.0.0.1:7
  local client=$SPAWNED
  local pid
  for pid in "${victims[@]}"; do
    kill -KILL "$pid"
    sleep 0.02
  done
  kill -0 "$client" # it goes on for longer than that
  wait_log silent
  says_all refused=0 silent=0 wrong=0 <"$LOG"
  # the client makes one connection at a time: no more than one is lost with each worker
  (($(tally lost <"$LOG") <= 63))
  many_connect 200 127.0.0.1:7 127.0.0.1:8080
  wait_until members_are 1
}

@test "the first worker dies, whose place all rules name; then the one that is left; then all is free" {
  starts_workers
  kill -KILL "${WORKER_PIDS[0]}"
  wait_until gone "${WORKER_PIDS[0]}"
  many_connect 500 127.0.0.1:7
  kill -KILL "${WORKER_PIDS[@]:1}"
  wait_until gone "$PARENT"
  wait_refused 127.0.0.1 7 8080
  free 127.0.0.1 7
}

@test "workers that join later get their share" {
  local said late
  run_shim SKL_PORTS=7 -- "$BUILD/tests/many-listen" workers 3 8080
  wait_until members_are 3
  many_connect 100 127.0.0.1:7
  run_shim SKL_PORTS=7 -- "$BUILD/tests/many-listen" workers 1 8080
  wait_until members_are 4
  late=$(pgrep -P "$SPAWNED")
  said=$(many_connect -s 4000 127.0.0.1:7)
  echo "$said"
  (($(grep -c '^[0-9]' <<<"$said") == 4))
  (($(sed -n "s/^$late //p" <<<"$said") > 800))
  # one that the helper does not know is balanced to as well: it is the kernel that does it
  spawn "$BUILD/tests/many-listen" workers 1 8080
  wait_until five_answer
}

five_answer() {
  (($(many_connect -s 200 127.0.0.1:7 | grep -c '^[0-9]') == 5))
}

@test "a worker is replaced many times over" {
  run_shim SKL_PORTS=7 -- "$BUILD/tests/many-listen" workers 2 8080
  wait_until members_are 2
  for _ in {1..7}; do # in all more than a listener can have
    run_shim SKL_PORTS=7 -- "$BUILD/tests/many-listen" workers 20 8080
    wait_until members_are 22
    kill -KILL "$SPAWNED" # and its children die with it
    wait_until members_are 2
  done
  run_shim SKL_PORTS=7 -- "$BUILD/tests/many-listen" workers 2 8080
  wait_until members_are 4
  many_connect 100 127.0.0.1:7
}

@test "UDP: all workers but one die, whichever was first; the answers come from where they were asked" {
  local workers pid left
  run_udp SKL_PORTS=7 -- reuseport 5353
  wait_until members_are 4
  wait_until udp_workers_are 4
  mapfile -t workers < <(udp_workers)
  left=${workers[2]}
  for pid in "${workers[@]}"; do
    if [[ $pid != "$left" ]]; then
      kill -KILL "$pid"
      wait_until gone "$pid"
      udp_echoes -n 20 127.0.0.1 7
    fi
  done
  [ "$(udp_workers)" = "$left" ]
  wait_until members_are 1
  kill -KILL "$left"
  wait_udp_refused 127.0.0.1 7
}

# udp_workers: who answers on port 7, each once.
udp_workers() {
  for _ in {1..60}; do
    udp_who 127.0.0.1 7
  done | sort -u
}

udp_workers_are() {
  (($(udp_workers | wc -l) == $1))
}

@test "another user's socket does not join" {
  stop_helper
  start_helper --mode 0666
  spawn setpriv --reuid 4001 --regid 4001 --clear-groups --inh-caps=-all -- env "LD_PRELOAD=$SHIM" SKL_PORTS=7000 \
    "$BUILD/tests/many-listen" workers 2 8080
  wait_until members_are 2
  run as 4002 timeout 10 env "LD_PRELOAD=$SHIM" SKL_PORTS=7000 "$BUILD/tests/many-listen" sockets 1 8080 127.0.0.1
  [ "$status" -eq 98 ]
}

# ---- programs ----

# http_pids PORT [HOST]: who answers; each connection is a new one.
http_pids() {
  local i

  for i in {1..60}; do
    ns curl -s --max-time 5 --noproxy '*' "http://${2:-127.0.0.1}:$1/$i"
  done | sed -n 's/^[^0-9]*\([0-9]*\).*/\1/p' | sort -u
}

pids_are() {
  (($(http_pids "$1" "${@:3}" | wc -l) == $2))
}

@test "nginx: four workers with listen ... reuseport" {
  mkdir "$T/nginx"
  echo 'listen 8080 reuseport; listen [::]:8080 reuseport ipv6only=on;' >"$T/nginx/listen.conf"
  # shellcheck disable=SC2016 # nginx's variable
  sed 's/worker_processes 2/worker_processes 4/; s/return 200 "/&$pid /' "$ROOT/tests/programs/nginx.conf" \
    >"$T/nginx/nginx.conf"
  run shim SKL_PORTS=80 -- nginx -p /run/test/nginx -c nginx.conf -e error.log
  [ "$status" -eq 0 ]
  wait_until members_are 8
  wait_until pids_are 80 4
  wait_until pids_are 80 4 '[::1]'
  local master old
  master=$(<"$T/nginx/nginx.pid")
  old=$(pgrep -P "$master" | head -n 1)
  kill -KILL "$old"
  wait_until gone "$old"
  wait_until pids_are 80 4
  for _ in {1..20}; do
    reaches 127.0.0.1 80
    reaches ::1 80
  done
  # a reload gives the same sockets to four new workers
  old=$(http_pids 80)
  kill -HUP "$master"
  wait_until others_than "$old"
  wait_until pids_are 80 4
  members_are 8
  stop "$master"
  free 127.0.0.1 80
  free ::1 80
}

# others_than PIDS: none of these answers any more.
others_than() {
  ! http_pids 80 | grep -qxF -- "$1"
}

@test "haproxy: a socket for each thread" {
  sed 's/bind 127.0.0.1:8080/& shards by-thread/; 1a global\n  nbthread 4' "$ROOT/tests/programs/haproxy.cfg" \
    >"$T/haproxy.cfg"
  run_shim SKL_PORTS=80 -- haproxy -db -f /run/test/haproxy.cfg
  wait_until members_are 4
  for _ in {1..40}; do
    reaches 127.0.0.1 80 8080
  done
  stop "$SPAWNED"
  free 127.0.0.1 80
}

@test "python, four processes with a socket each, and four with one together" {
  local how members
  for how in each shared; do
    members=4
    [ $how = each ] || members=1
    run_shim SKL_PORTS=7 -- /usr/bin/python3 "$TESTS/programs/prefork.py" $how 8000
    wait_until members_are $members
    local parent=$SPAWNED said
    said=$(many_connect -s 400 127.0.0.1:7)
    echo "$how: $said"
    (($(grep -c '^[0-9]' <<<"$said") == 4))
    kill -KILL "$(pgrep -P "$parent" | head -n 1)"
    wait_until python_answers 3
    pkill -KILL -P "$parent"
    wait_until gone "$parent"
    free 127.0.0.1 7
    wait_until members_are 0
  done
}

python_answers() {
  (($(many_connect -s 200 127.0.0.1:7 | grep -c '^[0-9]') == $1))
}
