"""Runs a notebook with nbclient and prints its progress.

Usage: run_notebook.py NOTEBOOK OUTPUT FOLDER

FOLDER is that of the cells. Where OUTPUT is '', nothing is saved, and what cells say is printed.
"""

import os
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

TRAINING_MIME = "application/vnd.joylab.training.v1+json"
COLUMNS = ("loss", "reward", "reward_std", "completions/mean_length", "kl")


class Runner(NotebookClient):
    """An nbclient that prints a line per cell and per training step."""

    def __init__(self, notebook, prints, **options):
        super().__init__(notebook, timeout=None, coalesce_streams=True, **options)
        self.prints = prints
        self.printed_steps = set()
        self.cell_count = sum(cell.cell_type == "code" for cell in notebook.cells)
        self.cell_number = 0

    async def async_execute_cell(self, cell, cell_index, *args, **kwargs):
        if cell.cell_type != "code" or not cell.source.strip():
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        self.cell_number += 1
        start = time.monotonic()
        print(f"[{self.cell_number}/{self.cell_count}] {first_line(cell.source)}", flush=True)
        try:
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        finally:
            print(f"      {time.monotonic() - start:.1f} s", flush=True)

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] in ("display_data", "update_display_data"):
            training = msg["content"]["data"].get(TRAINING_MIME)
            if training:
                self.print_training(training)
        if self.prints:
            print(said(msg), end="", flush=True)
        return super().process_message(msg, cell, cell_index)

    def print_training(self, training):
        for entry in training["log"]:
            key = (training["runId"], entry["step"])
            if key in self.printed_steps:
                continue
            self.printed_steps.add(key)
            figures = "  ".join(f"{name.split('/')[-1]} {entry[name]:.4g}" for name in COLUMNS if name in entry)
            print(f"      step {int(entry['step'])}/{training['maxSteps']}  {figures}", flush=True)


def said(message):
    """What a message says in a terminal; what is shown anew is told once."""
    content = message["content"]
    if message["msg_type"] == "stream":
        return content["text"]
    if message["msg_type"] not in ("execute_result", "display_data") or TRAINING_MIME in content["data"]:
        return ""
    text = content["data"].get("text/plain", "")
    return f"{text}\n" if text else ""


def first_line(source):
    """The first line that says something, for the progress line."""
    lines = [line.strip() for line in source.strip().splitlines()]
    directive = next((line for line in lines if line.startswith("/** @")), None)
    code = next((line for line in lines if line and not line.startswith(("//", "/*", "*"))), lines[0])
    return f"{directive} {code}"[:100] if directive and directive != code else code[:100]


def save(notebook, output):
    """Writes beside the target, then renames: a full disk or a kill leaves the old file whole."""
    folder = os.path.dirname(os.path.abspath(output))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".ipynb")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            nbformat.write(notebook, file)
        os.chmod(temporary, 0o644)
        os.replace(temporary, output)
    except BaseException:
        os.unlink(temporary)
        raise


def main(source, output, folder):
    try:
        notebook = nbformat.read(source, as_version=4)
    except Exception as error:
        print(f"{source} is not a notebook: {error}", file=sys.stderr)
        return 1
    runner = Runner(notebook, not output, kernel_name="joylab", resources={"metadata": {"path": folder}})
    status = 0
    try:
        runner.execute()
    except CellExecutionError as error:
        print(f"\nA cell failed: {error.ename}: {error.evalue}\n{error.traceback}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        status = 130
    except Exception as error:  # the kernel did not start, or died
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        status = 1
    if output:
        save(notebook, output)
        print(f"Saved {output}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
