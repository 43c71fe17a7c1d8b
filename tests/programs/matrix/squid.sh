# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# What it starts to do the work has other user ids for a moment, and no loader takes a preload then.
package squid
modes supervised attach
without preload "its worker's loader drops it; \`squid -N\` is covered"
options --supervise

# shellcheck source=tests/programs/matrix/squid.bash
source "$ROOT/tests/programs/matrix/squid.bash"

start() {
  squid_conf
  serve squid --foreground -f "$T/squid.conf"
}
