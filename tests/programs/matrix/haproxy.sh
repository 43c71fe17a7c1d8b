# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Master and worker; the master closes its copies of the sockets.
package haproxy

start() {
  cat >haproxy.cfg <<CONF
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind :$PORT
  bind :::$PORT v6only
  http-request return status 200 content-type text/plain lf-string "haproxy reached %[dst] port %[dst_port]\n"
CONF
  serve haproxy -W -f haproxy.cfg
}

ask() {
  http "$1" "$2" | says "haproxy reached $1 port $2"
}
