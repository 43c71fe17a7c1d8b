# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# With a socket for each address of an interface: it looks at where a question arrived, so tell it interfaces, not
# addresses. (One socket on every address closes TCP connections that reach a port it was not told.)
package dnsmasq-base bind9-dnsutils
title "dnsmasq --bind-interfaces"
modes preload supervised
protocols udp tcp
port 5300

start() {
  serve dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= --log-facility=- \
    --port="$PORT" --address=/example/192.0.2.7 --bind-interfaces --interface=lo
}

ask() {
  digs "$@" a.example A | says 192.0.2.7
}
