# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package gunicorn

start() {
  cat >app.py <<'CODE'
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"from gunicorn"]
CODE
  serve gunicorn --workers 2 --bind "[::]:$PORT" app:app
}

ask() {
  http "$1" "$2" | says "Server: gunicorn" "from gunicorn"
}
