# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package libc6
title "an io_uring listener"
modes attach
without preload "it neither calls bind() nor listen()"
without supervised "nor does it make those system calls"
kernel 6.11

version() { echo -; }

start() {
  serve "$BUILD/tests/uring-listen" "$PORT"
}

ask() {
  talk "$1" "$2" 1 | says "uring-listen reached port $2"
}
