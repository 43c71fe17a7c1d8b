# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Binds random ports for its own questions.
package pdns-recursor bind9-dnsutils
title "PowerDNS recursor"
modes preload supervised
protocols udp tcp
port 5300

start() {
  # shellcheck disable=SC2016 # not for this shell
  printf '%s\n' '$TTL 60' '$ORIGIN example.' '@ SOA a b 1 1 1 1 1' '@ NS a' 'a A 192.0.2.7' >zone
  mkdir conf
  : >conf/recursor.conf
  serve pdns_recursor --config-dir="$T/conf" --local-address=0.0.0.0,:: --local-port="$PORT" --daemon=no --socket-dir="$T" \
    --auth-zones="example=$T/zone" --disable-syslog --setuid= --setgid= --allow-from=0.0.0.0/0,::/0 --security-poll-suffix=
}

ask() {
  digs "$@" a.example A | says 192.0.2.7
}
