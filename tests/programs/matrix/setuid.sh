# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Started by an ordinary user: the loader ignores the environment of a program that gains rights.
package libc6-dev gcc
title "a setuid program"
modes attach
without preload "it is setuid, and started by another user"
user nobody

prepare() {
  gcc -O1 -o /usr/local/bin/skl-setuid "$ROOT/examples/legacy-server.c"
  chmod u+s /usr/local/bin/skl-setuid
}

start() {
  serve /usr/local/bin/skl-setuid "$PORT" ::
}

ask() {
  talk "$1" "$2" 1 | says "reached" "port $2"
}
