# SPDX-License-Identifier: BSD-2-Clause
"""An application for uvicorn: says which process was reached at which address and port."""
import os


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    text = "process %d reached %s port %d\n" % (os.getpid(), *scope["server"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": text.encode()})
