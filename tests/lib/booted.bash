# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# For the scripts that run in a system that tests/lib/boot.bash has booted. What fails there ends the script and is told,
# with its lines, innermost first, the state of UNITS and, where a script has it written, the helper's log.

set -Eeuo pipefail

BUILD=/mnt/src/build
UNITS=(sklhelper.socket sklhelper.service)

failed() {
  local status=$? i lines=

  for ((i = 0; i < ${#BASH_LINENO[@]} - 1; i++)); do
    lines+=" ${BASH_SOURCE[i + 1]##*/}:${BASH_LINENO[i]}"
  done
  echo "failed (status $status):$lines: $1"
  systemctl status --no-pager "${UNITS[@]}" || :
  skl status || :
  [[ ! -e /mnt/test/helper.log ]] || cat /mnt/test/helper.log
}
trap 'failed "$BASH_COMMAND"' ERR

# soon CMD...: succeeds within a minute
soon() {
  local deadline=$((SECONDS + 60))

  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "in vain: $*"
      return 1
    fi
    sleep 0.1
  done
}

# main_pid [UNIT]: 0 where it does not run
main_pid() {
  systemctl show --property MainPID --value "${1:-sklhelper.service}"
}

# other_pid PID [UNIT]: the service has another main process than this one, and is ready
other_pid() {
  local unit=${2:-sklhelper.service} now

  now=$(main_pid "$unit")
  [[ $now != "$1" && $now != 0 && $(systemctl is-active "$unit") == active ]]
}

# reaches PORT: one of our servers answers there
reaches() {
  [[ $("$BUILD/tests/srv-ask" 127.0.0.1 "$1") == *"reached 127.0.0.1 port $1" ]]
}
