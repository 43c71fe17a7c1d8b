#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for inner shells and eval
#
# Servers as they are shipped, two versions of each in one share: both are asked, then the old one is told to stop while
# clients come and go. What is said about them in the README is from here.

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/share
  skl_setup
  start_helper
}

teardown() {
  skl_teardown
}

# start_old CMD...: the first one, in the share. OLD is its pid.
start_old() {
  run_shim SKL_SHARE=web VERSION=one -- "$@"
  OLD=$SPAWNED
  wait_until get one
}

# get TEXT: some HTTP server says so. The answer may be another's: try again.
get() {
  [[ $(fetch) == *"$1"* ]]
}

fetch() {
  ns curl --silent --max-time 5 --noproxy '*' http://127.0.0.1:8080/
}

# members: the processes of the share.
members() {
  share '.members[].pid' | sort
}

# Who gets a connection is up to the kernel, and on an idle machine it is often the same: so let the others sleep.
# answers_alone TEXT PID...: this is the answer while those cannot give any.
answers_alone() {
  local text=$1

  shift
  kill -STOP "$@"
  only "$text" || {
    kill -CONT "$@"
    return 1
  }
  kill -CONT "$@"
}

# only TEXT: each of some answers.
only() {
  local i said

  for ((i = 0; i < 12; i++)); do
    said=$(fetch)
    [[ $said == *"$1"* ]] || {
      echo "'$said' instead of '$1'"
      return 1
    }
  done
}

# hands_over [OPTION...] -- CMD...: both versions serve at the same time, then the new one alone. Nobody is refused.
hands_over() {
  local old new

  start_load -n 8 -w 20 127.0.0.1 8080
  mapfile -t old < <(members)
  VERSION=two upgrade web --keep-old --after 300ms "$@"
  mapfile -t new < <(comm -13 <(printf '%s\n' "${old[@]}") <(members))
  answers_alone two "${old[@]}"
  answers_alone one "${new[@]}"
  VERSION=two upgrade web --after 500ms "$@"
  stop_load
  load_says refused=0 late=0 failed=0
  load_went_on 10
  only two
}

@test "python3 -m http.server" {
  mkdir "$T/one" "$T/two"
  echo one >"$T/one/index.html"
  echo two >"$T/two/index.html"
  start_old /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$T/one" 8080
  hands_over -- /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$T/two" 8080
  gone "$OLD"
}

# nginx_prefix VERSION: a configuration of its own.
nginx_prefix() {
  mkdir -p "$T/$1"
  chmod 755 "$T/$1"
  sed "s/reached.*port/$1/; s/include listen.conf/listen 127.0.0.1:8080/" "$ROOT/tests/programs/nginx.conf" >"$T/$1/nginx.conf"
}

# workers DIRECTORY: the processes that answer for the nginx that lives there.
workers() {
  pgrep -P "$(<"$1/nginx.pid")"
}

@test "nginx: another configuration, master and workers, and QUIT, with which it drains" {
  nginx_prefix one
  nginx_prefix two
  start_old nginx -p /run/test/one -c nginx.conf -e error.log
  start_load -n 8 -w 20 127.0.0.1 8080
  upgrade web --after 500ms --signal QUIT -- nginx -p /run/test/two -c nginx.conf -e error.log
  stop_load
  load_says refused=0 cut=0 late=0 failed=0
  load_went_on 10
  only two
  # a reload of the new one, which did not found the share
  kill -HUP "$(<"$T/two/nginx.pid")"
  sleep 1
  only two
}

@test "nginx: both at the same time" {
  nginx_prefix one
  nginx_prefix two
  start_old nginx -p /run/test/one -c nginx.conf -e error.log
  run_shim SKL_SHARE=web -- nginx -p /run/test/two -c nginx.conf -e error.log
  wait_until test -s "$T/two/nginx.pid"
  local one two
  mapfile -t one < <(workers "$T/one")
  mapfile -t two < <(workers "$T/two")
  answers_alone one "${two[@]}"
  answers_alone two "${one[@]}"
  kill "$(<"$T/one/nginx.pid")"
  wait_until only two
}

@test "haproxy in the foreground, as master and worker, and as a daemon" {
  sed "s/process.*port\]/one/; s/lf-string/string/" "$TESTS/../tests/programs/haproxy.cfg" >"$T/one.cfg"
  sed 's/one\\n/two\\n/' "$T/one.cfg" >"$T/two.cfg"
  start_old haproxy -db -f "$T/one.cfg"
  hands_over -- haproxy -db -f "$T/two.cfg"
  gone "$OLD"
  upgrade web --after 500ms -- haproxy -W -f "$T/one.cfg"
  only one
  upgrade web --after 1500ms -- haproxy -W -f "$T/two.cfg"
  only two
  upgrade web --after 1500ms -- haproxy -D -f "$T/one.cfg"
  only one
}

@test "gunicorn: a master with two workers" {
  start_old gunicorn --workers 2 --bind 127.0.0.1:8080 --chdir "$TESTS/programs" share_wsgi:app
  hands_over -- gunicorn --workers 2 --bind 127.0.0.1:8080 --chdir "$TESTS/programs" share_wsgi:app
  gone "$OLD"
}

@test "uvicorn: one process, and a parent with two" {
  start_old /usr/bin/python3 -m uvicorn --host 127.0.0.1 --port 8080 --app-dir "$TESTS/programs" share_asgi:app
  hands_over -- /usr/bin/python3 -m uvicorn --host 127.0.0.1 --port 8080 --app-dir "$TESTS/programs" share_asgi:app
  gone "$OLD"
  VERSION=three upgrade web --after 3s -- /usr/bin/python3 -m uvicorn --workers 2 --host 127.0.0.1 --port 8080 \
    --app-dir "$TESTS/programs" share_asgi:app
  wait_until only three
}

NODE='require("http").createServer((q, r) => r.end(process.env.VERSION + "\n")).listen(8080, "127.0.0.1")'

@test "node: one process" {
  start_old node -e "$NODE"
  hands_over -- node -e "$NODE"
  gone "$OLD"
}

@test "node: a cluster, whose primary binds and hands connections on" {
  start_old node "$TESTS/programs/share-cluster.js"
  hands_over -- node "$TESTS/programs/share-cluster.js"
  gone "$OLD"
}

@test "java: com.sun.net.httpserver, which has a selector" {
  local java=(java -Xshare:auto -XX:TieredStopAtLevel=1 -Djava.io.tmpdir=/run/test -XX:-UsePerfData
    "$TESTS/programs/ShareHttp.java" 8080)
  start_old "${java[@]}" one
  hands_over -- "${java[@]}" two
  gone "$OLD"
}

@test "redis: a second one takes over, clients come again" {
  local redis=(redis-server --port 8080 --bind 127.0.0.1 --save '' --dir "$T" --tcp-backlog 128) old
  run_shim SKL_SHARE=web -- "${redis[@]}"
  old=$SPAWNED
  wait_listen 8080
  # pipelines of 100 commands on a new connection each time; whoever is cut off comes again
  spawn bash -c 'n=0; while :; do
      yes "SET k v" | head -n 100 | timeout 5 redis-cli -p 8080 >/dev/null 2>>/run/test/errors || n=$((n + 1))
      echo "$n" >/run/test/failed; echo >>/run/test/rounds
    done'
  local client=$SPAWNED
  upgrade web --after 500ms -- "${redis[@]}"
  gone "$old"
  sleep 0.5
  kill "$client"
  [ "$(wc -l <"$T/rounds")" -gt 3 ]
  run grep -i refused "$T/errors"
  [ "$status" -eq 1 ]
  (($(<"$T/failed") <= 1))
  [ "$(ns redis-cli -p 8080 ping)" = PONG ]
}

@test "dnsmasq: UDP and TCP" {
  local dns=(dnsmasq --keep-in-foreground --port 5353 --listen-address 127.0.0.1 --bind-interfaces --no-resolv --no-hosts
    --conf-file=/dev/null --pid-file= --user=root) old i
  run_shim SKL_SHARE=dns SKL_PORTS=53 -- "${dns[@]}" --address /name.test/192.0.2.1
  old=$SPAWNED
  wait_until eval '[[ $(dig_name) == 192.0.2.1 ]]'
  upgrade dns --after 500ms -- "${dns[@]}" --address /name.test/192.0.2.2
  gone "$old"
  for ((i = 0; i < 5; i++)); do
    [ "$(dig_name)" = 192.0.2.2 ]
    [ "$(dig_name +tcp)" = 192.0.2.2 ]
    [ "$(dig_name -p 53)" = 192.0.2.2 ]
  done
  [ "$(ns "$SKL" status -j | jq -c '[.shares[].sockets[].protocol] | sort')" = '["tcp","udp"]' ]
}

dig_name() {
  ns dig +short +tries=1 +time=2 @127.0.0.1 -p 5353 "$@" name.test
}

# ---- what cannot be shared ----

@test "not: a static program, which preload does not reach, is refused before it starts" {
  gcc -static -O1 -o "$T/static" "$ROOT/examples/legacy-server.c" -pthread
  run ns timeout 10 "$SKL" run --share web -- "$T/static" 8080 127.0.0.1
  [ "$status" -eq 125 ]
  says share
  no_share
}

@test "not: a server that shuts its listener down when it stops takes it from the others" {
  local code='
import signal, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8080))
s.listen()
def end(*_):
    s.shutdown(socket.SHUT_RDWR)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("listens", flush=True)
while True:
    s.accept()[0].close()'
  run_shim SKL_SHARE=web -- python3 -c "$code"
  local first=$SPAWNED
  wait_log listens
  run_shim SKL_SHARE=web -- python3 -c "$code"
  wait_log listens
  stop "$first"
  wait_refused 127.0.0.1 8080
  wait_until no_share
}

@test "not: a UDP socket that its program connects to a client, as socat and iperf3 do: the next one gets its own" {
  local code='
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 5353))
s.connect(("127.0.0.1", int(sys.argv[1])))
print("bound", flush=True)
time.sleep(60)'
  run_shim SKL_SHARE=echo -- python3 -c "$code" 7001
  wait_log bound
  share_is '[.members[].pid]' "[$SPAWNED]"
  run_shim SKL_SHARE=echo -- python3 -c "$code" 7002
  wait_log bound
  share_is '[.members[] | select(.sockets > 0) | .pid]' "[$SPAWNED]"
}
