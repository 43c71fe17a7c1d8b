# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Drops its rights before it binds.
package mariadb-server mariadb-client
title MariaDB
port 3306
routed
patience 40

prepare() {
  chown mysql "$T"
  mariadb-install-db --no-defaults --user=mysql --datadir="$T/data" --auth-root-authentication-method=normal \
    --skip-test-db --innodb-flush-log-at-trx-commit=0
}

start() {
  printf "create user 'ask'@'%%';\n" >init.sql
  serve mariadbd --no-defaults --user=mysql --datadir="$T/data" --port="$PORT" --bind-address='*' --socket="$T/socket" \
    --skip-name-resolve --init-file="$T/init.sql"
}

ask() {
  mariadb --no-defaults --connect-timeout=5 -h "$1" -P "$2" -u ask -e 'select @@version' | says -MariaDB
}
