# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Its commands start each other with an environment of their own.
package postfix
title Postfix
modes supervised attach
without preload "it empties the environment; with \`import_environment\` it is covered"
options --supervise
port 2525
patience 40

# shellcheck source=tests/programs/matrix/postfix.bash
source "$ROOT/tests/programs/matrix/postfix.bash"

prepare() {
  postfix_conf ""
}

start() {
  serve postfix -c "$T/conf" start-fg
}
