# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package libc6-dev gcc
title "static, glibc"
modes supervised attach
without preload "it is statically linked"

prepare() {
  gcc -static -O1 -o server "$ROOT/examples/legacy-server.c"
}

start() {
  serve "$T/server" "$PORT" ::
}

ask() {
  talk "$1" "$2" 1 | says "reached" "port $2"
}
