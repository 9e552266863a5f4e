"""Random programs, and the random parts that edits put into them."""

import random

import numpy as np

from .programs import Program, rule_values, tidy
from .tasks import Task

COUNTER_NAMES = ["calls", "turns", "steps", "ticks"]
MODE_NAMES = ["mode", "phase", "plan"]
LOCAL_NAMES = ["gap", "delta", "aim", "diff", "offset", "target"]
AHEAD = [2, 2, 2, 3, 3, 4, 4, 5, 6, 8, 10, 12, 15, 20, 0.5]
SMALL = [1, 2, 2, 3, 4, 4, 5, 6, 8, 8, 10, 12, 15, 16, 20, 25, 30]
PERIODS = [2, 2, 3, 4, 4, 5, 6, 8, 10, 10, 12, 16, 20, 30]
RULES = list(range(1, 11))
RULE_WEIGHTS = [14, 24, 22, 16, 10, 6, 3, 2, 1.5, 1.5]


class Maker:
    """Draws the parts of one program: its `focus` are the things it looks at most, `memory` says whether it sees changes."""

    def __init__(self, task: Task, rng: random.Random, memory: bool | None = None):
        self.task, self.rng = task, rng
        self.memory = bool(task.moving) and (rng.random() < 0.46 if memory is None else memory)
        entities = [task.variables[i].entity for i in task.placed if task.variables[i].entity]
        self.focus = rng.choice(entities) if entities else None

    # Terms

    def variable(self, i: int, offset: float = 0) -> tuple:
        """A variable, or where it will be."""
        if self.memory and self.task.variables[i].last and self.rng.random() < 0.36:
            return ("p", i, self.rng.choice(AHEAD), offset)
        return ("v", i, 0, offset)

    def pair(self) -> tuple[int, int]:
        """Two variables of one axis; often one is of the thing looked at."""
        rng, task = self.rng, self.task
        first = rng.choice(task.placed)
        if self.focus and rng.random() < 0.65:
            own = [i for i in task.placed if task.variables[i].entity == self.focus]
            first = rng.choice(own) if own else first
        second = first
        while second == first:
            second = rng.choice(task.axes[task.variables[first].axis])
        return (first, second) if rng.random() < 0.5 else (second, first)

    def offset(self, chance: float = 0.3) -> int:
        return self.rng.choice((-1, 1)) * self.rng.choice(SMALL) if self.rng.random() < chance else 0

    def bound(self, i: int) -> int:
        """A number in the range of a variable."""
        v = self.task.variables[i]
        value = self.rng.randint(int(v.low), int(v.high))
        return value - value % 10 if v.high - v.low > 60 and self.rng.random() < 0.7 else value

    def operator(self) -> str:
        return self.rng.choice(("<", ">", "<", ">", "<", ">", "<=", ">="))

    # Conditions

    def condition(self, program: Program) -> tuple:
        rng, task = self.rng, self.task
        chance = rng.random()
        if program.counter and chance < 0.25:
            return self.counter_test()
        if program.mode and 0.25 < chance < 0.55:
            return ("?", ("o", 0, 0, 0), rng.choice(("===", "===", "!==")), ("c", 0, 0, 1))
        if program.locals and chance < 0.5:
            return self.local_test(program)
        if task.counters and rng.random() < 0.1:
            return self.period_test(rng.choice(task.counters))
        if task.others and rng.random() < min(0.5, 0.5 * len(task.others) / max(1, len(task.variables)) + 0.1):
            return self.other_test()
        if self.memory and rng.random() < 0.2:
            return self.change_test()
        if task.placed and rng.random() < 0.8:
            return self.pair_test()
        if not task.numbers:
            return self.other_test() if task.others else self.period_test(task.counters[0])
        if len(task.numbers) > 1 and rng.random() < 0.12:
            a, b = rng.sample(task.numbers, 2)
            return ("?", self.variable(a), self.operator(), self.variable(b, self.offset(0.15)))
        return self.threshold_test()

    def pair_test(self) -> tuple:
        rng = self.rng
        a, b = self.pair()
        if rng.random() < 0.1:
            return ("?", ("a", a, b, 0), self.operator(), ("c", 0, 0, rng.choice(SMALL)))
        return ("?", self.variable(a), self.operator(), self.variable(b, self.offset()))

    def threshold_test(self) -> tuple:
        rng, task = self.rng, self.task
        i = rng.choice(task.numbers)
        v = task.variables[i]
        if v.high - v.low <= 10 and rng.random() < 0.45:
            return ("?", ("v", i, 0, 0), rng.choice(("===", "!==", "===")), ("c", 0, 0, rng.randint(int(v.low), int(v.high))))
        return ("?", self.variable(i), self.operator(), ("c", 0, 0, self.bound(i)))

    def change_test(self) -> tuple:
        rng = self.rng
        i = rng.choice(self.task.moving)
        if rng.random() < 0.12:
            return ("?", ("e", i, 0, 0), self.operator(), ("c", 0, 0, rng.choice((0, 1, 2, 3, 4))))
        bound = 0 if rng.random() < 0.7 else rng.choice((-4, -3, -2, -1, 1, 2, 3, 4))
        return ("?", ("d", i, 0, 0), "===" if bound == 0 and rng.random() < 0.15 else self.operator(), ("c", 0, 0, bound))

    def other_test(self) -> tuple:
        rng = self.rng
        i = rng.choice(self.task.others)
        v = self.task.variables[i]
        if v.kind == "boolean":
            return ("!", i, rng.random() < 0.6)
        return ("=", i, rng.choice(("===", "===", "!==")), rng.randrange(len(v.values)))

    def period_test(self, i: int) -> tuple:
        rng = self.rng
        period = rng.choice(PERIODS)
        if rng.random() < 0.4:
            return ("?", ("m", i, period, 0), "===", ("c", 0, 0, 0))
        return ("?", ("m", i, period, 0), "<", ("c", 0, 0, rng.randint(1, period - 1)))

    def counter_test(self) -> tuple:
        if self.rng.random() < 0.7:
            return self.period_test(-1)
        return ("?", ("n", 0, 0, 0), self.operator(), ("c", 0, 0, self.rng.choice((5, 10, 20, 30, 50, 80, 100, 150))))

    def local_test(self, program: Program) -> tuple:
        """A test of a local constant: a difference against a number, a place against another of its axis."""
        rng = self.rng
        index = rng.randrange(len(program.locals))
        kind, i, _, _ = program.locals[index][1]
        if kind in "sd":
            return ("?", ("l", index, 0, 0), self.operator(), ("c", 0, 0, self.offset(0.45)))
        members = [j for j in self.task.axes.get(self.task.variables[i].axis, ()) if j != i]
        if not members:
            return ("?", ("l", index, 0, 0), self.operator(), ("c", 0, 0, self.bound(i)))
        return ("?", self.variable(rng.choice(members)), self.operator(), ("l", index, 0, self.offset()))

    # Rules

    def rule(self, program: Program, action: str) -> tuple:
        rng = self.rng
        conditions = [self.condition(program)]
        joiner = "&&" if rng.random() < 0.8 else "||"
        extra = rng.random()
        for _ in range(2 if extra < 0.05 else 1 if extra < 0.27 else 0):
            more = (*conditions, self.condition(program))
            # One that changes nothing, or leaves nothing, is left out.
            share = [rule_values(self.task, program, (some, joiner, action)).sum() for some in (conditions, more)]
            if share[0] != share[1] and 0 < share[1] < len(self.task.calls):
                conditions = list(more)
        return (tuple(conditions), joiner, action)

    def complementary(self, program: Program, actions: list[str]) -> list[tuple]:
        """One quantity against another from both sides."""
        rng, task = self.rng, self.task
        margin = rng.choice(SMALL) if rng.random() < 0.35 else 0
        if program.locals and program.locals[0][1][0] in "sd":
            left, right, above, below = ("l", 0, 0, 0), ("c", 0, 0), margin, -margin
        elif program.locals and task.axes.get(task.variables[program.locals[0][1][1]].axis):
            axis = task.axes[task.variables[program.locals[0][1][1]].axis]
            left, right, above, below = ("v", rng.choice([j for j in axis if j != program.locals[0][1][1]]), 0, 0), ("l", 0, 0), margin, -margin
        elif task.placed and rng.random() < 0.9:
            a, b = self.pair()
            left, right, above, below = self.variable(a), self.variable(b)[:3], margin, -margin
        elif task.numbers:
            i = rng.choice(task.numbers)
            left, right, above = self.variable(i), ("c", 0, 0), self.bound(i)
            below = above - margin
        else:
            return []
        tests = [(("?", left, ">", (*right, above)),), (("?", left, "<", (*right, below)),)]
        rng.shuffle(tests)
        return [(test, "&&", action) for test, action in zip(tests, actions)]

    # Programs

    def frame(self) -> Program:
        """A program without rules: its local constants, counter and mode."""
        rng, task = self.rng, self.task
        program = Program([], "")
        chance = rng.random()
        if task.numbers and chance < 0.16:
            program.locals = ((rng.choice(LOCAL_NAMES), self.local_term()),)
        elif chance < 0.21:
            program.counter = rng.choice(COUNTER_NAMES)
        elif chance < 0.25 and (task.numbers or task.others):
            name = rng.choice(MODE_NAMES)
            on, off = self.condition(program), self.condition(program)
            if on != off:
                program.mode = (name, on, off)
        style = rng.random()
        program.style = "plain" if style < 0.86 else "else" if style < 0.94 else "braces"
        return program

    def local_term(self) -> tuple:
        rng, task = self.rng, self.task
        if self.memory and rng.random() < 0.6:
            i = rng.choice(task.placed if task.placed and rng.random() < 0.8 else task.moving)
            if task.variables[i].last:
                return ("p", i, rng.choice(AHEAD), 0) if rng.random() < 0.75 else ("d", i, 0, 0)
        if task.placed:
            a, b = self.pair()
            return ("s", a, b, 0)
        if len(task.numbers) > 1:
            return ("s", *rng.sample(task.numbers, 2), 0)
        return ("v", task.numbers[0], 0, rng.choice(SMALL))

    def palette(self) -> list[str]:
        """The actions that a program uses most, in random order."""
        rng, task = self.rng, self.task
        if task.make_action:
            return list(dict.fromkeys(task.make_action(rng) for _ in range(rng.choice((2, 3, 4)))))
        return rng.sample(task.actions, min(len(task.actions), rng.choice((2, 3, 3, 4, 5))))

    def program(self) -> Program:
        """A program each of whose rules tells the action in some state."""
        rng, task = self.rng, self.task
        program = self.frame()
        palette = self.palette()
        if rng.random() < 0.03:
            program = Program([], palette[0])
            return program
        wanted = rng.choices(RULES, RULE_WEIGHTS)[0]
        open_ = np.ones(len(task.calls), bool)
        used: list[str] = []

        def action() -> str:
            """Any; the first two differ, so that few programs are constant."""
            if len(used) == 1 and len(palette) > 1:
                return rng.choice([a for a in palette if a != used[0]])
            return rng.choice(palette) if rng.random() < 0.9 else task.new_action(rng)

        def keep(rule: tuple) -> bool:
            nonlocal open_
            holds = rule_values(task, program, rule) & open_
            left = open_ & ~holds
            if not holds.any() or not left.any():
                return False
            open_ = left
            program.rules.append(rule)
            used.append(rule[2])
            return True

        pair_at = rng.randrange(wanted - 1) if wanted > 1 and rng.random() < 0.55 else -1
        tries = 3 * wanted + 4
        while len(program.rules) < wanted and tries > 0:
            tries -= 1
            if len(program.rules) == pair_at and len(palette) > 1:
                pair_at = -1
                for rule in self.complementary(program, rng.sample(palette, 2)):
                    keep(rule)
                continue
            keep(self.rule(program, action()))
        last = program.rules[-1][2] if program.rules else None
        others = [a for a in palette if a != last]
        program.default = rng.choice(others) if others else palette[0]
        tidy(program)
        return program


def random_program(rng: random.Random, task: Task) -> Program:
    return Maker(task, rng).program()
