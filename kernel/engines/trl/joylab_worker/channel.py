"""The connection to the kernel: frames of JSON with binary parts, requests in both directions.

A frame is two little-endian 32-bit lengths, then JSON, then the binary parts
one after the other. The JSON's `parts` says name, dtype and shape of each.
"""

import itertools
import json
import os
import queue
import socket
import struct
import threading

import numpy as np

VERSION = 1
#: The dtypes that a part may have.
DTYPES = {"int32": np.int32, "float32": np.float32, "uint8": np.uint8}


class KernelError(Exception):
    """The kernel could not answer: its sentence says why. The run is over here; what to do about it is shown there."""


class Channel:
    """A connection to the kernel. When it ends, so does this process: a worker without its kernel holds a GPU for nobody."""

    def __init__(self, address: str, token: str, rank: int = 0, world: int = 1):
        #: Of several processes that train together each hears the kernel, and the main one answers.
        self.speaks = rank == 0
        self._socket = connected(address)
        self._sending = threading.Lock()
        self._ids = itertools.count(1)
        self._answers: dict[int, queue.Queue] = {}
        #: What the kernel asks for, in order. The main thread takes them.
        self.commands: queue.Queue = queue.Queue()
        #: Set while the command at work is to end early.
        self.cancelled = threading.Event()
        self._write("hello", version=VERSION, token=token, pid=os.getpid(), rank=rank, world=world)
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, type_: str, parts: dict[str, np.ndarray] | None = None, **fields) -> None:
        """Sends a message that nobody answers."""
        if self.speaks:
            self._write(type_, parts, **fields)

    def _write(self, type_: str, parts: dict[str, np.ndarray] | None = None, **fields) -> None:
        arrays = {name: np.ascontiguousarray(array) for name, array in (parts or {}).items()}
        shapes = [{"name": name, "dtype": array.dtype.name, "shape": array.shape} for name, array in arrays.items()]
        text = json.dumps({"type": type_, **fields, "parts": shapes}, allow_nan=False).encode()
        binary = b"".join(array.tobytes() for array in arrays.values())
        with self._sending:
            self._socket.sendall(struct.pack("<II", len(text), len(binary)) + text + binary)

    def request(self, type_: str, parts: dict[str, np.ndarray] | None = None, **fields) -> dict:
        """Asks the kernel and waits for its answer, as long as that takes: a pause is an answer that comes later.

        Where several processes train together each of them is to ask the same, in the same order: all get the answer.
        Raises KernelError where the kernel refuses.
        """
        id_ = next(self._ids)
        answers = self._answers.setdefault(id_, queue.Queue())
        self.send(type_, parts, id=id_, **fields)
        answer = answers.get()
        del self._answers[id_]
        if "error" in answer:
            raise KernelError(answer["error"])
        return answer

    def _read(self) -> None:
        try:
            while True:
                message = self._receive()
                if message["type"] == "answer":
                    self._answers.setdefault(message["id"], queue.Queue()).put(message)
                elif message["type"] == "cancel":
                    self.cancelled.set()
                else:
                    self.commands.put(message)
        except (OSError, EOFError):
            # The guardian ends what this process has started.
            os._exit(1)

    def _receive(self) -> dict:
        text_bytes, binary_bytes = struct.unpack("<II", self._exactly(8))
        message = json.loads(self._exactly(text_bytes))
        binary, offset = self._exactly(binary_bytes), 0
        for part in message.pop("parts", []):
            dtype = DTYPES[part["dtype"]]
            count = int(np.prod(part["shape"], dtype=np.int64))
            message[part["name"]] = np.frombuffer(binary, dtype, count, offset).reshape(part["shape"])
            offset += count * np.dtype(dtype).itemsize
        return message

    def _exactly(self, count: int) -> bytes:
        buffer = bytearray(count)
        view, read = memoryview(buffer), 0
        while read < count:
            got = self._socket.recv_into(view[read:])
            if got == 0:
                raise EOFError
            read += got
        return bytes(buffer)


def connected(address: str) -> socket.socket:
    """A connection to a port, or to a socket in the file system, which leads to another machine."""
    if address.startswith("unix:"):
        found = socket.socket(socket.AF_UNIX)
        found.connect(address.removeprefix("unix:"))
        return found
    host, port = address.rsplit(":", 1)
    found = socket.create_connection((host, int(port)))
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def ragged(rows: list[list[int]]) -> dict[str, np.ndarray]:
    """Lists of token ids as two parts: all ids in a row, and how many each list has."""
    return {
        "ids": np.array([id_ for row in rows for id_ in row], dtype=np.int32),
        "lengths": np.array([len(row) for row in rows], dtype=np.int32),
    }


def unragged(ids: np.ndarray, lengths: np.ndarray) -> list[list[int]]:
    """The lists that `ragged` was given."""
    ends = np.cumsum(lengths)
    return [ids[end - length : end].tolist() for end, length in zip(ends, lengths)]
