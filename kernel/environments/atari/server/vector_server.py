"""
A process that plays many games for rollouts: `python -m server.vector_server`.

Plain TCP to this machine alone, a thread per connection: a WebSocket server
takes ten times as long for a message. `vector.py` tells the messages. Its first line on
standard output is `{"url": "tcp://127.0.0.1:port"}`.
"""

import json
import socket
import struct
import sys
import time
from threading import BoundedSemaphore, Thread
from typing import BinaryIO, Optional

from .limits import HEAD_TIMEOUT
from .parent import exit_with_parent
from .vector import RequestError, VectorSession, open_session, read_opening, ready, refusal

_LENGTH = struct.Struct("<I")
#: Bytes of a request, at most: 256 seeds take a thousandth of it.
_MOST_BYTES = 2**23
#: Bytes of the first request, which anybody may send.
_MOST_OPENING_BYTES = 2**16
#: Connections at a time.
_MOST_CONNECTIONS = 256
_places = BoundedSemaphore(_MOST_CONNECTIONS)


def main() -> None:
    if "--exit-with-parent" in sys.argv:
        exit_with_parent()
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"url": "tcp://%s:%d" % listener.getsockname()}), flush=True)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.05)  # No more files: until some are closed.
            continue
        try:
            Thread(target=_take, args=(connection,), daemon=True).start()
        except RuntimeError:
            connection.close()  # No more threads.


def _take(connection: socket.socket) -> None:
    """Serves a connection where there is room for one."""
    if not _places.acquire(blocking=False):
        with connection:
            answer = refusal(RequestError(f"The process has {_MOST_CONNECTIONS} connections already."), "CAPACITY_REACHED")
            connection.sendall(_LENGTH.pack(len(answer)) + answer)
        return
    try:
        _serve(connection)
    finally:
        _places.release()


def _serve(connection: socket.socket) -> None:
    """Answers requests until the other side is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(HEAD_TIMEOUT)
    with connection:
        conversation = Conversation(connection)
        try:
            while (request := conversation.receive()) is not None:
                conversation.reply(request)
        except (OSError, struct.error):
            pass  # The connection broke, or ended within a message.
        finally:
            # Before the connection is closed: who waits for that can have the games at once.
            conversation.close()


class Conversation:
    """What is said on a connection, and its games."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._requests: BinaryIO = connection.makefile("rb")
        self._session: Optional[VectorSession] = None

    def receive(self) -> Optional[bytes]:
        """The next request; None where there are no more, or it is too long."""
        header = self._requests.read(_LENGTH.size)
        if not header:
            return None
        (length,) = _LENGTH.unpack(header)
        most = _MOST_BYTES if self._session else _MOST_OPENING_BYTES
        return self._requests.read(length) if length <= most else None

    def reply(self, request: bytes) -> None:
        try:
            answer = self._session.answer(request) if self._session else self._begin(request)
        except RequestError as error:
            answer = refusal(error)
        self._connection.sendall(_LENGTH.pack(len(answer)) + answer)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _begin(self, request: bytes) -> bytes:
        """The answer to the first request."""
        self._session = open_session(read_opening(request))
        self._connection.settimeout(None)  # Who plays may think for long.
        return ready(self._session)


if __name__ == "__main__":
    main()
