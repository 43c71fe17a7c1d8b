# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package php8.2-fpm libfcgi-bin
port 9000

start() {
  echo '<?php echo "from php-fpm";' >index.php
  cat >fpm.conf <<CONF
[global]
error_log = /proc/self/fd/2
[www]
listen = [::]:$PORT
pm = static
pm.max_children = 2
user = www-data
group = www-data
CONF
  serve php-fpm8.2 -F -y "$T/fpm.conf"
}

ask() {
  SCRIPT_FILENAME=$T/index.php REQUEST_METHOD=GET timeout 5 cgi-fcgi -bind -connect "$(host "$1"):$2" | says "from php-fpm"
}
