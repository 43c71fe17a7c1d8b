# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package openssh-server openssh-client
title OpenSSH
port 2222

prepare() {
  mkdir -p /run/sshd
  ssh-keygen -q -t ed25519 -N '' -f host
  ssh-keygen -q -t ed25519 -N '' -f key
}

start() {
  serve /usr/sbin/sshd -D -e -p "$PORT" -h "$T/host" -o AuthorizedKeysFile="$T/key.pub" -o StrictModes=no -o UsePAM=no \
    -o PermitRootLogin=yes -o PidFile=none -f /dev/null
}

ask() {
  ssh -F /dev/null -i "$T/key" -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -p "$2" "root@$1" "echo \"\$SSH_CONNECTION\"" 2>/dev/null | says " $1 $2"
}
