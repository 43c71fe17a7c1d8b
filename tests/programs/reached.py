#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Python's own HTTP server with a handler that says which address and port was reached."""
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = b"reached %s port %d\n" % (
            self.connection.getsockname()[0].encode(),
            self.connection.getsockname()[1],
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
