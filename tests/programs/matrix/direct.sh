# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package libc6-dev gcc
title "syscall(SYS_listen)"
modes supervised attach
without preload "it calls the kernel itself"
options --supervise

prepare() {
  sed '/sys.socket.h/a #include <sys/syscall.h>\n#define listen(sock, backlog) (int)syscall(SYS_listen, sock, backlog)' \
    "$ROOT/examples/legacy-server.c" >server.c
  gcc -D_GNU_SOURCE -O1 -o server server.c
}

start() {
  serve "$T/server" "$PORT" ::
}

ask() {
  talk "$1" "$2" 1 | says "reached" "port $2"
}
