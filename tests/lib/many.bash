# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# More for the end-to-end tests: many listeners and connections. Load it after skl.bash.

# many_connect [-s] COUNT TARGET...: see tests/tools/many-connect.c.
many_connect() {
  ns "$BUILD/tests/many-connect" "$@"
}

# tally NAME: of what many-connect printed.
tally() {
  sed -n "/^ok /s/.*\<$1 \([0-9]*\).*/\1/p"
}

# says_all NAME=COUNT...: of what many-connect printed.
says_all() {
  local said one

  said=$(cat)
  for one; do
    if [[ $(tally "${one%=*}" <<<"$said") != "${one#*=}" ]]; then
      echo "$one expected: $said"
      return 1
    fi
  done
}

# members_are COUNT: of the listeners that the helper knows, all together.
members_are() {
  (($(ns "$SKL" status -j | jq '[.listeners[].members] | add // 0') == $1))
}

# counted NAME: the sum of a counter over all bindings.
counted() {
  ns "$SKL" status -j | jq "[.listeners[].bindings[].$1] | add // 0"
}
