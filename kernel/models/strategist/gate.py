"""The gate: does the base model write programs that are worth training with GRPO?

Samples programs for prompts it has not seen and counts how many are valid,
take all their names from the prompt, and compare a variable with itself.
`python gate.py [folder]` prints the figures and exits with 1 below the gate.
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import corpus
from tokenizer import chat

HELD_OUT_SEED = 1_000_003
LIMITS = {"valid": 0.95, "names": 0.8, "self_comparison": 0.05}


# ---------------------------------------------------------------- reading a program

TOKEN = re.compile(r'\s*("[^"\n]*"|\d+(?:\.\d+)?|[A-Za-z_]\w*|===|!==|>=|<=|&&|\|\||[-+*/%<>!?:;=(){}.,])')
LEVELS = [["||"], ["&&"], ["===", "!=="], ["<", ">", "<=", ">="], ["+", "-"], ["*", "/", "%"]]


@dataclass
class Program:
    """What a completion does: the variables it reads, the actions it returns, comparisons of a thing with itself."""

    variables: set[str] = field(default_factory=set)
    actions: set[str] = field(default_factory=set)
    self_comparisons: int = 0


class Reader:
    """A recursive-descent reader of the corpus's language; raises ValueError on anything else."""

    def __init__(self, code: str):
        self.tokens: list[str] = []
        at = 0
        code = code.rstrip()
        while at < len(code):
            match = TOKEN.match(code, at)
            if not match:
                raise ValueError(f"unexpected text at {at}")
            self.tokens.append(match[1])
            at = match.end()
        self.at = 0
        self.locals: set[str] = set()
        self.program = Program()

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if not token or (expected and token not in expected):
            raise ValueError(f"expected {expected}, found {token!r}")
        self.at += 1
        return token

    def read(self) -> Program:
        for token in ("function", "strategy", "(", "state", ")"):
            self.take(token)
        if not self.block():
            raise ValueError("a path returns nothing")
        if self.peek():
            raise ValueError("text after the function")
        return self.program

    def block(self) -> bool:
        """Reads `{ … }`; true when every path through it returns."""
        self.take("{")
        returns = False
        while self.peek() != "}":
            returns = self.statement() or returns
        self.take("}")
        return returns

    def statement(self) -> bool:
        token = self.peek()
        if token == "{":
            return self.block()
        if token == "return":
            self.take()
            self.result()
            self.take(";")
            return True
        if token == "if":
            self.take()
            self.take("(")
            self.expression()
            self.take(")")
            returns = self.statement()
            if self.peek() != "else":
                return False
            self.take()
            return self.statement() and returns
        self.take("const")
        name = self.take()
        self.take("=")
        self.expression()
        self.take(";")
        self.locals.add(name)
        return False

    def result(self) -> None:
        if self.peek().startswith('"'):
            self.program.actions.add(self.take()[1:-1])
            return
        self.expression()
        self.take("?")
        self.result()
        self.take(":")
        self.result()

    def expression(self, level: int = 0) -> str:
        """Reads an expression and returns its text without spaces."""
        if level == len(LEVELS):
            return self.atom()
        left = self.expression(level + 1)
        while self.peek() in LEVELS[level]:
            operator = self.take()
            right = self.expression(level + 1)
            if left == right and operator not in "+*":
                self.program.self_comparisons += 1
            left = left + operator + right
        return left

    def atom(self) -> str:
        token = self.take()
        if token == "-":
            return "-" + self.atom()
        if token == "(":
            inner = self.expression()
            self.take(")")
            return f"({inner})"
        if token == "Math":
            self.take(".")
            self.take("abs")
            self.take("(")
            inner = self.expression()
            self.take(")")
            return f"abs({inner})"
        if token == "state":
            self.take(".")
            name = self.take()
            self.program.variables.add(name)
            return f"state.{name}"
        if token[0].isdigit() or token in self.locals:
            return token
        raise ValueError(f"unknown name {token!r}")


def read_program(completion: str) -> Program | None:
    """The program in a completion, or None when it is not a valid one."""
    match = re.fullmatch(r"```ts\n(.*)```", completion, re.DOTALL)
    try:
        return Reader(match[1]).read() if match else None
    except ValueError:
        return None


# ---------------------------------------------------------------- sampling

@torch.no_grad()
def sample(model, tokenizer, prompts: list[str], per_prompt: int = 1, seed: int = 0, batch: int = 512) -> list[str]:
    """Completions at temperature 1, `per_prompt` for each prompt; an unfinished one keeps no closing token."""
    torch.manual_seed(seed)
    texts = [chat(prompt) for prompt in prompts for _ in range(per_prompt)]
    completions: list[str] = []
    for start in range(0, len(texts), batch):
        inputs = tokenizer(
            texts[start:start + batch], return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False,
        ).to(model.device)
        output = model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], do_sample=True, temperature=1.0,
            top_k=0, top_p=1.0, max_new_tokens=128, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )
        for ids in output[:, inputs["input_ids"].shape[1]:].tolist():
            finished = tokenizer.eos_token_id in ids
            completions.append(tokenizer.decode(ids, skip_special_tokens=True) if finished else "")
    return completions


def measure(model, tokenizer, prompts: int = 1000, seed: int = HELD_OUT_SEED, groups: int = 8, batch: int = 512) -> dict[str, float]:
    """The gate's figures; rates other than `valid` are among the valid programs, diversity is that of `groups` prompts."""
    tasks = [(task, prompt) for task, prompt, _ in corpus.pairs(seed, prompts)]
    completions = sample(model, tokenizer, [prompt for _, prompt in tasks], seed=seed, batch=batch)
    read = [(task, read_program(text)) for (task, _), text in zip(tasks, completions)]
    valid = [(task, program) for task, program in read if program]
    count = max(1, len(valid))

    def rate(holds) -> float:
        return round(sum(holds(task, program) for task, program in valid) / count, 4)

    answers = sample(model, tokenizer, [prompt for _, prompt in tasks[:groups]], per_prompt=64, seed=seed, batch=batch)
    return {
        "valid": round(len(valid) / len(read), 4),
        "names": rate(lambda t, p: p.variables <= {v.name for v in t.variables} and p.actions <= set(t.actions)),
        "variables": rate(lambda t, p: p.variables <= {v.name for v in t.variables}),
        "actions": rate(lambda t, p: p.actions <= set(t.actions)),
        "self_comparison": rate(lambda t, p: p.self_comparisons > 0),
        "constant": rate(lambda t, p: len(p.actions) < 2),
        "distinct_of_64": round(sum(len(set(answers[i:i + 64])) for i in range(0, len(answers), 64)) / groups, 1),
    }


def passes(figures: dict[str, float]) -> bool:
    return (
        figures["valid"] > LIMITS["valid"]
        and figures["names"] > LIMITS["names"]
        and figures["self_comparison"] < LIMITS["self_comparison"]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "checkpoint")
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--groups", type=int, default=8, help="prompts that the diversity is measured on")
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED)
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(args.folder, dtype=torch.float32).to(device).eval()
    figures = measure(model, AutoTokenizer.from_pretrained(args.folder), args.prompts, args.seed, args.groups)
    print(json.dumps(figures))
    if not passes(figures):
        sys.exit(f"below the gate: {LIMITS}")


if __name__ == "__main__":
    main()
