"""The rewards of a Joylab notebook, as functions that TRL's GRPOTrainer takes.

They are TypeScript (notebook.ts): a process of Node.js plays the strategies and scores them, and says so in lines of JSON.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def command() -> list[str]:
    """What runs Joylab: the file that $JOYLAB_CLI names, the package in this folder, or the one that is installed."""
    local = os.path.join(HERE, "node_modules", "joylab", "dist", "kernel", "cli.js")
    file = os.environ.get("JOYLAB_CLI") or (local if os.path.exists(local) else None)
    if file:
        return ["node", file]
    installed = shutil.which("joylab")
    if installed:
        return [installed]
    raise SystemExit("Joylab is missing: run `npm install` in this folder, or let JOYLAB_CLI name its dist/kernel/cli.js.")


class NotebookRewards:
    """The notebook's reward functions. Each process of a distributed run has its own."""

    def __init__(self, tokenizer, args, names: list[str], chat_template_kwargs: dict | None = None):
        self.tokenizer, self.args, self.names = tokenizer, args, names
        self.chat_template_kwargs = chat_template_kwargs or {}
        self.generation = -1
        self.batch: tuple | None = None
        # Environments that are written in Python run in this one.
        env = {"JOYLAB_PYTHON": sys.executable, **os.environ}
        self.process = subprocess.Popen(
            [*command(), "rewards", os.path.join(HERE, "notebook.ts")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=env,
        )
        atexit.register(self.close)
        found = self._read()["names"]
        if found != names:
            raise SystemExit(f"notebook.ts has the rewards {found}, train.py names {names}: export the notebook again.")

    @property
    def functions(self) -> list:
        return [self._function(index, name) for index, name in enumerate(self.names)]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def _function(self, index: int, name: str):
        def reward(prompts, completions, completion_ids, trainer_state, log_extra=None, log_metric=None, **columns):
            # TRL asks each function for the same completions: they play once.
            if self.batch is None or self.batch[0] is not completion_ids:
                scores = self._score(prompts, completion_ids, trainer_state, columns)
                self.batch = (completion_ids, scores)
                for column, values in scores["extra"].items():
                    log_extra(column, values)
                for metric, values in scores["metrics"].items():
                    for value in values:
                        log_metric(metric, value)
            return self.batch[1]["rewards"][index]

        reward.__name__ = name
        return reward

    def _score(self, prompts, completion_ids, state, columns: dict) -> dict:
        args, count = self.args, len(completion_ids)
        # A step may use several generations, and a generation several steps.
        micro = state.global_step * args.gradient_accumulation_steps
        self.generation = max(self.generation + 1, micro // (args.steps_per_generation * args.num_iterations))
        rows = {name: values for name, values in columns.items() if isinstance(values, list) and len(values) == count}
        batch = {
            "prompts": [self._text(prompt) for prompt in prompts],
            "completions": self.tokenizer.batch_decode(completion_ids, skip_special_tokens=True),
            "completionIds": [[int(token) for token in ids] for ids in completion_ids],
            "columns": [{name: values[i] for name, values in rows.items()} for i in range(count)],
            "generation": self.generation,
            "first": args.process_index * count,
            "trainerState": {"globalStep": state.global_step, "maxSteps": state.max_steps},
        }
        self.process.stdin.write(json.dumps(batch) + "\n")
        self.process.stdin.flush()
        answer = self._read()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def _text(self, prompt) -> str:
        if isinstance(prompt, str):
            return prompt
        return self.tokenizer.apply_chat_template(
            prompt, tokenize=False, add_generation_prompt=True, **self.chat_template_kwargs
        )

    def _read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"The process of the rewards ended (exit code {self.process.wait()}): see what it says above.")
        return json.loads(line)
