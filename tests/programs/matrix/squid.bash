# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# What both ways to run squid have in common.

# squid_conf: writes squid.conf
squid_conf() {
  cat >squid.conf <<CONF
http_port $PORT
pid_filename none
cache_log /dev/null
access_log none
pinger_enable off
coredump_dir $T
visible_hostname squid.test
cache deny all
icp_port 0
CONF
}

ask() {
  http "$1" "$2" | says "Server: squid/"
}
