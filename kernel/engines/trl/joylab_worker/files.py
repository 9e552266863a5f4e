"""Files that the kernel and the worker pass to each other.

They name folders of the kernel's machine. A worker on the same machine uses
them as they are; one elsewhere has copies, which go over the connection.
"""

import contextlib
import os
import shutil
import tempfile

import numpy as np

#: Bytes that are sent at a time.
PIECE = 4 * 2**20


class Files:
    """The kernel's folders, as this process sees them."""

    def __init__(self, channel, scratch: str | None):
        self.channel = channel
        #: Where copies are made; None on the kernel's own machine.
        self.scratch = scratch

    def output(self, folder: str) -> str:
        """A folder for what the kernel does not look at."""
        return folder if self.scratch is None else os.path.join(self.scratch, "output")

    def copy(self, folder: str | None, say=lambda text: None) -> str | None:
        """A folder of the kernel's to read from, for as long as this process lives. In each process: all ask for the same."""
        if self.scratch is None or folder is None:
            return folder
        copy = tempfile.mkdtemp(dir=self.scratch)
        for file in self.channel.request("files", folder=folder)["files"]:
            path = os.path.join(copy, *file["name"].split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            say(f"Copying {file['name']} ({file['size'] / 1e6:.1f} MB)")
            with open(path, "wb") as made:
                while made.tell() < file["size"]:
                    place = {"folder": folder, "name": file["name"], "offset": made.tell()}
                    made.write(self.channel.request("bring", **place)["bytes"].tobytes())
        return copy

    @contextlib.contextmanager
    def bring(self, folder: str | None):
        """The same for a while."""
        copy = self.copy(folder)
        try:
            yield copy
        finally:
            if copy != folder:
                shutil.rmtree(copy, ignore_errors=True)

    @contextlib.contextmanager
    def give(self, folder: str):
        """A folder to write what is to lie in one of the kernel's. In each process: the main one's files are sent."""
        if self.scratch is None:
            yield folder
            return
        with tempfile.TemporaryDirectory(dir=self.scratch) as place:
            made = os.path.join(place, "made")
            os.makedirs(made)
            yield made
            if self.channel.speaks:
                self.send(made, folder)
            # The kernel says when it has written them, or that it could not.
            self.channel.request("given", folder=folder)

    def send(self, made: str, folder: str) -> None:
        for path in [os.path.join(where, name) for where, _, names in os.walk(made) for name in names]:
            name = os.path.relpath(path, made).replace(os.sep, "/")
            with open(path, "rb") as file:
                # An empty file is a piece, too.
                for offset in range(0, max(1, os.path.getsize(path)), PIECE):
                    piece = np.frombuffer(file.read(PIECE), np.uint8)
                    self.channel.send("give", {"bytes": piece}, folder=folder, name=name, offset=offset)


#: What the kernel reads of a model that lies here: settings and tokenizer.
SMALL = (".json", ".txt", ".model", ".jinja")
#: Weights in other forms, which nothing here reads.
UNREAD = ["*.bin", "*.pth", "*.pt", "*.gguf", "*.h5", "*.msgpack", "*.onnx*", "onnx/*", "original/*", "*.tflite"]


def find(message: dict, files: Files, say) -> dict:
    """Finds a model that a `find` command names: a folder of this machine, or a model of the hub, which is downloaded.

    Its settings and tokenizer are given as `folder`, and of an adapter all that it has.
    Returns where the model lies, and whether it is an adapter.
    """
    model = locate(message["modelName"], message, say)
    is_adapter = os.path.isfile(os.path.join(model, "adapter_config.json"))
    read = ("adapter_config.json", "adapter_model.safetensors") if is_adapter else SMALL
    with files.give(message["folder"]) as place:
        for name in os.listdir(model):
            if name.endswith(read) and not name.endswith(".index.json"):
                shutil.copy(os.path.join(model, name), place)
    return {"there": model, "isAdapter": is_adapter}


def locate(name: str, message: dict, say) -> str:
    """The folder of a model on this machine."""
    folder = os.path.expanduser(name)
    if os.path.isdir(folder):
        return os.path.abspath(folder)
    if os.path.isabs(folder) or name.count("/") != 1:
        raise FileNotFoundError(f"there is no folder {name} on that machine, nor on the kernel's")
    from huggingface_hub import snapshot_download

    say(f"Downloading {name}")
    token = {"token": message["token"]} if message.get("token") else {}
    return snapshot_download(name, revision=message.get("revision"), ignore_patterns=UNREAD, **token)
