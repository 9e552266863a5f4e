"""Runs an application on a port, quietly, for as long as its parent lives."""

import argparse
import json
import socket

import uvicorn

from .limits import MAXIMUM_CONNECTIONS, MAXIMUM_MESSAGE
from .origin import is_loopback
from .parent import exit_with_parent
from .protocols import PatientHttp, PatientWebSocket

#: Seconds. Pings find out which clients are gone without a word, whose places would stay taken. A
#: client that trains does not answer them for minutes: the time-out is generous. A notebook that
#: rests answers, and keeps its session: nothing is reaped because it is idle.
_PING_INTERVAL = 60.0
_PING_TIMEOUT = 600.0


def serve(app) -> None:
    """
    Serves until stopped. Its first line on standard output is `{"url": …}`, once it answers.

    `--port 0` (the default) takes a free port. With `--exit-with-parent` the server
    ends when its standard input does, which happens however the parent ends.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--exit-with-parent", action="store_true")
    arguments = parser.parse_args()
    if arguments.exit_with_parent:
        exit_with_parent()

    app.state.access.local = is_loopback(arguments.host)
    listener = socket.create_server((arguments.host, arguments.port))
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
        ws_max_size=MAXIMUM_MESSAGE,
        http=PatientHttp,
        ws=PatientWebSocket,
        limit_concurrency=MAXIMUM_CONNECTIONS,
        ws_ping_interval=_PING_INTERVAL,
        ws_ping_timeout=_PING_TIMEOUT,
    )
    _Server(config, f"http://{host}:{port}").run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str):
        super().__init__(config)
        self._url = url

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        print(json.dumps({"url": self._url}), flush=True)

