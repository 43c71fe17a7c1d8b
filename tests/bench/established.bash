# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What connections carry once they are open: the same server, in turn by its own port and by an extra one.

ESTABLISHED_ROUNDS=40
REDIS_REQUESTS=8000

established_http() {
  on data wrk --threads 1 --connections 16 --duration 1s "http://127.0.0.1:$1/" |
    sed -n 's/^Requests\/sec: *//p'
}

established_redis() {
  on data redis-benchmark -p "$1" -t get -c 16 -n "$REDIS_REQUESTS" --csv | sed -n 's/^"GET","\([0-9.]*\)".*/\1/p'
}

# established_turn ROUND COLUMN ROW MEASURE PORT
established_turn() {
  local figure

  figure=$(client "$BASH" -c "$(declare -f on established_http established_redis)
    REDIS_REQUESTS=$REDIS_REQUESTS
    $4 $5")
  printf '%s\t%s\t%s\n' "$1" "$3" "$figure" | add established "$2" 0
}

mkdir -p /run/bench/nginx /run/bench/redis
covered_in data 77 nginx -p /run/bench/nginx -c "$SHOW_ROOT/tests/bench/nginx.conf"
covered_in data 6380 redis-server --bind 127.0.0.1 --port 6379 --save "" --dir /run/bench/redis
wait_until opens data 77
wait_until opens data 6380
for ((round = 0; round < ESTABLISHED_ROUNDS; round++)); do
  if ((round % 2)); then
    established_turn "$round" "HTTP, wrk" direct established_http 8080
    established_turn "$round" "HTTP, wrk" "extra port" established_http 77
    established_turn "$round" "redis-benchmark, GET" direct established_redis 6379
    established_turn "$round" "redis-benchmark, GET" "extra port" established_redis 6380
  else
    established_turn "$round" "HTTP, wrk" "extra port" established_http 77
    established_turn "$round" "HTTP, wrk" direct established_http 8080
    established_turn "$round" "redis-benchmark, GET" "extra port" established_redis 6380
    established_turn "$round" "redis-benchmark, GET" direct established_redis 6379
  fi
done
