# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package uwsgi-core uwsgi-plugin-python3
title uWSGI

start() {
  cat >app.py <<'CODE'
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"from uwsgi"]
CODE
  serve uwsgi --plugin python3 --master --processes 2 --http-socket "[::]:$PORT" --wsgi-file app.py
}

ask() {
  http "$1" "$2" | says "from uwsgi"
}
