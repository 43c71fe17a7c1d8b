# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Sockets for each address and thread. Before it makes them it gives up what the helper makes routes for.
package bind9 bind9-dnsutils
title "BIND named"
modes preload supervised
protocols udp tcp
routed
port 5300

start() {
  cat >named.conf <<CONF
options {
  directory "$T";
  pid-file none;
  listen-on port $PORT { any; };
  listen-on-v6 port $PORT { any; };
  recursion no;
  dnssec-validation no;
  session-keyfile none;
  managed-keys-directory "$T";
};
controls {};
zone "example" { type primary; file "zone"; };
CONF
  # shellcheck disable=SC2016 # not for this shell
  printf '%s\n' '$TTL 60' '@ SOA a b 1 1 1 1 1' '@ NS a' 'a A 192.0.2.7' >zone
  serve named -g -n 2 -c "$T/named.conf"
}

ask() {
  digs "$@" a.example A | says 192.0.2.7
}
