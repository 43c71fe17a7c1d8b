# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# What both ways to run Postfix have in common.

# postfix_conf [NAME=VALUE...]
postfix_conf() {
  mkdir conf spool data
  chown postfix data
  cp /etc/postfix/postfix-files /etc/postfix/dynamicmaps.cf conf
  sed "s/^smtp .*inet.*/$PORT inet n - n - - smtpd/" /usr/share/postfix/master.cf.dist >conf/master.cf
  printf '%s\n' "compatibility_level = 3.6" "queue_directory = $T/spool" "data_directory = $T/data" "maillog_file = /dev/stdout" \
    "inet_interfaces = all" "myhostname = mail.test" "alias_maps =" "smtpd_peername_lookup = no" "$@" >conf/main.cf
  postconf -c conf -F '*/*/chroot=n'
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
