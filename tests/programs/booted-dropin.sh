#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs in a system that systemd has booted, see tests/e2e/systemd.bats.
# shellcheck source=tests/lib/booted.bash
source /mnt/src/tests/lib/booted.bash

UNITS+=(legacy.service)

refused() {
  local status=0

  "$BUILD/tests/srv-ask" 127.0.0.1 "$1" || status=$?
  ((status == 111))
}

ip link set lo up
systemd-sysusers
useradd web
cp "$BUILD/examples/legacy-server" /usr/local/bin/
mkdir -p /etc/systemd/system
cat >/etc/systemd/system/legacy.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/usr/local/bin/legacy-server 8000
User=web
UNIT
sum=$(sha256sum /etc/systemd/system/legacy.service)
systemctl daemon-reload
systemctl start legacy.service
soon reaches 8000
refused 8001

install -D -m 644 /mnt/src/examples/systemd/skl.conf /etc/systemd/system/legacy.service.d/skl.conf
systemctl daemon-reload
systemctl restart legacy.service
soon reaches 8001
soon reaches 8150
reaches 8000
[[ $sum == "$(sha256sum /etc/systemd/system/legacy.service)" ]]
[[ $(systemctl is-active sklhelper.service) == active ]]
pid=$(systemctl show --property MainPID --value legacy.service)
# shellcheck disable=SC2016 # the loader's
tr '\0' '\n' <"/proc/$pid/environ" | grep -qxF 'LD_PRELOAD=/usr/local/lib/skl/$LIB/libsklshim.so'
[[ $(ps -o user= -p "$pid") == web ]]

rm -r /etc/systemd/system/legacy.service.d
systemctl daemon-reload
systemctl restart legacy.service
soon reaches 8000
refused 8001
refused 8150
systemctl stop legacy.service sklhelper.service sklhelper.socket
echo "all is well"
