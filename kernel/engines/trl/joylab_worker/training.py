"""TRL's GRPOTrainer, its prompts and rewards from the kernel.

TRL owns the loop: optimizer, schedule, accumulation, checkpoints, and whatever
accelerate, DeepSpeed, FSDP, vLLM or Unsloth do to it. The kernel is asked
three things: before each step whether to go on (`ready`), which prompts a
generation has (`prompts`), and what its completions are worth (`score`).
Instead of an answer it may give a command: it is done, and the kernel asked
again, so that a model generates and is saved in the middle of its training.
"""

import contextlib
import dataclasses
import functools
import importlib.metadata
import os
import shutil

import numpy as np
import torch
from accelerate.utils import gather_object
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from .channel import KernelError, ragged, unragged
from .trust_region import TrustRegion

#: A rank waits for the kernel as long as a pause lasts.
NO_TIMEOUT = 10**8


class Stopped(Exception):
    """The kernel ended the run; `folder` is where a checkpoint is to be saved, or None."""

    def __init__(self, folder: str | None):
        super().__init__(folder)
        self.folder = folder


class KernelGRPOTrainer(GRPOTrainer):
    """GRPOTrainer whose prompts, rewards and advantages come from the kernel."""

    def __init__(self, *args, worker, trust_region: TrustRegion | None, **kwargs):
        self._worker = worker
        self.files = worker.files
        self._trust_region = trust_region
        if trust_region:
            trust_region.trainer = self
        self._answer: dict | None = None
        self._about: dict = {}
        super().__init__(*args, **kwargs)

    def ask(self, type_: str, parts=None, **fields) -> dict:
        """The kernel's answer, the same in every process. Raises Stopped where it ends the run."""
        channel = self._worker.channel
        while True:
            answer = channel.request(type_, parts, step=self.state.global_step, **fields)
            if answer.get("stop"):
                raise Stopped(answer.get("saveTo"))
            if "command" not in answer:
                return answer
            done, done_parts = self._worker.answer({**answer, "type": answer["command"]})
            channel.send("done", done_parts, **done)

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"

    def _generate_and_score_completions(self, inputs):
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        group = self.num_generations if self._mode == "train" else self.num_generations_eval
        together = self.args.steps_per_generation * self.num_iterations
        about = self._about = {"mode": self._mode, "generation": self._step // together}
        answer = self.ask("prompts", **about, groups=len(inputs) * world // group)
        prompts = [ids for ids in unragged(answer["ids"], answer["lengths"]) for _ in range(group)]
        self._prompt_ids = prompts[rank * len(inputs) : (rank + 1) * len(inputs)]
        given = answer.get("completionIds")
        self._given = None if given is None else unragged(given, answer["completionLengths"])
        texts = self.processing_class.batch_decode(self._prompt_ids, skip_special_tokens=False)
        output = super()._generate_and_score_completions([{**row, "prompt": text} for row, text in zip(inputs, texts)])
        advantages = torch.tensor(self._answer["advantages"], device=self.accelerator.device)
        self._replace_logged_advantages(advantages.tolist())
        return {**output, "advantages": advantages[rank * len(inputs) : (rank + 1) * len(inputs)]}

    def compute_loss(self, model, inputs, *args, **kwargs):
        if self._trust_region and model.training:
            self._trust_region.batches.append(inputs)
        return super().compute_loss(model, inputs, *args, **kwargs)

    def _replace_logged_advantages(self, advantages: list[float]) -> None:
        """The kernel's advantages go where TRL has just noted its own."""
        logged = self._logs["advantages"]
        for _ in range(min(len(logged), len(advantages))):
            logged.pop()
        logged.extend(advantages)

    def _load_optimizer_and_scheduler(self, checkpoint):
        """A checkpoint's settings of the optimizer give way to the run's, which may have changed since."""
        kept = ("params", "lr")
        own = [{name: value for name, value in group.items() if name not in kept} for group in self.optimizer.param_groups]
        super()._load_optimizer_and_scheduler(checkpoint)
        scheduler = getattr(self.lr_scheduler, "scheduler", self.lr_scheduler)
        if checkpoint is None or not hasattr(scheduler, "lr_lambdas"):
            return
        scheduler.base_lrs = [group["initial_lr"] for group in own]
        for i, group in enumerate(self.optimizer.param_groups):
            lr = scheduler.base_lrs[i] * scheduler.lr_lambdas[i](scheduler.last_epoch)
            group.update(own[i], lr=lr)
            scheduler._last_lr[i] = lr

    def _tokenize_prompts(self, prompts):
        return self._prompt_ids, None, {}

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        if self._given is None:
            return super()._generate_single_turn(prompt_ids, *args, **kwargs)
        rank = self.accelerator.process_index
        return self._given[rank * len(prompt_ids) : (rank + 1) * len(prompt_ids)], None

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        ids = gather_object([list(map(int, row)) for row in completion_ids_list])
        answer = self._answer = self.ask("score", ragged(ids), **self._about)
        # Functions may have been replaced, added or removed since the last generation.
        self.reward_func_names = answer["names"]
        self.reward_funcs = [None] * len(answer["names"])
        self.reward_weights = torch.tensor(answer["weights"], dtype=torch.float32)
        rewards = answer["rewards"].reshape(len(ids), len(answer["names"]))
        return torch.tensor(rewards, device=self.accelerator.device)


class KernelCallback(TrainerCallback):
    """Waits for the kernel before each step and after the last: a pause is an answer that comes later.

    Meanwhile it does what the kernel asks for: saving a checkpoint, evaluating, ending the run.
    """

    def __init__(self, resumed: str | None):
        self.resumed = resumed
        self.trainer: KernelGRPOTrainer | None = None
        self.metrics: dict = {}

    def on_train_begin(self, args, state, control, **_):
        # A run that goes on is as far within what was generated together as it was.
        self.trainer._step = state.global_step * args.gradient_accumulation_steps

    def on_log(self, args, state, control, logs=None, **_):
        numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, (int, float))}
        self.metrics.update({name: float(value) for name, value in numbers.items() if np.isfinite(value)})

    def on_step_begin(self, args, state, control, **_):
        if self.resumed:
            # The data loader has drawn since these were restored.
            self.trainer._load_rng_state(self.resumed)
            self.resumed = None
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
                with self.trainer.files.give(answer["save"]) as folder:
                    save_checkpoint(self.trainer, folder)
                done = {"saved": answer["save"]}
            elif answer.get("evaluate"):
                self.trainer.evaluate()
                done = {"evaluated": True}
            else:
                return


def save_checkpoint(trainer: KernelGRPOTrainer, folder: str) -> None:
    """Saves a checkpoint of TRL's as `folder`."""
    step = trainer.state.global_step
    trainer._save_checkpoint(trainer.model, trial=None)
    made = os.path.join(trainer.args.output_dir, f"checkpoint-{step}")
    trainer.accelerator.wait_for_everyone()
    if trainer.accelerator.is_main_process and os.path.abspath(made) != os.path.abspath(folder):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(made, folder)


def train(worker, message: dict) -> dict:
    """Trains until the run ends or the kernel stops it. Returns the number of steps made."""
    with worker.files.bring(message.get("resumeFrom")) as resumed:
        return train_from(resumed, worker, message)


def train_from(resumed: str | None, worker, message: dict) -> dict:
    model, tokenizer = worker.model, worker.tokenizer
    settings = dict(message["args"])
    settings["output_dir"] = worker.files.output(settings["output_dir"])
    if "ref" in getattr(model, "peft_config", {}):
        # An earlier run's reference model. This one's is the policy as it is now, or the checkpoint's.
        model.delete_adapter("ref")
    # Unsloth's own default is another.
    settings.setdefault("optim", "adamw_torch_fused")
    unknown = settings.keys() - {field.name for field in dataclasses.fields(GRPOConfig)}
    for name in unknown & set(message.get("atDefault", [])):
        del settings[name]
    unknown &= settings.keys()
    if unknown:
        raise ValueError(f"TRL {importlib.metadata.version('trl')} has no setting {', '.join(sorted(unknown))}: leave it out")
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
    if args.n_gpu > 1:
        # A process has one GPU, however many there are: for several there are several processes.
        args._n_gpu = 1
    # Rows stand for prompts, which the kernel gives when their turn comes.
    rows = Dataset.from_dict({"prompt": [""] * max(1, message["rows"])})
    callback = KernelCallback(resumed)
    trust_region = TrustRegion(message["targetKl"]) if message.get("targetKl") else None
    callback.trainer = trainer = KernelGRPOTrainer(
        model=model,
        args=args,
        processing_class=tokenizer,
        train_dataset=rows,
        eval_dataset=Dataset.from_dict({"prompt": [""] * message["evalRows"]}) if message.get("evalRows") else None,
        reward_funcs=[_from_the_kernel],
        callbacks=[callback, *([trust_region] if trust_region else [])],
        worker=worker,
        trust_region=trust_region,
    )
    if trust_region and trainer.is_deepspeed_enabled:
        raise ValueError(
            "targetKl cannot be had with DeepSpeed, which keeps the weights to itself: leave it out, or let the processes "
            "share them by FSDP"
        )
    trainer.remove_callback(PrinterCallback)
    check_sharing(trainer, resumed)
    try:
        with stop_strings(model, tokenizer, settings):
            trainer.train(resume_from_checkpoint=resumed)
    except Stopped as stopped:
        # Of a step that was under way nothing is in the weights.
        if stopped.folder:
            with worker.files.give(stopped.folder) as folder:
                save_checkpoint(trainer, folder)
    except BaseException as error:
        # The steps before are in the weights; what the optimizer knows of them goes with the trainer.
        if message.get("rescue") and not isinstance(error, KernelError):
            worker.forget_gradients()
            with contextlib.suppress(Exception), worker.files.give(message["rescue"]) as folder:
                save_checkpoint(trainer, folder)
        raise
    return {"step": trainer.state.global_step}


def check_sharing(trainer, resumed: str | None) -> None:
    """Raises where a checkpoint is of processes that share the weights and these do not, or the other way round."""
    if resumed is None:
        return
    shared = any(name.startswith("pytorch_model_fsdp") for name in os.listdir(resumed))
    if shared != trainer.is_fsdp_enabled:
        they, these = ("share", "do not") if shared else ("do not share", "do")
        raise ValueError(
            f"The checkpoint is of processes that {they} the weights (FSDP), and these {these}: go on with the launch that "
            "it was made with, or load its adapter, which fits everywhere, as the model, and begin a new run"
        )


@contextlib.contextmanager
def stop_strings(model, tokenizer, settings: dict):
    """The model generates with its tokenizer where strings are to end a completion: TRL does not pass it."""
    if not (settings.get("generation_kwargs") or {}).get("stop_strings"):
        yield
        return
    model.generate = functools.partial(model.generate, tokenizer=tokenizer)
    try:
        yield
    finally:
        del model.generate


def _from_the_kernel(**_):
    raise RuntimeError("rewards come from the kernel")
