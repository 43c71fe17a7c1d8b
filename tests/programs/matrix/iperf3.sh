# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Closes its listener and makes a new one for each client. (Its UDP mode connects the socket: that cannot be steered.)
package iperf3
modes preload supervised
port 5201
again 5

start() {
  serve iperf3 -s -p "$PORT"
}

ask() {
  timeout 10 iperf3 -c "$1" -p "$2" -n 1M | says "connected to $1 port $2" receiver
}
