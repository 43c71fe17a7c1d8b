# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package socat
title "socat UDP-RECVFROM,fork"
modes preload supervised
protocols udp
families 4

start() {
  serve socat "UDP4-RECVFROM:$PORT,reuseaddr,fork" EXEC:cat
}

ask() {
  "$BUILD/tests/udp-ask" "$1" "$2"
}
