# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package beanstalkd
families 6
port 11300

start() {
  serve beanstalkd -l :: -p "$PORT"
}

ask() {
  talk "$1" "$2" 3 $'stats\r\n' | says OK current-jobs
}
