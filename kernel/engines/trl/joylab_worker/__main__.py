"""`python -m joylab_worker`: connects to the kernel that `$JOYLAB_WORKER_ADDRESS` names, and does what it asks for."""

import os
import sys
import traceback


def main() -> None:
    from .channel import Channel

    rank = int(os.environ.get("RANK", "0"))
    channel = Channel(os.environ["JOYLAB_WORKER_ADDRESS"], os.environ.pop("JOYLAB_WORKER_TOKEN"), rank=rank)
    Worker(channel).run()


class Worker:
    """One model and what the kernel wants of it, one command after the other."""

    def __init__(self, channel):
        self.channel = channel
        self.model = self.tokenizer = None
        self.settings: dict = {}

    def run(self) -> None:
        while True:
            message = self.channel.commands.get()
            if message["type"] == "close":
                return
            self.channel.cancelled.clear()
            try:
                fields, parts = self.do(message)
                self.channel.send("answer", parts, id=message["id"], **fields)
            except BaseException as error:  # noqa: BLE001 (whatever it is, the kernel is told)
                self.fail(message, error)

    def do(self, message: dict) -> tuple[dict, dict | None]:
        command = message["type"]
        if command == "load":
            from .loading import load

            self.settings = {"backend": message["backend"]}
            self.model, self.tokenizer, about = load(message)
            return {"about": about}, None
        message = {**self.settings, **message}
        if command == "adapter":
            from .loading import about, add_adapter

            self.model = add_adapter(self.model, self.tokenizer, message)
            return {"about": about(self.model)}, None
        if command == "generate":
            from .generating import generate

            return generate(self.model, self.tokenizer, message, self.channel)
        if command == "save":
            from .saving import save

            save(self.model, self.tokenizer, message)
            return {}, None
        if command == "train":
            from .training import train

            return train(self.model, self.tokenizer, message, self.channel), None
        raise ValueError(f"unknown command {command}")

    def fail(self, message: dict, error: BaseException) -> None:
        from .channel import KernelError
        from .problems import sentence

        # The kernel knows its own errors already; the others' tracebacks go to the log.
        if not isinstance(error, KernelError):
            traceback.print_exception(error, file=sys.stderr)
        text = str(error) if isinstance(error, KernelError) else sentence(error, self.model, message.get("args"))
        self.channel.send("answer", id=message["id"], error=text, kind=type(error).__name__)
        if type(error).__name__ == "OutOfMemoryError":
            self.forget_gradients()

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
