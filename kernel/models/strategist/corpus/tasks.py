"""Tasks: what a prompt tells (state and actions), and what a program can make of it."""

import random

import numpy as np

from . import names
from .prompts import strategy_prompt

#: The joystick's actions. Any subset, in any order, with no meaning attached.
JOYSTICK = (
    "NOOP FIRE UP RIGHT LEFT DOWN UPRIGHT UPLEFT DOWNRIGHT DOWNLEFT UPFIRE RIGHTFIRE LEFTFIRE "
    "DOWNFIRE UPRIGHTFIRE UPLEFTFIRE DOWNRIGHTFIRE DOWNLEFTFIRE"
).split()
COUNTERS = ["frame", "step", "tick", "time", "turn", "clock"]
AXES = [("_x", "_y")] * 16 + [("_row", "_col"), ("X", "Y"), ("_left", "_top")]
SIZES = [159, 160, 209, 210, 255, 100, 99, 127, 63, 31, 20, 15, 10, 7, 1000, 500, 640, 480, 320, 200]

#: States that a program is tried on.
STATES = 64


class Variable:
    """Something that a program can test: a field of the state, or what it works out from one.

    `kind` is "number", "boolean" or "choice" (of `values`). `last` is its text
    at the call before, None where a change has no meaning. `setup` are lines
    that work it out, inside the function; `helper` lines outside of it.
    """

    __slots__ = ("text", "last", "low", "high", "axis", "kind", "values", "setup", "helper", "entity", "counter")

    def __init__(self, text, low=0, high=1, *, axis=None, kind="number", values=(), setup=(), helper=(), entity=None, counter=False, moves=True):
        self.text, self.low, self.high, self.axis, self.kind, self.values = text, low, high, axis, kind, values
        self.setup, self.helper, self.entity, self.counter = setup, helper, entity, counter
        self.last = text.replace("state.", "last.").replace("state[", "last[") if moves and kind == "number" and not setup and not counter else None


class Task:
    """A prompt's subject, its variables, and its actions as they stand in a program."""

    def __init__(self, subject: dict, variables: list[Variable], actions: list[str], make_action=None):
        self.subject, self.variables, self.actions, self.make_action = subject, variables, actions, make_action
        self.prompt = strategy_prompt(subject)
        self.axes: dict[str, list[int]] = {}
        for i, v in enumerate(variables):
            if v.axis is not None:
                self.axes.setdefault(v.axis, []).append(i)
        self.axes = {axis: members for axis, members in self.axes.items() if len(members) > 1}
        self.placed = [i for members in self.axes.values() for i in members]
        self.numbers = [i for i, v in enumerate(variables) if v.kind == "number" and not v.counter]
        self.moving = [i for i in self.numbers if variables[i].last is not None]
        self.counters = [i for i, v in enumerate(variables) if v.counter]
        self.others = [i for i, v in enumerate(variables) if v.kind != "number"]
        self.cache: dict = {}
        self.now = self.change = None

    def new_action(self, rng: random.Random) -> str:
        return self.make_action(rng) if self.make_action else rng.choice(self.actions)

    def draw_states(self, seed: int, states: int = STATES) -> None:
        """Random values of all variables, and how they changed; those of one axis are near each other in half of the states."""
        self.cache.clear()
        generator = np.random.Generator(np.random.PCG64(seed))
        count = len(self.variables)
        low = np.array([v.low for v in self.variables], float)[:, None]
        high = np.array([v.high for v in self.variables], float)[:, None]
        spread = generator.random((count, states))
        half = states // 2
        for members in self.axes.values():
            centre = generator.random(half)
            near = generator.standard_normal((len(members), half)) * generator.choice((0.01, 0.05), (1, half))
            spread[members, :half] = np.clip(centre + near, 0, 1)
        self.now = np.floor(low + spread * (high - low + 0.999))
        fastest = np.minimum(8, np.maximum(1, (high - low) / 12))
        change = np.round(generator.standard_normal((count, states)) * fastest * generator.choice((0.3, 1.0), (1, states)))
        self.change = change
        self.calls = generator.integers(0, 200, states)
        self.before = generator.integers(0, 2, states)


# ---------------------------------------------------------------- named state, as Atari's

def random_range(rng: random.Random) -> tuple[int, int] | None:
    chance = rng.random()
    if chance < 0.03:
        return None
    high = rng.choice(SIZES) if rng.random() < 0.7 else rng.randint(2, 300)
    if chance < 0.1:
        return -high, high
    if chance < 0.18:
        return rng.randint(1, max(1, high // 4)), high
    return 0, high


def named(name: str, limits: tuple[int, int] | None, **more) -> tuple[dict, Variable]:
    """A variable as a prompt tells it, and as a program sees it."""
    low, high = limits or (-100, 100)
    told = {"name": name} if limits is None else {"name": name, "minimum": low, "maximum": high}
    return told, Variable(f"state.{name}", low, high, **more)


def extras(rng: random.Random, entity: str) -> list:
    """What else a thing may have beside its place: a velocity, or some quantity."""
    chance = rng.random()
    if chance < 0.1:
        fastest = rng.choice((1, 2, 3, 4, 5, 6, 8, 10, 16))
        kept = rng.choice((("_dx", "_dy"), ("_dx", "_dy"), ("_dx",), ("_dy",)))
        return [named(entity + suffix, (-fastest, fastest), axis=suffix, entity=entity) for suffix in kept]
    if chance < 0.18:
        limits = (0, 1) if rng.random() < 0.3 else random_range(rng)
        return [named(f"{entity}_{names.word(rng)}", limits, entity=entity)]
    return []


def entities(rng: random.Random, taken: set[str]) -> list[str]:
    """Names of 1-4 things, or of a numbered row of them beside another."""
    found = names.unique(rng, names.word if rng.random() < 0.85 else names.compound, rng.choice((1, 2, 2, 2, 3, 3, 4)), taken)
    if rng.random() < 0.2:
        found[-1:] = [f"{found[-1]}{i + 1}" for i in range(rng.choice((2, 2, 3, 3, 4, 5, 6, 8, 10)))]
    return found


def random_rows(rng: random.Random) -> list[str] | None:
    """Now and then the names of several things of which the state tells the same quantities, as of each move what it would bring."""
    return names.unique(rng, names.word, rng.choice((2, 3, 4, 4, 5, 6)), set()) if rng.random() < 0.08 else None


def table(rng: random.Random, rows: list[str], columns: list[str]) -> list[list]:
    """The quantities of a table, row by row; those of one column can be compared."""
    limits = {column: random_range(rng) for column in columns}
    return [[named(f"{row}_{column}", limits[column], axis=f"_{column}", entity=row) for column in columns] for row in rows]


def random_variables(rng: random.Random, rows: list[str] | None = None) -> list:
    """1-12 things with one or two axes each, and 0-3 scalars or a row of them; or a table with `rows`."""
    taken: set[str] = set()
    groups: list[list] = []
    if rows:
        groups = table(rng, rows, names.unique(rng, names.word, rng.choice((1, 2, 2, 3, 3)), set()))
        groups += [[named(name, random_range(rng))] for name in names.unique(rng, names.compound, rng.choice((0, 1, 2)), taken)]
        return [variable for group in groups for variable in group]
    axes = rng.choice(AXES)
    shared = [random_range(rng), random_range(rng)] if rng.random() < 0.6 else None
    kept_by_name: dict[str, tuple[int, ...]] = {}
    for entity in entities(rng, taken):
        kept = kept_by_name.setdefault(entity.rstrip("0123456789"), rng.choice(((0, 1), (0, 1), (0, 1), (0,), (1,))))
        ranges = shared or [random_range(rng), random_range(rng)]
        groups.append([named(entity + axes[i], ranges[i], axis=axes[i], entity=entity) for i in kept])
        groups[-1].extend(extras(rng, entity))
    for name in names.unique(rng, names.compound, rng.choice((0, 0, 1, 1, 2, 3)), taken):
        groups.append([named(name, random_range(rng))])
    if rng.random() < 0.04:
        (name,) = names.unique(rng, names.word, 1, taken)
        limits = random_range(rng)
        groups += [[named(f"{name}{i + 1}", limits, axis=name)] for i in range(rng.choice((3, 4, 6, 8, 12)))]
    if rng.random() < 0.2:
        (name,) = names.unique(rng, lambda r: r.choice(COUNTERS), 1, taken)
        groups.append([named(name, (0, rng.choice((500, 1000, 2000, 5000, 10000))), counter=True)])
    if rng.random() < 0.5:
        rng.shuffle(groups)
    return [variable for group in groups for variable in group]


def random_actions(rng: random.Random, rows: list[str] | None = None) -> list[str]:
    """Names of actions; where the state has a table, often those of its rows."""
    if rows and rng.random() < 0.6:
        return [row.upper() for row in rows] if rng.random() < 0.5 else list(rows)
    count = rng.choice((2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7, 8, 9, 10, 12, 18, 18))
    style = rng.random()
    if style < 0.45:
        simple = rng.random() < 0.6 and count <= 6
        return rng.sample(JOYSTICK[:6] if simple else JOYSTICK, count)
    if style < 0.5:
        return [str(i) for i in range(count)]
    count = min(count, 8)
    lower = names.unique(rng, names.word if rng.random() < 0.8 else names.compound, count, set())
    return lower if style > 0.78 else [name.upper() for name in lower]


def game_name(rng: random.Random) -> str:
    return rng.choice((" ", "_")).join(names.word(rng) for _ in range(rng.choice((1, 1, 2))))


def named_task(rng: random.Random) -> Task:
    """A task whose prompt names numbers, as those of Atari do; now and then it tells the console's memory instead."""
    rows = random_rows(rng)
    actions = random_actions(rng, rows)
    texts = [f'"{action}"' for action in actions]
    if rng.random() < 0.02:
        size = rng.choice((32, 64, 128, 128, 256))
        bytes_ = rng.sample(range(size), 8)
        variables = [Variable(f"state.ram[{i}]", 0, 255, axis="ram") for i in bytes_]
        return Task({"name": game_name(rng), "actions": actions, "ramSize": size}, variables, texts)
    told, variables = zip(*random_variables(rng, rows))
    return Task({"name": game_name(rng), "actions": actions, "stateVariables": list(told)}, list(variables), texts)
