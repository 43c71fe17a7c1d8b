# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# What both ways to run Postfix have in common.

# postfix_conf [NAME=VALUE...]
postfix_conf() {
  mkdir conf spool data
  chown postfix data
  cp /etc/postfix/post* /etc/postfix/dynamicmaps.cf conf
  printf '%s\n' "$PORT inet n - n - - smtpd" "cleanup unix n - n - 0 cleanup" "qmgr unix n - n 300 1 qmgr" \
    "rewrite unix - - n - - trivial-rewrite" "anvil unix - - n - 1 anvil" "postlog unix-dgram n - n - 1 postlogd" >conf/master.cf
  printf '%s\n' "compatibility_level = 3.6" "queue_directory = $T/spool" "data_directory = $T/data" "maillog_file = /dev/stdout" \
    "inet_interfaces = all" "myhostname = mail.test" "alias_maps =" "smtpd_peername_lookup = no" "$@" >conf/main.cf
}

ask() {
  smtp "$1" "$2" | says "mail.test ESMTP Postfix"
}

# smtp ADDRESS PORT: the banner, and what is said to HELO, MAIL and QUIT
smtp() {
  /usr/bin/python3 -c '
import smtplib, sys
s = smtplib.SMTP(timeout=10)
print(s.connect(sys.argv[1], int(sys.argv[2])), s.ehlo("client.test"), s.mail("a@client.test"), s.quit())' "$@"
}
