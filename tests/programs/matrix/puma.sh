# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package puma ruby-rack
families 4

start() {
  # shellcheck disable=SC2016 # not for this shell
  echo 'run ->(env) { [200, {}, ["puma reached port #{env["SERVER_PORT"]}"]] }' >config.ru
  serve puma -b "tcp://0.0.0.0:$PORT" config.ru
}

ask() {
  http "$1" "$2" | says "puma reached port $2"
}
