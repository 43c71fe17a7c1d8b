# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package socat
families 4

start() {
  # shellcheck disable=SC2016 # not for this shell
  serve socat "TCP4-LISTEN:$PORT,reuseaddr,fork" 'SYSTEM:echo socat reached port $SOCAT_SOCKPORT'
}

ask() {
  talk "$1" "$2" 1 | says "socat reached port $2"
}
