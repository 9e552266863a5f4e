"""Serves Atari to a few clients, with little patience: small_server.py PLACES SECONDS."""

import os
import sys

capacity, seconds = int(sys.argv[1]), float(sys.argv[2])
sys.argv[1:] = ["--exit-with-parent"]
sys.path.insert(0, os.getcwd())

from server import guard, protocols  # noqa: E402
from server.app import make_app  # noqa: E402
from server.options import AtariOptions  # noqa: E402
from server.serve import serve  # noqa: E402

guard.BODY_TIMEOUT = protocols.HEAD_TIMEOUT = seconds
serve(make_app(AtariOptions(), capacity, unplayed=seconds, played=seconds * 1000))
