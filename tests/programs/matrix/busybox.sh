# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package busybox-static
title "busybox httpd, static"
modes supervised attach
without preload "it is statically linked"

start() {
  echo "from busybox" >index.html
  serve busybox httpd -f -p "[::]:$PORT" -h "$T"
}

ask() {
  http "$1" "$2" /index.html | says "from busybox"
}
