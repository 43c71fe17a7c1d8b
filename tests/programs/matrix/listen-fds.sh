# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# A listener that is inherited, by a program that only accepts.
package systemd
title "LISTEN_FDS, accepts only"
modes attach
without preload "what it inherits is bound and listens already"
without supervised "the same"

start() {
  background systemd-socket-activate -l "$PORT" "${COVER[@]}" /usr/bin/python3 -c '
import socket
s = socket.socket(fileno=3)
while True:
    c = s.accept()[0]
    c.sendall(b"inherited, reached port %d\n" % c.getsockname()[1])
    c.close()'
}

ask() {
  talk "$1" "$2" 1 | says "inherited, reached port $2"
}
