"""TRL's GRPOTrainer, its prompts and rewards from the kernel.

TRL owns the loop: optimizer, schedule, accumulation, checkpoints, and whatever
accelerate, DeepSpeed, FSDP, vLLM or Unsloth do to it. The kernel is asked
three things: before each step whether to go on (`ready`), which prompts a
generation has (`prompts`), and what its completions are worth (`score`).
"""

import os
import shutil

import numpy as np
import torch
from accelerate.utils import broadcast_object_list, gather_object
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from .channel import Channel, ragged, unragged

#: A rank waits for the kernel as long as a pause lasts.
NO_TIMEOUT = 10**8


class Stopped(Exception):
    """The kernel ended the run; `folder` is where a checkpoint is to be saved, or None."""

    def __init__(self, folder: str | None):
        super().__init__(folder)
        self.folder = folder


class KernelGRPOTrainer(GRPOTrainer):
    """GRPOTrainer whose prompts, rewards and advantages come from the kernel. Only the main process asks."""

    def __init__(self, *args, channel: Channel, **kwargs):
        self._channel = channel
        self._answer: dict | None = None
        super().__init__(*args, **kwargs)

    def ask(self, type_: str, parts=None, **fields) -> dict:
        """The kernel's answer, the same in every process. Raises Stopped where it ends the run."""
        answer = None
        if self.accelerator.is_main_process:
            answer = self._channel.request(type_, parts, step=self.state.global_step, **fields)
        answer = broadcast_object_list([answer])[0]
        if answer.get("stop"):
            raise Stopped(answer.get("saveTo"))
        return answer

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"

    def _generate_and_score_completions(self, inputs):
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        group = self.num_generations if self._mode == "train" else self.num_generations_eval
        answer = self.ask("prompts", mode=self._mode, groups=len(inputs) * world // group)
        prompts = [ids for ids in unragged(answer["ids"], answer["lengths"]) for _ in range(group)]
        self._prompt_ids = prompts[rank * len(inputs) : (rank + 1) * len(inputs)]
        given = answer.get("completionIds")
        self._given = None if given is None else unragged(given, answer["completionLengths"])
        texts = self.processing_class.batch_decode(self._prompt_ids, skip_special_tokens=False)
        output = super()._generate_and_score_completions([{**row, "prompt": text} for row, text in zip(inputs, texts)])
        advantages = torch.tensor(self._answer["advantages"], device=self.accelerator.device)
        self._replace_logged_advantages(advantages.tolist())
        return {**output, "advantages": advantages[rank * len(inputs) : (rank + 1) * len(inputs)]}

    def _replace_logged_advantages(self, advantages: list[float]) -> None:
        """The kernel's advantages go where TRL has just noted its own."""
        logged = self._logs["advantages"]
        for _ in advantages:
            logged.pop()
        logged.extend(advantages)

    def _tokenize_prompts(self, prompts):
        return self._prompt_ids, None, {}

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        if self._given is None:
            return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        rank = self.accelerator.process_index
        return self._given[rank * len(prompt_ids) : (rank + 1) * len(prompt_ids)], None

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        texts, ids = gather_object(list(completions)), gather_object([list(map(int, row)) for row in completion_ids_list])
        answer = self._answer = self.ask("score", ragged(ids), mode=self._mode, completions=texts)
        # Functions may have been replaced, added or removed since the last generation.
        self.reward_func_names = answer["names"]
        self.reward_funcs = [None] * len(answer["names"])
        self.reward_weights = torch.tensor(answer["weights"], dtype=torch.float32)
        rewards = answer["rewards"].reshape(len(texts), len(answer["names"]))
        return torch.tensor(rewards, device=self.accelerator.device)


class KernelCallback(TrainerCallback):
    """Waits for the kernel before each step and after the last: a pause is an answer that comes later.

    Meanwhile it does what the kernel asks for: saving a checkpoint, evaluating, ending the run.
    """

    def __init__(self, channel: Channel):
        self.channel = channel
        self.trainer: KernelGRPOTrainer | None = None
        self.metrics: dict = {}

    def on_log(self, args, state, control, logs=None, **_):
        numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, (int, float))}
        self.metrics.update({name: float(value) for name, value in numbers.items() if np.isfinite(value)})

    def on_step_begin(self, args, state, control, **_):
        self.wait(state)

    def on_train_end(self, args, state, control, **_):
        if state.global_step == state.max_steps:
            self.wait(state)

    def wait(self, state) -> None:
        done: dict = {}
        while True:
            metrics, self.metrics = self.metrics, {}
            answer = self.trainer.ask("ready", maxSteps=state.max_steps, metrics=metrics, **done)
            done = {}
            if "save" in answer:
                done = {"saved": save_checkpoint(self.trainer, answer["save"])}
            elif answer.get("evaluate"):
                self.trainer.evaluate()
                done = {"evaluated": True}
            else:
                return


def save_checkpoint(trainer: KernelGRPOTrainer, folder: str) -> str:
    """Saves a checkpoint of TRL's as `folder`. Returns the folder."""
    step = trainer.state.global_step
    trainer._save_checkpoint(trainer.model, trial=None)
    made = os.path.join(trainer.args.output_dir, f"checkpoint-{step}")
    trainer.accelerator.wait_for_everyone()
    if trainer.accelerator.is_main_process and os.path.abspath(made) != os.path.abspath(folder):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(made, folder)
    return folder


def train(model, tokenizer, message: dict, channel: Channel) -> dict:
    """Trains until the run ends or the kernel stops it. Returns the number of steps made."""
    settings = dict(message["args"])
    if message.get("gradientCheckpointing"):
        settings["gradient_checkpointing"] = True
    weight = next(iter(model.parameters()))
    settings.setdefault("use_cpu", weight.device.type == "cpu")
    settings.setdefault("bf16", weight.device.type != "cpu" and model.dtype == torch.bfloat16)
    args = GRPOConfig(
        **settings,
        logging_strategy="steps",
        logging_steps=1,
        # The kernel says when.
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        ignore_data_skip=True,
        remove_unused_columns=False,
        ddp_timeout=NO_TIMEOUT,
    )
    # Rows stand for prompts, which the kernel gives when their turn comes.
    rows = Dataset.from_dict({"prompt": [""] * max(1, message["rows"])})
    callback = KernelCallback(channel)
    callback.trainer = trainer = KernelGRPOTrainer(
        model=model,
        args=args,
        processing_class=tokenizer,
        train_dataset=rows,
        eval_dataset=Dataset.from_dict({"prompt": [""] * message["evalRows"]}) if message.get("evalRows") else None,
        reward_funcs=[_from_the_kernel],
        callbacks=[callback],
        channel=channel,
    )
    trainer.remove_callback(PrinterCallback)
    try:
        trainer.train(resume_from_checkpoint=message.get("resumeFrom"))
    except Stopped as stopped:
        # Of a step that was under way nothing is in the weights.
        if stopped.folder:
            save_checkpoint(trainer, stopped.folder)
    return {"step": trainer.state.global_step}


def _from_the_kernel(**_):
    raise RuntimeError("rewards come from the kernel")
