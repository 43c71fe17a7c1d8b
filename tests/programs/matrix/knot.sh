# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package knot bind9-dnsutils
title "Knot DNS"
modes preload supervised
protocols udp tcp
port 5300

start() {
  cat >knot.conf <<CONF
server:
  listen: [ 0.0.0.0@$PORT, ::@$PORT ]
  rundir: $T
database:
  storage: $T
log:
  - target: stderr
    any: info
zone:
  - domain: example
    storage: $T
    file: zone
CONF
  # shellcheck disable=SC2016 # not for this shell
  printf '%s\n' '$TTL 60' '@ SOA a b 1 1 1 1 1' '@ NS a' 'a A 192.0.2.7' >zone
  serve knotd -c "$T/knot.conf"
}

ask() {
  digs "$@" a.example A | says 192.0.2.7
}
