# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# The parent binds, each worker listens.
package python3-uvicorn

start() {
  cat >app.py <<'CODE'
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"reached port %d" % scope["server"][1]})
CODE
  serve /usr/bin/python3 -m uvicorn --workers 2 --host :: --port "$PORT" app:app
}

ask() {
  http "$1" "$2" | says "server: uvicorn" "reached port $2"
}
