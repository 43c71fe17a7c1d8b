# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package python3
title "python http.server"

start() {
  echo "from python" >index.html
  serve /usr/bin/python3 -m http.server --bind :: "$PORT"
}

ask() {
  http "$1" "$2" | says "Server: SimpleHTTP/" "from python"
}
