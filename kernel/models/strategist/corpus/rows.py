"""Rows of training: a prompt, and several programs that answer it."""

import argparse
import json
import random
from dataclasses import dataclass, field

from . import names
from .edits import Edit, edited, first, random_parent
from .random_programs import random_program
from .prompts import edit_prompt, short_number
from .render import code_of, completion
from .schemas import schema_task
from .tasks import Task, named_task

#: Share of rows whose prompt holds a parent, and whose prompt names numbers as Atari's does.
EDITS = 0.67
#: Share of the prompts with a parent that show another program, too.
INSPIRED = 0.5
NAMED = 0.5
#: Characters of a program, at most: about 250 tokens where names are long, of the 256 that the model writes when nothing else is said.
LONGEST = 850
ENDS = ["terminated", "terminated", "terminated", "truncated", "truncated", "timeout"]


@dataclass
class Row:
    task: Task
    prompt: str
    parent: str | None = None
    #: Code without the fence.
    answers: list[str] = field(default_factory=list)
    #: Of each answer the kinds of its changes.
    kinds: list[list[str]] = field(default_factory=list)

    @property
    def completions(self) -> list[str]:
        return [completion(code) for code in self.answers]


def random_task(rng: random.Random, form: str | None = None) -> Task:
    """A task of a form: "named", "schema" or "objects"; mixed without one."""
    form = form or ("named" if rng.random() < NAMED else "schema" if rng.random() < 0.5 else "objects")
    task = named_task(rng) if form == "named" else schema_task(rng, objects=form == "objects")
    task.draw_states(rng.getrandbits(48))
    return task


def random_row(rng: random.Random, answers: int, form: str | None = None, edit: bool | None = None, inspired: float = INSPIRED) -> Row:
    """A prompt and so many programs, fresh ones or edits of one parent (now and then fewer); `inspired` is the share of those with a parent that show another program."""
    task = random_task(rng, form)
    edit = rng.random() < EDITS if edit is None else edit
    if not edit:
        row, make = Row(task, task.prompt), lambda: first(task, random_program(rng, task))
    else:
        parent = short_parent(rng, task)
        other = short_parent(rng, task) if rng.random() < inspired else None
        inspiration = other and (short_number(random_score(rng)), other.code)
        prompt = edit_prompt(task.prompt, parent.code, account(rng, parent.code), inspiration)
        row, make = Row(task, prompt, parent.code), lambda: edited(rng, task, parent, other and other.program)
    for _ in range(answers):
        made = make()
        if made and len(made.code) <= LONGEST:
            row.answers.append(made.code)
            row.kinds.append(made.kinds)
    return row if row.answers else random_row(rng, answers, form, edit, inspired)


def short_parent(rng: random.Random, task: Task) -> Edit:
    while True:
        parent = random_parent(rng, task)
        if len(parent.code) <= LONGEST:
            return parent


# ---------------------------------------------------------------- how the parent did

def account(rng: random.Random, code: str) -> str:
    """Scores, the last episode and the rewards, all at random."""
    score = random_score(rng)
    best = score if rng.random() < 0.25 else score + abs(random_score(rng))
    lines = [f"{short_number(score)} (the best so far: {short_number(best)})", f"Its last episode: return {short_number(near(rng, score))}, {random_end(rng, code)}."]
    count = rng.choice((0, 0, 1, 1, 2, 3))
    if count:
        rewards = (f"{rng.choice((names.word, names.camel))(rng)} {random_reward(rng)}" for _ in range(count))
        lines.append(f"Rewards: {', '.join(rewards)}.")
    return "\n".join(lines)


def random_score(rng: random.Random) -> float:
    scale = rng.choice((1, 1, 10, 30, 100, 1000))
    value = rng.uniform(-scale / 4, scale)
    return float(round(value)) if rng.random() < 0.5 else value


def near(rng: random.Random, score: float) -> float:
    return score if rng.random() < 0.3 else float(round(score * rng.uniform(0.3, 2)))


def random_end(rng: random.Random, code: str) -> str:
    steps = rng.choice((1000, 1000, 5000)) if rng.random() < 0.3 else rng.randint(1, 1000)
    if rng.random() > 0.03:
        return f"{steps} steps, {rng.choice(ENDS)}"
    line = rng.randint(2, code.count("\n") + 1)
    return f"{steps} steps, error in line {line}: {rng.choice(('TypeError: cannot read property', 'ReferenceError:', 'TypeError:'))} {names.word(rng)} {rng.choice(('is not defined', 'of undefined', 'is not a function'))}"


def random_reward(rng: random.Random) -> str:
    if rng.random() < 0.05:
        return "none"
    return short_number(rng.choice((0.0, 0.5, 1.0, -1.0)) if rng.random() < 0.4 else rng.uniform(-1, 2))


# ---------------------------------------------------------------- seeded lists

def rows(seed: int, count: int, answers: int = 1, form: str | None = None, edit: bool | None = None, inspired: float = INSPIRED) -> list[Row]:
    rng = random.Random(seed)
    return [random_row(rng, answers, form, edit, inspired) for _ in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints rows of the corpus as lines of JSON.")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--answers", type=int, default=1, help="programs for each prompt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--form", choices=["named", "schema", "objects"])
    args = parser.parse_args()
    for row in rows(args.seed, args.count, args.answers, args.form):
        print(json.dumps({"subject": row.task.subject, "prompt": row.prompt, "answers": row.answers, "parent": row.parent, "kinds": row.kinds}))


if __name__ == "__main__":
    main()
