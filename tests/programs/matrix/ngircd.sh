# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Drops its rights before it binds.
package ngircd
title ngIRCd
port 6667
routed

start() {
  cat >ngircd.conf <<CONF
[Global]
Name = irc.test
Info = of the matrix
Ports = $PORT
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
[Options]
DNS = no
Ident = no
PAM = no
CONF
  serve ngircd -n -f "$T/ngircd.conf"
}

ask() {
  local nick=n$RANDOM

  talk "$1" "$2" 1 "NICK $nick"$'\r\nUSER ask 0 * ask\r\n' | says ":irc.test 001 $nick"
}
