# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Each session's child is in a chroot when it makes the listener of its data connection.
package vsftpd
port 2121
note "\`ip_nonlocal_bind\`: it binds the address that was reached"

prepare() {
  echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind
  mkdir -p ftp empty
  echo "a file by FTP" >ftp/file
}

start() {
  cat >vsftpd.conf <<CONF
listen_ipv6=YES
listen=NO
listen_port=$PORT
background=NO
anonymous_enable=YES
anon_root=$T/ftp
secure_chroot_dir=$T/empty
CONF
  serve vsftpd "$T/vsftpd.conf"
}

ask() {
  curl -sS --max-time 10 "ftp://$(host "$1"):$2/file" | says "a file by FTP"
}
