"""What `start_worker.py` starts: connects to the kernel that `$JOYLAB_WORKER_ADDRESS` names, and does what it asks for."""

import os
import sys
import traceback

from .files import Files, find


def main() -> None:
    from .channel import Channel

    rank, world = (int(os.environ.get(name, default)) for name, default in (("RANK", "0"), ("WORLD_SIZE", "1")))
    token = os.environ.pop("JOYLAB_WORKER_TOKEN")
    Worker(Channel(os.environ["JOYLAB_WORKER_ADDRESS"], token, rank, world)).run()


class Worker:
    """One model and what the kernel wants of it, one command after the other."""

    def __init__(self, channel):
        self.channel = channel
        self.files = Files(channel, os.environ.get("JOYLAB_WORKER_SCRATCH"))
        self.model = self.tokenizer = None
        #: What holds of every command: the back end.
        self.settings: dict = {}

    def run(self) -> None:
        while True:
            message = self.channel.commands.get()
            if message["type"] == "close":
                return
            fields, parts = self.answer(message)
            self.channel.send("answer", parts, id=message["id"], **fields)

    def answer(self, message: dict) -> tuple[dict, dict | None]:
        """Does what a command says, which may have come while another waits for its answer. Returns fields and parts."""
        self.channel.cancelled.clear()
        try:
            return self.do(message)
        except BaseException as error:  # noqa: BLE001 (whatever it is, the kernel is told)
            return self.failure(message, error), None

    def do(self, message: dict) -> tuple[dict, dict | None]:
        command = message["type"]
        if command == "load":
            from .loading import load

            self.settings = {"backend": message["backend"]}
            self.model = self.tokenizer = None
            self.model, self.tokenizer, about = load(message, self.files, self.say)
            # Hours may pass until these are wanted, and an installation may be replaced meanwhile.
            from . import generating, problems, saving  # noqa: F401

            return {"about": about}, None
        if command == "find":
            return find(message, self.files, self.say), None
        message = {**self.settings, **message}
        if command == "adapter":
            from .loading import about, add_adapter

            self.model = add_adapter(self.model, self.tokenizer, message)
            return {"about": about(self.model)}, None
        if command == "generate":
            from .generating import generate

            return generate(self.model, self.tokenizer, message, self.channel) or {}, None
        if command == "logits":
            from .generating import logits

            return {}, {"logits": logits(self.model, message)}
        if command == "save":
            from .saving import save

            with self.files.give(message["folder"]) as folder:
                save(self.model, self.tokenizer, {**message, "folder": folder}, writes=self.channel.speaks)
            return {}, None
        if command == "memory":
            from .loading import memory

            return memory(message), None
        if command == "train":
            from .training import train

            return train(self, message), None
        raise ValueError(f"unknown command {command}")

    def say(self, text: str) -> None:
        """Tells what is being done."""
        self.channel.send("stage", text=text)

    def failure(self, message: dict, error: BaseException) -> dict:
        from .channel import KernelError
        from .problems import is_out_of_memory, sentence

        # The kernel knows its own errors already; the others' tracebacks go to the log.
        if not isinstance(error, KernelError):
            traceback.print_exception(error, file=sys.stderr)
        text = str(error) if isinstance(error, KernelError) else sentence(error, self.model, message.get("args"))
        if is_out_of_memory(error):
            self.forget_gradients()
        return {"error": text, "kind": type(error).__name__}

    def forget_gradients(self) -> None:
        """Frees what a step that did not fit has left."""
        import gc

        import torch

        if self.model is not None:
            for parameter in self.model.parameters():
                parameter.grad = None
        gc.collect()
        if torch.accelerator.is_available():
            module = getattr(torch, torch.accelerator.current_accelerator().type)
            module.empty_cache()


if __name__ == "__main__":
    main()
