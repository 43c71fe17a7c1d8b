# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Refuses to be root's; a socket for each family.
package postgresql-15 postgresql-client-15
title PostgreSQL
user postgres
port 5432

prepare() {
  as_user /usr/lib/postgresql/15/bin/initdb -D "$T/data" --auth trust --no-sync
  printf 'host all all all trust\n' >>"$T/data/pg_hba.conf"
}

start() {
  serve /usr/lib/postgresql/15/bin/postgres -D "$T/data" -p "$PORT" -k "$T" -c 'listen_addresses=*' -c fsync=off
}

ask() {
  PGCONNECT_TIMEOUT=5 psql -h "$1" -p "$2" -U postgres -Atc "select version(), inet_server_port()" | says "PostgreSQL 15" "|"
}
