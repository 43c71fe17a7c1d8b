#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs in a system that systemd has booted, see tests/e2e/systemd.bats.
# shellcheck source=tests/lib/booted.bash
source /mnt/src/tests/lib/booted.bash

denied() {
  local said

  if said=$("$@" 2>&1); then
    return 1
  fi
  grep -q "Permission denied" <<<"$said"
}

has_capabilities() { # PID SET
  grep -qx "CapEff:	$2" "/proc/$1/status"
}

ip link set lo up
mkdir -p /run/systemd/system/sklhelper.service.d
printf '[Service]\nStandardError=append:/mnt/test/helper.log\n' >/run/systemd/system/sklhelper.service.d/log.conf
systemd-sysusers
id skl
useradd alice
usermod --append --groups skl alice
useradd mallory
systemctl daemon-reload

# nothing was there before the first request, not even the directory on the bpffs
systemctl start sklhelper.socket
[[ $(stat -c '%a %U %G' /run/skl/helper.sock) == "660 root skl" ]]
[[ $(main_pid) == 0 ]]
LD_PRELOAD=/usr/local/lib/skl/libsklshim.so SKL_PORTS=8001,8100-8199 \
  setpriv --reuid alice --regid alice --init-groups -- "$BUILD/tests/srv-listen" plain 8000 &
server=$!
soon reaches 8001
soon reaches 8150 # a claim is written port by port
[[ $(systemctl is-active sklhelper.service) == active ]]
pid=$(main_pid)
[[ $(ps -o user= -p "$pid") == skl ]]
has_capabilities "$pid" 0000008000001000
has_capabilities "$(pgrep --parent "$pid")" 0000000000281000
[[ $(stat -Lc %i "/proc/$pid/ns/net") != $(stat -Lc %i /proc/self/ns/net) ]]

# who is not in the group cannot ask; a low port is not alice's
denied setpriv --reuid mallory --regid mallory --init-groups -- skl status
denied setpriv --reuid alice --regid alice --init-groups -- \
  env LD_PRELOAD=/usr/local/lib/skl/libsklshim.so SKL_PORTS=22 timeout 5 "$BUILD/tests/srv-listen" plain 8002

# UDP: the reply program goes on the interfaces of this namespace
LD_PRELOAD=/usr/local/lib/skl/libsklshim.so SKL_PORTS=53 "$BUILD/tests/udp-serve" echo 5353 &
udp=$!
soon "$BUILD/tests/udp-ask" 127.0.0.1 53
kill "$udp"

# reload, a crash, a stop
systemctl reload sklhelper.service
[[ $(main_pid) == "$pid" ]]
kill -KILL "$pid"
reaches 8001
soon other_pid "$pid"
reaches 8150
skl status | grep -q 8100-8199
systemctl stop sklhelper.service
[[ -S /run/skl/helper.sock ]]
reaches 8001
skl status | grep -q 8100-8199
[[ $(systemctl is-active sklhelper.service) == active ]]
grep -q "uid $(id -u alice) pid $server (srv-listen) 127.0.0.1:8000: new listener" /mnt/test/helper.log

# nothing was hidden from it that it should see
if grep -E "cannot|no process is in it" /mnt/test/helper.log; then
  false
fi

kill "$server"
echo "all is well"
