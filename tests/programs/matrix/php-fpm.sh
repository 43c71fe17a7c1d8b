# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# One socket for both families; the backlog is -1. The client speaks FastCGI.
package php8.2-fpm
title "php-fpm"
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

# the beginning of a request, two parameters (36 and 19 bytes), no further ones, no input
ask() {
  exchange "$1" "$2" tcp '\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\67\0\0\17\23SCRIPT_FILENAME/run/test/index.php\16\3REQUEST_METHODGET\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0' |
    says Content-type: "from php-fpm"
}
