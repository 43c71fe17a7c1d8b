# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package musl-tools gcc
title "static, musl"
modes supervised attach
without preload "it is statically linked"

prepare() {
  musl-gcc -static -O1 -o server "$ROOT/examples/legacy-server.c"
}

start() {
  serve "$T/server" "$PORT" ::
}

ask() {
  talk "$1" "$2" 1 | says "reached" "port $2"
}
