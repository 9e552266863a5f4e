"""The strategist's corpus: random prompts, and random programs that answer them.

A prompt names a game, the variables of its state and its actions, all drawn
at random; a program compares some of those variables and returns some of
those actions, chosen at random too. So the corpus teaches how a strategy is
written and that names are copied from the prompt, and nothing about any
game: which variable matters, and which action to take when, is left to
reinforcement learning.

`python corpus.py --count 5 --seed 1` prints pairs as lines of JSON.
"""

import argparse
import json
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

WORDS = (Path(__file__).parent / "words.txt").read_text().split()

#: The joystick's actions. Any subset, in any order, with no meaning attached.
JOYSTICK = (
    "NOOP FIRE UP RIGHT LEFT DOWN UPRIGHT UPLEFT DOWNRIGHT DOWNLEFT UPFIRE RIGHTFIRE LEFTFIRE "
    "DOWNFIRE UPRIGHTFIRE UPLEFTFIRE DOWNRIGHTFIRE DOWNLEFTFIRE"
).split()

COUNTERS = ["frame", "step", "tick", "time", "turn", "clock"]
AXES = [("_x", "_y")] * 16 + [("_row", "_col"), ("X", "Y"), ("_left", "_top")]
SIZES = [159, 160, 209, 210, 255, 100, 99, 127, 63, 31, 20, 15, 10, 7, 1000, 500, 640, 480, 320, 200]
LOCALS = ["d", "gap", "delta", "diff", "offset"]


@dataclass(frozen=True)
class Variable:
    """One number of the state. `axis` is None for what is not a position."""

    name: str
    minimum: float
    maximum: float
    axis: str | None = None
    counter: bool = False


@dataclass(frozen=True)
class Task:
    """What a prompt tells: a game's name, the variables of its state, its actions."""

    name: str
    variables: list[Variable]
    actions: list[str]

    @cached_property
    def pairs(self) -> list[tuple[Variable, Variable]]:
        """All ordered pairs of different variables on the same axis."""
        placed = [v for v in self.variables if v.axis is not None]
        return [(a, b) for a in placed for b in placed if a is not b and a.axis == b.axis]

    @cached_property
    def counters(self) -> list[Variable]:
        return [v for v in self.variables if v.counter]

    @cached_property
    def others(self) -> list[Variable]:
        return [v for v in self.variables if not v.counter] or self.variables


# ---------------------------------------------------------------- prompts

def number(value: float) -> str:
    """A number as JavaScript prints it."""
    return str(int(value)) if value == int(value) else repr(value)


def render_prompt(task: Task) -> str:
    """The prompt as a person reads it; `strategyPrompt` in TypeScript gives the same text."""
    lines = [f"Write a short TypeScript function strategy(state) that plays {task.name}."]
    if task.variables:
        lines.append("The state:")
    for v in task.variables:
        finite = abs(v.minimum) < float("inf") and abs(v.maximum) < float("inf")
        lines.append(f"state.{v.name}" + (f" from {number(v.minimum)} to {number(v.maximum)}" if finite else ""))
    lines.append("It returns one action: " + ", ".join(f'"{action}"' for action in task.actions) + ".")
    return "\n".join(lines)


def pseudo_word(rng: random.Random) -> str:
    """A word that no list holds, so that copying does not rest on knowing the word."""
    syllables = (
        rng.choice("bcdfghjklmnprstvwz") + rng.choice("aeiou") + rng.choice(("", "", "n", "r", "l", "s", "t", "m", "ck"))
        for _ in range(rng.choice((1, 2, 2, 2, 3)))
    )
    word = "".join(syllables)
    return word if len(word) > 2 else word + rng.choice("nrlstm")


def word(rng: random.Random) -> str:
    return rng.choice(WORDS) if rng.random() < 0.75 else pseudo_word(rng)


def unique(rng: random.Random, make, count: int, taken: set[str]) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        name = make(rng)
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names


def compound(rng: random.Random) -> str:
    """A scalar's name: one word, or two."""
    return word(rng) if rng.random() < 0.6 else f"{word(rng)}_{word(rng)}"


def random_range(rng: random.Random) -> tuple[float, float]:
    chance = rng.random()
    if chance < 0.03:
        return float("-inf"), float("inf")
    high = rng.choice(SIZES) if rng.random() < 0.7 else rng.randint(2, 300)
    if chance < 0.12:
        return -high, high
    if chance < 0.22:
        return rng.randint(1, max(1, high // 4)), high
    return 0, high


def extras(rng: random.Random, entity: str) -> list[Variable]:
    """What else a thing may have beside its place: a velocity, or some quantity."""
    chance = rng.random()
    if chance < 0.12:
        fastest = rng.choice((1, 2, 3, 4, 5, 6, 8, 10, 16))
        kept = rng.choice((("_dx", "_dy"), ("_dx", "_dy"), ("_dx",), ("_dy",)))
        return [Variable(entity + suffix, -fastest, fastest, axis=suffix) for suffix in kept]
    if chance < 0.2:
        return [Variable(f"{entity}_{word(rng)}", *random_range(rng))]
    return []


def random_variables(rng: random.Random) -> list[Variable]:
    """Variables of 1-4 things with one or two axes each, and of 0-3 scalars."""
    taken: set[str] = set()
    groups: list[list[Variable]] = []
    axes = rng.choice(AXES)
    shared = [random_range(rng), random_range(rng)] if rng.random() < 0.5 else None
    for entity in unique(rng, word, rng.choice((1, 2, 2, 2, 3, 3, 4)), taken):
        kept = rng.choice(((0, 1), (0, 1), (0, 1), (0,), (1,)))
        ranges = shared or [random_range(rng), random_range(rng)]
        groups.append([Variable(entity + axes[i], *ranges[i], axis=axes[i]) for i in kept])
        groups[-1].extend(extras(rng, entity))
    for name in unique(rng, compound, rng.choice((0, 0, 1, 1, 2, 3)), taken):
        groups.append([Variable(name, *random_range(rng))])
    if rng.random() < 0.25:
        (name,) = unique(rng, lambda r: r.choice(COUNTERS), 1, taken)
        groups.append([Variable(name, 0, rng.choice((500, 1000, 2000, 5000, 10000)), counter=True)])
    if rng.random() < 0.5:
        rng.shuffle(groups)
    return [variable for group in groups for variable in group]


def random_actions(rng: random.Random) -> list[str]:
    count = rng.choice((2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7, 8, 9, 10, 12, 18))
    style = rng.random()
    if style < 0.4:
        simple = rng.random() < 0.6 and count <= 6
        return rng.sample(JOYSTICK[:6] if simple else JOYSTICK, count)
    if style < 0.48:
        return [str(i) for i in range(count)]
    count = min(count, 8)
    lower = unique(rng, word if rng.random() < 0.8 else compound, count, set())
    return lower if style > 0.75 else [name.upper() for name in lower]


def random_task(rng: random.Random) -> Task:
    name = " ".join(word(rng) for _ in range(rng.choice((1, 1, 2))))
    return Task(name, random_variables(rng), random_actions(rng))


# ---------------------------------------------------------------- programs

def small(rng: random.Random) -> int:
    return rng.choice((1, 2, 2, 3, 4, 4, 5, 6, 8, 8, 10, 12, 15, 16, 20, 25, 30))


def comparison(rng: random.Random) -> str:
    return rng.choice((">", "<", ">", "<", ">", "<", ">=", "<="))


def operand(rng: random.Random, variable: Variable) -> str:
    """A variable, now and then moved by a little."""
    shift = f" {rng.choice('+-')} {small(rng)}" if rng.random() < 0.2 else ""
    return f"state.{variable.name}{shift}"


def pair_test(rng: random.Random, task: Task) -> str:
    a, b = rng.choice(task.pairs)
    if rng.random() < 0.12:
        return f"Math.abs(state.{a.name} - state.{b.name}) {comparison(rng)} {small(rng)}"
    return f"state.{a.name} {comparison(rng)} {operand(rng, b)}"


def threshold_test(rng: random.Random, task: Task) -> str:
    v = rng.choice(task.others)
    low, high = (v.minimum, v.maximum) if abs(v.maximum) < float("inf") else (-100, 100)
    if high - low <= 10 and rng.random() < 0.4:
        return f"state.{v.name} {rng.choice(('===', '!=='))} {rng.randint(int(low), int(high))}"
    value = rng.randint(int(low), int(high))
    return f"state.{v.name} {comparison(rng)} {value - value % 10 if high > 60 and rng.random() < 0.7 else value}"


def counter_test(rng: random.Random, task: Task) -> str:
    period = rng.choice((2, 2, 3, 4, 4, 5, 6, 8, 10, 10, 12, 16, 20, 30))
    end = "=== 0" if rng.random() < 0.5 else f"< {rng.randint(1, period - 1)}"
    return f"state.{rng.choice(task.counters).name} % {period} {end}"


def test(rng: random.Random, task: Task) -> str:
    """A condition over the task's variables; most compare two things on one axis."""
    first = simple_test(rng, task)
    if rng.random() < 0.05:
        second = simple_test(rng, task)
        if second != first:
            return f"{first} {rng.choice(('&&', '&&', '||'))} {second}"
    return first


def simple_test(rng: random.Random, task: Task) -> str:
    chance = rng.random()
    if task.counters and chance < 0.12:
        return counter_test(rng, task)
    if task.pairs and chance < 0.8:
        return pair_test(rng, task)
    if len(task.variables) > 1 and chance < 0.84:
        a, b = rng.sample(task.variables, 2)
        return f"state.{a.name} {comparison(rng)} {operand(rng, b)}"
    return threshold_test(rng, task)


def leave(action: str) -> str:
    return f'return "{action}";'


def two_way(rng: random.Random, task: Task) -> list[str]:
    condition = test(rng, task)
    a, b = rng.sample(task.actions, 2)
    shape = rng.random()
    if shape < 0.2:
        return [f'return {condition} ? "{a}" : "{b}";']
    if shape < 0.35:
        return [f"if ({condition}) {{", "  " + leave(a), "} else {", "  " + leave(b), "}"]
    return [f"if ({condition}) {leave(a)}", leave(b)]


def complementary(rng: random.Random, task: Task) -> list[str]:
    """One quantity against another from both sides, and what to do between."""
    if task.pairs and rng.random() < 0.85:
        a, b = rng.choice(task.pairs)
        margin = small(rng) if rng.random() < 0.35 else 0
        up, down = (f"state.{b.name} {sign} {margin}" if margin else f"state.{b.name}" for sign in "+-")
    else:
        a = rng.choice(task.others)
        finite = abs(a.maximum) < float("inf")
        low, high = (int(a.minimum), int(a.maximum)) if finite else (-100, 100)
        up = down = str(rng.randint(low, high))
    tests = [f"state.{a.name} > {up}", f"state.{a.name} < {down}"]
    rng.shuffle(tests)
    actions = rng.sample(task.actions, min(3, len(task.actions)))
    last = actions[2] if len(actions) > 2 else rng.choice(actions)
    word_between = "else if" if rng.random() < 0.15 else "if"
    return [f"if ({tests[0]}) {leave(actions[0])}", f"{word_between} ({tests[1]}) {leave(actions[1])}", leave(last)]


def chain(rng: random.Random, task: Task) -> list[str]:
    """Independent tests, the first that holds wins."""
    first, last = rng.sample(task.actions, 2)
    actions = [first, *(rng.choice(task.actions) for _ in range(rng.choice((0, 1, 1, 2))))]
    return [*(f"if ({test(rng, task)}) {leave(action)}" for action in actions), leave(last)]


def difference(rng: random.Random, task: Task) -> list[str]:
    """A local constant, then one or two tests of it."""
    if not task.pairs:
        return two_way(rng, task)
    a, b = rng.choice(task.pairs)
    local, margin = rng.choice(LOCALS), rng.choice((0, 0, small(rng)))
    sign = rng.choice("<>")
    actions = rng.sample(task.actions, min(3, len(task.actions)))
    lines = [f"const {local} = state.{a.name} - state.{b.name};"]
    lines.append(f"if ({local} {sign} {-margin if sign == '<' else margin}) {leave(actions[0])}")
    if len(actions) > 2 and rng.random() < 0.6:
        sign = "<" if sign == ">" else ">"
        lines.append(f"if ({local} {sign} {-margin if sign == '<' else margin}) {leave(actions[2])}")
    return [*lines, leave(actions[1])]


def nested(rng: random.Random, task: Task) -> list[str]:
    inner = two_way(rng, task)
    return [f"if ({test(rng, task)}) {{", *("  " + line for line in inner), "}", leave(rng.choice(task.actions))]


def constant(rng: random.Random, task: Task) -> list[str]:
    return [leave(rng.choice(task.actions))]


SHAPES = [two_way, complementary, chain, difference, nested, constant]
WEIGHTS = [30, 27, 24, 8, 7, 4]


def random_program(rng: random.Random, task: Task) -> str:
    """The completion: a strategy in a fenced block."""
    body = rng.choices(SHAPES, WEIGHTS)[0](rng, task)
    return "```ts\nfunction strategy(state) {\n" + "".join(f"  {line}\n" for line in body) + "}\n```"


def pairs(seed: int, count: int, programs: int = 1):
    """`count` seeded tasks, each with its prompt and `programs` programs."""
    rng = random.Random(seed)
    for _ in range(count):
        task = random_task(rng)
        yield task, render_prompt(task), [random_program(rng, task) for _ in range(programs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--programs", type=int, default=1, help="programs for each prompt")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for task, prompt, programs in pairs(args.seed, args.count, args.programs):
        variables = [
            # JSON has no infinities: an open range is null.
            {"name": v.name, "minimum": v.minimum, "maximum": v.maximum}
            if abs(v.maximum) < float("inf")
            else {"name": v.name, "minimum": None, "maximum": None}
            for v in task.variables
        ]
        print(json.dumps({
            "name": task.name, "stateVariables": variables, "actions": task.actions,
            "prompt": prompt, "programs": programs,
        }))


if __name__ == "__main__":
    main()
