# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# The master passes its sockets to children in a chroot.
package dovecot-imapd
title Dovecot
port 1143

start() {
  cat >dovecot.conf <<CONF
base_dir = $T/base
log_path = /dev/stderr
protocols = imap
ssl = no
listen = *, ::
service imap-login {
  inet_listener imap { 
    port = $PORT
  }
  inet_listener imaps { 
    port = 0
  }
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$T/%u
}
CONF
  serve dovecot -F -c "$T/dovecot.conf"
}

ask() {
  talk "$1" "$2" 1 | says "* OK" "Dovecot"
}
