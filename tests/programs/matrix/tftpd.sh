# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Each request gets a socket of its own, made in a chroot.
package tftpd-hpa
title "tftpd-hpa"
modes preload supervised
protocols udp
port 6969

start() {
  mkdir tftp
  echo "by tftp" >tftp/file
  serve in.tftpd --foreground --address ":$PORT" --secure "$T/tftp"
}

ask() {
  curl -sS --max-time 10 "tftp://$(host "$1"):$2/file" | says "by tftp"
}
