# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package samba smbclient
title "Samba smbd"
port 4445

start() {
  mkdir share state
  echo "by smb" >share/file
  cat >smb.conf <<CONF
[global]
  smb ports = $PORT
  map to guest = bad user
  server role = standalone server
  disable netbios = yes
  load printers = no
  disable spoolss = yes
  lock directory = $T/state
  state directory = $T/state
  cache directory = $T/state
  private dir = $T/state
  pid directory = $T/state
  ncalrpc dir = $T/state/rpc
  log file = /dev/stdout
  rpc start on demand helpers = no
[share]
  path = $T/share
  guest ok = yes
CONF
  serve smbd --foreground --no-process-group --configfile="$T/smb.conf"
}

ask() {
  smbclient --configfile=/dev/null -N -I "$1" -p "$2" "//matrix/share" -t 5 -c 'get file -' 2>&1 | says "by smb"
}
