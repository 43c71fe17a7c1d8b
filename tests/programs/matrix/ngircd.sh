# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package ngircd
title ngIRCd
port 6667

start() {
  cat >ngircd.conf <<CONF
[Global]
Name = irc.test
Info = of the matrix
Ports = $PORT
ServerUID = nobody
ServerGID = nogroup
[Options]
DNS = no
Ident = no
PAM = no
CONF
  serve ngircd -n -f "$T/ngircd.conf"
}

ask() {
  talk "$1" "$2" 1 $'NICK ask\r\nUSER ask 0 * ask\r\n' | says ":irc.test 001 ask"
}
