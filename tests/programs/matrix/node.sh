# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package nodejs

start() {
  serve node -e "require('http').createServer((q, r) =>
    r.end('node reached port ' + q.socket.localPort)).listen($PORT)"
}

ask() {
  http "$1" "$2" | says "node reached port $2"
}
