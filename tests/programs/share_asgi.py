# SPDX-License-Identifier: BSD-2-Clause
"""An application for uvicorn: says what VERSION is in its environment."""
import os


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": os.environ["VERSION"].encode() + b"\n"})
