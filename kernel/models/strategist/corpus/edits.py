"""Edits: a program changed in one to three places, so that it acts differently."""

import random
from dataclasses import dataclass

from .programs import OPPOSITE, Program, behaviour, tidy, uses_memory
from .random_programs import AHEAD, PERIODS, SMALL, Maker, random_program
from .render import code_of
from .tasks import Task


def remembers(condition: tuple) -> bool:
    """Whether it tests a counter or a mode of its program."""
    return condition[0] == "?" and (condition[1][0] in "no" or condition[1][:2] == ("m", -1))


def stands_alone(condition: tuple) -> bool:
    """Whether it means the same in another program: it has no counter, mode or local constant."""
    return not remembers(condition) and not (condition[0] == "?" and "l" in (condition[1][0], condition[3][0]))


class Editor:
    """Changes a copy of one program. Each method makes one change and tells whether it could."""

    def __init__(self, task: Task, rng: random.Random, parent: Program, other: Program | None = None):
        self.task, self.rng, self.program = task, rng, parent.copy()
        #: Rules that it may take over from another program: those that mean the same here.
        self.others = [rule for rule in other.rules if all(stands_alone(condition) for condition in rule[0])] if other else []
        self.maker = Maker(task, rng, memory=bool(task.moving) and rng.random() < (0.6 if uses_memory(parent) else 0.4))

    # Where

    def comparison(self) -> tuple[int, int] | None:
        """Rule and place of some comparison."""
        found = [(r, c) for r, (conditions, *_) in enumerate(self.program.rules) for c, condition in enumerate(conditions) if condition[0] == "?"]
        return self.rng.choice(found) if found else None

    def put(self, r: int, c: int, condition: tuple) -> bool:
        conditions, joiner, action = self.program.rules[r]
        if condition[0] == "?" and condition[1] == condition[3]:
            return False
        self.program.rules[r] = ((*conditions[:c], condition, *conditions[c + 1:]), joiner, action)
        return True

    def put_term(self, old: tuple, new: tuple, r: int, c: int, side: int) -> bool:
        """A new term in one place, or wherever the old one stands; offsets stay."""
        if self.rng.random() < 0.55:
            condition = list(self.program.rules[r][0][c])
            condition[side] = new
            return self.put(r, c, tuple(condition))
        for r, (conditions, *_) in enumerate(self.program.rules):
            for c, condition in enumerate(conditions):
                if condition[0] == "?":
                    terms = [(*new[:3], t[3] if new[0] not in "ae" else 0) if t[:3] == old[:3] and old[0] != "c" else t for t in (condition[1], condition[3])]
                    if terms[0] != terms[1]:
                        self.put(r, c, ("?", terms[0], condition[2], terms[1]))
        return True

    # What

    def operator(self) -> bool:
        at = self.comparison()
        if not at:
            return False
        _, left, operator, right = self.program.rules[at[0]][0][at[1]]
        return self.put(*at, ("?", left, OPPOSITE[operator], right))

    def number(self) -> bool:
        """An offset, a bound, a period, or how far a prediction looks ahead."""
        rng, at = self.rng, self.comparison()
        if not at:
            return False
        _, left, operator, right = self.program.rules[at[0]][0][at[1]]
        if left[0] == "o":
            return False
        if left[0] == "m" and rng.random() < 0.5:
            return self.put(*at, ("?", ("m", left[1], rng.choice(PERIODS), 0), operator, right))
        ahead = [side for side in (1, 3) if (left, 0, right)[side - 1][0] == "p"]
        if ahead and rng.random() < 0.5:
            side = rng.choice(ahead)
            kind, i, k, offset = (left, 0, right)[side - 1]
            return self.put_term((kind, i, k, offset), (kind, i, rng.choice([n for n in AHEAD if n != k]), offset), *at, side)
        step = rng.choice((-1, 1)) * rng.choice(SMALL)
        offset = right[3] + step
        if left[0] in "mae":
            offset = max(1, offset)
        elif left[0] == "v" and right[0] == "c" and rng.random() < 0.6:
            offset = self.maker.bound(left[1])
        elif right[0] != "c" and right[3] and rng.random() < 0.25:
            offset = 0
        if right[0] in "mae":
            return False
        return self.put(*at, ("?", left, operator, (*right[:3], offset)))

    def variable(self) -> bool:
        """Another variable of the same axis, or for a number without one another number."""
        rng, task, at = self.rng, self.task, self.comparison()
        if not at:
            return False
        condition = self.program.rules[at[0]][0][at[1]]
        side = rng.choice((1, 3) if condition[3][0] in "vp" else (1,))
        kind, i, k, offset = condition[side]
        if kind not in "vpdesa":
            return False
        axis = task.axes.get(task.variables[i].axis)
        others = [j for j in (axis or task.numbers) if j != i and (kind in "vsa" or task.variables[j].last) and not (kind in "sa" and j == k)]
        if not others:
            return False
        return self.put_term(condition[side], (kind, rng.choice(others), k, offset), *at, side)

    def kind(self) -> bool:
        """A value, its change, or where it will be."""
        rng, task, at = self.rng, self.task, self.comparison()
        if not at:
            return False
        condition = self.program.rules[at[0]][0][at[1]]
        side = rng.choice((1, 3) if condition[3][0] in "vp" else (1,))
        kind, i, _, offset = condition[side]
        if kind not in "vpd" or not task.variables[i].last:
            return False
        if kind == "v":
            if side == 1 and condition[3][0] == "c" and rng.random() < 0.3:
                return self.put(*at, self.maker.change_test())
            return self.put_term(condition[side], ("p", i, rng.choice(AHEAD), offset), *at, side)
        if kind == "p":
            return self.put_term(condition[side], ("v", i, 0, offset), *at, side)
        return self.put(*at, self.maker.condition(self.program))

    def condition(self) -> bool:
        """Another condition in the place of one."""
        rules = self.program.rules
        if not rules:
            return False
        r = self.rng.randrange(len(rules))
        return self.put(r, self.rng.randrange(len(rules[r][0])), self.maker.condition(self.program))

    def other(self) -> bool:
        """A boolean turned round, a choice's other value."""
        found = [(r, c) for r, (conditions, *_) in enumerate(self.program.rules) for c, condition in enumerate(conditions) if condition[0] != "?"]
        if not found:
            return False
        r, c = self.rng.choice(found)
        condition = self.program.rules[r][0][c]
        if condition[0] == "!":
            return self.put(r, c, ("!", condition[1], not condition[2]))
        if self.rng.random() < 0.4:
            return self.put(r, c, ("=", condition[1], OPPOSITE[condition[2]], condition[3]))
        return self.put(r, c, (*condition[:3], self.rng.randrange(len(self.task.variables[condition[1]].values))))

    def different(self, action: str) -> str | None:
        found = [a for a in self.task.actions if a != action] if not self.task.make_action else [self.task.make_action(self.rng)]
        return self.rng.choice(found) if found else None

    def action(self) -> bool:
        rules = self.program.rules
        if not rules:
            return False
        r = self.rng.randrange(len(rules))
        conditions, joiner, action = rules[r]
        new = self.different(action)
        if new:
            rules[r] = (conditions, joiner, new)
        return new is not None

    def default(self) -> bool:
        new = self.different(self.program.default)
        if new:
            self.program.default = new
        return new is not None

    def swap(self) -> bool:
        """Two actions, each in the place of the other."""
        program = self.program
        used = list(dict.fromkeys([rule[2] for rule in program.rules] + [program.default]))
        if len(used) < 2:
            return False
        a, b = self.rng.sample(used, 2)
        swapped = {a: b, b: a}
        program.rules = [(conditions, joiner, swapped.get(action, action)) for conditions, joiner, action in program.rules]
        program.default = swapped.get(program.default, program.default)
        return True

    def new_rule(self) -> tuple:
        if self.others and self.rng.random() < 0.7:
            return self.rng.choice(self.others)
        used = [rule[2] for rule in self.program.rules] + [self.program.default]
        action = self.rng.choice(used) if self.rng.random() < 0.4 else self.task.new_action(self.rng)
        return self.maker.rule(self.program, action)

    def insert(self) -> bool:
        if len(self.program.rules) >= 10:
            return False
        self.program.rules.insert(self.rng.randint(0, len(self.program.rules)), self.new_rule())
        return True

    def delete(self) -> bool:
        if len(self.program.rules) < 2:
            return False
        self.program.rules.pop(self.rng.randrange(len(self.program.rules)))
        return True

    def move(self) -> bool:
        rules = self.program.rules
        if len(rules) < 2:
            return False
        a, b = self.rng.sample(range(len(rules)), 2)
        rules.insert(b, rules.pop(a))
        return True

    def replace(self) -> bool:
        rules = self.program.rules
        if not rules:
            return False
        rules[self.rng.randrange(len(rules))] = self.new_rule()
        return True

    def add_condition(self) -> bool:
        rules = self.program.rules
        if not rules:
            return False
        r = self.rng.randrange(len(rules))
        conditions, joiner, action = rules[r]
        new = self.maker.condition(self.program)
        if len(conditions) > 2 or new in conditions:
            return False
        joiner = joiner if len(conditions) > 1 else "&&" if self.rng.random() < 0.75 else "||"
        rules[r] = ((*conditions, new), joiner, action)
        return True

    def remove_condition(self) -> bool:
        found = [r for r, (conditions, *_) in enumerate(self.program.rules) if len(conditions) > 1]
        if not found:
            return False
        r = self.rng.choice(found)
        conditions, joiner, action = self.program.rules[r]
        c = self.rng.randrange(len(conditions))
        self.program.rules[r] = (conditions[:c] + conditions[c + 1:], joiner, action)
        return True

    def joiner(self) -> bool:
        found = [r for r, (conditions, *_) in enumerate(self.program.rules) if len(conditions) > 1]
        if not found:
            return False
        r = self.rng.choice(found)
        conditions, joiner, action = self.program.rules[r]
        self.program.rules[r] = (conditions, "||" if joiner == "&&" else "&&", action)
        return True

    def local(self) -> bool:
        """A local constant that stands for something else of its kind; all rules with it follow."""
        if not self.program.locals:
            return False
        name, (kind, i, k, offset) = self.program.locals[0]
        rng, task = self.rng, self.task
        if kind == "p" and rng.random() < 0.7:
            term = (kind, i, rng.choice([n for n in AHEAD if n != k]), offset)
        else:
            axis = task.axes.get(task.variables[i].axis) or task.numbers
            others = [j for j in axis if j not in (i, k if kind == "s" else i) and (kind in "vs" or task.variables[j].last)]
            if not others:
                return False
            term = (kind, rng.choice(others), k, offset)
        self.program.locals = ((name, term),)
        return True

    def mode(self) -> bool:
        """What begins or ends a mode."""
        if not self.program.mode:
            return False
        name, on, off = self.program.mode
        without = Program([], "")
        new = self.maker.condition(without)
        self.program.mode = (name, new, off) if self.rng.random() < 0.5 else (name, on, new)
        return True

    def remember(self) -> bool:
        """A rule with a counter or a mode of its own."""
        program, frame = self.program, None
        if program.counter or program.mode or program.locals or len(program.rules) >= 10:
            return False
        for _ in range(6):
            frame = self.maker.frame()
            if frame.counter or frame.mode:
                break
        else:
            return False
        program.counter, program.mode = frame.counter, frame.mode
        for _ in range(8):
            rule = self.new_rule()
            if any(remembers(condition) for condition in rule[0]):
                program.rules.insert(self.rng.randint(0, len(program.rules)), rule)
                return True
        program.counter = program.mode = None
        return False


CHANGES = {
    Editor.operator: 9, Editor.number: 20, Editor.variable: 10, Editor.kind: 12, Editor.condition: 7, Editor.other: 6, Editor.action: 8,
    Editor.default: 5, Editor.swap: 4, Editor.insert: 15, Editor.delete: 7, Editor.move: 5, Editor.replace: 5, Editor.add_condition: 8,
    Editor.remove_condition: 6, Editor.joiner: 1.5, Editor.local: 9, Editor.mode: 5, Editor.remember: 2,
}
_METHODS, _WEIGHTS = list(CHANGES), list(CHANGES.values())


@dataclass
class Edit:
    program: Program
    code: str
    #: What it does: the actions in the task's states, and how many rules are dead.
    behaviour: tuple[list[str], int]
    kinds: list[str]


def first(task: Task, program: Program) -> Edit:
    """A program as it is."""
    return Edit(program, code_of(task, program), behaviour(task, program), [])


def edited(rng: random.Random, task: Task, parent: Edit, other: Program | None = None) -> Edit | None:
    """A changed program, perhaps with a rule of another one; None where a few attempts act as the parent does."""
    wanted = rng.choice((1, 1, 1, 1, 2, 2, 2, 3, 3))
    for _ in range(5):
        editor = Editor(task, rng, parent.program, other)
        kinds: list[str] = []
        for _ in range(8):
            (change,) = rng.choices(_METHODS, _WEIGHTS)
            if change(editor):
                kinds.append(change.__name__)
                if len(kinds) == wanted:
                    break
        program = editor.program
        tidy(program)
        actions, dead = behaviour(task, program)
        if actions != parent.behaviour[0] and dead <= parent.behaviour[1]:
            code = code_of(task, program)
            if code != parent.code:
                return Edit(program, code, (actions, dead), kinds)
    return None


def random_parent(rng: random.Random, task: Task) -> Edit:
    """A random program; often one that was edited a few times, as those are that a search keeps."""
    parent = first(task, random_program(rng, task))
    for _ in range(rng.choice((0, 0, 0, 0, 1, 2, 4))):
        parent = edited(rng, task, parent) or parent
    return parent
