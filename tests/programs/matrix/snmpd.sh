# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package snmpd snmp
modes preload supervised
protocols udp
port 1610

start() {
  printf 'rocommunity public\nrocommunity6 public\nsysContact matrix@test\n' >snmpd.conf
  serve snmpd -f -Lo -C -c "$T/snmpd.conf" "udp:$PORT" "udp6:$PORT"
}

ask() {
  local to="udp:$1:$2"

  [[ $1 != *:* ]] || to="udp6:[$1]:$2"
  snmpget -v2c -c public -t 3 -r 0 "$to" .1.3.6.1.2.1.1.4.0 | says matrix@test
}
