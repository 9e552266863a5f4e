"""Two pipes to a client on this machine: a message takes a quarter of the time that it takes over TCP."""

import os
from typing import BinaryIO, Optional

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

#: What a pipe holds, in bytes: 16 saved episodes. Who writes less does not wait for the reader.
_HOLDS = 2**18


class Pipes:
    """A pipe for requests and one for their answers. The client opens its ends through `/proc`: only Linux has them."""

    def __init__(self) -> None:
        self.requests, self._to_requests = _pipe()
        self._from_answers, self.answers = _pipe()

    @property
    def address(self) -> dict:
        """Where the client finds its ends: their numbers in this process."""
        return {"pid": os.getpid(), "requests": self._to_requests.fileno(), "answers": self._from_answers.fileno()}

    def opened(self) -> None:
        """The client has opened its ends. Nobody else may hold them, so that each side sees when the other is gone."""
        self._to_requests.close()
        self._from_answers.close()

    def close(self) -> None:
        self.opened()
        self.requests.close()
        self.answers.close()


def pipes_to_client() -> Optional[Pipes]:
    """New pipes, where the system has them to give."""
    if not hasattr(fcntl, "F_SETPIPE_SZ") or not os.path.exists("/proc/self/fd"):
        return None
    try:
        return Pipes()
    except OSError:
        return None  # No more files, or no such large pipes, for this user.


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of a pipe: to read and to write."""
    reading, writing = os.pipe()
    ends = open(reading, "rb"), open(writing, "wb", buffering=0)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _HOLDS)
    return ends
