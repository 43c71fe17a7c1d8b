#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An HTTP server that says which process answers, as anybody might write it: share-http.py PORT."""
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Response from process %d\n" % os.getpid())

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
