# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Its sockets are descriptors 0 and 1.
package tinyproxy-bin

start() {
  printf '%s\n' "Port $PORT" 'MaxClients 10' 'StatHost "tinyproxy.stats"' >tinyproxy.conf
  serve tinyproxy -d -c "$T/tinyproxy.conf"
}

ask() {
  http "$1" "$2" / --header "Host: tinyproxy.stats" | says "Server: tinyproxy/"
}
