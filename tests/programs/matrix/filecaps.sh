# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package libcap2-bin gcc libc6-dev
title "a program with file capabilities"
modes attach
without preload "it has file capabilities, and is started by another user than root"
user nobody
port 80

prepare() {
  gcc -O1 -o /usr/local/bin/skl-filecaps "$ROOT/examples/legacy-server.c"
  setcap cap_net_bind_service+ep /usr/local/bin/skl-filecaps
}

start() {
  serve /usr/local/bin/skl-filecaps "$PORT" ::
}

ask() {
  talk "$1" "$2" 1 | says "reached" "port $2"
}
