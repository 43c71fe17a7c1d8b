# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# One process, which binds as root and listens later as another user.
package squid
title "squid -N"
modes preload
routed

# shellcheck source=tests/programs/matrix/squid.bash
source "$ROOT/tests/programs/matrix/squid.bash"

start() {
  squid_conf
  serve squid -N -f "$T/squid.conf"
}
