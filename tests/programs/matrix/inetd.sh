# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package openbsd-inetd
title "openbsd-inetd"

start() {
  printf '%s\n' "$PORT stream tcp nowait root /bin/echo echo from inetd" \
    "$PORT stream tcp6 nowait root /bin/echo echo from inetd" >inetd.conf
  serve inetd -i "$T/inetd.conf"
}

ask() {
  talk "$1" "$2" 1 | says "from inetd"
}
