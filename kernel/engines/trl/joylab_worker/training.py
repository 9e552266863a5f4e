"""TRL's GRPOTrainer, its prompts and rewards from the kernel.

TRL owns the loop: optimizer, schedule, accumulation, checkpoints, and whatever
accelerate, DeepSpeed, FSDP, vLLM or Unsloth do to it. The kernel is asked
three things: which prompts a generation has (`prompts`), what its completions
are worth (`score`), and after each step whether to go on (`stepEnd`).
"""

import json
import os

import numpy as np
import torch
from accelerate.utils import broadcast_object_list, gather_object
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from .channel import Channel, ragged, unragged

#: What the kernel keeps of a run, in each of TRL's checkpoints.
RUN_STATE = "run_state.json"
#: A rank waits for the kernel as long as a pause lasts.
NO_TIMEOUT = 10**8


class Stopped(Exception):
    """The kernel ended the run between two of its answers."""


class KernelGRPOTrainer(GRPOTrainer):
    """GRPOTrainer whose prompts, rewards and advantages come from the kernel. Only the main process asks."""

    def __init__(self, *args, channel: Channel, **kwargs):
        self._channel = channel
        self._answer: dict | None = None
        super().__init__(*args, **kwargs)

    def _ask(self, type_: str, parts=None, **fields) -> dict:
        """The kernel's answer, the same in every process. Raises Stopped where it ends the run."""
        answer = None
        if self.accelerator.is_main_process:
            answer = self._channel.request(type_, parts, step=self.state.global_step, **fields)
        answer = broadcast_object_list([answer])[0]
        if answer.get("stop"):
            raise Stopped
        return answer

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"

    def _generate_and_score_completions(self, inputs):
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        group = self.num_generations if self._mode == "train" else self.num_generations_eval
        answer = self._ask("prompts", mode=self._mode, groups=len(inputs) * world // group)
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
        answer = self._answer = self._ask("score", ragged(ids), mode=self._mode, completions=texts)
        # Functions may have been replaced, added or removed since the last generation.
        self.reward_func_names = answer["names"]
        self.reward_funcs = [None] * len(answer["names"])
        self.reward_weights = torch.tensor(answer["weights"], dtype=torch.float32)
        return torch.tensor(answer["rewards"], device=self.accelerator.device)


class KernelCallback(TrainerCallback):
    """Tells the kernel of steps, logs and checkpoints, and does what it answers."""

    def __init__(self, channel: Channel):
        self.channel = channel

    def on_step_end(self, args, state, control, **_):
        if state.is_world_process_zero:
            answer = self.channel.request("stepEnd", step=state.global_step)
        answer = broadcast_object_list([answer if state.is_world_process_zero else None])[0]
        control.should_save = control.should_save or answer.get("save", False)
        control.should_training_stop = control.should_training_stop or answer.get("stop", False)

    def on_log(self, args, state, control, logs=None, **_):
        if state.is_world_process_zero:
            finite = {name: float(value) for name, value in (logs or {}).items() if isinstance(value, (int, float)) and np.isfinite(value)}
            self.channel.send("log", step=state.global_step, maxSteps=state.max_steps, metrics=finite)

    def on_save(self, args, state, control, **_):
        if not state.is_world_process_zero:
            return
        folder = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
        answer = self.channel.request("saved", step=state.global_step, folder=os.path.abspath(folder))
        with open(os.path.join(folder, RUN_STATE), "w") as file:
            json.dump(answer["runState"], file)


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
        report_to="none",
        disable_tqdm=True,
        ignore_data_skip=True,
        remove_unused_columns=False,
        ddp_timeout=NO_TIMEOUT,
    )
    # Rows stand for prompts, which the kernel gives when their turn comes.
    rows = Dataset.from_dict({"prompt": [""] * max(1, message["rows"])})
    trainer = KernelGRPOTrainer(
        model=model,
        args=args,
        processing_class=tokenizer,
        train_dataset=rows,
        eval_dataset=Dataset.from_dict({"prompt": [""] * message["evalRows"]}) if message.get("evalRows") else None,
        reward_funcs=[_from_the_kernel],
        callbacks=[KernelCallback(channel)],
        channel=channel,
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = message.get("resumeFrom")
    if checkpoint:
        with open(os.path.join(checkpoint, RUN_STATE)) as file:
            channel.request("resumed", runState=json.load(file))
    channel.send("began", maxSteps=trainer.args.max_steps, steps=trainer.state.global_step)
    try:
        trainer.train(resume_from_checkpoint=checkpoint or None)
    except Stopped:
        if message.get("saveWhenStopped") and trainer.state.global_step > 0:
            trainer._save_checkpoint(trainer.model, trial=None)
            KernelCallback(channel).on_save(args, trainer.state, trainer.control)
    return {"step": trainer.state.global_step}


def _from_the_kernel(**_):
    raise RuntimeError("rewards come from the kernel")
