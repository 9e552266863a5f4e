"""Which core a thread runs on."""

import os
from typing import Optional


def keep_on_core(number: Optional[int], thread: Optional[int]) -> None:
    """
    Keeps the calling thread, and `thread` of another process if there is one, on a core; None: on any.

    Two that take turns, as a player and its games do, wake each other at every step. On one
    core that is a switch; across cores it wakes a core that sleeps, which takes longer, in a
    virtual machine ten times. Only Linux lets a process say so.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(os.getpid()))
    chosen = cores if number is None else [cores[number % len(cores)]]
    for one in (0, thread):
        if one is None:
            continue
        try:
            os.sched_setaffinity(one, chosen)
        except OSError:
            pass  # The thread has ended, or is another user's.
