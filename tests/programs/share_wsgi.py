# SPDX-License-Identifier: BSD-2-Clause
"""An application for gunicorn: says what VERSION is in its environment."""
import os


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [os.environ["VERSION"].encode() + b"\n"]
