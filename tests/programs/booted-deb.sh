#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs in a system that systemd has booted, see tests/long/deb.bats. The packages are in /mnt/test/debs.
# shellcheck source=tests/lib/booted.bash
source /mnt/src/tests/lib/booted.bash

export DEBIAN_FRONTEND=noninteractive
DEBS=/mnt/test/debs

# get PORT: the server's page, which has the name of a file in its directory
get() {
  curl --silent --show-error --max-time 5 --noproxy '*' "http://127.0.0.1:$1/" | grep -q a-file-of-ours
}

# everything PREFIX: all files where a system keeps its own, but for caches, logs and dpkg's notes, and what /etc says
everything() {
  find / -maxdepth 1 -printf '%y %m %U %G %p %l\n' >"$1.list"
  find /etc /home /opt /srv /usr /var \( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \) -prune \
    -o -printf '%y %m %U %G %p %l\n' | sort -k5 >>"$1.list"
  find /sys/fs/bpf /run/skl 2>/dev/null | sort >>"$1.list" || :
  find /etc -type f ! -name '*-' ! -name .pwd.lock -exec sha256sum {} + | sort >"$1.etc"
  systemctl list-unit-files --no-legend --all | grep -c skl >"$1.units" || :
}

ip link set lo up
systemctl daemon-reload
rm -f /usr/sbin/policy-rc.d # services are to be started here
[[ ! -e /usr/bin/skl && ! -e /usr/local/bin/skl ]]
# what every installation of a package may leave is there before: backups and locks of the user database
touch /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/.pwd.lock /etc/subuid- /etc/subgid-
systemd-tmpfiles --create >/dev/null 2>&1 || : # as at each boot
everything /mnt/test/before
cp /etc/passwd /etc/group /mnt/test/

dpkg --install "$DEBS"/*.deb
[[ $(systemctl is-active sklhelper.socket) == active && $(systemctl is-enabled sklhelper.socket) == enabled ]]
[[ $(stat -c '%a %G' /run/skl/helper.sock) == "660 skl" ]]

# the main job, from the files that are installed: root by the command, a user of the group by the variables
mkdir /tmp/site
touch /tmp/site/a-file-of-ours
useradd --no-create-home --groups skl alice
cd /tmp/site
skl run -p 7,77,777 -- python3 -m http.server 8000 >/mnt/test/server.log 2>&1 &
server=$!
soon get 777
get 7
get 77
get 8000
# shellcheck disable=SC2016 # the loader's
LD_PRELOAD='/usr/lib/skl/$LIB/libsklshim.so' SKL_PORTS=9001 \
  setpriv --reuid alice --regid alice --init-groups -- python3 -m http.server 9000 >/mnt/test/alice.log 2>&1 &
users=$!
soon get 9001
pid=$(main_pid)
[[ $(readlink "/proc/$pid/exe") == /usr/sbin/sklhelper && $(ps -o user= -p "$pid") == skl ]]
(($(skl status -j | jq '.listeners | length') == 2))
old=$(skl version)

# upgraded: another helper, the same programs, and nobody who comes meanwhile is refused
(while [[ ! -e /mnt/test/enough ]]; do
  get 77 && get 9001 && echo ok || echo failed
done) >/mnt/test/clients 2>&1 &
clients=$!
soon test -s /mnt/test/clients
dpkg --install "$DEBS"/new/*.deb
# by the upgrade itself, not by who asks next
now=$(main_pid)
((now != pid && now != 0))
[[ $(systemctl is-active sklhelper.service) == active && $(systemctl is-active sklhelper.socket) == active ]]
[[ $(skl version) != "$old" ]]
lines=$(wc -l </mnt/test/clients)
more() {
  (($(wc -l </mnt/test/clients) > lines + 20))
}
soon more
touch /mnt/test/enough
wait "$clients"
echo "$(wc -l </mnt/test/clients) requests while it was upgraded"
[[ $(sort -u /mnt/test/clients) == ok ]]
kill -0 "$server" "$users"
(($(skl status -j | jq '[.listeners[] | select(.state == "live")] | length') == 2))
# and the new one serves new programs
skl run -p 78 -- python3 -m http.server 8002 >/mnt/test/later.log 2>&1 &
later=$!
soon get 78
kill "$later"

# removed, what is covered ends and the programs go on; purged, nothing is left
mkdir -p /etc/skl
cp /usr/share/doc/skl/examples/policy.conf /etc/skl/
dpkg --remove skl
get 8000
if get 77 2>/dev/null; then
  echo "port 77 is still covered"
  exit 1
fi
[[ -z $(find /sys/fs/bpf -mindepth 1 ! -name '*.debug') ]]
[[ -e /etc/skl/policy.conf ]]
kill "$server" "$users"
wait "$server" "$users" || :
userdel alice
dpkg --purge skl libsklshim
everything /mnt/test/after
diff /mnt/test/before.list /mnt/test/after.list
diff /mnt/test/before.units /mnt/test/after.units
# Debian's system users stay, so that no other one inherits their numbers: that is all that /etc says more than before
comm -3 /mnt/test/before.etc /mnt/test/after.etc | awk '{print $2}' | sort -u >/mnt/test/differ
printf '/etc/%s\n' group gshadow passwd shadow | diff - /mnt/test/differ
diff <(grep -v ^skl: /etc/passwd) /mnt/test/passwd
diff <(grep -v ^skl: /etc/group) /mnt/test/group
echo "all is well"
