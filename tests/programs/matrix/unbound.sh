# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Two threads with sockets of their own, that are a SO_REUSEPORT group.
package unbound bind9-dnsutils
modes preload supervised
protocols udp tcp
port 5300

start() {
  cat >unbound.conf <<CONF
server:
  interface: 0.0.0.0@$PORT
  interface: ::0@$PORT
  access-control: 0.0.0.0/0 allow
  access-control: ::0/0 allow
  do-daemonize: no
  use-syslog: no
  logfile: ""
  pidfile: ""
  directory: ""
  chroot: ""
  module-config: "iterator"
  num-threads: 2
  local-zone: "example." redirect
  local-data: "example. A 192.0.2.7"
CONF
  serve unbound -d -p -c "$T/unbound.conf"
}

ask() {
  digs "$@" a.example A | says 192.0.2.7
}
