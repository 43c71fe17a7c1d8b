# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Looks at four bytes of a datagram before it takes it.
package freeradius freeradius-utils
title FreeRADIUS
modes preload supervised
protocols udp
port 1812
options --for 1812

prepare() {
  cp -a /etc/freeradius/3.0 raddb
  printf '%s\n' 'client four {' ' ipaddr = 0.0.0.0/0' ' secret = matrix' '}' \
    'client six {' ' ipv6addr = ::/0' ' secret = matrix' '}' >raddb/clients.conf
}

start() {
  serve freeradius -f -l stdout -d "$T/raddb"
}

ask() {
  # its status says that he was rejected, which is what is asked for
  { radclient -r 1 -t 4 "$(host "$1"):$2" auth matrix <<<'User-Name = "nobody", User-Password = "x"' 2>&1 || :; } |
    says "Access-Reject"
}
