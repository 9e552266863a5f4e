"""A server that ends with the process that started it."""

import os
import sys
import threading


def exit_with_parent() -> None:
    """Ends this process when its standard input does, which happens however its parent ends."""
    threading.Thread(target=_exit_at_end_of_input, daemon=True).start()


def _exit_at_end_of_input() -> None:
    while sys.stdin.buffer.read1(4096):
        pass
    os._exit(0)
