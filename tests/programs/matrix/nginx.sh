# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# A master that binds and listens, workers, and a socket for each family.
package nginx-light

start() {
  cat >nginx.conf <<CONF
worker_processes 2;
daemon off;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
  server { listen $PORT; listen [::]:$PORT; return 200 "reached port \$server_port"; }
}
CONF
  serve nginx -p "$T" -c nginx.conf -e error.log
}

ask() {
  http "$1" "$2" | says "Server: nginx" "reached port $2"
}
