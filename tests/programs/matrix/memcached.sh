# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# A UDP socket beside each TCP one; the threads have copies of it. Drops its rights before it binds.
package memcached
modes preload supervised
protocols tcp udp
port 11211
routed

start() {
  serve memcached -u nobody -p "$PORT" -U "$PORT" -l 0.0.0.0 -l ::
}

ask() {
  if [[ $3 == udp ]]; then
    exchange "$1" "$2" udp '\0\1\0\0\0\1\0\0version\r\n' | says "VERSION 1."
  else
    talk "$1" "$2" 1 $'version\r\n' | says "VERSION 1."
  fi
}
