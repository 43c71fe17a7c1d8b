#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Servers as Debian ships them, unmodified.

setup() {
  load ../lib/skl
  skl_setup
}

teardown() {
  skl_teardown
}

# ---- ncat ----

@test "ncat -lk with a command: the echo server on 7, 77 and 777" {
  start_helper
  run_shim SKL_PORTS=7,77,777 -- ncat -4lke "$(command -v cat)" 127.0.0.1 7777
  wait_port 127.0.0.1 777
  echoes 127.0.0.1 7777 7 77 777
  refused 127.0.0.1 8 78 7778
  stop "$SPAWNED"
  free 127.0.0.1 7 77 777
}

@test "ncat tells its command the port that was reached" {
  start_helper
  # shellcheck disable=SC2016 # for ncat's shell
  run_shim SKL_PORTS=7 -- ncat -lk -c 'echo "reached $NCAT_LOCAL_ADDR port $NCAT_LOCAL_PORT"' 7777
  wait_port 127.0.0.1 7
  wait_port ::1 7
  answers 127.0.0.1 7777 7
  answers ::1 7777 7
  stop "$SPAWNED"
  wait_refused ::1 7
  free 127.0.0.1 7
}

@test "ncat by skl run, with nothing set up: the helper comes and goes by itself" {
  spawn "$SKL" run -p 7,77 -- ncat -4lke "$(command -v cat)" 127.0.0.1 7777
  wait_port 127.0.0.1 77
  echoes 127.0.0.1 7777 7 77
  stop "$SPAWNED"
  wait_refused 127.0.0.1 7 77 7777
  wait_until helper_left
}

# ---- python ----

@test "python3 -m http.server" {
  start_helper
  mkdir "$T/www"
  echo "hello from a file" >"$T/www/hello"
  run_shim SKL_PORTS=80,8001-8003 -- /usr/bin/python3 -m http.server --directory "$T/www" 8000
  wait_port 127.0.0.1 80
  local port
  for port in 8000 80 8001 8002 8003; do
    [[ $(ns curl -s --max-time 5 "http://127.0.0.1:$port/hello") == "hello from a file" ]]
  done
  refused 127.0.0.1 8004
  stop "$SPAWNED"
  free 127.0.0.1 80 8001 8002 8003
}

@test "python3's HTTP server with a handler of its own, by skl run" {
  spawn "$SKL" run -p 80 -- /usr/bin/python3 "$TESTS/programs/reached.py" 8000
  wait_port 127.0.0.1 80
  reaches 127.0.0.1 8000 80
  stop "$SPAWNED"
  wait_refused 127.0.0.1 80 8000
  wait_until helper_left
}

# ---- nginx ----

# nginx_at LISTEN...: an own prefix with these listen directives.
nginx_at() {
  mkdir -p "$T/nginx"
  chmod 755 "$T/nginx"
  printf 'listen %s;\n' "$@" >"$T/nginx/listen.conf"
  cp "$ROOT/tests/programs/nginx.conf" "$T/nginx"
  NGINX=(nginx -p /run/test/nginx -c nginx.conf -e error.log)
}

nginx_master() {
  cat "$T/nginx/nginx.pid"
}

nginx_workers() {
  pgrep -P "$(nginx_master)" | sort
}

# A reload is through when there are COUNT workers and none of the OLD ones.
reloaded() {
  local new

  new=$(nginx_workers)
  (($(wc -l <<<"$new") == $2)) && [[ -z $(comm -12 <(echo "$1") <(echo "$new")) ]]
}

@test "nginx, master and workers: SKL_FOR picks one of two ports, a reload keeps the coverage" {
  start_helper
  nginx_at 8080 8081
  run shim SKL_PORTS=80,443 SKL_FOR=8081 SKL_CIDRS=127.0.0.0/28 -- "${NGINX[@]}"
  [ "$status" -eq 0 ]
  wait_port 127.0.0.1 443
  reaches 127.0.0.1 8080 8081 80 443
  reaches 127.0.0.5 80
  refused 127.0.0.1 81 442
  local old
  old=$(nginx_workers)
  kill -HUP "$(nginx_master)"
  wait_until reloaded "$old" 2
  reaches 127.0.0.1 8080 8081 80 443
  stop "$(nginx_master)"
  free 127.0.0.1 80 443
}

@test "nginx: without SKL_FOR the first listener is covered, and the log says that the other is not" {
  start_helper
  nginx_at 8080 8081
  run shim SKL_PORTS=80 -- "${NGINX[@]}"
  [ "$status" -eq 0 ]
  says 8081 SKL_FOR
  wait_port 127.0.0.1 80
  reaches 127.0.0.1 80 8080 8081
  stop "$(nginx_master)"
  free 127.0.0.1 80
}

@test "nginx: IPv4 and IPv6 sockets on one port are both covered" {
  start_helper
  nginx_at 8080 '[::]:8080'
  run shim SKL_PORTS=80 -- "${NGINX[@]}"
  [ "$status" -eq 0 ]
  wait_port ::1 80
  reaches 127.0.0.1 8080 80
  reaches ::1 8080 80
  stop "$(nginx_master)"
  wait_refused ::1 80
  free 127.0.0.1 80
}

@test "nginx: reuseport workers; a reload and a dead worker lose nothing" {
  start_helper
  nginx_at '8080 reuseport'
  run shim SKL_PORTS=80 -- "${NGINX[@]}"
  [ "$status" -eq 0 ]
  wait_port 127.0.0.1 80
  reaches 127.0.0.1 8080 80
  local old
  old=$(nginx_workers)
  kill -HUP "$(nginx_master)"
  wait_until reloaded "$old" 2
  for _ in {1..20}; do
    reaches 127.0.0.1 80
  done
  old=$(nginx_workers)
  kill -KILL "$(head -n 1 <<<"$old")"
  wait_until another_worker "$old"
  for _ in {1..20}; do
    reaches 127.0.0.1 80
  done
  stop "$(nginx_master)"
  free 127.0.0.1 80
}

another_worker() {
  [[ $(nginx_workers) != "$1" ]] && (($(nginx_workers | wc -l) == 2))
}

# ---- redis ----

@test "redis-server: one socket for each family, both covered" {
  start_helper
  run_shim SKL_PORTS=7379 -- redis-server --port 6379 --bind 0.0.0.0 :: --protected-mode no --save '' --dir "$T"
  wait_port 127.0.0.1 7379
  wait_port ::1 7379
  local host port laddr
  for host in 127.0.0.1 ::1; do
    laddr=$host
    [[ $host != *:* ]] || laddr="[$host]"
    for port in 6379 7379; do
      run ns redis-cli -h "$host" -p "$port" client list
      says "laddr=$laddr:$port"
    done
  done
  stop "$SPAWNED"
  wait_refused ::1 7379
  free 127.0.0.1 7379
}

# ---- haproxy ----

@test "haproxy -D, then another with -sf: two generations, and the end of the old one takes nothing away" {
  start_helper
  local haproxy=(haproxy -D -f "$TESTS/programs/haproxy.cfg" -p /run/test/haproxy.pid) old new
  run shim SKL_PORTS=80,443 -- "${haproxy[@]}"
  [ "$status" -eq 0 ]
  wait_port 127.0.0.1 443
  reaches 127.0.0.1 8080 80 443
  old=$(<"$T/haproxy.pid")
  run shim SKL_PORTS=80,443 -- "${haproxy[@]}" -sf "$old"
  [ "$status" -eq 0 ]
  wait_until gone "$old"
  new=$(<"$T/haproxy.pid")
  [ "$new" != "$old" ]
  for _ in {1..20}; do
    reaches 127.0.0.1 8080 80 443
  done
  [[ $(ns curl -s http://127.0.0.1:80/) == "process $new reached 127.0.0.1 port 80" ]]
  stop "$new"
  free 127.0.0.1 80 443
}

# ---- uvicorn ----

@test "uvicorn --workers 2: the parent binds, each child listens" {
  start_helper
  run_shim SKL_PORTS=80,443 -- /usr/bin/python3 -m uvicorn --workers 2 --host 127.0.0.1 --port 8000 \
    --app-dir "$TESTS/programs" asgi:app
  wait_port 127.0.0.1 443
  reaches 127.0.0.1 8000 80 443
  refused 127.0.0.1 81
  stop "$SPAWNED" INT
  free 127.0.0.1 80 443
}
