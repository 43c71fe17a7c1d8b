# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# It listens itself and hands what it accepts to a program.
package systemd
title "systemd-socket-activate"

start() {
  serve systemd-socket-activate --accept --inetd -l "$PORT" /bin/echo "from socket-activate"
}

ask() {
  talk "$1" "$2" 1 | says "from socket-activate"
}
