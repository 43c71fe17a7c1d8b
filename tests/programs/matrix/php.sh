# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package php-cli
title "php -S"

version() {
  php -r 'echo PHP_VERSION;'
}

start() {
  # shellcheck disable=SC2016 # not for this shell
  echo '<?php echo "php reached port " . $_SERVER["SERVER_PORT"];' >index.php
  serve php -S "[::]:$PORT"
}

ask() {
  http "$1" "$2" | says "X-Powered-By: PHP/"
}
