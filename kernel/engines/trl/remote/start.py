"""Starts a worker on this machine for a kernel on another one. Python's standard library is all that it needs.

The kernel sends this file, and then a line of JSON, through the standard input of ssh, so that no command line shows
the token: the worker's files, its environment, how Python is called, which packages it must have. They lie in a folder
that is removed at the end. Standard input stays open for as long as the kernel is there.
"""

import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

#: Exit codes: something is missing here; the worker was killed.
MISSING, KILLED = 3, 137
#: Seconds that processes have to end.
GRACE = 3


def main() -> None:
    given = json.loads(sys.stdin.buffer.readline())
    missing = [name for name in given["packages"] if not importlib.util.find_spec(name)]
    if missing or sys.version_info < (3, 10):
        said = f"Python {platform.python_version()} at {sys.executable}"
        print(f"{said} lacks {', '.join(missing)}" if missing else f"{said} is older than 3.10", file=sys.stderr)
        sys.exit(MISSING)
    folder = tempfile.mkdtemp(prefix="joylab-remote-")
    try:
        for name, text in given["files"].items():
            path = os.path.join(folder, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        code = run(given, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(KILLED if code == -signal.SIGKILL else abs(code))


def run(given: dict, folder: str) -> int:
    """Runs the worker until it ends or the kernel is gone. Returns its exit code, a signal's number below zero."""
    scratch = os.path.join(folder, "scratch")
    os.makedirs(scratch)
    environment = {**os.environ, **given["environment"], "JOYLAB_WORKER_SCRATCH": scratch}
    command = [sys.executable, *given["arguments"], os.path.join(folder, "start_worker.py")]
    # A group of its own, which is ended as a whole.
    child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)

    def end(*_) -> None:
        signal_group(child, signal.SIGTERM)
        timer = threading.Timer(GRACE, signal_group, (child, signal.SIGKILL))
        timer.daemon = True
        timer.start()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        end()

    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    signal_group(child, signal.SIGKILL)
    return code


def signal_group(child: subprocess.Popen, number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass


main()
