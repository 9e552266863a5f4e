"""TRL's side of the benchmark: its GRPOTrainer's own train(), a step whenever a line arrives.

Usage: trl_side.py '{"folder": …, "lora": …, "completions": 16, "tokens": 80, "settings": {GRPOConfig}}'
Answers each line on standard input with the seconds of one step as a line of
JSON, and the end of the input with the process's peak memory in bytes.
"""

import json
import os
import resource
import sys
import tempfile
import time

given = json.loads(sys.argv[1])
# What libraries print must not mix with the answers.
answers, sys.stdout = sys.stdout, sys.stderr

import torch  # noqa: E402
import transformers  # noqa: E402
import trl  # noqa: E402
from datasets import Dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from transformers import TrainerCallback  # noqa: E402

transformers.utils.logging.disable_progress_bar()


def answer(**values):
    print(json.dumps(values), file=answers, flush=True)


def letters(completions, **_):
    """The reward of both sides: they must differ, nothing else matters."""
    return [float(sum(completion.count(letter) for letter in "aeiou")) for completion in completions]


class Clock(TrainerCallback):
    """Waits for a line before each step, and times its parts by wrapping the trainer's methods."""

    def attach(self, trainer):
        for name in ("_generate_and_score_completions", "generate"):
            owner = trainer.model if name == "generate" else trainer
            setattr(owner, name, self.timed(name, getattr(owner, name)))

    def timed(self, name, method):
        def run(*args, **kwargs):
            started = time.perf_counter()
            result = method(*args, **kwargs)
            self.seconds[name] = time.perf_counter() - started
            if name == "generate":
                self.tokens = (result.size(1) - kwargs["input_ids"].size(1)) * result.size(0)
            return result

        return run

    def on_step_begin(self, args, state, control, **_):
        if not sys.stdin.readline():
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            answer(peakMemory=peak)
            os._exit(0)
        self.seconds = {}
        self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        step = time.perf_counter() - self.started
        answer(
            step=step,
            generation=self.seconds["generate"],
            update=step - self.seconds["_generate_and_score_completions"],
            tokens=self.tokens,
        )


def main():
    with open(os.path.join(given["folder"], "prompt.txt")) as file:
        prompt = file.read()
    # rank, alpha and modules as the other side has them
    lora = LoraConfig(task_type="CAUSAL_LM", **given["lora"]) if given["lora"] else None
    clock = Clock()
    with tempfile.TemporaryDirectory() as output:
        trainer = trl.GRPOTrainer(
            model=given["folder"],
            reward_funcs=letters,
            train_dataset=Dataset.from_list([{"prompt": prompt}] * 1000),
            peft_config=lora,
            callbacks=[clock],
            args=trl.GRPOConfig(
                output_dir=output,
                max_steps=1000,
                num_generations=given["completions"],
                per_device_train_batch_size=given["completions"],
                max_completion_length=given["tokens"],
                use_cpu=True,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                **given["settings"],
            ),
        )
        clock.attach(trainer)
        answer(versions={"TRL": trl.__version__, "transformers": transformers.__version__, "torch": f"{torch.__version__} ({torch.get_num_threads()} threads)"})
        trainer.train()


main()
