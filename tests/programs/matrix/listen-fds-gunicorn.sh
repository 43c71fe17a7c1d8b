# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# A listener that is inherited, by a program that calls listen() again.
package gunicorn systemd
title "LISTEN_FDS, gunicorn"

start() {
  cat >app.py <<'CODE'
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"from gunicorn"]
CODE
  background systemd-socket-activate -l "$PORT" "${COVER[@]}" gunicorn --pythonpath "$T" app:app
}

ask() {
  http "$1" "$2" | says "Server: gunicorn" "from gunicorn"
}
