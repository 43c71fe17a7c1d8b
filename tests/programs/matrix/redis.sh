# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package redis-server redis-tools
port 6379

start() {
  serve redis-server --port "$PORT" --bind 0.0.0.0 :: --protected-mode no --save '' --dir "$T"
}

ask() {
  redis-cli -h "$1" -p "$2" client list | says "laddr=$(host "$1"):$2 "
  redis-cli -h "$1" -p "$2" info server | says redis_version:
}
