# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package lighttpd

start() {
  echo "it works" >index.html
  cat >lighttpd.conf <<CONF
server.document-root = "$T"
server.port = $PORT
index-file.names = ("index.html")
server.errorlog = "$T/error.log"
\$SERVER["socket"] == "[::]:$PORT" { server.use-ipv6 = "enable" }
CONF
  serve lighttpd -D -f lighttpd.conf
}

ask() {
  http "$1" "$2" | says "Server: lighttpd/" "it works"
}
