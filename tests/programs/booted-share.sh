# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs in a system booted by tests/lib/boot.bash: examples/systemd/web.service, its reloads, and the helper's store.

set -euo pipefail

wait_until() {
  local tries

  for ((tries = 0; tries < 200; tries++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  echo "in vain: $*"
  systemctl status --no-pager --lines=0 sklhelper.service sklhelper.socket web.service || :
  skl status || :
  exit 1
}

get() {
  curl --silent --max-time 20 --noproxy '*' http://127.0.0.1:8080/
}

main_pid() {
  systemctl show --property=MainPID --value "$1"
}

ip link set lo up
systemd-sysusers /usr/local/lib/sysusers.d/skl.conf
cp /mnt/src/examples/systemd/web.service /run/systemd/system/
# where the server looks for files
mkdir /srv/web
echo hello >/srv/web/index.html
mkdir /run/systemd/system/web.service.d
printf '[Service]\nWorkingDirectory=/srv/web\n' >/run/systemd/system/web.service.d/where.conf
systemctl daemon-reload
systemctl start sklhelper.socket
systemctl start web.service
wait_until get

# a client that asks all the time. This server dies of SIGTERM at once: what it had accepted by then may end without an
# answer (52, 56), but nobody is refused, and nobody waits in vain.
while :; do
  get >/dev/null || { code=$? && [[ $code == 5[26] ]]; } || echo "exit code $code" >>/run/failures
  echo >>/run/asked
done &

for _ in 1 2 3; do
  old=$(main_pid web.service)
  systemctl reload web.service
  new=$(main_pid web.service)
  [[ $new != "$old" && $new != 0 ]] || { echo "reload: $old is followed by $new" && exit 1; }
  [[ ! -e /proc/$old ]] || { echo "reload: $old is still there" && exit 1; }
  [[ $(systemctl is-active web.service) == active ]]
  get >/dev/null
done
[[ ! -e /run/failures ]] || { echo "while it was reloaded: $(cat /run/failures)" && exit 1; }
echo "three reloads while $(wc -l </run/asked) requests were answered"

# an end of the helper, in whatever way: the share is there afterwards, with its process
for signal in KILL TERM; do
  helper=$(main_pid sklhelper.service)
  [[ $(systemctl show --property=NFileDescriptorStore --value sklhelper.service) == 1 ]]
  if [[ $signal == KILL ]]; then
    kill -KILL "$helper"
    wait_until eval "[[ \$(systemctl is-active sklhelper.service) == active ]]"
  else
    systemctl restart sklhelper.service
  fi
  wait_until eval "[[ \$(main_pid sklhelper.service) != $helper && \$(main_pid sklhelper.service) != 0 ]]"
  wait_until eval "skl status | grep -q '^web .* $(main_pid web.service) python3'"
done
systemctl reload web.service

# and a server that is killed is started anew by systemd, while those who ask wait
old=$(main_pid web.service)
kill -KILL "$old"
wait_until eval "[[ \$(main_pid web.service) != $old && \$(main_pid web.service) != 0 ]]"
get >/dev/null
if grep -v -e 'exit code 52' -e 'exit code 56' /run/failures; then # what it was answering when it was killed
  exit 1
fi

# the last one: the store is empty again once the time is over
systemctl stop web.service
skl status | grep -q 'none: open for another'
kill %1
echo "all is well"
