# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package ncat

start() {
  # shellcheck disable=SC2016 # not for this shell
  serve ncat -lk -c 'echo "ncat reached port $NCAT_LOCAL_PORT"' "$PORT"
}

ask() {
  talk "$1" "$2" 1 | says "ncat reached port $2"
}
