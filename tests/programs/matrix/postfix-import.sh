# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package postfix
title "Postfix, import_environment"
modes preload
port 2525
patience 40

# shellcheck source=tests/programs/matrix/postfix.bash
source "$ROOT/tests/programs/matrix/postfix.bash"

prepare() {
  postfix_conf "import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_PRELOAD SKL_PORTS SKL_CIDRS SKL_HELPER"
}

start() {
  serve postfix -c "$T/conf" start-fg
}
