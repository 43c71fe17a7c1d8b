# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# The servers are forked after it has bound and listened.
package nsd bind9-dnsutils
modes preload supervised
protocols udp tcp
port 5300

start() {
  cat >nsd.conf <<CONF
server:
  server-count: 2
  ip-address: 0.0.0.0@$PORT
  ip-address: ::0@$PORT
  username: ""
  chroot: ""
  pidfile: ""
  zonesdir: "$T"
  zonelistfile: "$T/zones"
  xfrdfile: "$T/xfrd"
  database: ""
remote-control:
  control-enable: no
zone:
  name: example
  zonefile: zone
CONF
  # shellcheck disable=SC2016 # not for this shell
  printf '%s\n' '$TTL 60' '@ SOA a b 1 1 1 1 1' '@ NS a' 'a A 192.0.2.7' >zone
  serve nsd -d -c "$T/nsd.conf"
}

ask() {
  digs "$@" a.example A | says 192.0.2.7
}
