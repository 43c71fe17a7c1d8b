#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs in a system that systemd has booted, see tests/e2e/share-restart.bats: examples/systemd/web.service, its reloads, and
# the helper's store.
# shellcheck source=tests/lib/booted.bash
source /mnt/src/tests/lib/booted.bash

UNITS+=(web.service)

get() {
  curl --silent --max-time 20 --noproxy '*' http://127.0.0.1:8080/
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
soon get

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
  else
    systemctl restart sklhelper.service
  fi
  soon other_pid "$helper"
  soon eval "skl status | grep -q '^web .* $(main_pid web.service) python3'"
done
systemctl reload web.service

# and a server that is killed is started anew by systemd, while those who ask wait
old=$(main_pid web.service)
kill -KILL "$old"
soon other_pid "$old" web.service
get >/dev/null
if grep -v -e 'exit code 52' -e 'exit code 56' /run/failures; then # what it was answering when it was killed
  exit 1
fi

# the last one: the store is empty again once the time is over
systemctl stop web.service
soon eval "skl status | grep -q 'none: open for another'" # the helper has to see the end of the process
kill %1
echo "all is well"
