# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Binds as root in the parent, listens as another user in a thread of its child.
package slapd ldap-utils
title "OpenLDAP slapd"
port 3890
routed

start() {
  mkdir db
  chown openldap . db
  printf '%s\n' 'include /etc/ldap/schema/core.schema' 'modulepath /usr/lib/ldap' 'moduleload back_mdb' 'database mdb' \
    'suffix "dc=test"' "directory $T/db" >slapd.conf
  serve slapd -d 0 -u openldap -g openldap -h "ldap://:$PORT/" -f "$T/slapd.conf"
}

ask() {
  ldapsearch -x -o nettimeout=5 -H "ldap://$(host "$1"):$2" -s base -b '' namingContexts | says "namingContexts: dc=test"
}
