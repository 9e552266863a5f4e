"""Serves OpenEnv's own Atari environment, as it comes. Variables as its app.py tells; prints its address, ends with its standard input."""

import json
import os
import socket
import sys
import threading

import uvicorn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from official_atari.server.app import app  # noqa: E402


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
listener = socket.create_server(("127.0.0.1", 0))
print(json.dumps({"url": "http://%s:%d" % listener.getsockname()}), flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
