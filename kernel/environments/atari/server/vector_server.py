"""
A process that plays many games for rollouts: `python -m server.vector_server`.

Plain TCP to this machine alone, a thread per connection: a message costs 20 µs,
where a WebSocket server takes 200. `vector.py` tells the messages. Its first line on
standard output is `{"url": "tcp://127.0.0.1:port"}`.
"""

import json
import socket
import struct
import sys
from threading import Thread
from typing import Optional

from .parent import exit_with_parent
from .vector import RequestError, VectorSession, open_session, ready, refusal

_LENGTH = struct.Struct("<I")
#: Bytes of a request, at most: 256 saved episodes.
_MOST_BYTES = 2**23


def main() -> None:
    if "--exit-with-parent" in sys.argv:
        exit_with_parent()
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"url": "tcp://%s:%d" % listener.getsockname()}), flush=True)
    while True:
        connection, _ = listener.accept()
        Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    """Answers requests until the other side is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    session: Optional[VectorSession] = None
    with connection:
        try:
            with connection.makefile("rb") as requests:
                while header := requests.read(_LENGTH.size):
                    (length,) = _LENGTH.unpack(header)
                    if length > _MOST_BYTES:
                        return
                    request = requests.read(length)
                    try:
                        if session is None:
                            session = open_session(request)
                            answer = ready(session)
                        else:
                            answer = session.answer(request)
                    except RequestError as error:
                        answer = refusal(error)
                    connection.sendall(_LENGTH.pack(len(answer)) + answer)
        except (OSError, struct.error):
            pass  # The connection broke, or ended within a message.
        finally:
            # Before the connection is closed: who waits for that can have the games at once.
            if session is not None:
                session.close()


if __name__ == "__main__":
    main()
