# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package chrony
title chronyd
modes preload supervised
protocols udp
port 1230

start() {
  printf '%s\n' "port $PORT" "allow all" "local stratum 5" "cmdport 0" "pidfile $T/pid" "bindcmdaddress /" \
    "driftfile $T/drift" "user root" >chrony.conf
  serve chronyd -d -x -f "$T/chrony.conf"
}

# a client's packet of NTP version 4: mode 3, to which a server answers with mode 4
ask() {
  local zeros

  zeros=$(printf '\\0%.0s' {1..47})
  exchange "$1" "$2" udp "\\43$zeros" | od -An -tu1 -N2 | says " 36   5"
}
