# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# One socket for both families; the master gives up nothing but its workers' rights.
package apache2-bin

start() {
  cat >apache.conf <<CONF
ServerRoot $T
ServerName localhost
PidFile $T/pid
ErrorLog $T/error.log
Listen $PORT
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
User www-data
Group www-data
DocumentRoot $T
CONF
  serve apache2 -f "$T/apache.conf" -DFOREGROUND
}

ask() {
  http "$1" "$2" | says "Server: Apache/"
}
