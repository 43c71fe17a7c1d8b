# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package stunnel4 openssl
title stunnel
port 8443

prepare() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stunnel.test -keyout key -out cert
}

start() {
  cat >stunnel.conf <<CONF
foreground = yes
pid =
cert = $T/cert
key = $T/key
[echo]
accept = :::$PORT
exec = /bin/echo
execArgs = echo from stunnel
CONF
  serve stunnel4 "$T/stunnel.conf"
}

ask() {
  openssl s_client -connect "$(host "$1"):$2" -quiet </dev/null 2>&1 | says "CN = stunnel.test" "from stunnel"
}
