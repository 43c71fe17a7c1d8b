# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Both sockets are bound before the first of them listens.
package rsync
port 8730

start() {
  echo "by rsync" >file
  printf 'use chroot = no\n[module]\npath = %s\nuid = root\ngid = root\n' "$T" >rsyncd.conf
  serve rsync --daemon --no-detach --port "$PORT" --config "$T/rsyncd.conf"
}

ask() {
  rm -f got
  rsync --contimeout 5 "rsync://$(host "$1"):$2/module/file" got && says "by rsync" <got
}
